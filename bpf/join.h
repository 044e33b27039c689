/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The join: what a task's switches and wakings amount to. One table, used by the kernel side
 * (sched.bpf.c) and by the tests in user space.
 *
 * Two sides write a task's state, without a lock between them: its own switches (they follow each
 * other, the run queue's lock sees to it) and its wakers (sched_waking runs under p->pi_lock, so they
 * follow each other too). So each side writes its own fields only: a waker appends to a small ring of
 * wakings, and the task's next switch takes them through the table before itself.
 *
 * A waking may find the task still on its CPU. Whether it will stay there is not known then: it may
 * already be on its way out (the waking precedes the switch-out in 0.8% of hackbench's waits). So the
 * waking is held, and what comes next decides: switched out runnable, or woken again: it had stayed,
 * a sample of 0 ns. Switched out asleep, then run without another waking: it was that sleep's waking.
 *
 *   UNKNOWN      not seen since the recording began
 *   RUN          on a CPU
 *   WOKEN_EARLY  on a CPU, with a waking held
 *   BLOCKED      asleep
 *   WOKEN_OUT    asleep, with a waking held from just before the switch-out: true if no other comes
 *   WOKEN        woken, waits for a CPU
 *   WOKEN_UNSEEN woken, but whether it was asleep or on a CPU was not seen
 *   PREEMPTED    off the CPU while runnable
 *   GONE         dead
 */
#pragma once

#include "record.h"

enum join_state {
	JOIN_UNKNOWN,
	JOIN_RUN,
	JOIN_WOKEN_EARLY,
	JOIN_BLOCKED,
	JOIN_WOKEN_OUT,
	JOIN_WOKEN,
	JOIN_WOKEN_UNSEEN,
	JOIN_PREEMPTED,
	JOIN_GONE,
	JOIN_STATE_CNT,
	JOIN_STATE_ROOM = 16,	/* the table is indexed with a mask */
};

enum join_event {
	JOIN_WAKE,		/* somebody else woke it, or it is new */
	JOIN_IN,		/* sched_switch to it */
	JOIN_OUT_BLOCKED,	/* sched_switch from it, asleep */
	JOIN_OUT_RUNNABLE,	/* sched_switch from it, still runnable */
	JOIN_OUT_DEAD,		/* its last sched_switch */
	JOIN_EVENT_CNT,
	JOIN_EVENT_ROOM = 8,
};

/* What a cell does, in this order. */
enum join_action {
	JOIN_STAYED = 1,	/* emit the held waking: it found the task on its CPU */
	JOIN_FINISH = 2,	/* emit the wait that ends now, with the held waking if there is one */
	JOIN_LEAVE = 4,		/* stamp the switch-out */
	JOIN_HOLD = 8,		/* hold this waking */
	JOIN_AGAIN = 16,	/* count: woken again before it ran */
	JOIN_OF_PREEMPTED = 32,	/* count: a preempted task was woken */
	JOIN_IMPOSSIBLE = 64,	/* count: an event between was missed */
	JOIN_LOST = 128,	/* count: how the held waking's wait ended was missed */
};

struct join_cell {
	__u8 next;
	__u8 actions;
};

#define CELL(state, actions) { JOIN_##state, actions }

static const struct join_cell join_table[JOIN_STATE_ROOM][JOIN_EVENT_ROOM] = {
	[JOIN_UNKNOWN] = {
		[JOIN_WAKE] = CELL(WOKEN_UNSEEN, JOIN_HOLD),
		[JOIN_IN] = CELL(RUN, 0),
		[JOIN_OUT_BLOCKED] = CELL(BLOCKED, JOIN_LEAVE),
		[JOIN_OUT_RUNNABLE] = CELL(PREEMPTED, JOIN_LEAVE),
		[JOIN_OUT_DEAD] = CELL(GONE, 0),
	},
	[JOIN_RUN] = {
		[JOIN_WAKE] = CELL(WOKEN_EARLY, JOIN_HOLD),
		[JOIN_IN] = CELL(RUN, JOIN_IMPOSSIBLE),
		[JOIN_OUT_BLOCKED] = CELL(BLOCKED, JOIN_LEAVE),
		[JOIN_OUT_RUNNABLE] = CELL(PREEMPTED, JOIN_LEAVE),
		[JOIN_OUT_DEAD] = CELL(GONE, 0),
	},
	[JOIN_WOKEN_EARLY] = {
		[JOIN_WAKE] = CELL(WOKEN_EARLY, JOIN_STAYED | JOIN_HOLD),
		[JOIN_IN] = CELL(RUN, JOIN_STAYED | JOIN_IMPOSSIBLE),
		[JOIN_OUT_BLOCKED] = CELL(WOKEN_OUT, JOIN_LEAVE),
		[JOIN_OUT_RUNNABLE] = CELL(PREEMPTED, JOIN_STAYED | JOIN_LEAVE),
		[JOIN_OUT_DEAD] = CELL(GONE, JOIN_STAYED),
	},
	[JOIN_BLOCKED] = {
		[JOIN_WAKE] = CELL(WOKEN, JOIN_HOLD),
		[JOIN_IN] = CELL(RUN, JOIN_FINISH | JOIN_IMPOSSIBLE),
		[JOIN_OUT_BLOCKED] = CELL(BLOCKED, JOIN_LEAVE | JOIN_IMPOSSIBLE),
		[JOIN_OUT_RUNNABLE] = CELL(PREEMPTED, JOIN_LEAVE | JOIN_IMPOSSIBLE),
		[JOIN_OUT_DEAD] = CELL(GONE, JOIN_IMPOSSIBLE),
	},
	[JOIN_WOKEN_OUT] = {
		[JOIN_WAKE] = CELL(WOKEN, JOIN_STAYED | JOIN_HOLD),
		[JOIN_IN] = CELL(RUN, JOIN_FINISH),
		[JOIN_OUT_BLOCKED] = CELL(BLOCKED, JOIN_LOST | JOIN_LEAVE | JOIN_IMPOSSIBLE),
		[JOIN_OUT_RUNNABLE] = CELL(PREEMPTED, JOIN_LOST | JOIN_LEAVE | JOIN_IMPOSSIBLE),
		[JOIN_OUT_DEAD] = CELL(GONE, JOIN_LOST | JOIN_IMPOSSIBLE),
	},
	[JOIN_WOKEN] = {
		[JOIN_WAKE] = CELL(WOKEN, JOIN_AGAIN),
		[JOIN_IN] = CELL(RUN, JOIN_FINISH),
		[JOIN_OUT_BLOCKED] = CELL(BLOCKED, JOIN_LOST | JOIN_LEAVE | JOIN_IMPOSSIBLE),
		[JOIN_OUT_RUNNABLE] = CELL(PREEMPTED, JOIN_LOST | JOIN_LEAVE | JOIN_IMPOSSIBLE),
		[JOIN_OUT_DEAD] = CELL(GONE, JOIN_LOST | JOIN_IMPOSSIBLE),
	},
	[JOIN_WOKEN_UNSEEN] = {
		/* no switch between two wakings: it was on a CPU all the time */
		[JOIN_WAKE] = CELL(WOKEN_EARLY, JOIN_STAYED | JOIN_HOLD),
		[JOIN_IN] = CELL(RUN, JOIN_FINISH),
		[JOIN_OUT_BLOCKED] = CELL(WOKEN_OUT, JOIN_LEAVE),
		[JOIN_OUT_RUNNABLE] = CELL(PREEMPTED, JOIN_STAYED | JOIN_LEAVE),
		[JOIN_OUT_DEAD] = CELL(GONE, JOIN_STAYED),
	},
	[JOIN_PREEMPTED] = {
		[JOIN_WAKE] = CELL(PREEMPTED, JOIN_OF_PREEMPTED),
		[JOIN_IN] = CELL(RUN, JOIN_FINISH),
		[JOIN_OUT_BLOCKED] = CELL(BLOCKED, JOIN_LEAVE | JOIN_IMPOSSIBLE),
		[JOIN_OUT_RUNNABLE] = CELL(PREEMPTED, JOIN_LEAVE | JOIN_IMPOSSIBLE),
		[JOIN_OUT_DEAD] = CELL(GONE, JOIN_IMPOSSIBLE),
	},
	[JOIN_GONE] = {
		[JOIN_WAKE] = CELL(GONE, JOIN_IMPOSSIBLE),
		[JOIN_IN] = CELL(GONE, JOIN_IMPOSSIBLE),
		[JOIN_OUT_BLOCKED] = CELL(GONE, JOIN_IMPOSSIBLE),
		[JOIN_OUT_RUNNABLE] = CELL(GONE, JOIN_IMPOSSIBLE),
		[JOIN_OUT_DEAD] = CELL(GONE, JOIN_IMPOSSIBLE),
	},
};
#undef CELL

/* What interrupts and the hypervisor took of a CPU since the programs were attached, ns. */
struct cpu_load {
	__u64 irq, softirq, steal;
};

/* One waking, as its waker saw it. */
struct wake {
	__u64 waking, asked, due, fired;
	struct cpu_load base;	/* of `cpu` at the waking */
	__u32 waker;
	__u16 cpu;		/* where the task was placed */
	__u8 by;		/* enum woken_by */
	__u8 timer;		/* enum timer_kind */
	__s32 syscall;		/* the task was in, of timers' wakings */
	__u32 at;		/* the CPU that counts it as waiting, see cpu_state.waiting */
};

enum { WAKE_SLOTS = 4 };

/* A wait for a lock of the kernel's own that is under way; lock is 0: none. */
struct klock_wait {
	__u64 lock, begin;
	__u32 flags;		/* enum klock_flags */
	__u32 pad;
};

struct join {
	/* the task's own side */
	__u64 off;
	__u64 since;		/* last arrival on the CPU it waits on, valid if moves > 0 */
	struct cpu_load base;	/* of that CPU: at off if preempted, at since if moved */
	__u64 futex;
	__u32 futex_op, futex_val, futex_owner, stack;	/* as in struct rec_wait */
	__u32 taken;		/* wakings taken through the table */
	__u32 held;		/* number of the held waking, see join_holds() */
	__u32 oldest;		/* number of the oldest slot in use */
	__s16 syscall;
	__u16 prev_state;
	__u16 cpu_off;
	__u8 state;		/* enum join_state */
	__u8 why;		/* enum wait_why */
	__u8 moves;
	__u8 late_held;		/* `late` waits for its futex call to return */
	__u16 at;		/* as in struct wake, plus 1, while preempted */
	__u64 goid, startpc, gopc, until;	/* at off, as in struct rec_wait */
	__u32 go_gen;		/* of the go_proc that this thread was checked against */
	/* the wakers' side */
	__u32 seq;		/* wakings appended */
	struct wake wakes[WAKE_SLOTS];
	/* both sides, atomically */
	__u64 waking;		/* those not appended: seq counts the others */
	__u64 waking_again, waking_preempted, lost_waking;
	__u64 css_set, cgroup;	/* the cgroup's id, for as long as the task has this css_set */
	struct rec_wait late;
	struct klock_wait klock;	/* in no switch: of the task itself */
};

static inline __attribute__((always_inline)) bool join_holds(__u32 state)
{
	return state == JOIN_WOKEN_EARLY || state == JOIN_WOKEN_OUT || state == JOIN_WOKEN ||
	       state == JOIN_WOKEN_UNSEEN;
}

/*
 * Takes one event through the table: moves the state and returns the actions (enum join_action).
 * JOIN_HOLD and JOIN_STAYED leave to the caller which waking that is: for JOIN_WAKE the one numbered
 * j->taken is new, j->held the held one.
 */
static inline __attribute__((always_inline)) __u32 join_step(struct join *j, enum join_event ev)
{
	const struct join_cell *cell = &join_table[j->state & (JOIN_STATE_ROOM - 1)][ev & (JOIN_EVENT_ROOM - 1)];
	__u32 actions = cell->actions;

	j->state = cell->next;
	return actions;
}

/*
 * Appends a waking; false if the slots are full (a task that is woken over and over while it stays on
 * its CPU). The caller is serialised with other wakers of this task.
 */
static inline __attribute__((always_inline)) bool join_append(struct join *j, const struct wake *w)
{
	__u32 seq = j->seq;

	if (seq - *(volatile __u32 *)&j->oldest >= WAKE_SLOTS)
		return false;
	j->wakes[seq & (WAKE_SLOTS - 1)] = *w;
	/* the slot before its number: the switch that takes it is ordered behind by the run queue's lock */
	__asm__ __volatile__("" ::: "memory");
	*(volatile __u32 *)&j->seq = seq + 1;
	return true;
}
