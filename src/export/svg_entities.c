/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The lower plot: a row an entity, colour is the worst latency of its samples in that time. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../stats/dims.h"
#include "grid.h"
#include "label.h"
#include "palette.h"
#include "svg_parts.h"

enum {
	ROWS_MAX = 12, ROW_LOW = 16, ROW_HIGH = 30,	/* a row is as high as there is room for */
	ROWS_ROOM = 120,
	COLS_MAX = 240, NAME_CHARS = (SVG_LEFT - 30) / SVG_CHAR,
	KEY_OTHERS = 4 + 3,	/* a name of four, and " ()" */
	ADDRESS_CHARS = 4,
};

struct spot {
	uint64_t count, sum, max;
};

/* Rows are ranks; the last one is the rest. Rows without samples are not shown. */
struct strips {
	struct spot *spots;
	const struct group *of[ROWS_MAX + 1];	/* a group of the row's entity; NULL: the rest */
	size_t cols;
	int row_height;
	uint64_t col_ns, merge;
	uint64_t least, most;	/* of the spots' max */
};

static int make_strips(const struct svg *s, struct strips *st)
{
	const struct group *g;

	st->merge = grid_merge(s->t, s->length_ns, COLS_MAX, &st->col_ns);
	if (!st->merge)
		return 0;
	st->cols = s->length_ns / st->col_ns + !!(s->length_ns % st->col_ns);
	if (!st->cols)
		st->cols = 1;
	for (size_t i = 0; (g = tables_group(s->t, i)); i++) {
		size_t row = g->rank < ROWS_MAX ? g->rank : ROWS_MAX;

		if (g->metric != s->metric)
			continue;
		st->of[row] = row < ROWS_MAX ? g : NULL;
	}
	st->spots = calloc((ROWS_MAX + 1) * st->cols, sizeof(*st->spots));
	return st->spots ? 0 : -ENOMEM;
}

static void add_group(const struct svg *s, struct strips *st, const struct group *g)
{
	size_t row = g->rank < ROWS_MAX ? g->rank : ROWS_MAX;
	struct cell c;

	for (size_t i = g->cell_from; i < g->cell_to && tables_cell(s->t, i, &c); i++) {
		size_t col = c.col / st->merge;
		struct spot *spot = &st->spots[row * st->cols + (col < st->cols ? col : st->cols - 1)];

		spot->count += c.count;
		spot->sum += c.sum;
		if (c.max > spot->max)
			spot->max = c.max;
	}
}

static void find_range(struct strips *st)
{
	st->least = UINT64_MAX;
	for (size_t i = 0; i < (ROWS_MAX + 1) * st->cols; i++) {
		const struct spot *spot = &st->spots[i];

		if (spot->count && spot->max < st->least)
			st->least = spot->max;
		if (spot->max > st->most)
			st->most = spot->max;
	}
}

static bool is_empty(const struct strips *st, size_t row)
{
	for (size_t col = 0; col < st->cols; col++) {
		if (st->spots[row * st->cols + col].count)
			return false;
	}
	return true;
}

const char *svg_label_text(const struct label *who, size_t room, char *buf, size_t size)
{
	char name[TEXT_SZ], escaped[TEXT_SZ], cut[TEXT_SZ], key[TEXT_SZ + 4] = "";

	text_escape(who->key, escaped, sizeof(escaped));
	text_cut(escaped, room - KEY_OTHERS, "\xe2\x80\xa6", cut, sizeof(cut));
	if (*cut)
		snprintf(key, sizeof(key), " (%s)", cut);
	text_escape(who->name, name, sizeof(name));
	text_cut(name, room - text_width(key), "\xe2\x80\xa6", cut, sizeof(cut));
	snprintf(buf, size, "%s%s", cut, key);
	return buf;
}

void svg_row_name(const struct svg *s, const struct label *who, int y)
{
	char text[2 * TEXT_SZ];

	svg_text(s->out, SVG_LEFT - 9, y, "class=\"l\" text-anchor=\"end\"",
		 svg_label_text(who, NAME_CHARS, text, sizeof(text)));
}

