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
uint32_t class_of_futex(const struct classes *c, const struct rec_wait *w);
