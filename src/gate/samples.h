/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the budgets of a gate are judged by, taken from one pass over a recording whose length and names are
 * known from a pass before: a name is the last one, as everywhere.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/u64map.h"
#include "../model/span.h"
#include "../stats/tally.h"

struct boot;
struct budgets;
struct names;

enum { WORST_CNT = 3 };

/* One sample, with what explains it. */
struct worst {
	uint64_t value;		/* of the stage that is judged, or the latency */
	uint64_t t_ns;		/* its end, since the start */
	uint64_t latency;
	uint64_t stage_ns[STAGE_CNT];
	uint64_t goid;
	uint64_t lock, lock_space;
	uint32_t tid, tgid, site, wait_site, klass;
	uint16_t cpu;
	bool has_blame;
	struct blame by;	/* the biggest one, by time */
};

/* The samples that budgets of one metric, name and stage ask for. */
struct series {
	enum metric metric;
	unsigned int stage;	/* STAGE_CNT: the whole sample */
	const char *name;	/* the budget's glob, "" for all */
	uint64_t count, sum, min, max;
	struct worst worst[WORST_CNT];	/* the greatest first */
	size_t worst_cnt;
	struct boot *boot;	/* by window of time */
	struct tally hot;	/* of the last window. b: bucket */
	struct u64map known;	/* key of a name: whether it is meant */
	uint64_t lost_wakings;	/* of the threads that are meant */
};

struct samples {
	const struct names *names;
	uint64_t start_ns, length_ns;
	size_t window_cnt, window;	/* the one that is being filled */
	struct series *series;
	size_t cnt;
	uint64_t seen[METRIC_CNT];	/* samples of each metric */
	uint64_t totals[64];		/* by enum count_id of bpf/record.h */
	uint64_t lost_wakings;		/* of all threads */
	int err;			/* the first failure */
};

/*
 * Makes a series for each {metric, name, stage} of the budgets. names and budgets must outlive it.
 * 0 or -ENOMEM.
 */
int samples_init(struct samples *s, const struct budgets *b, const struct names *names, uint64_t start_ns,
		 uint64_t length_ns);
void samples_done(struct samples *s);

/* Takes spans, counters and totals; the caller takes gauges. */
struct span_sink samples_sink(struct samples *s);
/* After the last span. 0 or -errno. */
int samples_finish(struct samples *s);

/* The series of a budget of a metric. */
struct series *samples_of(const struct samples *s, enum metric metric, const char *name, unsigned int stage);

/* Samples that the metric may have lost, at most; of the series' name as far as that is known. */
uint64_t samples_lost(const struct samples *s, const struct series *of);
/* What was lost of all waits that there were, as a share, and how many. */
double samples_loss(const struct samples *s, uint64_t *lost, uint64_t *waits);

/* True if the glob means the thread, process, lock, or function (with or without its package's path). */
bool name_is_meant(const char *glob, const char *name);
