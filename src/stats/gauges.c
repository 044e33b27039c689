/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Gauges over time: of each process every 2^k-th snapshot and the last one, of its creation sites the top N
 * by their greatest value and the sum of the others. k grows when there are more snapshots than columns of
 * time, or more values than memory.
 */
#include "impl.h"

#include <errno.h>
#include <stdlib.h>

static bool is_of_site(enum gauge_id id)
{
	return id == GAUGE_GOROUTINES_AT || id == GAUGE_WAITING_AT;
}

void gauges_done(struct gauges *g)
{
	free(g->values);
	tally_done(&g->processes);
	*g = (struct gauges){0};
}

/* The number of the snapshot that a value of that time belongs to: those of a snapshot come together. */
static uint32_t snapshot_at(struct tally_row *process, uint64_t time_ns)
{
	if (!process->count || process->max != time_ns)
		process->count++;
	process->max = time_ns;
	return (uint32_t)process->count;
}

/* Numbers begin with 1. */
static bool is_kept(const struct gauges *g, const struct gauge_value *v)
{
	return (v->no - 1) % g->stride == 0 || v->no == tally_find(&g->processes, 0, v->tgid)->count;
}

static void thin(struct gauges *g)
{
	size_t cnt = 0;

	for (size_t i = 0; i < g->cnt; i++) {
		if (is_kept(g, &g->values[i]))
			g->values[cnt++] = g->values[i];
	}
	g->cnt = cnt;
}

static uint32_t most_snapshots(const struct gauges *g)
{
	uint32_t last = 0;

	for (size_t i = 0; i < g->processes.cnt; i++) {
		uint32_t no = (uint32_t)g->processes.rows[i].count;

		last = no > last ? no : last;
	}
	return last;
}

/* What the longest series keeps. */
static size_t columns(const struct gauges *g)
{
	uint32_t last = most_snapshots(g) - 1;

	return (size_t)last / g->stride + 1 + !!(last % g->stride);
}

/* Makes room. With the first and last snapshots alone, the number of processes is the bound. */
static void make_room(struct gauges *g)
{
	thin(g);
	while (g->cnt > g->full / 4 * 3 && g->stride <= most_snapshots(g)) {
		g->stride *= 2;
		thin(g);
	}
	if (g->cnt > g->full / 4 * 3)
		g->full *= 2;
}

static bool grow(struct gauges *g)
{
	size_t cap = g->cap ? g->cap * 2 : 256;
	struct gauge_value *values = realloc(g->values, cap * sizeof(*values));

	if (!values)
		return false;
	g->values = values;
	g->cap = cap;
	return true;
}

void gauges_add(struct tables *t, const struct gauge *gauge)
{
	struct gauges *g = &t->gauges;
	struct tally_row *p;

	if (!g->stride) {
		g->stride = 1;
		g->full = GAUGE_VALUES_MAX;
	}
	if (g->cnt == g->full)
		make_room(g);
	p = tally_at(&g->processes, 0, gauge->tgid);
	if (!p || (g->cnt == g->cap && !grow(g))) {
		tables_failed(t, -ENOMEM);
		return;
	}
	g->values[g->cnt++] = (struct gauge_value){
		.time_ns = gauge->time_ns,
		.value = gauge->value,
		.tgid = gauge->tgid,
		.site = is_of_site(gauge->id) && !gauge->site ? SITE_REST : gauge->site,
		.no = snapshot_at(p, gauge->time_ns),
		.id = gauge->id,
	};
}

static int biggest_first(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	if (x->max != y->max)
		return x->max > y->max ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

static uint64_t owner(const struct gauge_value *v)
{
	return (uint64_t)v->id << 32 | v->tgid;
}

/* Sites of each gauge and process in `ranks`, count is the rank. 0 or -ENOMEM. */
static int rank_sites(const struct gauges *g, struct tally *ranks)
{
	struct tally sites = {0};
	size_t rank = 0;
	int err = 0;

	for (size_t i = 0; i < g->cnt && !err; i++) {
		const struct gauge_value *v = &g->values[i];
		struct tally_row *r = tally_at(&sites, owner(v), v->site);

		if (r)
			tally_add(r, 1, 0, v->value);
		else
			err = -ENOMEM;
	}
	tally_sort(&sites, biggest_first);
	for (size_t i = 0; i < sites.cnt && !err; i++) {
		struct tally_row *r = tally_at(ranks, sites.rows[i].a, sites.rows[i].b);

		rank = i && sites.rows[i].a == sites.rows[i - 1].a ? rank : 0;
		if (!r)
			err = -ENOMEM;
		else if (sites.rows[i].b == SITE_REST)
			r->count = SIZE_MAX;
		else
			r->count = rank++;
	}
	tally_done(&sites);
	return err;
}

static int shown_before(const void *a, const void *b)
{
	const struct gauge_value *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->no < y->no ? -1 : x->no > y->no;
}

/* Those of the same snapshot that have become one: the rest. */
static void add_up(struct gauges *g)
{
	size_t cnt = 0;

	for (size_t i = 0; i < g->cnt; i++) {
		struct gauge_value *last = cnt ? &g->values[cnt - 1] : NULL;

		if (last && !shown_before(last, &g->values[i]))
			last->value += g->values[i].value;
		else
			g->values[cnt++] = g->values[i];
	}
	g->cnt = cnt;
}

void gauges_finish(struct tables *t)
{
	struct gauges *g = &t->gauges;
	struct tally ranks = {0};
	int err;

	if (!g->cnt)
		return;
	while (columns(g) > t->opts.max_cols)
		g->stride *= 2;
	thin(g);
	err = rank_sites(g, &ranks);
	if (err)
		tables_failed(t, err);
	for (size_t i = 0; i < g->cnt && !err; i++) {
		struct gauge_value *v = &g->values[i];

		v->rank = tally_find(&ranks, owner(v), v->site)->count;
		if (v->rank < t->opts.top)
			continue;
		v->rank = SIZE_MAX;
		v->site = SITE_REST;
	}
	tally_done(&ranks);
	qsort(g->values, g->cnt, sizeof(*g->values), shown_before);
	add_up(g);
}

size_t tables_gauge_cnt(const struct tables *t)
{
	return t->gauges.cnt;
}

bool tables_gauge(const struct tables *t, size_t i, struct gauge_row *out)
{
	uint64_t start = tables_start_ns(t);

	if (i >= t->gauges.cnt)
		return false;
	const struct gauge_value *v = &t->gauges.values[i];

	*out = (struct gauge_row){
		.id = v->id, .tgid = v->tgid, .site = v->site, .rank = v->rank, .value = v->value,
		.t_ns = v->time_ns > start ? v->time_ns - start : 0,
	};
	return true;
}
