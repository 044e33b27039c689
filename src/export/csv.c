/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../model/names.h"
#include "../stats/dims.h"
#include "../stats/view.h"
#include "text.h"

/* What every row writer needs. */
struct csv {
	const struct tables *t;
	const struct names *n;
	FILE *out;
	bool in_row;	/* a cell was written: the next one starts with a comma */
};

/* Rows are written by the million, and nobody shares the file: no locks, no format strings. */
static void put_raw(struct csv *c, const char *cell, size_t len)
{
	if (c->in_row)
		putc_unlocked(',', c->out);
	c->in_row = true;
	fwrite_unlocked(cell, 1, len, c->out);
}

static void put_text(struct csv *c, const char *raw)
{
	char cell[TEXT_SZ];

	put_raw(c, cell, *raw ? text_csv(raw, cell, sizeof(cell)) : 0);
}

static void put_u64(struct csv *c, uint64_t v)
{
	char buf[20];
	size_t at = sizeof(buf);

	do {
		buf[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	put_raw(c, buf + at, sizeof(buf) - at);
}

static void put_all(struct csv *c, const uint64_t *v, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		put_u64(c, v[i]);
}

static void end_row(struct csv *c)
{
	putc_unlocked('\n', c->out);
	c->in_row = false;
}

static void put_header(struct csv *c, const char *columns)
{
	fputs(columns, c->out);
	putc('\n', c->out);
}

static void put_class(struct csv *c, uint32_t klass)
{
	char buf[64];

	put_text(c, class_name(klass, buf, sizeof(buf)));
}

/* The columns entity and name. */
static void put_entity(struct csv *c, uint64_t entity)
{
	const struct dim *by = tables_opts(c->t)->by;
	char buf[300] = "";

	if (entity == ENTITY_REST) {
		put_text(c, "rest");
		put_text(c, "");
		return;
	}
	by->text(c->t, entity, buf, sizeof(buf));
	put_text(c, buf);
	by->name_of(c->n, entity, buf, sizeof(buf));
	put_text(c, buf);
}

static void put_comm(struct csv *c, uint32_t tid)
{
	const struct task_name *task = tid ? names_of_task(c->n, tid) : NULL;

	put_text(c, task ? task->comm : "");
}

/* The columns metric, class, entity, name. */
static void put_group(struct csv *c, const struct group *g)
{
	put_text(c, metrics[g->metric].name);
	put_class(c, g->klass);
	put_entity(c, g->entity);
}

static int heatmap_long(struct csv *c)
{
	const struct group *g;
	struct cell cell;

	put_header(c, "metric,class,entity,name,t_start_ns,t_end_ns,lat_lo_ns,lat_hi_ns,count,sum_ns,"
		      "max_ns");
	for (size_t i = 0; (g = tables_group(c->t, i)); i++) {
		for (size_t at = g->cell_from; at < g->cell_to && tables_cell(c->t, at, &cell); at++) {
			put_group(c, g);
			put_all(c, (uint64_t[]){cell.t_start, cell.t_end, cell.lat_lo, cell.lat_hi, cell.count,
						cell.sum, cell.max}, 7);
			end_row(c);
		}
	}
	return 0;
}

static int one_metric(struct csv *c)
{
	unsigned int mask = 0;
	const struct group *g;
	char buf[512];

	for (size_t i = 0; (g = tables_group(c->t, i)); i++)
		mask |= 1u << g->metric;
	if (!(mask & (mask - 1)))
		return 0;
	fail(-EINVAL, "csv: --shape wide shows one metric, and there are %s",
	     metrics_list(mask, buf, sizeof(buf)));
	hint("choose one with --metric");
	return -EINVAL;
}

static int heatmap_wide(struct csv *c)
{
	unsigned int first = HIST_BUCKETS, last = 0;
	struct cell cell = {0};
	size_t rows = 0;
	int err = one_metric(c);

	if (err)
		return err;
	for (size_t i = 0; tables_cell(c->t, i, &cell); i++) {
		first = cell.bucket < first ? cell.bucket : first;
		last = cell.bucket > last ? cell.bucket : last;
		rows = cell.col >= rows ? cell.col + 1u : rows;
	}
	size_t width = rows ? last - first + 1u : 0;
	uint64_t *counts = calloc(rows * width + 1, sizeof(*counts));
	uint64_t col_ns = cell.t_end - cell.t_start;

	if (!counts)
		return fail(-ENOMEM, "csv: heatmap of %zu x %zu", rows, width);
	for (size_t i = 0; tables_cell(c->t, i, &cell); i++)
		counts[cell.col * width + cell.bucket - first] += cell.count;
	put_text(c, "t_start_ns");
	for (unsigned int b = 0; b < width; b++)
		put_u64(c, hist_hi(first + b));
	end_row(c);
	for (size_t i = 0; i < rows; i++) {
		put_u64(c, i * col_ns);
		put_all(c, counts + i * width, width);
		end_row(c);
	}
	free(counts);
	return 0;
}

static uint64_t since_start(const struct csv *c, uint64_t ns)
{
	uint64_t start = tables_start_ns(c->t);

	return ns > start ? ns - start : 0;
}

static int put_pair(void *ctx, const struct event_row *e)
{
	struct csv *c = ctx;

	fprintf(c->out, "%ju %ju\n", (uintmax_t)since_start(c, e->end), (uintmax_t)e->latency);
	return ferror(c->out) ? -EIO : 0;
}

static int heatmap_pairs(struct csv *c)
{
	return tables_events(c->t, put_pair, c);
}

static int heatmap(struct csv *c, enum shape shape)
{
	static int (*const writers[SHAPE_CNT])(struct csv *) = {
		[SHAPE_LONG] = heatmap_long,
		[SHAPE_WIDE] = heatmap_wide,
		[SHAPE_PAIRS] = heatmap_pairs,
	};

	return writers[shape](c);
}

/* The columns stage to max_ns, over the groups [from, to). */
static int put_stage(struct csv *c, size_t from, size_t to, unsigned int stage)
{
	struct hist h = {0};
	int err = 0;

	for (size_t i = from; i < to && !err; i++)
		err = tables_add_hist(c->t, tables_group(c->t, i), stage, &h);
	put_text(c, stage < STAGE_CNT ? stage_names[stage] : "total");
	put_all(c, (uint64_t[]){h.count, h.sum, hist_quantile(&h, 500000), hist_quantile(&h, 900000),
				hist_quantile(&h, 990000), hist_quantile(&h, 999000), h.max}, 7);
	end_row(c);
	hist_done(&h);
	return err;
}

/* One row a stage over the groups [from, to); class and entity are those of the first, or `*`. */
static int put_stages(struct csv *c, size_t from, size_t to, bool all_classes, bool all_entities)
{
	const struct group *g = tables_group(c->t, from);
	int err = 0;

	for (unsigned int stage = 0; stage <= STAGE_CNT && !err; stage++) {
		if (stage < STAGE_CNT && !(metrics[g->metric].stages >> stage & 1))
			continue;
		put_text(c, metrics[g->metric].name);
		if (all_classes)
			put_text(c, "*");
		else
			put_class(c, g->klass);
		if (all_entities) {
			put_text(c, "*");
			put_text(c, "");
		} else {
			put_entity(c, g->entity);
		}
		err = put_stage(c, from, to, stage);
	}
	return err;
}

/* The first group after `from` of another metric, or of another class. */
static size_t range_end(const struct csv *c, size_t from, bool by_class)
{
	const struct group *first = tables_group(c->t, from), *g;
	size_t to = from + 1;

	while ((g = tables_group(c->t, to)) && g->metric == first->metric &&
	       (!by_class || g->klass == first->klass))
		to++;
	return to;
}

static int stages_of_metric(struct csv *c, size_t from, size_t to)
{
	int err = put_stages(c, from, to, true, true);

	for (size_t at = from, end; at < to && !err; at = end) {
		end = range_end(c, at, true);
		err = put_stages(c, at, end, false, true);
		for (size_t i = at; i < end && !err; i++)
			err = put_stages(c, i, i + 1, false, false);
	}
	return err;
}

static int stages(struct csv *c, enum shape shape)
{
	int err = 0;

	(void)shape;
	put_header(c, "metric,class,entity,name,stage,count,sum_ns,p50_ns,p90_ns,p99_ns,p999_ns,max_ns");
	for (size_t from = 0, to; tables_group(c->t, from) && !err; from = to) {
		to = range_end(c, from, false);
		err = stages_of_metric(c, from, to);
	}
	return err;
}

static void put_by(struct csv *c, const struct blame_row *b)
{
	if (b->by == BY_REST)
		put_text(c, "rest");
	else if (b->by)
		put_u64(c, b->by);
	else
		put_text(c, "");
	put_comm(c, b->by == BY_REST ? 0 : b->by);
}

static int blame(struct csv *c, enum shape shape)
{
	struct blame_row b;
	char lock[64];

	(void)shape;
	put_header(c, "metric,class,waiter,waiter_name,by,by_name,by_kind,lock,lock_name,count,sum_ns,"
		      "max_ns");
	for (size_t i = 0; tables_blame(c->t, i, &b); i++) {
		put_group(c, b.waiter);
		put_by(c, &b);
		put_text(c, blame_names[b.kind]);
		put_text(c, tables_lock_text(c->t, b.lock, lock, sizeof(lock)));
		put_text(c, "");	/* lock_name: no symbols yet */
		put_all(c, (uint64_t[]){b.count, b.sum, b.max}, 3);
		end_row(c);
	}
	return 0;
}

static int put_event(void *ctx, const struct event_row *e)
{
	struct csv *c = ctx;
	unsigned int mask = metrics[e->metric].stages;
	const uint64_t *ns = e->stage_ns;
	char lock[64] = "";

	put_text(c, metrics[e->metric].name);
	put_class(c, e->klass);
	put_entity(c, e->entity);
	put_all(c, (uint64_t[]){since_start(c, e->end), e->latency, e->cpu}, 3);
	if (e->by)
		put_u64(c, e->by);
	else
		put_text(c, "");
	if (e->lock)
		snprintf(lock, sizeof(lock), "%u:0x%jx", e->tgid, (uintmax_t)e->lock);
	put_text(c, lock);
	for (unsigned int stage = 0; stage < STAGE_CNT; stage++) {
		if (mask >> stage & 1)
			put_u64(c, *ns++);
		else
			put_text(c, "");
	}
	end_row(c);
	return ferror(c->out) ? -EIO : 0;
}

static int events(struct csv *c, enum shape shape)
{
	(void)shape;
	fputs("metric,class,entity,name,t_ns,latency_ns,cpu,by,lock", c->out);
	for (unsigned int stage = 0; stage < STAGE_CNT; stage++)
		fprintf(c->out, ",%s", stage_names[stage]);
	put_header(c, "");
	return tables_events(c->t, put_event, c);
}

static int counters(struct csv *c, enum shape shape)
{
	struct counter_row row;

	(void)shape;
	put_header(c, "counter,entity,name,count");
	for (size_t i = 0; tables_counter(c->t, i, &row); i++) {
		put_text(c, row.name);
		if (row.kind == COUNTER_ENTITY)
			put_u64(c, row.tid);
		else
			put_text(c, row.kind == COUNTER_REST ? "rest" : "");
		put_comm(c, row.tid);
		put_u64(c, row.count);
		end_row(c);
	}
	return 0;
}

static int loss(struct csv *c, enum shape shape)
{
	const char *cause;
	uint64_t count;

	(void)shape;
	put_header(c, "cause,count");
	for (size_t i = 0; tables_loss(c->t, i, &cause, &count); i++) {
		put_text(c, cause);
		put_u64(c, count);
		end_row(c);
	}
	return 0;
}

unsigned int csv_needs(const struct export_opts *o)
{
	return o->shape == SHAPE_PAIRS ? TABLE_BIT(EVENTS) : 1u << o->table;
}

int export_csv(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out)
{
	static int (*const writers[TABLE_CNT])(struct csv *, enum shape) = {
		[TABLE_HEATMAP] = heatmap,
		[TABLE_STAGES] = stages,
		[TABLE_BLAME] = blame,
		[TABLE_EVENTS] = events,
		[TABLE_COUNTERS] = counters,
		[TABLE_LOSS] = loss,
	};
	struct csv c = {.t = t, .n = n, .out = out};
	int err;

	if (o->shape != SHAPE_LONG && o->table != TABLE_HEATMAP)
		return fail(-EINVAL, "csv: --shape %s is of table heatmap, not %s", shape_names[o->shape],
			    table_infos[o->table].name);
	err = writers[o->table](&c, o->shape);
	if (!err && (fflush(out) || ferror(out)))
		err = -EIO;
	return err;
}
