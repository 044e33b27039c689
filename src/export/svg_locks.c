/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Locks over time: a row a lock, colour is the time that all its waiters together waited in a column. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "label.h"
#include "palette.h"
#include "svg_parts.h"

/* A spot takes 250 bytes, so that the plot stays below 400 kB. */
enum { ROWS_MAX = 12, ROW_HEIGHT = 18, COLS_MAX = 115 };

struct spot {
	uint64_t wait, contended, max, count;
	uint32_t queue;
};

/* Rows are ranks; the last one is the rest. */
struct lock_strips {
	struct spot *spots;
	const struct group *of[ROWS_MAX + 1];	/* a group of the row's lock; NULL: none waited */
	size_t cols, merge;
	uint64_t col_ns, least, most;		/* of the spots' wait */
};

static size_t row_of(const struct group *g)
{
	return g->rank < ROWS_MAX ? g->rank : ROWS_MAX;
}

static int make_strips(const struct svg *s, struct lock_strips *st)
{
	uint64_t width = tables_lock_width(s->t), cols = width ? s->length_ns / width + 1 : 0;

	if (!cols)
		return 0;
	st->merge = cols / COLS_MAX + !!(cols % COLS_MAX);
	st->col_ns = st->merge * width;
	st->cols = s->length_ns / st->col_ns + 1;
	st->spots = calloc((ROWS_MAX + 1) * st->cols, sizeof(*st->spots));
	return st->spots ? 0 : -ENOMEM;
}

/* A lock may have a row of each class: its time is theirs together. */
static void add_lock(struct lock_strips *st, const struct lock_row *l)
{
	size_t row = row_of(l->group);

	st->of[row] = l->group;
	for (size_t i = 0; i < l->col_cnt; i++) {
		size_t col = i / st->merge;
		struct spot *spot = &st->spots[row * st->cols + (col < st->cols ? col : st->cols - 1)];
		const struct lock_col *c = &l->cols[i];

		spot->wait += c->wait_ns;
		spot->contended += c->contended_ns;
		spot->count += c->count;
		spot->max = c->max_ns > spot->max ? c->max_ns : spot->max;
		spot->queue = c->queue_max > spot->queue ? c->queue_max : spot->queue;
	}
}

static void find_range(struct lock_strips *st)
{
	st->least = UINT64_MAX;
	for (size_t i = 0; i < (ROWS_MAX + 1) * st->cols; i++) {
		uint64_t wait = st->spots[i].wait;

		if (wait && wait < st->least)
			st->least = wait;
		if (wait > st->most)
			st->most = wait;
	}
}

static void put_spot(const struct svg *s, const struct lock_strips *st, const struct label *who, const struct spot *spot,
		     size_t col, int y)
{
	uint64_t t_lo = col * st->col_ns, t_hi = t_lo + st->col_ns;
	int x = svg_x(s, t_lo), right;
	char t[2][32], wait[32], max[32], share[16], color[8];

	if (t_hi > s->length_ns && s->length_ns > t_lo)
		t_hi = s->length_ns;
	right = svg_x(s, t_hi);
	fprintf(s->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"><title>", x, y,
		right > x ? right - x : 1, ROW_HEIGHT - 1, palette_hex(palette_step(spot->wait, st->least, st->most), color));
	svg_put_label(s->out, who);
	fprintf(s->out, ", %s to %s: %s waited, contended ", text_ns(t_lo, t[0], sizeof(t[0])),
		text_ns(t_hi, t[1], sizeof(t[1])), text_ns(spot->wait, wait, sizeof(wait)));
	svg_put_escaped(s->out, percent_text(spot->contended, t_hi - t_lo, share, sizeof(share)));
	fprintf(s->out, " of the time, at most %" PRIu32 " at once; waits that ended: %" PRIu64 ", the longest of %s"
		"</title></rect>\n", spot->queue, spot->count, text_ns(spot->max, max, sizeof(max)));
}

static void put_row(const struct svg *s, const struct lock_strips *st, size_t row, int y)
{
	struct label who;

	label_group(s->t, s->n, row < ROWS_MAX ? st->of[row] : NULL, &who);
	svg_entity_name(s, METRIC_LOCK_WAIT, &who, y + ROW_HEIGHT / 2 + 4);
	for (size_t col = 0; col < st->cols; col++) {
		const struct spot *spot = &st->spots[row * st->cols + col];

		if (spot->wait)
			put_spot(s, st, &who, spot, col, y);
	}
}

static int row_cnt(const struct lock_strips *st)
{
	int cnt = 0;

	for (size_t row = 0; row < ROWS_MAX + 1; row++)
		cnt += !!st->of[row];
	return cnt;
}

static int put_plot(const struct svg *s, const struct lock_strips *st, int y)
{
	int height = row_cnt(st) * ROW_HEIGHT, at = y + 20;
	char title[160], width[32];

	snprintf(title, sizeof(title), "lock.wait: time waited by %s in columns of %s, all waiters together, the greatest sums first",
		 tables_dim(s->t, METRIC_LOCK_WAIT)->name, text_ns(st->col_ns, width, sizeof(width)));
	svg_text(s->out, SVG_LEFT, y + 10, "class=\"h\"", title);
	svg_frame(s, at, height);
	fputs("<g shape-rendering=\"crispEdges\">\n", s->out);
	for (size_t row = 0, line = 0; row < ROWS_MAX + 1; row++) {
		if (st->of[row])
			put_row(s, st, row, at + (int)line++ * ROW_HEIGHT);
	}
	fputs("</g>\n", s->out);
	svg_time_axis(s, at, height);
	svg_scale(s, at, "time waited", st->least, st->most, text_ns, text_tick);
	height += SVG_AXIS;
	return 20 + (height > SVG_SCALE ? height : SVG_SCALE);
}

int svg_locks(const struct svg *s, int y)
{
	struct lock_strips st = {.cols = 0};
	struct lock_row l;
	int height;

	if (!tables_lock(s->t, 0, &l))
		return 0;
	height = make_strips(s, &st);
	if (height || !st.spots)
		return height;
	for (size_t i = 0; tables_lock(s->t, i, &l); i++)
		add_lock(&st, &l);
	find_range(&st);
	if (st.most)
		height = put_plot(s, &st, y);
	free(st.spots);
	return height;
}
