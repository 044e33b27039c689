/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "rows.h"

#include <string.h>

#include "../model/names.h"
#include "../stats/dims.h"
#include "../stats/view.h"

struct rows {
	const struct tables *t;
	const struct names *n;
	const struct row_sink *sink;
};

static void put_text(const struct rows *r, const char *raw)
{
	r->sink->text(r->sink->ctx, raw);
}

static void put_number(const struct rows *r, uint64_t v)
{
	r->sink->number(r->sink->ctx, v);
}

static void put_all(const struct rows *r, const uint64_t *v, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		put_number(r, v[i]);
}

static int end_row(const struct rows *r)
{
	return r->sink->end(r->sink->ctx);
}

#define PUT_COLUMNS(rows, ...) put_columns(rows, (const char *const[]){__VA_ARGS__}, \
					   sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void put_columns(const struct rows *r, const char *const *names, size_t cnt)
{
	r->sink->columns(r->sink->ctx, names, cnt);
}

static void put_class(const struct rows *r, uint32_t klass)
{
	char buf[128];

	put_text(r, names_class(r->n, klass, buf, sizeof(buf)));
}

/* The columns entity and name. */
static void put_entity(const struct rows *r, const struct entity *e)
{
	const struct dim *by = tables_dim(r->t, e->metric);
	char buf[640] = "";

	if (e->key == ENTITY_REST) {
		put_text(r, "rest");
		put_text(r, "");
		return;
	}
	by->text(e, buf, sizeof(buf));
	put_text(r, buf);
	by->name_of(e, buf, sizeof(buf));
	put_text(r, buf);
}

static void put_entity_of(const struct rows *r, const struct group *g)
{
	struct entity e = tables_entity(r->t, r->n, g);

	put_entity(r, &e);
}

/* A task's number and name, the columns `by` and `by_name` or those of a counter's entity. */
static void put_task(const struct rows *r, uint32_t tid)
{
	const struct task_name *task = tid && tid != BY_REST ? names_of_task(r->n, tid) : NULL;
	char buf[16] = "";

	if (tid == BY_REST)
		snprintf(buf, sizeof(buf), "rest");
	else if (tid)
		snprintf(buf, sizeof(buf), "%u", tid);
	put_text(r, buf);
	put_text(r, task ? task->comm : "");
}

/* The columns `by` and `by_name`: a task, or a goroutine by its site or number. */
static void put_by(const struct rows *r, const struct blame_row *b)
{
	const struct site_name *site = b->by_type == BY_TASK ? NULL : names_of_site(r->n, b->site);
	char buf[48];

	if (b->by_type == BY_TASK) {
		put_task(r, (uint32_t)b->by);
		return;
	}
	if (b->by_type == BY_GOID)
		put_text(r, tables_goid_text(r->t, b->by, buf, sizeof(buf)));
	else
		put_text(r, site ? site->at : "unknown");
	put_text(r, site ? site->func : "");
}

/* The columns metric, class, entity, name. */
static void put_group(const struct rows *r, const struct group *g)
{
	put_text(r, metrics[g->metric].name);
	put_class(r, g->klass);
	put_entity_of(r, g);
}

static int heatmap(const struct rows *r)
{
	const struct group *g;
	struct cell c;
	int err = 0;

	PUT_COLUMNS(r, "metric", "class", "entity", "name", "t_start_ns", "t_end_ns", "lat_lo_ns", "lat_hi_ns",
		    "count", "sum_ns", "max_ns");
	for (size_t i = 0; (g = tables_group(r->t, i)) && !err; i++) {
		for (size_t at = g->cell_from; at < g->cell_to && tables_cell(r->t, at, &c) && !err; at++) {
			put_group(r, g);
			put_all(r, (uint64_t[]){c.t_start, c.t_end, c.lat_lo, c.lat_hi, c.count, c.sum, c.max}, 7);
			err = end_row(r);
		}
	}
	return err;
}

/* The columns stage to max_ns, over the groups [from, to). */
static int put_stage(const struct rows *r, size_t from, size_t to, unsigned int stage)
{
	struct hist h = {0};
	int err = 0;

	for (size_t i = from; i < to && !err; i++)
		err = tables_add_hist(r->t, tables_group(r->t, i), stage, &h);
	put_text(r, stage < STAGE_CNT ? stage_names[stage] : "total");
	put_all(r, (uint64_t[]){h.count, h.sum, hist_quantile(&h, 500000), hist_quantile(&h, 900000),
				hist_quantile(&h, 990000), hist_quantile(&h, 999000), h.max}, 7);
	hist_done(&h);
	return err ? err : end_row(r);
}

