/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who is who: names of threads and cgroups as the records told them, and of classes.
 * Owned by the model, read by exporters. Texts are raw (exporters escape them).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "span.h"

struct names;
struct rec_task;
struct rec_cgroup;

struct names *names_new(void);	/* NULL: no memory */
void names_free(struct names *n);

/* 0, or -ENOMEM. The last comm wins. */
int names_task(struct names *n, const struct rec_task *t);
int names_cgroup(struct names *n, const struct rec_cgroup *c);

struct task_name {
	uint32_t tid, tgid, ns_tid, ns_tgid;
	uint64_t cgroup;
	char comm[16 + 1];
};

/* The task's last identity, or NULL if no record named it. Valid until the next names_task(). */
const struct task_name *names_of_task(const struct names *n, uint32_t tid);
/* The cgroup's path, or NULL. */
const char *names_of_cgroup(const struct names *n, uint64_t id);

/*
 * Classes: a class is a small number whose meaning depends on the metric. CLASS_SYSCALL + number is
 * "the system call", the others are the words of product.md.
 */
enum klass {
	CLASS_NONE,		/* "" */
	CLASS_TIMER, CLASS_TASK, CLASS_IRQ, CLASS_NEW,			/* thread.runq */
	CLASS_NANOSLEEP, CLASS_POLL, CLASS_EPOLL, CLASS_FUTEX, CLASS_TIMERFD, CLASS_POSIX, CLASS_ITIMER,
	CLASS_ALARM,							/* thread.drift, and syscalls */
	CLASS_MUTEX, CLASS_OTHER,					/* thread.futex */
	CLASS_SLEEP, CLASS_FAULT, CLASS_KERNEL, CLASS_COMPAT, CLASS_UNKNOWN,	/* thread.block: and poll, syscalls */
	CLASS_SYSCALL = 1000,
};

/* Writes the class's text to buf (at most size bytes, NUL-terminated) and returns buf. */
const char *class_name(uint32_t klass, char *buf, size_t size);

/* The native system call's name ("read"), or NULL if the number is not known. */
const char *syscall_name(int nr);
