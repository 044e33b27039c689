/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tables: every one is a group-by of the spans over {metric, class, entity}. Feed: tables_new,
 * tables_start, spans into tables_sink(), tables_pass_done; if that asks for it, the same spans again
 * (the entities beyond the top N are only known at the end of the first pass), tables_pass_done. Then
 * read with view.h. One owner; a failure inside the sink is kept and returned by tables_pass_done.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../model/span.h"

/* X(id, name, help) */
#define TABLES(X) \
	X(HEATMAP, "heatmap", "samples by time and latency, one cell a row") \
	X(STAGES, "stages", "quantiles of each stage and of the whole (total)") \
	X(BLAME, "blame", "who took the time") \
	X(EVENTS, "events", "one sample a row") \
	X(PERIODIC, "periodic", "timers of a period: drift against its grid, ticks missed, late ones in a row") \
	X(COUNTERS, "counters", "what was counted and is no sample") \
	X(LOCKS, "locks", "locks: waits, how long somebody waited, how many at once") \
	X(HOLDERS, "holders", "what the holders of locks did while others waited for them") \
	X(GAUGES, "gauges", "Go processes over time: goroutines, threads, run queues, timers") \
	X(LOSS, "loss", "what was lost, by cause")

enum table {
#define X(id, name, help) TABLE_##id,
	TABLES(X)
#undef X
	TABLE_CNT
};

#define TABLE_BIT(id) (1u << TABLE_##id)

struct table_info {
	const char *name, *help;
};

extern const struct table_info table_infos[TABLE_CNT];

struct tables;
struct dim;
struct names;

/* What is 0 or NULL has the default that the comment says. */
struct tables_opts {
	unsigned int tables;		/* mask of TABLE_BIT: what is kept. Default: all but events */
	unsigned int metrics;		/* mask of 1u << enum metric. Default: all */
	const struct dim *by;		/* what an entity is, see dims.h. Default: the first of them */
	size_t top;			/* entities per metric; the others are `rest`. 64 */
	size_t max_cols;		/* columns of time, at least 2. 240 */
	size_t max_cells;		/* of the heatmap: beyond, columns merge. 400,000 */
	uint64_t period_ns;		/* of the timers looked for. Each one's own */
	uint64_t late_ns;		/* what counts as late there. A tenth of the period, at least 1 ms */
	size_t sort_rows;		/* events sorted in memory at a time. 32,768 */
	bool stacks;			/* samples by call stack are kept, too: see stacks.h. No */
	bool windows;			/* samples by window of time are kept, too: see windows.h. No */
};

/* NULL and errno: no memory. */
struct tables *tables_new(const struct tables_opts *opts);
void tables_free(struct tables *t);

/* The recording's start, CLOCK_MONOTONIC; not told before the first span, that one's begin is taken. */
void tables_start(struct tables *t, uint64_t start_ns);
/* Whom the spans name, of this pass: labels of goroutines are grouped by what they say. Must outlive the pass. */
void tables_names(struct tables *t, const struct names *n);
struct span_sink tables_sink(struct tables *t);
/* The end of a pass: *again says whether the same spans must come a second time. 0 or -errno. */
int tables_pass_done(struct tables *t, bool *again);
