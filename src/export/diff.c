/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diff.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "../base/err.h"
#include "csv.h"
#include "diff_parts.h"
#include "json.h"
#include "rows.h"
#include "text.h"

static void put_columns(const struct row_sink *s, const char *const *names)
{
	size_t cnt = 0;

	while (names[cnt])
		cnt++;
	s->columns(s->ctx, names, cnt);
}

static void put_ns(const struct row_sink *s, double v)
{
	s->signed_number(s->ctx, llround(v));
}

static int put_stat(const struct row_sink *s, const struct compare_row *row, size_t i)
{
	const struct compare_stat *stat = &row->stats[i];

	s->text(s->ctx, metrics[row->metric].name);
	s->text(s->ctx, row->klass ? row->klass : "*");
	s->text(s->ctx, row->name ? row->name : "*");
	s->text(s->ctx, row->stage < STAGE_CNT ? stage_names[row->stage] : "total");
	s->text(s->ctx, compare_stat_names[i]);
	s->number(s->ctx, row->base_cnt);
	s->number(s->ctx, row->now_cnt);
	s->number(s->ctx, row->base_own_cnt);
	s->number(s->ctx, row->now_own_cnt);
	put_ns(s, stat->base);
	put_ns(s, stat->now);
	put_ns(s, stat->shift);
	put_ns(s, stat->lo);
	put_ns(s, stat->hi);
	put_ns(s, stat->own_shift);
	put_ns(s, stat->own_lo);
	put_ns(s, stat->own_hi);
	s->number(s->ctx, row->is_gated);
	s->text(s->ctx, compare_verdict_names[stat->verdict]);
	s->text(s->ctx, compare_reason_texts[stat->why]);
	s->text(s->ctx, stat->verdict == COMPARE_CHANGED && stat->stage < STAGE_CNT ? stage_names[stat->stage] : "");
	return s->end(s->ctx);
}

static int shift_rows(const void *ctx, const struct row_sink *s)
{
	static const char *const columns[] = {
		"metric", "class", "name", "stage", "stat", "base_count", "new_count", "base_own_count", "new_own_count",
		"base_ns", "new_ns",
		"shift_ns", "shift_lo_ns", "shift_hi_ns", "own_shift_ns", "own_lo_ns", "own_hi_ns",
		"gated", "verdict", "why", "moved_stage", NULL,
	};
	const struct diff *d = ctx;
	const struct compare_row *row;
	int err = 0;

	put_columns(s, columns);
	for (size_t i = 0; !err && (row = compare_row(d->compare, i)); i++)
		for (size_t stat = 0; !err && stat < COMPARE_STAT_CNT; stat++)
			err = put_stat(s, row, stat);
	return err;
}

static int put_cell(const struct row_sink *s, const struct diff_grid *g, size_t row, size_t col)
{
	size_t cell = row * g->g.cols + col;

	if (!g->g.counts[cell] && !g->now[cell])
		return 0;
	s->text(s->ctx, metrics[g->g.metric].name);
	s->number(s->ctx, col * g->g.col_ns);
	s->number(s->ctx, (col + 1) * g->g.col_ns);
	s->number(s->ctx, grid_row_lo(&g->g, row));
	s->number(s->ctx, grid_row_lo(&g->g, row + 1));
	s->number(s->ctx, g->g.counts[cell]);
	s->number(s->ctx, g->now[cell]);
	return s->end(s->ctx);
}

static int cell_rows(const void *ctx, const struct row_sink *s)
{
	static const char *const columns[] = {"metric", "t_start_ns", "t_end_ns", "lat_lo_ns", "lat_hi_ns", "base_count",
					      "new_count", NULL};
	const struct grid_limits limits = {.cols = 240, .rows = HIST_BUCKETS, .cells = SIZE_MAX};
	const struct diff *d = ctx;
	int err = 0;

	put_columns(s, columns);
	for (int m = 0; !err && m < METRIC_CNT; m++) {
		struct diff_grid g;

		err = diff_grid_make(d, (enum metric)m, &limits, &g);
		for (size_t col = 0; !err && col < g.g.cols; col++)
			for (size_t row = 0; !err && row < g.g.rows; row++)
				err = put_cell(s, &g, row, col);
		diff_grid_done(&g);
	}
	return err;
}

static int diff_csv(const struct diff *d, FILE *out)
{
	int err = csv_rows(d->table == TABLE_HEATMAP ? cell_rows : shift_rows, d, out);

	return err && err != -EIO ? fail(err, "diff") : err;
}

static int diff_json(const struct diff *d, FILE *out)
{
	int err = json_rows(d->table == TABLE_HEATMAP ? cell_rows : shift_rows, d, out);

	putc('\n', out);
	if (err && err != -EIO)
		return fail(err, "diff");
	return err || fflush(out) || ferror(out) ? -EIO : 0;
}

const char *diff_line(const struct compare_row *row, enum compare_stat_id id, char *buf, size_t size)
{
	const struct compare_stat *s = &row->stats[id];
	bool has_stage = s->verdict == COMPARE_CHANGED && s->stage < STAGE_CNT;
	char v[5][32];

	snprintf(buf, size, "%s %s of %s%s%s%s: %s to %s; own part %s (%s to %s)%s%s", metrics[row->metric].name,
		 compare_stat_names[id], row->name ? row->name : "all", row->klass && *row->klass ? " (" : "",
		 row->klass ? row->klass : "", row->klass && *row->klass ? ")" : "",
		 text_ns((uint64_t)s->base, v[0], sizeof(v[0])), text_ns((uint64_t)s->now, v[1], sizeof(v[1])),
		 text_signed_ns(llround(s->own_shift), v[2], sizeof(v[2])),
		 text_signed_ns(llround(s->own_lo), v[3], sizeof(v[3])),
		 text_signed_ns(llround(s->own_hi), v[4], sizeof(v[4])), has_stage ? ", most of it " : "",
		 has_stage ? stage_names[s->stage] : "");
	return buf;
}

const struct diff_format diff_formats[] = {
	{.name = "text", .run = diff_text, .help = "what changed, for people"},
	{.name = "csv", .run = diff_csv, .help = "shifts, or with --table heatmap both heatmaps on one grid"},
	{.name = "json", .run = diff_json, .help = "the same as an array"},
	{.name = "svg", .run = diff_svg, .help = "a picture: where samples became more and where fewer"},
	{.name = NULL},
};

const struct diff_format *diff_format_find(const char *name)
{
	for (const struct diff_format *f = diff_formats; f->name; f++) {
		if (!strcmp(f->name, name))
			return f;
	}
	return NULL;
}

const char *diff_formats_list(char *buf, size_t size)
{
	size_t at = 0;

	for (const struct diff_format *f = diff_formats; f->name && at < size; f++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? ", " : "", f->name);
	return buf;
}
