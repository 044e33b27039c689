/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The one sentence: who was late, by how much, in which stage, and who took it.
 *
 * The metric is the first of these that there is:
 * 1. thread.drift with at least 100 samples: how late timers came is what one asks first
 * 2. of the others with at least 100 samples the one with the largest p99, but not thread.block
 * 3. and 4. the same with any number of samples
 * 5. thread.block: a program blocks by its own will
 * Of its entities it is the one with the largest p99 among those with at least 100 samples, or among all.
 * The stage is the one with the largest p99, not the largest sum: it explains the tail.
 */
#pragma once

#include "summary.h"

struct headline {
	enum metric metric;
	struct part part;	/* the entity */
	uint64_t entity;
	uint64_t count, p99, max;
	unsigned int stage;	/* STAGE_CNT: the metric has none */
	uint64_t stage_p99;
};

/* 1, 0: there are no samples, or -ENOMEM. */
int headline_find(const struct tables *t, struct headline *out);

/* The sentence, raw names in it (to be escaped), to buf. 0 or -ENOMEM. */
int headline_text(const struct tables *t, const struct names *n, const struct headline *h, char *buf,
		  size_t size);
