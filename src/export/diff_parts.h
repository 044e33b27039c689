/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Inside of the comparison's formats: shared by its files, by nobody else. */
#pragma once

#include "diff.h"
#include "grid.h"

int diff_text(const struct diff *d, FILE *out);
int diff_svg(const struct diff *d, FILE *out);

/* One line of one statistic: "thread.drift p99 of mixer (nanosleep): 1ms to 2ms, ...". Raw. Returns buf. */
const char *diff_line(const struct compare_row *row, enum compare_stat_id id, char *buf, size_t size);

/* Two heatmaps on one grid: its counts are the base's. */
struct diff_grid {
	struct grid g;
	uint64_t *now;		/* as g.counts */
	uint64_t base_total, now_total;
};

/* 0 or -ENOMEM; no rows: no samples in either. */
int diff_grid_make(const struct diff *d, enum metric metric, const struct grid_limits *limits, struct diff_grid *out);
void diff_grid_done(struct diff_grid *g);
/* A count of the new one less that of the base, as if both had as many samples. */
double diff_grid_at(const struct diff_grid *g, size_t cell);
