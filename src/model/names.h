/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who is who: names of threads and cgroups as the records told them, and of classes.
 * Owned by the model, read by exporters. Texts are raw (exporters escape them).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "functions.h"
#include "span.h"

struct names;
struct rec_task;
struct rec_cgroup;
struct rec_symbol;
struct rec_stack;
struct rec_golabel;
struct rec_lock;
struct rec_goword;

struct names *names_new(void);	/* NULL: no memory */
void names_free(struct names *n);

/* 0, or -ENOMEM. The last comm wins. */
int names_task(struct names *n, const struct rec_task *t);
/* The task ended: see names_thread(). */
void names_thread_ends(struct names *n, uint32_t tid, uint64_t time_ns);
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
 * Sites: places in code with a name, numbered from 1; the same text has the same number, whatever the
 * process. Of a goroutine: the function that it was created with, and where. Of a call: the innermost
 * frame of a stack that is of the program itself (not of a C library or a runtime, see functions.h), and where.
 */
struct site_name {
	const char *func;	/* "main.worker", or "0x4a1f20" if there was no symbol */
	const char *at;		/* "main.start main.go:42": the creator and its line; of a call "main.go:42" */
	const char *module;	/* of a frame: "libc.so.6", "" if not known; else NULL */
};

/* 0: pcs are 0, or no memory. What has no symbol yet gets a number by address. */
uint32_t names_site(struct names *n, uint32_t tgid, uint64_t startpc, uint64_t gopc);
/* Of a REC_STACK. 0: no such stack. */
uint32_t names_call_site(struct names *n, uint32_t tgid, uint32_t stack);
/*
 * Which class of goroutine.lock a wait for a semaphore at that stack is of: what of package sync waited. CLASS_NONE:
 * the runtime itself did.
 */
uint32_t names_sync_class(struct names *n, uint32_t tgid, uint32_t stack);
/*
 * Which class of thread.futex a wait at that stack is of, by the functions of C libraries and runtimes in it; CLASS_NONE:
 * no such stack, or none of its functions is one that waits for something we know.
 */
uint32_t names_futex_class(struct names *n, uint32_t tgid, uint32_t stack);
/* What the word of that wait tells of the lock's owner. */
enum lock_word names_lock_word(struct names *n, uint32_t tgid, uint32_t stack);
/* NULL: no such number. Its texts are valid as long as the names, itself until the next call that makes one. */
const struct site_name *names_of_site(const struct names *n, uint32_t site);
/* Frame i of a stack, inlined calls expanded, innermost first: its function and "file.go:line"; false: no more. */
bool names_frame(const struct names *n, uint32_t tgid, uint32_t stack, size_t i, struct site_name *out);

/*
 * What a futex word belongs to, a REC_LOCK, by the word or by the begin of its object; NULL: not told. Valid until the
 * next names_lock().
 */
struct lock_name {
	const char *name;	/* "queue_lock"; "" if it is in no named object */
	const char *module;	/* "libfoo.so.1" */
	uint64_t base, inode, offset;	/* as in REC_LOCK */
};

/*
 * By the futex word, or by span.lock of a wait for it where lock_space is 0; NULL: not told. In the middle of an object
 * its name has "+0x40" behind.
 */
const struct lock_name *names_of_lock(const struct names *n, uint32_t tgid, uint64_t address);
/* The lock that the word belongs to begins there: names_of_lock() has it by that address, too. 0 or -ENOMEM. */
int names_lock_begin(struct names *n, uint32_t tgid, uint64_t futex, uint64_t begin);
/* The thread of a process that had that id in its own PID namespace, as locks have it, at that time; 0: none that lived. */
uint32_t names_thread(const struct names *n, uint32_t tgid, uint32_t ns_tid, uint64_t time_ns);

/* Text of pprof labels of a process by address, a REC_GOLABEL; NULL: not known. */
const char *names_label(const struct names *n, uint32_t tgid, uint64_t labels);
/* What the runtime of that process calls it, a REC_GOWORD; NULL: not known. */
const char *names_goword(const struct names *n, uint32_t tgid, uint32_t word, uint32_t number);

/* 0, -ENOMEM, or -EBADMSG. */
int names_symbol(struct names *n, const struct rec_symbol *r);
int names_stack(struct names *n, const struct rec_stack *r);
int names_lock(struct names *n, const struct rec_lock *r);
int names_golabel(struct names *n, const struct rec_golabel *r);
int names_goword_add(struct names *n, const struct rec_goword *r);

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
	CLASS_RWLOCK, CLASS_COND, CLASS_SEM, CLASS_GO_IDLE, CLASS_GO_RUNTIME,	/* thread.futex; goroutine.lock */
	CLASS_WAITGROUP,						/* goroutine.lock: and mutex, rwlock, cond, sem */
	CLASS_TICKER, CLASS_FUNC, CLASS_DEADLINE,			/* goroutine.drift: and sleep, timer */
	CLASS_READIED, CLASS_PREEMPTED, CLASS_YIELDED, CLASS_IN_SYSCALL,	/* goroutine.runq: and new */
	CLASS_SAMPLED,		/* goroutine.runq with the light probes: one in eight, by the runtime's own stamps */
	CLASS_BLOCKED,							/* goroutine.offcpu: and preempted */
	CLASS_SEND, CLASS_RECEIVE, CLASS_SELECT,			/* goroutine.chan */
	CLASS_JOIN, CLASS_BARRIER,					/* thread.futex */
	CLASS_SYSCALL = 1000,
	CLASS_STW = 0x20000,	/* process.stw: + a number of the names' own, see names_stw_class() */
};

/* Writes the class's text to buf (at most size bytes, NUL-terminated) and returns buf. */
const char *class_name(uint32_t klass, char *buf, size_t size);

/*
 * The class of a stop-the-world's reason, by the runtime's text or the function that stopped it: as in
 * class_name(), which needs the names for it. The same text has the same class.
 */
uint32_t names_stw_class(struct names *n, const char *reason);
const char *names_class(const struct names *n, uint32_t klass, char *buf, size_t size);

/* The native system call's name ("read"), or NULL if the number is not known. */
const char *syscall_name(int nr);
