/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Gauges over time for budgets: of Go processes by their snapshots, and `threads` of all others by the births
 * and ends of their threads, of which there is no snapshot. Maxima and last values are exact; of the points
 * between, for means and slopes, each line keeps at most 512, every 2^k-th.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/u64map.h"
#include "../model/span.h"

struct names;
struct rec_hdr;

struct point {
	double t_s, value;	/* s since the first snapshot of its process */
};

/* One gauge of one process, or of one of its creation sites. */
struct line {
	enum gauge_id id;
	uint32_t tgid, site;	/* site 0: the process */
	bool is_kernels;	/* of births and ends, not of snapshots */
	uint64_t max, last, last_t_ns;
	double sum;
	struct line_point *points;
	size_t cnt, room;
};

struct line_point {
	uint32_t no;		/* of the process's snapshot, from 1 */
	uint64_t value;
};

/* The snapshots of a process. */
struct line_process {
	uint32_t tgid;
	bool is_kernels;
	uint64_t cnt, first_ns, last_ns;
	uint64_t *times;	/* of the kept ones */
	size_t kept, room;
};

struct lines {
	uint32_t wanted;	/* mask of enum gauge_id */
	uint64_t start_ns, step_ns;	/* between two points of births and ends */
	uint32_t stride;
	struct line **rows;
	size_t cnt, room;
	struct line_process **processes;
	size_t process_cnt, process_room;
	struct u64map by_key;	/* of a line: its number */
	struct u64map by_process;	/* tgid << 1 | is_kernels: its number */
	struct u64map alive;	/* tid: its process, 0: ended */
	struct u64map threads;	/* tgid: struct thread_count */
	uint64_t next_ns;	/* when births and ends have their next point */
	bool is_full;		/* there were more lines than are kept */
	int err;
};

/* step_ns: how often threads are looked at where there are no snapshots, at least. */
void lines_init(struct lines *l, uint32_t wanted, uint64_t start_ns, uint64_t step_ns);
void lines_done(struct lines *l);
void lines_gauge(struct lines *l, const struct gauge *g);
/* Each record of the recording, before it is given to the model. */
void lines_record(struct lines *l, const struct rec_hdr *hdr);
/* 0 or -errno. */
int lines_finish(struct lines *l, uint64_t end_ns);

/* Whether the line counts: those of births and ends do not where there are snapshots. */
bool line_counts(const struct lines *l, const struct line *x);
/* Snapshots that the line's process had. */
uint64_t line_snapshots(const struct lines *l, const struct line *x);
/* Its value at the last snapshot: 0 if a creation site is not in it. */
uint64_t line_last(const struct lines *l, const struct line *x);
/* Over all snapshots. */
double line_mean(const struct lines *l, const struct line *x);
/* Its points, 0 where a snapshot has no value: to be freed. NULL: no memory, or there are none. */
struct point *line_points(const struct lines *l, const struct line *x, size_t *cnt);
