/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "grid.h"

#include <errno.h>
#include <stdlib.h>

/* The buckets and cells of a metric. */
struct extent {
	unsigned int first, last;
	bool any;
};

/* Calls fn for each cell of the metric. */
static void each_cell(const struct tables *t, enum metric metric, void (*fn)(void *ctx, const struct cell *c),
		      void *ctx)
{
	const struct group *g;
	struct cell cell;

	for (size_t i = 0; (g = tables_group(t, i)); i++) {
		if (g->metric != metric)
			continue;
		for (size_t at = g->cell_from; at < g->cell_to && tables_cell(t, at, &cell); at++)
			fn(ctx, &cell);
	}
}

static void extend(void *ctx, const struct cell *c)
{
	struct extent *e = ctx;

	if (!e->any || c->bucket < e->first)
		e->first = c->bucket;
	if (!e->any || c->bucket > e->last)
		e->last = c->bucket;
	e->any = true;
}

uint64_t grid_merge(const struct tables *t, uint64_t length_ns, size_t cols, uint64_t *ret_ns)
{
	struct cell cell;
	uint64_t width, cnt, merge;

	if (!tables_cell(t, 0, &cell))
		return 0;
	width = cell.t_end - cell.t_start;
	cnt = length_ns / width + !!(length_ns % width);
	merge = cnt / cols + !!(cnt % cols);
	if (!merge)
		merge = 1;
	*ret_ns = width * merge;
	return merge;
}

static size_t row_cnt(const struct extent *e, unsigned int per_octave)
{
	unsigned int merge = HIST_SLOTS / per_octave;

	return e->last / merge - e->first / merge + 1;
}

struct fill {
	struct grid *g;
	uint64_t merge;		/* columns */
};

static void add_cell(void *ctx, const struct cell *c)
{
	struct fill *f = ctx;
	struct grid *g = f->g;
	size_t row = c->bucket / (HIST_SLOTS / g->per_octave) - g->low, col = c->col / f->merge;
	uint64_t *count = &g->counts[row * g->cols + (col < g->cols ? col : g->cols - 1)];

	g->cell_cnt += !*count;
	*count += c->count;
	g->total += c->count;
	if (*count > g->max)
		g->max = *count;
}

/* 0, -ENOMEM, or 1: more cells than wanted. */
static int fill_grid(const struct tables *t, const struct extent *e, const struct grid_limits *limits,
		     struct grid *g)
{
	struct fill f = {.g = g, .merge = grid_merge(t, g->length_ns, limits->cols, &g->col_ns)};

	g->cols = g->length_ns / g->col_ns + !!(g->length_ns % g->col_ns);
	if (!g->cols)
		g->cols = 1;
	g->rows = row_cnt(e, g->per_octave);
	g->low = e->first / (HIST_SLOTS / g->per_octave);
	g->cell_cnt = g->total = g->max = 0;
	free(g->counts);
	g->counts = calloc(g->rows * g->cols, sizeof(*g->counts));
	if (!g->counts)
		return -ENOMEM;
	each_cell(t, g->metric, add_cell, &f);
	return g->cell_cnt > limits->cells;
}

int grid_make(const struct tables *t, enum metric metric, uint64_t length_ns, const struct grid_limits *limits,
	      struct grid *out)
{
	struct grid g = {.metric = metric, .length_ns = length_ns, .per_octave = HIST_SLOTS};
	struct grid_limits l = *limits;
	struct extent e = {.any = false};
	int err = 0;

	each_cell(t, metric, extend, &e);
	if (e.any) {
		while (g.per_octave > 1 && row_cnt(&e, g.per_octave) > l.rows)
			g.per_octave /= 2;
		while ((err = fill_grid(t, &e, &l, &g)) > 0 && (g.per_octave > 2 || l.cols > 8)) {
			if (g.per_octave > 2)
				g.per_octave /= 2;
			else
				l.cols /= 2;
		}
	}
	if (err < 0) {
		grid_done(&g);
		return err;
	}
	*out = g;
	return 0;
}

void grid_done(struct grid *g)
{
	free(g->counts);
	*g = (struct grid){.rows = 0};
}

uint64_t grid_row_lo(const struct grid *g, size_t i)
{
	uint64_t bucket = (g->low + i) * (HIST_SLOTS / g->per_octave);

	return bucket < HIST_BUCKETS ? hist_lo((unsigned int)bucket) : UINT64_MAX;
}
