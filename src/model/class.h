/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which class a wait belongs to. What depends on the system call comes from one table of names; the
 * numbers of this architecture are looked up once, in classes_init().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "names.h"

struct rec_wait;
struct rec_go;

enum { CLASSES_SYSCALL_CNT = 1024 };

struct classes {
	uint16_t drift[CLASSES_SYSCALL_CNT];
	uint16_t block[CLASSES_SYSCALL_CNT];	/* CLASS_FUTEX: the wait is one of thread.futex */
	int futex_nr;				/* the multiplexed futex call, -1 if there is none */
};

void classes_init(struct classes *c);
uint32_t class_of_drift(const struct classes *c, const struct rec_wait *w);
uint32_t class_of_runq(const struct rec_wait *w);
/* Of thread.block; CLASS_FUTEX if the wait belongs to thread.futex instead. */
uint32_t class_of_block(const struct classes *c, int nr);
/* By the stack of the wait, else by what the runtime is known to do, else by the futex word and the call. */
uint32_t class_of_futex(const struct classes *c, struct names *names, const struct rec_wait *w);
/* Whether waits of that class of thread.futex, goroutine.lock are for a lock that somebody holds. */
bool is_lock_class(uint32_t klass);

/* The call's operation without its flags; -1: it has none (only the multiplexed call has). */
int futex_op(const struct classes *c, const struct rec_wait *w);
bool is_futex_pi(int op);
/* The word of a glibc lock that somebody waits for (nptl/lowlevellock.c, 2.36). */
enum { WORD_LLL_WAITERS = 2 };

uint32_t class_of_go_drift(const struct rec_go *r);
uint32_t class_of_go_runq(const struct rec_go *r);

/* What goroutines wait for, by the runtime's own text of the reason. */
struct go_wait {
	const char *reason;
	enum metric metric;
	uint32_t klass;		/* CLASS_NONE: the stack tells, see names_sync_class() */
};

/* NULL: no wait that is a sample. */
const struct go_wait *class_of_go_wait(const char *reason);
/* The class of goroutine.lock by a function of package sync that waits; `otherwise` if it has none. */
uint32_t class_of_sync(const char *func, uint32_t otherwise);
