/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counters that records carry as running totals: increments go to the sink, which sums them up again.
 * Owned by the model.
 */
#pragma once

#include "../base/u64map.h"
#include "span.h"

struct rec_count;
struct rec_eagain;
struct rec_overrun;
struct rec_task;
struct rec_cgstat;
struct cgroup_stat;

struct counts {
	const struct span_sink *sink;
	uint64_t total[32];		/* enum count_id: the last values */
	uint64_t time, time_before;	/* of the last values, and of those before */
	struct u64map eagain;		/* struct eagain */
	struct u64map overrun;		/* struct overrun */
	struct u64map tracked;		/* key: tid, or tgid with bit 32 set; no value */
	struct u64map cgstat;		/* struct cgroup_stats */
};

void counts_init(struct counts *c, const struct span_sink *sink);	/* sink outlives it */
void counts_done(struct counts *c);

/* Each takes one record whose length was checked. 0, -EBADMSG or -ENOMEM. */
int counts_count(struct counts *c, const struct rec_count *r);
int counts_eagain(struct counts *c, const struct rec_eagain *r);
int counts_overrun(struct counts *c, const struct rec_overrun *r);
int counts_task(struct counts *c, const struct rec_task *r);
int counts_cgstat(struct counts *c, const struct rec_cgstat *r);

/* The end of the stream: what is held goes to the sink, the totals too. */
void counts_end(struct counts *c);
/* See model_cgstat_at(). */
bool counts_cgstat_at(const struct counts *c, size_t i, struct cgroup_stat *out);
