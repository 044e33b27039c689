/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the Go runtimes of processes told of themselves: what they are, snapshots of their schedulers, which
 * become gauges, and the histograms that they keep. Owned by the model.
 */
#pragma once

#include "../base/u64map.h"
#include "names.h"
#include "span.h"

struct rec_goproc;
struct rec_gosnap;
struct rec_gosite;
struct rec_gohist;
struct go_process;
struct go_bucket;
struct go_group;
struct go_proc_info;

/* Goroutines of a snapshot by creation site. */
struct site_sum {
	uint32_t site;
	uint64_t all, waiting;
};

struct go_info {
	const struct span_sink *sink;
	struct names *names;
	struct go_proc_info **procs;
	size_t proc_cnt, proc_room;
	struct u64map by_tgid;		/* uint32_t: index of procs */
	size_t bucket_cnt, group_cnt;	/* of all processes */
	struct site_sum *sums;		/* of the snapshot under way */
	size_t sum_cnt, sum_room;
	struct u64map by_site;		/* uint32_t: index of sums */
	uint32_t sums_tgid;
	uint64_t sums_time;
};

void go_info_init(struct go_info *g, const struct span_sink *sink, struct names *names);	/* both outlive it */
void go_info_done(struct go_info *g);

/* Each takes one record whose length was checked. 0, -EBADMSG or -ENOMEM. */
int go_info_proc(struct go_info *g, const struct rec_goproc *r);
int go_info_snap(struct go_info *g, const struct rec_gosnap *r);
int go_info_site(struct go_info *g, const struct rec_gosite *r);
int go_info_hist(struct go_info *g, const struct rec_gohist *r);
/* A snapshot's sums by site go to the sink: with the next snapshot, and here. */
void go_info_flush(struct go_info *g);

/* How much is probed in the process now (enum go_level). */
uint32_t go_info_level(const struct go_info *g, uint32_t tgid);
/* See model_go_at(), model_go_group(), model_go_hist(). */
bool go_info_at(const struct go_info *g, size_t i, struct go_process *out);
bool go_info_group(const struct go_info *g, uint32_t tgid, size_t i, struct go_group *out);
bool go_info_bucket(const struct go_info *g, uint32_t tgid, uint32_t which, size_t i, struct go_bucket *out);