/* A lock's address would take all the room: whole it is for tooltips, and its end tells locks of one name apart. */
void svg_entity_name(const struct svg *s, enum metric m, const struct label *who, int y)
{
	struct label name = *who;
	size_t len = strlen(who->key);

	if (tables_dim(s->t, m)->what == DIM_LOCK && len > ADDRESS_CHARS)
		snprintf(name.key, sizeof(name.key), "\xe2\x80\xa6%s", who->key + len - ADDRESS_CHARS);
	svg_row_name(s, &name, y);
}

static void put_spot(const struct svg *s, const struct strips *st, const struct label *who, size_t row,
		     size_t col, int y)
{
	const struct spot *spot = &st->spots[row * st->cols + col];
	uint64_t t_lo = col * st->col_ns, t_hi = t_lo + st->col_ns;
	int x = svg_x(s, t_lo);
	char t[2][32], lat[2][32], color[8];

	if (t_hi > s->length_ns && s->length_ns > t_lo)
		t_hi = s->length_ns;
	fprintf(s->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"><title>", x, y,
		svg_x(s, t_hi) - x, st->row_height - 1,
		palette_hex(palette_step(spot->max, st->least, st->most), color));
	svg_put_label(s->out, who);
	fprintf(s->out, ", %s to %s: worst %s, mean %s, %" PRIu64 " samples</title></rect>\n", text_ns(t_lo, t[0], sizeof(t[0])),
		text_ns(t_hi, t[1], sizeof(t[1])), text_ns(spot->max, lat[0], sizeof(lat[0])),
		text_ns(spot->sum / spot->count, lat[1], sizeof(lat[1])), spot->count);
}

/* Returns the height of the rows. */
static int put_rows(const struct svg *s, const struct strips *st, int y)
{
	int at = y;

	for (size_t row = 0; row < ROWS_MAX + 1; row++) {
		struct label who;

		if (is_empty(st, row))
			continue;
		label_group(s->t, s->n, st->of[row], &who);
		svg_entity_name(s, s->metric, &who, at + st->row_height / 2 + 4);
		for (size_t col = 0; col < st->cols; col++) {
			if (st->spots[row * st->cols + col].count)
				put_spot(s, st, &who, row, col, at);
		}
		at += st->row_height;
	}
	return at - y;
}

static int row_cnt(const struct strips *st)
{
	int cnt = 0;

	for (size_t row = 0; row < ROWS_MAX + 1; row++)
		cnt += !is_empty(st, row);
	return cnt;
}

int svg_entities(const struct svg *s, int y)
{
	struct strips st = {.cols = 0};
	const struct group *g;
	int err = make_strips(s, &st), height;
	char title[128];

	if (err || !st.spots)
		return err;
	for (size_t i = 0; (g = tables_group(s->t, i)); i++) {
		if (g->metric == s->metric)
			add_group(s, &st, g);
	}
	find_range(&st);
	snprintf(title, sizeof(title), "Worst latency over time by %s, the greatest sums first",
		 tables_dim(s->t, s->metric)->name);
	svg_text(s->out, SVG_LEFT, y + 10, "class=\"h\"", title);
	y += 20;
	st.row_height = ROWS_ROOM / row_cnt(&st);
	if (st.row_height < ROW_LOW || st.row_height > ROW_HIGH)
		st.row_height = st.row_height < ROW_LOW ? ROW_LOW : ROW_HIGH;
	height = row_cnt(&st) * st.row_height;
	svg_frame(s, y, height);
	fputs("<g shape-rendering=\"crispEdges\">\n", s->out);
	put_rows(s, &st, y);
	fputs("</g>\n", s->out);
	svg_time_axis(s, y, height);
	svg_scale(s, y, "worst latency", st.least, st.most, text_ns, text_tick);
	free(st.spots);
	height += SVG_AXIS;
	return 20 + (height > SVG_SCALE ? height : SVG_SCALE);
}
