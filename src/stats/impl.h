/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Inside of struct tables: shared by the files of this folder, by nobody else. Each file owns the
 * functions named after it.
 */
#pragma once

#include <stdio.h>

#include "../../bpf/record.h"
#include "../base/u64map.h"
#include "contention.h"
#include "dims.h"
#include "periodic.h"
#include "tally.h"
#include "view.h"

/* Bounds of memory, far above what the top 64 of 10,000 entities need. */
enum {
	GROUPS_MAX = 8192,
	ENTITIES_MAX = 32768,	/* of a metric, in a pass that sums */
	BLAME_MAX = 131072,
	COUNTERS_MAX = 16384,	/* entities of a counter */
	LOSS_TIMES_MAX = 16384,
	LOCKS_MAX = 65536,
	LOCK_SPACES_MAX = 16384,	/* files that shared locks are in */
	LOCK_ROWS_MAX = 65536,		/* of sites, pairs, what holders did: of each */
	HOLD_PARTS = 32,		/* different things that a holder did in one wait */
	WAKERS_MAX = 65536,	/* goroutines by number, as wakers */
	LABELS_MAX = 16384,
	GAUGE_VALUES_MAX = 131072,
};

enum pass {
	PASS_ALL,	/* the first: everything, as long as no metric has more than N entities */
	PASS_SUMS,	/* the first, once one has: only what the ranking needs */
	PASS_TOP,	/* the second: the top is known */
	PASS_OVER,
};

struct events {
	char *rows;		/* the chunk being filled, of row_sz each */
	struct event_key *keys;	/* its order, once sorted */
	size_t row_sz, cnt;
	FILE *file;		/* sorted chunks one after the other; NULL: all fit into rows */
	uint64_t *first;	/* of each chunk in the file, its first end */
	size_t chunk_cnt, chunk_cap, file_rows;
};

/* A gauge as it came; `no` is the number of the process's snapshot. */
struct gauge_value {
	uint64_t time_ns, value;
	uint32_t tgid, site, no;
	enum gauge_id id;
	size_t rank;
};

struct gauges {
	struct gauge_value *values;
	size_t cnt, cap, full;		/* full: when it is to be thinned */
	struct tally processes;		/* b: tgid; count: its last snapshot's number, max: that one's time */
	uint32_t stride;		/* every so many snapshots are kept, a power of two; and each process's last */
};

struct stack_entry;

struct stacks {
	struct stack_entry *rows;
	size_t cnt, room;
	struct u64map by_hash;		/* uint32_t: the number (from 1) of the first row of that hash */
	uint64_t folded;
};

struct windows {
	struct tally cells;		/* a: group << 32 | stage << 16 | window, b: bucket */
	struct u64map own;		/* threads and processes that have samples */
	uint64_t width_ns;
	size_t cnt, full;		/* full: when they are to be made fewer */
	uint64_t disturbed_until;
};

/* Of one group. */
struct lock {
	struct contention time;
	struct lock_worst worst;
};

struct locks {
	struct lock **locks;		/* by group; NULL: none */
	size_t lock_cnt;
	uint64_t width_ns;		/* of a column */
	/* a: group << 32 and what else is in locks.c */
	struct tally sites;		/* b: site of the wait */
	struct tally pairs;		/* b: waiter << 32 | whom it waited for */
	struct tally holds;		/* b: holder << 32 | root */
	struct tally eagain;		/* a: tgid, b: futex word */
	struct lock_row *rows;		/* of groups that follow each other */
	size_t row_cnt;
};

struct tables {
	struct tables_opts opts;
	const struct dim *by[METRIC_CNT];	/* what an entity of the metric is */
	const struct names *names;		/* NULL: not told */
	enum pass pass;
	int err;			/* the first failure */
	bool started;
	uint64_t start_ns;
	/* group.c */
	struct tally group_ids;		/* a: metric << 32 | class, b: entity; the row is the group's id */
	struct group *groups;
	size_t group_cnt, group_cap;
	struct tally entities[METRIC_CNT];	/* b: entity; once ranked, count is the rank */
	/* heatmap.c */
	struct tally cells;		/* a: group << 32 | column, b: bucket; appended, so not unique */
	size_t cells_full;		/* when they are to be compacted */
	struct tally hot;		/* samples of the last column. a: group, b: bucket */
	uint64_t width_ns, col_ns;	/* of a column; where the last one starts */
	uint32_t col;			/* the last one */
	/* blame.c */
	struct tally blame;		/* a: group << 32 | by_type << 8 | kind, b: by << 32 | lock */
	size_t blame_max;
	/* ids.c; the row + 1 is the id */
	struct tally lock_ids;		/* a: kind << 32 | tgid or space, b: address; sum: where it was waited for last */
	struct tally lock_spaces;	/* b: inode */
	struct tally wakers;		/* b: key of a goroutine; sum: its site */
	struct tally label_ids;		/* a: hash of the text, b: 0, or more for others of that hash */
	char **labels;
	uint32_t *go_pids;
	size_t go_pid_cnt;
	struct locks locks;
	struct events events;
	struct gauges gauges;
	struct periodic periodic;
	struct windows windows;
	struct stacks stacks;
	/* counters.c */
	struct tally counters[ECOUNT_CNT];	/* b: tid */
	uint64_t counter_sums[ECOUNT_CNT];
	uint64_t totals[COUNT_CNT];
	struct loss_time *loss_times;
	size_t loss_time_cnt;
	struct counter_row *counter_rows;
	size_t counter_row_cnt;
};

