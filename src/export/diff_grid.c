/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>

#include "about.h"
#include "diff_parts.h"

struct extent {
	unsigned int first, last;
	uint64_t width_ns;	/* the wider of the columns; one is a multiple of the other */
	bool any;
};

static void extend(const struct tables *t, enum metric metric, struct extent *e)
{
	const struct group *g;
	struct cell c;

	for (size_t i = 0; (g = tables_group(t, i)); i++) {
		for (size_t at = g->cell_from; g->metric == metric && at < g->cell_to && tables_cell(t, at, &c); at++) {
			e->first = !e->any || c.bucket < e->first ? c.bucket : e->first;
			e->last = !e->any || c.bucket > e->last ? c.bucket : e->last;
			e->width_ns = c.t_end - c.t_start > e->width_ns ? c.t_end - c.t_start : e->width_ns;
			e->any = true;
		}
	}
}

static uint64_t add(const struct tables *t, const struct grid *g, uint64_t *counts)
{
	const struct group *group;
	uint64_t total = 0;
	struct cell c;

	for (size_t i = 0; (group = tables_group(t, i)); i++) {
		if (group->metric != g->metric)
			continue;
		for (size_t at = group->cell_from; at < group->cell_to && tables_cell(t, at, &c); at++) {
			size_t row = c.bucket / (HIST_SLOTS / g->per_octave) - g->low, col = c.t_start / g->col_ns;

			counts[row * g->cols + (col < g->cols ? col : g->cols - 1)] += c.count;
			total += c.count;
		}
	}
	return total;
}

static size_t row_cnt(const struct extent *e, unsigned int per_octave)
{
	unsigned int merge = HIST_SLOTS / per_octave;

	return e->last / merge - e->first / merge + 1;
}

static int fill(const struct diff *d, const struct extent *e, size_t max_cols, struct diff_grid *out)
{
	struct grid *g = &out->g;
	uint64_t cols = g->length_ns / e->width_ns + !!(g->length_ns % e->width_ns);
	uint64_t merge = cols / max_cols + !!(cols % max_cols);

	g->col_ns = e->width_ns * (merge ? merge : 1);
	g->cols = g->length_ns / g->col_ns + !!(g->length_ns % g->col_ns);
	g->cols = g->cols ? g->cols : 1;
	g->rows = row_cnt(e, g->per_octave);
	g->low = e->first / (HIST_SLOTS / g->per_octave);
	free(g->counts);
	free(out->now);
	g->counts = calloc(g->rows * g->cols, sizeof(*g->counts));
	out->now = calloc(g->rows * g->cols, sizeof(*out->now));
	if (!g->counts || !out->now)
		return -ENOMEM;
	out->base_total = add(d->base.tables, g, g->counts);
	out->now_total = add(d->now.tables, g, out->now);
	g->cell_cnt = 0;
	for (size_t i = 0; i < g->rows * g->cols; i++)
		g->cell_cnt += g->counts[i] || out->now[i];
	return 0;
}

int diff_grid_make(const struct diff *d, enum metric metric, const struct grid_limits *limits, struct diff_grid *out)
{
	uint64_t base = about_length(d->base.tables, d->base.about.info);
	uint64_t now = about_length(d->now.tables, d->now.about.info);
	struct extent e = {.any = false};
	struct grid_limits l = *limits;
	int err;

	*out = (struct diff_grid){.g = {.metric = metric, .length_ns = base > now ? base : now, .per_octave = HIST_SLOTS}};
	extend(d->base.tables, metric, &e);
	extend(d->now.tables, metric, &e);
	if (!e.any)
		return 0;
	while (out->g.per_octave > 1 && row_cnt(&e, out->g.per_octave) > l.rows)
		out->g.per_octave /= 2;
	for (err = fill(d, &e, l.cols, out); !err && out->g.cell_cnt > l.cells; err = fill(d, &e, l.cols, out)) {
		if (out->g.per_octave > 2)
			out->g.per_octave /= 2;
		else if (l.cols > 8)
			l.cols /= 2;
		else
			break;
	}
	if (err)
		diff_grid_done(out);
	return err;
}

void diff_grid_done(struct diff_grid *g)
{
	grid_done(&g->g);
	free(g->now);
	*g = (struct diff_grid){.now = NULL};
}

double diff_grid_at(const struct diff_grid *g, size_t cell)
{
	double scale = g->now_total ? (double)g->base_total / (double)g->now_total : 1;

	return (double)g->now[cell] * (g->base_total ? scale : 1) - (double)g->g.counts[cell];
}
