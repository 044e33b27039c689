/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The one sentence: who was late, by how much, in which stage, and who took it.
 *
 * The metric is the first of these that there is:
 * 1. goroutine.drift with at least 100 samples: how late timers came is what one asks first, and of a Go
 *    program its goroutines
 * 2. goroutine.runq and goroutine.lock with at least 100 samples, the one with the larger p99
 * 3. thread.drift with at least 100 samples: of a Go program these are mostly the runtime's own timers
 * 4. of the others with at least 100 samples the one with the largest p99
 * 5. thread.futex with at least 100 samples: those of its waits that were for locks are in lock.wait, too
 * 6. to 10. the same with any number of samples
 * 11. what a program does by its own will: thread.block, goroutine.chan
 * Classes of waits that a program enters to idle (go-idle, cond, join, barrier, waitgroup, blocked) count for none of them,
 * unless there is nothing else.
 * Of its entities it is the one with the largest p99 among those with at least 100 samples, or among all.
 * The stage is the one with the largest p99, not the largest sum: it explains the tail.
 * What grew all the time (growth.h) is told behind it.
 */
#pragma once

#include "summary.h"

struct headline {
	enum metric metric;
	struct part part;	/* the entity */
	uint64_t entity;
	const struct group *group;	/* one of the entity's */
	uint64_t count, p99, max;
	unsigned int stage;	/* STAGE_CNT: the metric has none */
	uint64_t stage_p99;
};

/* 1, 0: there are no samples, or -ENOMEM. */
int headline_find(const struct tables *t, struct headline *out);

/* The sentence, raw names in it (to be escaped), to buf. 0 or -ENOMEM. */
int headline_text(const struct tables *t, const struct names *n, const struct headline *h, char *buf,
		  size_t size);
