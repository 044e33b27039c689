/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "impl.h"

#include <errno.h>
#include <stdlib.h>

#define OF_CELLS (TABLE_BIT(HEATMAP) | TABLE_BIT(STAGES) | TABLE_BIT(LOCKS))
#define GROUPED (OF_CELLS | TABLE_BIT(BLAME) | TABLE_BIT(HOLDERS))

const struct table_info table_infos[TABLE_CNT] = {
#define X(id, table_name, table_help) [TABLE_##id] = {.name = table_name, .help = table_help},
	TABLES(X)
#undef X
};

struct tables *tables_new(const struct tables_opts *opts)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->opts = *opts;
	if (!t->opts.tables)
		t->opts.tables = ~TABLE_BIT(EVENTS);
	if (!t->opts.metrics)
		t->opts.metrics = ~0u;
	if (!t->opts.by)
		t->opts.by = &dims[0];
	for (size_t m = 0; m < METRIC_CNT; m++)
		t->by[m] = dim_of(t->opts.by, (enum metric)m);
	if (!t->opts.top)
		t->opts.top = 64;
	if (!t->opts.max_cols)
		t->opts.max_cols = 240;
	if (t->opts.max_cols < 2)
		t->opts.max_cols = 2;
	if (!t->opts.max_cells)
		t->opts.max_cells = 400000;
	if (!t->opts.sort_rows)
		t->opts.sort_rows = 32768;
	t->periodic = (struct periodic){.period_ns = t->opts.period_ns, .late_ns = t->opts.late_ns};
	groups_clear(t);
	return t;
}

void tables_free(struct tables *t)
{
	if (!t)
		return;
	counters_done(t);
	events_done(&t->events);
	gauges_done(&t->gauges);
	stacks_done(&t->stacks);
	periodic_done(&t->periodic);
	groups_done(t);
	locks_done(t);
	ids_done(t);
	free(t);
}

void tables_failed(struct tables *t, int err)
{
	if (!t->err)
		t->err = err;
}

void tables_names(struct tables *t, const struct names *n)
{
	t->names = n;
}

void tables_start(struct tables *t, uint64_t start_ns)
{
	t->start_ns = start_ns;
	t->started = true;
}

/* The counter of missed ticks is made here, too. */
static bool wants_periodic(const struct tables *t, const struct span *s)
{
	return t->pass != PASS_TOP && t->opts.tables & (TABLE_BIT(PERIODIC) | TABLE_BIT(COUNTERS)) && periodic_takes(s);
}

static void on_span(void *ctx, const struct span *s)
{
	struct tables *t = ctx;
	uint64_t latency = s->end_ns > s->begin_ns ? s->end_ns - s->begin_ns : 0;

	if (!t->err && t->opts.windows)
		windows_notice(t, s);
	if (t->err || !(t->opts.metrics >> s->metric & 1))
		return;
	if (!t->started)
		tables_start(t, s->begin_ns);
	if (t->opts.tables & TABLE_BIT(EVENTS) && t->pass != PASS_TOP)
		events_add(t, s, latency);
	if (t->opts.stacks && t->pass != PASS_TOP)
		stacks_add(t, s, latency);
	if (wants_periodic(t, s) && periodic_add(&t->periodic, s, t->by[s->metric]->key(t, s)))
		tables_failed(t, -ENOMEM);
	if (!(t->opts.tables & GROUPED) && !t->opts.windows)
		return;
	struct group *g = group_of(t, s, latency);

	if (!g)
		return;
	group_add(t, g, s, latency);
	if (t->opts.tables & OF_CELLS)
		heatmap_add(t, (size_t)(g - t->groups), s->end_ns, latency);
	if (t->opts.tables & TABLE_BIT(BLAME))
		blame_add(t, (size_t)(g - t->groups), s);
	locks_add(t, (size_t)(g - t->groups), s, latency);
	if (t->opts.windows)
		windows_add(t, (size_t)(g - t->groups), s, latency);
}

static void on_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	struct tables *t = ctx;

	if (!t->err && t->pass != PASS_TOP)
		counters_add(t, id, tid, n);
}

static void on_eagain(void *ctx, uint32_t tgid, uint64_t futex, uint64_t n)
{
	struct tables *t = ctx;

	if (!t->err && t->pass != PASS_TOP)
		locks_eagain(t, tgid, futex, n);
}

static void on_total(void *ctx, unsigned int count_id, uint64_t value)
{
	struct tables *t = ctx;

	if (count_id < COUNT_CNT)
		t->totals[count_id] = value;
}

static void on_loss(void *ctx, uint64_t from_ns, uint64_t to_ns, uint64_t n)
{
	struct tables *t = ctx;

	if (t->err || t->pass == PASS_TOP)
		return;
	loss_times_add(t, from_ns, to_ns, n);
	periodic_lost(&t->periodic, from_ns, to_ns, n);
}

static void on_gauge(void *ctx, const struct gauge *g)
{
	struct tables *t = ctx;

	if (!t->err && t->pass != PASS_TOP && t->opts.tables & TABLE_BIT(GAUGES))
		gauges_add(t, g);
}

struct span_sink tables_sink(struct tables *t)
{
	return (struct span_sink){
		.ctx = t, .span = on_span, .counter = on_counter, .total = on_total, .loss = on_loss,
		.gauge = on_gauge, .eagain = on_eagain,
	};
}

/* Before the counters are finished: theirs are the missed ticks. */
static void finish_periodic(struct tables *t)
{
	uint32_t tid;
	uint64_t n;

	if (periodic_finish(&t->periodic, t->start_ns, t->opts.top))
		tables_failed(t, -ENOMEM);
	for (size_t i = 0; periodic_missed(&t->periodic, i, &tid, &n); i++)
		counters_add(t, ECOUNT_MISSED_TICK, tid, n);
}

bool tables_periodic(const struct tables *t, size_t i, struct periodic_row *out)
{
	if (i >= t->periodic.row_cnt)
		return false;
	*out = t->periodic.rows[i];
	return true;
}

uint64_t tables_periodic_refused(const struct tables *t)
{
	return t->periodic.refused;
}

int tables_pass_done(struct tables *t, bool *again)
{
	bool replay = t->pass == PASS_SUMS;

	if (t->pass != PASS_TOP)
		entities_rank(t);
	if (!replay) {
		heatmap_flush(t);
		groups_finish(t);
		heatmap_finish(t);
		windows_finish(t);
		blame_finish(t);
		locks_finish(t);
		events_finish(t);
		stacks_finish(t);
		finish_periodic(t);
		counters_finish(t);
		gauges_finish(t);
	}
	if (t->err)
		return t->err;
	t->pass = replay ? PASS_TOP : PASS_OVER;
	*again = replay;
	return 0;
}

const struct tables_opts *tables_opts(const struct tables *t)
{
	return &t->opts;
}

uint64_t tables_start_ns(const struct tables *t)
{
	return t->start_ns;
}