/* One row a stage over the groups [from, to); class and entity are those of the first, or `*`. */
static int put_stages(const struct rows *r, size_t from, size_t to, bool all_classes, bool all_entities)
{
	const struct group *g = tables_group(r->t, from);
	int err = 0;

	for (unsigned int stage = 0; stage <= STAGE_CNT && !err; stage++) {
		if (stage < STAGE_CNT && !(metrics[g->metric].stages >> stage & 1))
			continue;
		put_text(r, metrics[g->metric].name);
		if (all_classes)
			put_text(r, "*");
		else
			put_class(r, g->klass);
		if (all_entities) {
			put_text(r, "*");
			put_text(r, "");
		} else {
			put_entity_of(r, g);
		}
		err = put_stage(r, from, to, stage);
	}
	return err;
}

/* The first group after `from` of another metric, or of another class. */
static size_t range_end(const struct rows *r, size_t from, bool by_class)
{
	const struct group *first = tables_group(r->t, from), *g;
	size_t to = from + 1;

	while ((g = tables_group(r->t, to)) && g->metric == first->metric &&
	       (!by_class || g->klass == first->klass))
		to++;
	return to;
}

static int stages_of_metric(const struct rows *r, size_t from, size_t to)
{
	int err = put_stages(r, from, to, true, true);

	for (size_t at = from, end; at < to && !err; at = end) {
		end = range_end(r, at, true);
		err = put_stages(r, at, end, false, true);
		for (size_t i = at; i < end && !err; i++)
			err = put_stages(r, i, i + 1, false, false);
	}
	return err;
}

static int stages(const struct rows *r)
{
	int err = 0;

	PUT_COLUMNS(r, "metric", "class", "entity", "name", "stage", "count", "sum_ns", "p50_ns", "p90_ns", "p99_ns",
		    "p999_ns", "max_ns");
	for (size_t from = 0, to; tables_group(r->t, from) && !err; from = to) {
		to = range_end(r, from, false);
		err = stages_of_metric(r, from, to);
	}
	return err;
}

static int blame(const struct rows *r)
{
	char lock[640];
	struct blame_row b;
	int err = 0;

	PUT_COLUMNS(r, "metric", "class", "waiter", "waiter_name", "by", "by_name", "by_kind", "lock", "lock_name",
		    "count", "sum_ns", "max_ns");
	for (size_t i = 0; tables_blame(r->t, i, &b) && !err; i++) {
		put_group(r, b.waiter);
		put_by(r, &b);
		put_text(r, blame_names[b.kind]);
		put_text(r, tables_lock_text(r->t, r->n, b.lock, lock, sizeof(lock)));
		put_text(r, tables_lock_name(r->t, r->n, b.lock, lock, sizeof(lock)));
		put_all(r, (uint64_t[]){b.count, b.sum, b.max}, 3);
		err = end_row(r);
	}
	return err;
}

/* The column `by` of an event. */
static void put_event_by(const struct rows *r, const struct event_row *e)
{
	const struct site_name *site = e->by_type == BY_SITE ? names_of_site(r->n, (uint32_t)e->by) : NULL;
	char buf[48] = "";

	if (e->by_type == BY_GOID)
		tables_goid_text(r->t, e->by, buf, sizeof(buf));
	else if (e->by_type == BY_TASK && e->by)
		snprintf(buf, sizeof(buf), "%u", (uint32_t)e->by);
	put_text(r, site ? site->at : buf);
}

static int put_event(void *ctx, const struct event_row *e)
{
	const struct rows *r = ctx;
	unsigned int mask = metrics[e->metric].stages;
	uint64_t start = tables_start_ns(r->t);
	const uint64_t *ns = e->stage_ns;
	const struct entity entity = {
		.t = r->t, .n = r->n, .metric = (enum metric)e->metric, .site = e->site, .key = e->entity,
	};
	char lock[640];

	put_text(r, metrics[e->metric].name);
	put_class(r, e->klass);
	put_entity(r, &entity);
	put_all(r, (uint64_t[]){e->end > start ? e->end - start : 0, e->latency, e->cpu}, 3);
	put_event_by(r, e);
	put_text(r, tables_event_lock(e, r->n, lock, sizeof(lock)));
	for (unsigned int stage = 0; stage < STAGE_CNT; stage++) {
		if (mask >> stage & 1)
			put_number(r, *ns++);
		else
			r->sink->none(r->sink->ctx);
	}
	return end_row(r);
}

static int events(const struct rows *r)
{
	static const char *const before[] = {"metric", "class", "entity", "name", "t_ns", "latency_ns", "cpu", "by",
					     "lock"};
	enum { BEFORE = sizeof(before) / sizeof(*before) };
	const char *names[BEFORE + STAGE_CNT];

	memcpy(names, before, sizeof(before));
	memcpy(names + BEFORE, stage_names, sizeof(stage_names));
	put_columns(r, names, BEFORE + STAGE_CNT);
	return tables_events(r->t, put_event, (void *)r);
}

