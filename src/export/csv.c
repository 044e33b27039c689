/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "csv.h"

#include <errno.h>
#include <stdlib.h>

#include "../base/err.h"
#include "../stats/view.h"
#include "rows.h"
#include "text.h"

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

static void put_text(void *ctx, const char *raw)
{
	char cell[TEXT_SZ];

	put_raw(ctx, cell, *raw ? text_csv(raw, cell, sizeof(cell)) : 0);
}

static void put_u64(void *ctx, uint64_t v)
{
	char buf[20];
	size_t at = sizeof(buf);

	do {
		buf[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	put_raw(ctx, buf + at, sizeof(buf) - at);
}

static void put_i64(void *ctx, int64_t v)
{
	char buf[24];

	put_raw(ctx, buf, (size_t)snprintf(buf, sizeof(buf), "%jd", (intmax_t)v));
}

static void put_none(void *ctx)
{
	put_raw(ctx, "", 0);
}

static int end_row(void *ctx)
{
	struct csv *c = ctx;

	putc_unlocked('\n', c->out);
	c->in_row = false;
	return ferror_unlocked(c->out) ? -EIO : 0;
}

static void put_columns(void *ctx, const char *const *names, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		put_text(ctx, names[i]);
	end_row(ctx);
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
		for (size_t b = 0; b < width; b++)
			put_u64(c, counts[i * width + b]);
		end_row(c);
	}
	free(counts);
	return 0;
}

static int put_pair(void *ctx, const struct event_row *e)
{
	struct csv *c = ctx;
	uint64_t start = tables_start_ns(c->t);

	fprintf(c->out, "%ju %ju\n", (uintmax_t)(e->end > start ? e->end - start : 0), (uintmax_t)e->latency);
	return ferror(c->out) ? -EIO : 0;
}

static int heatmap_pairs(struct csv *c)
{
	return tables_events(c->t, put_pair, c);
}

static int long_rows(struct csv *c, enum table table)
{
	const struct row_sink sink = {
		.ctx = c, .columns = put_columns, .text = put_text, .number = put_u64,
		.signed_number = put_i64, .none = put_none, .end = end_row,
	};

	return rows_write(c->t, c->n, table, &sink);
}

int csv_rows(int (*fn)(const void *ctx, const struct row_sink *sink), const void *ctx, FILE *out)
{
	struct csv c = {.out = out};
	const struct row_sink sink = {
		.ctx = &c, .columns = put_columns, .text = put_text, .number = put_u64,
		.signed_number = put_i64, .none = put_none, .end = end_row,
	};
	int err = fn(ctx, &sink);

	return err ? err : fflush(out) || ferror(out) ? -EIO : 0;
}

unsigned int csv_needs(const struct export_opts *o)
{
	return o->shape == SHAPE_PAIRS ? TABLE_BIT(EVENTS) : 1u << o->table;
}

int export_csv(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out)
{
	struct csv c = {.t = t, .n = n, .out = out};
	int err = 0;

	if (o->shape != SHAPE_LONG && o->table != TABLE_HEATMAP)
		return fail(-EINVAL, "csv: --shape %s is of table heatmap, not %s", shape_names[o->shape],
			    table_infos[o->table].name);
	switch (o->shape) {
	case SHAPE_WIDE:
		err = heatmap_wide(&c);
		break;
	case SHAPE_PAIRS:
		err = heatmap_pairs(&c);
		break;
	case SHAPE_LONG:
	case SHAPE_CNT:
		err = long_rows(&c, o->table);
	}
	if (!err && (fflush(out) || ferror(out)))
		err = -EIO;
	return err;
}
