/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A metric's samples by time and latency, all entities together, with the tables' cells merged until they
 * fit a picture: neighbouring columns, and buckets down to an octave a row. Nothing is split.
 */
#pragma once

#include "../stats/view.h"

struct grid {
	enum metric metric;
	size_t cols, rows;		/* no rows: no samples */
	uint64_t col_ns, length_ns;	/* the last column may reach beyond the recording's length */
	unsigned int per_octave;	/* rows an octave, a power of two up to 32 */
	unsigned int low;		/* the number of the lowest row, for grid_row_lo */
	uint64_t *counts;		/* rows * cols, the lowest latency first */
	uint64_t total, max;		/* of all cells; of the fullest one */
	size_t cell_cnt;		/* cells that are not empty */
};

/* At most that many; a row is never less than an octave apart, so rows may be more. */
struct grid_limits {
	size_t cols, rows, cells;
};

/* 0 or -ENOMEM. */
int grid_make(const struct tables *t, enum metric metric, uint64_t length_ns, const struct grid_limits *limits,
	      struct grid *out);
void grid_done(struct grid *g);

/* Row i holds latencies of [grid_row_lo(g, i), grid_row_lo(g, i + 1)). */
uint64_t grid_row_lo(const struct grid *g, size_t i);

/* How many of the tables' columns become one if a length is to fit into that many; *ret_ns: their width. */
uint64_t grid_merge(const struct tables *t, uint64_t length_ns, size_t cols, uint64_t *ret_ns);