static int periodic(const struct rows *r)
{
	struct periodic_row row;
	int err = 0;

	PUT_COLUMNS(r, "entity", "name", "period_ns", "ticks", "missed", "drift_ns", "streak_max");
	for (size_t i = 0; tables_periodic(r->t, i, &row) && !err; i++) {
		const struct entity e = {.t = r->t, .n = r->n, .metric = row.metric, .site = row.site, .key = row.entity};

		put_entity(r, &e);
		if (row.entity == ENTITY_REST)
			r->sink->none(r->sink->ctx);	/* of several periods */
		else
			put_number(r, row.period_ns);
		put_all(r, (uint64_t[]){row.ticks, row.missed}, 2);
		r->sink->signed_number(r->sink->ctx, row.drift_ns);
		put_number(r, row.streak_max);
		err = end_row(r);
	}
	return err;
}

static int counters(const struct rows *r)
{
	struct counter_row row;
	int err = 0;

	PUT_COLUMNS(r, "counter", "entity", "name", "count");
	for (size_t i = 0; tables_counter(r->t, i, &row) && !err; i++) {
		put_text(r, row.name);
		put_task(r, row.kind == COUNTER_ENTITY ? row.tid : row.kind == COUNTER_REST ? BY_REST : 0);
		put_number(r, row.count);
		err = end_row(r);
	}
	return err;
}

/* The columns count to max_ns of a lock's waits, over all its time. */
static int put_waits(const struct rows *r, const struct group *g)
{
	struct hist h = {0};
	int err = tables_add_hist(r->t, g, STAGE_CNT, &h);

	put_all(r, (uint64_t[]){g->count, g->sum, hist_quantile(&h, 500000), hist_quantile(&h, 990000), g->max}, 5);
	hist_done(&h);
	return err;
}

static int locks(const struct rows *r)
{
	struct lock_row l;
	char site[640];
	int err = 0;

	PUT_COLUMNS(r, "class", "entity", "name", "count", "sum_ns", "p50_ns", "p99_ns", "max_ns", "contended_ns",
		    "queue_max", "eagain", "sites", "site", "site_ns", "holder", "holder_name", "holder_ns");
	for (size_t i = 0; tables_lock(r->t, i, &l) && !err; i++) {
		put_class(r, l.group->klass);
		put_entity_of(r, l.group);
		err = put_waits(r, l.group);
		put_all(r, (uint64_t[]){l.contended_ns, l.queue_max, l.eagain, l.site_cnt}, 4);
		put_text(r, tables_place_text(r->n, l.site, site, sizeof(site)));
		put_number(r, l.site_ns);
		put_task(r, l.holder);
		put_number(r, l.holder_ns);
		err = err ? err : end_row(r);
	}
	return err;
}

static int holders(const struct rows *r)
{
	struct holder_row h;
	int err = 0;

	PUT_COLUMNS(r, "class", "entity", "name", "holder", "holder_name", "doing", "doing_class", "root", "root_name",
		    "count", "sum_ns", "max_ns");
	for (size_t i = 0; tables_holder(r->t, i, &h) && !err; i++) {
		put_class(r, h.group->klass);
		put_entity_of(r, h.group);
		put_task(r, h.holder);
		put_text(r, hold_names[h.doing]);
		put_class(r, h.klass);
		put_task(r, h.root);
		put_all(r, (uint64_t[]){h.count, h.sum, h.max}, 3);
		err = end_row(r);
	}
	return err;
}

static int gauges(const struct rows *r)
{
	struct gauge_row g;
	int err = 0;

	PUT_COLUMNS(r, "gauge", "entity", "name", "t_ns", "value");
	for (size_t i = 0; tables_gauge(r->t, i, &g) && !err; i++) {
		const struct site_name *site = g.site == SITE_REST ? NULL : names_of_site(r->n, g.site);

		put_text(r, gauge_names[g.id]);
		if (g.site) {
			put_text(r, site ? site->at : "rest");
			put_text(r, site ? site->func : "");
		} else {
			put_task(r, g.tgid);
		}
		put_all(r, (uint64_t[]){g.t_ns, g.value}, 2);
		err = end_row(r);
	}
	return err;
}

static int loss(const struct rows *r)
{
	const char *cause;
	uint64_t count;
	int err = 0;

	PUT_COLUMNS(r, "cause", "count");
	for (size_t i = 0; tables_loss(r->t, i, &cause, &count) && !err; i++) {
		put_text(r, cause);
		put_number(r, count);
		err = end_row(r);
	}
	return err;
}

int rows_write(const struct tables *t, const struct names *n, enum table table, const struct row_sink *sink)
{
	static int (*const writers[TABLE_CNT])(const struct rows *) = {
		[TABLE_HEATMAP] = heatmap,
		[TABLE_STAGES] = stages,
		[TABLE_BLAME] = blame,
		[TABLE_EVENTS] = events,
		[TABLE_PERIODIC] = periodic,
		[TABLE_COUNTERS] = counters,
		[TABLE_LOCKS] = locks,
		[TABLE_HOLDERS] = holders,
		[TABLE_GAUGES] = gauges,
		[TABLE_LOSS] = loss,
	};
	const struct rows r = {.t = t, .n = n, .sink = sink};

	return writers[table](&r);
}
