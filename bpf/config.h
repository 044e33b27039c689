/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every knob of the kernel side, set before load: one read-only variable, so that what is switched
 * off is removed by the verifier.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/types.h>
#include <stdbool.h>
#endif

enum filter {
	FILTER_IDS,	/* what the map `wanted` lists: processes, or threads with wanted_threads */
	FILTER_CGROUP,
	FILTER_ALL,
};

enum { HIST_SLICES = 128 };	/* run slices that a CPU remembers, a power of two */
enum { MAX_CPUS = 1024 };
enum { MAX_GO_PROCS = 1024 };

struct bpf_config {
	__u32 filter;		/* enum filter */
	__u32 wanted_threads;	/* FILTER_IDS: ids are of threads */
	__u32 follow;		/* children of tracked tasks are tracked */
	__u32 has_comm;		/* only tasks whose name matches comm_glob */
	char comm_glob[16];	/* no two * in a row */
	__u32 comm_len;
	__u32 comm_stars, comm_any;	/* bit i: its character i is *, is ? */
	__u64 cgroup;		/* FILTER_CGROUP: this one and those below */
	__u32 cgroup_v1;	/* the CPU controller is on a v1 hierarchy */
	__u32 switch_has_state;	/* sched_switch has prev_state (5.18: fa2c3254d7cf) */
	__u32 task_storage;	/* else states live in a hash keyed by task (5.10) */
	__u32 steal;		/* there is a hypervisor that may take time */
	__u32 stacks;		/* of threads that wait in a futex, and of waits for kernel locks */
	__u64 wake_bytes;	/* fill of the ring that wakes the collector */
};

/* What the timer functions are, by address; the names are those of kernel 5.10 to 7.3. */
#define TIMER_FUNCTIONS(X) \
	X("hrtimer_wakeup", TIMER_SLEEPER) \
	X("timerfd_tmrproc", TIMER_TIMERFD) \
	X("posix_timer_fn", TIMER_POSIX) \
	X("it_real_fn", TIMER_ITIMER) \
	X("alarmtimer_fired", TIMER_ALARM) \
	X("process_timeout", TIMER_JIFFIES)

struct eagain_key {
	__u64 futex;
	__u32 tgid;
	__u32 pad;
};

struct overrun_key {
	__u32 id;
	__u16 is_thread;
	__u16 timer;
};
