/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel side as the collector sees it; the only place that knows the BPF skeleton. What the kernel
 * lacks is left out and told through `absent`, by name and with the reason.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/config.h"
#include "../../bpf/go.h"
#include "../../bpf/record.h"
#include "../../bpf/ustack.h"

struct probe;

struct probe_opts {
	struct bpf_config config;	/* what the user wants; what the kernel can is filled in here */
	const uint32_t *wanted;		/* FILTER_IDS: ids in our PID namespace */
	size_t wanted_cnt;
	size_t ring_bytes;		/* a power of two of pages */
	bool no_syscalls;		/* leave the futex tracepoints out */
};

typedef int (*probe_sink)(void *ctx, const void *rec, size_t len);
typedef void (*probe_absent)(void *ctx, const char *what, const char *why);

/* Opens and loads, attaches nothing. 0 or -errno, told on stderr with a hint. */
int probe_open(const struct probe_opts *opts, probe_absent absent, void *ctx, struct probe **out);
void probe_close(struct probe *p);

/* Attaches; records flow only after probe_start(). */
int probe_attach(struct probe *p);
/*
 * Attaches to the exits of futex, or of the newer futex_wait, futex_waitv and futex_requeue, if that was
 * not done. Not before a futex wait is seen: one such tracepoint makes every system call of the machine
 * 16 ns slower, and the detach 70 ms.
 */
void probe_want_futex(struct probe *p, bool futex2);
/*
 * Gives a rec_task for every task, and makes the targets tracked; ret_tracked says how many tasks
 * those are. Then everything starts at once.
 */
int probe_start(struct probe *p, probe_sink sink, void *ctx, size_t *ret_tracked);
/* Everything stops at once; afterwards the ring is drained by probe_drain() a last time. */
void probe_stop(struct probe *p);
/* Gives the open waits (rec_wait, rec_task_end) of all tracked tasks; after probe_stop(). */
int probe_dump_ends(struct probe *p, probe_sink sink, void *ctx);

/* The ring: readable when it fills up; else drain it on a timer. */
int probe_ring_fd(const struct probe *p);
/* Gives what is in the ring, at most `max` records; beside records also struct stack_copy. 0, 1 if there is more, or the sink's error. */
int probe_drain(struct probe *p, size_t max, probe_sink sink, void *ctx);

/* Counters of the kernel side so far, by enum count_id. */
void probe_counts(struct probe *p, uint64_t counts[COUNT_CNT]);
/* Gives rec_eagain and rec_overrun of all keys, with `time` as their time. */
int probe_dump_maps(struct probe *p, uint64_t time, probe_sink sink, void *ctx);

/*
 * What our programs cost, measured for a while between begin and end: nanoseconds of CPU that they ran,
 * as the kernel's BPF statistics tell (which see no more than the programs themselves). Needs
 * CAP_SYS_ADMIN and kernel 5.8: begin returns -errno where it can't be had.
 */
int probe_cost_begin(struct probe *p);
uint64_t probe_cost_end(struct probe *p);

/* Says that a process (its id in the initial PID namespace) is a Go program; NULL: no longer. 0 or -errno. */
int probe_go_proc(struct probe *p, uint32_t tgid, const struct go_proc *proc);

/* Where the code of a process is (its id in the initial PID namespace); NULL: no longer. 0 or -errno. */
int probe_user_text(struct probe *p, uint32_t tgid, const struct user_text *text);

/* What the object of probe_go.h shares with ours: fds of maps, which stay ours. */
struct probe_shared {
	int ring, counts, cpus, overruns;
	const struct bpf_config *config;
};

struct probe_shared probe_share(const struct probe *p);
