/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How a switch runs the join. The including file defines before, with JOIN_CTX its context's type:
 *   join_stayed(ctx, j, w)        emits a waking that found the task on its CPU
 *   join_count(ctx, j, actions)   for the counting actions
 */
#pragma once

#include "join.h"

/* Kernels before 6.2 refuse a loop whose last instruction falls through to its first (push_insn). */
#ifdef __clang__
#define JOIN_UNROLL _Pragma("clang loop unroll(full)")
#else
#define JOIN_UNROLL
#endif

/* In what join_take() returns: the wait that JOIN_FINISH ends has a waking, number j->held. */
enum { JOIN_HELD = 1 << 8 };

/*
 * Takes the appended wakings, then the switch `ev`, through the table. Returns the switch's actions:
 * JOIN_FINISH and JOIN_LEAVE are left to the caller.
 */
static inline __attribute__((always_inline)) __u32 join_take(JOIN_CTX *ctx, struct join *j, enum join_event ev)
{
	__u32 seq = *(volatile __u32 *)&j->seq, actions = 0, held = 0;

	JOIN_UNROLL
	for (int i = 0; i <= WAKE_SLOTS; i++) {
		bool last = j->taken == seq || i == WAKE_SLOTS;

		held = join_holds(j->state) ? JOIN_HELD : 0;
		actions = join_step(j, last ? ev : JOIN_WAKE);
		if (actions & JOIN_STAYED)
			join_stayed(ctx, j, &j->wakes[j->held & (WAKE_SLOTS - 1)]);
		if (actions & (JOIN_AGAIN | JOIN_OF_PREEMPTED | JOIN_IMPOSSIBLE))
			join_count(ctx, j, actions);
		if (last)
			break;
		if (actions & JOIN_HOLD)
			j->held = j->taken;
		j->taken++;
	}
	j->oldest = join_holds(j->state) ? j->held : j->taken;
	return actions | held;
}
