/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How a switch runs the join. The including file defines before, with JOIN_CTX its context's type:
 *   join_stayed(ctx, j, w)        emits a waking that found the task on its CPU
 *   join_count(ctx, j, w, actions) for the counting actions; w: the waking that is counted
 */
#pragma once

#include "join.h"

/* In what join_take() returns: the wait that JOIN_FINISH ends has a waking, number j->held. */
enum { JOIN_HELD = 1 << 8 };

/* Takes one event through the table and does what can be done here; returns its actions. */
static inline __attribute__((always_inline)) __u32 join_one(JOIN_CTX *ctx, struct join *j, enum join_event ev)
{
	__u32 held = join_holds(j->state) ? JOIN_HELD : 0, actions = join_step(j, ev);

	if (actions & JOIN_STAYED)
		join_stayed(ctx, j, &j->wakes[j->held & (WAKE_SLOTS - 1)]);
	if (actions & (JOIN_AGAIN | JOIN_OF_PREEMPTED | JOIN_IMPOSSIBLE | JOIN_LOST)) {
		__u32 which = actions & JOIN_LOST ? j->held : j->taken;

		join_count(ctx, j, &j->wakes[which & (WAKE_SLOTS - 1)], actions);
	}
	if (actions & JOIN_HOLD)
		j->held = j->taken;
	return actions | held;
}

/* One appended waking; false if there is none. */
static inline __attribute__((always_inline)) bool join_one_wake(JOIN_CTX *ctx, struct join *j, __u32 seq)
{
	if (j->taken == seq)
		return false;
	join_one(ctx, j, JOIN_WAKE);
	j->taken++;
	return true;
}

/*
 * Takes the appended wakings, then the switch `ev`, through the table. Returns the switch's actions:
 * JOIN_FINISH and JOIN_LEAVE are left to the caller. No loop: kernels before 6.2 refuse one whose last
 * instruction falls through to its first, which is the compiler's choice.
 */
static inline __attribute__((always_inline)) __u32 join_take(JOIN_CTX *ctx, struct join *j, enum join_event ev)
{
	__u32 seq = *(volatile __u32 *)&j->seq, actions;

	_Static_assert(WAKE_SLOTS == 4, "one call for each slot");
	if (join_one_wake(ctx, j, seq) && join_one_wake(ctx, j, seq) && join_one_wake(ctx, j, seq))
		join_one_wake(ctx, j, seq);
	actions = join_one(ctx, j, ev);
	j->oldest = join_holds(j->state) ? j->held : j->taken;
	return actions;
}
