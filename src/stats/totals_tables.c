/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The totals of finished tables: for a file in the form in which a server shows its own. */
#include <string.h>

#include "totals_impl.h"
#include "view.h"

/*
 * The tables' buckets are 3% wide, and one that has a bound inside counts whole, by its middle. Its samples are
 * at most so far off.
 */
static void add_cells(const struct tables *t, const struct group *g, struct totals_hist *h)
{
	struct cell cell;

	for (size_t i = g->cell_from; i < g->cell_to && tables_cell(t, i, &cell); i++)
		h->buckets[totals_bucket(cell.lat_lo + (cell.lat_hi - cell.lat_lo) / 2)] += cell.count;
	h->sum_ns += g->sum;
}

/* A metric of one stage has no histogram of it: that is the sample itself. */
static void add_stages(const struct group *g, uint64_t *stage_ns)
{
	unsigned int mask = metrics[g->metric].stages;
	const struct hist *h = g->stages;

	for (size_t i = 0; i < STAGE_CNT; i++) {
		if (!(mask >> i & 1))
			continue;
		stage_ns[i] += __builtin_popcount(mask) == 1 ? g->sum : h ? h->sum : 0;
		h += h != NULL;
	}
}

static void add_group(struct totals *to, const struct tables *t, const struct group *g)
{
	struct totals_metric *m = &to->metrics[g->metric];
	size_t place = g->entity == ENTITY_REST ? m->top.cnt : toplist_place(&m->top, g->entity, g->sum);
	struct totals_set *set = totals_set_of(to, g->metric, g->klass, place);

	if (set)
		add_cells(t, g, &set->hist);
	m->owners[place].site = g->site;
	add_stages(g, m->owners[place].stage_ns);
}

static void add_blame(struct totals *to, const struct blame_row *b)
{
	enum metric m = b->waiter->metric;
	bool for_cpu = m == METRIC_THREAD_RUNQ || m == METRIC_THREAD_PREEMPT;

	to->metrics[m].blame_ns[b->kind] += b->sum;
	if (for_cpu && b->kind == BLAME_COMPETITOR && b->by_type == BY_TASK && b->by != BY_REST)
		totals_competitor_add(to, (uint32_t)b->by, b->sum);
	else if (for_cpu && b->kind == BLAME_COMPETITOR)
		to->competitors[COMPETITORS] = (struct totals_competitor){
			.name = "rest", .ns = to->competitors[COMPETITORS].ns + b->sum,
		};
}

static void add_count(struct totals *to, const char *name, uint64_t n)
{
	static const char *const names[COUNT_CNT] = {
#define X(number, count_name, loss, help) [number] = #count_name,
		COUNTS(X)
#undef X
	};

	for (uint32_t id = 0; id < COUNT_CNT; id++) {
		if (names[id] && !strcmp(names[id], name))
			to->counts[id] += n;
	}
	for (size_t id = 0; id < ECOUNT_CNT; id++) {
		if (!strcmp(entity_counter_names[id], name))
			to->counters[id] += n;
	}
}

/* When the process's last snapshot was. */
static uint64_t last_snapshot(const struct tables *t, uint32_t tgid)
{
	struct gauge_row g;
	uint64_t last = 0;

	for (size_t i = 0; tables_gauge(t, i, &g); i++) {
		if (g.id == GAUGE_GOROUTINES && g.tgid == tgid && g.t_ns > last)
			last = g.t_ns;
	}
	return last;
}

static void add_gauges(struct totals *to, const struct tables *t)
{
	uint32_t tgid = 0;
	uint64_t last = 0;
	struct gauge_row g;

	for (size_t i = 0; tables_gauge(t, i, &g); i++) {
		if (!tgid || g.tgid != tgid)
			last = last_snapshot(t, g.tgid);
		tgid = g.tgid;
		if (g.t_ns == last)
			totals_gauge_add(to, &(struct gauge){g.id, g.tgid, g.site == SITE_REST ? 0 : g.site, 0, g.value});
	}
}

struct totals *totals_of_tables(const struct tables *tables, const struct names *n)
{
	size_t top = tables_opts(tables)->top;
	struct totals *to = totals_alloc(tables_opts(tables)->by, top ? top : 1);
	const struct group *g;
	struct counter_row counter;
	struct blame_row blame;
	const char *cause;
	uint64_t count;

	if (!to)
		return NULL;
	to->ids = tables;
	to->names = n;
	to->set_max = SIZE_MAX;
	for (size_t i = 0; (g = tables_group(tables, i)); i++)
		add_group(to, tables, g);
	for (size_t i = 0; tables_blame(tables, i, &blame); i++)
		add_blame(to, &blame);
	for (size_t i = 0; tables_counter(tables, i, &counter); i++)
		add_count(to, counter.name, counter.count);
	for (size_t i = 0; tables_loss(tables, i, &cause, &count); i++)
		add_count(to, cause, count);
	add_gauges(to, tables);
	return to;
}