/* Keeps the first failure. */
void tables_failed(struct tables *t, int err);

/* The group of the span; NULL after a failure, or if this pass only wants sums. */
struct group *group_of(struct tables *t, const struct span *s, uint64_t latency);
void group_add(struct tables *t, struct group *g, const struct span *s, uint64_t latency);
/* Ranks the entities of each metric and keeps the top N. */
void entities_rank(struct tables *t);
/* Forgets groups, cells and blame. */
void groups_clear(struct tables *t);
/* Brings the groups, and what refers to them, into their final order. */
void groups_finish(struct tables *t);
void groups_done(struct tables *t);

void heatmap_clear(struct tables *t);
void heatmap_add(struct tables *t, size_t group, uint64_t end_ns, uint64_t latency);
/* Before the groups get their final order, and after. */
void heatmap_flush(struct tables *t);
void heatmap_finish(struct tables *t);

void windows_clear(struct tables *t);
/* Of every span, of whatever metric, before it is added. */
void windows_notice(struct tables *t, const struct span *s);
void windows_add(struct tables *t, size_t group, const struct span *s, uint64_t latency);
/* After the groups got their final order. */
void windows_finish(struct tables *t);

/* Of every span that is in a group; takes those of lock.wait. */
void locks_add(struct tables *t, size_t group, const struct span *s, uint64_t latency);
void locks_eagain(struct tables *t, uint32_t tgid, uint64_t futex, uint64_t n);
/* The groups get their final order: 0 or -ENOMEM. After that, locks_finish. */
int locks_renumber(struct tables *t, const uint32_t *new_id);
void locks_finish(struct tables *t);
void locks_clear(struct tables *t);
void locks_done(struct tables *t);

/* The id of the span's lock, 0 if it has none, or LOCK_REST. */
uint32_t lock_of(struct tables *t, const struct span *s);
/* The id of a lock by what spans say of it; 0: none did. */
uint32_t lock_find(const struct tables *t, uint32_t tgid, uint64_t space, uint64_t lock);
/* The key of a goroutine, 0 for none; never ENTITY_REST. */
uint64_t goid_of(struct tables *t, uint32_t tgid, uint64_t goid);
/* The id of a goroutine by its key, or BY_REST. */
uint32_t waker_of(struct tables *t, uint64_t goid, uint32_t site);
/* The id of the text of the span's labels, 0 if it has none, or ENTITY_REST. */
uint64_t label_of(struct tables *t, const struct span *s);
void ids_done(struct tables *t);

/* Who a blame names, and by which key: TID, site, key of a goroutine; 0: nobody. */
enum by_type blame_type(const struct tables *t, const struct span *s, const struct blame *b);
uint64_t blame_key(struct tables *t, const struct span *s, const struct blame *b);
void blame_clear(struct tables *t);
void blame_add(struct tables *t, size_t group, const struct span *s);
void blame_finish(struct tables *t);

/* The one of the span's blames with the most time, NULL if none has any. */
const struct blame *biggest_blame(const struct span *s);
void events_done(struct events *e);
void events_add(struct tables *t, const struct span *s, uint64_t latency);
void events_finish(struct tables *t);

void stacks_add(struct tables *t, const struct span *s, uint64_t latency);
void stacks_finish(struct tables *t);
void stacks_done(struct stacks *st);

void gauges_add(struct tables *t, const struct gauge *g);
void gauges_finish(struct tables *t);
void gauges_done(struct gauges *g);

void counters_add(struct tables *t, enum entity_counter id, uint32_t tid, uint64_t n);
void loss_times_add(struct tables *t, uint64_t from, uint64_t to, uint64_t n);
void counters_finish(struct tables *t);
void counters_done(struct tables *t);
