/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who waited for whom: a row a waiter, a column a holder, colour is the time; in a tooltip the locks that it was for. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "../stats/tally.h"
#include "label.h"
#include "palette.h"
#include "svg_parts.h"

enum {
	SIDE_MAX = 12,		/* rows, and columns, beside the rest */
	ROW_HEIGHT = 20, COL_MAX = 60,
	HEAD_CHARS = 22,
	TIP_LOCKS = 4,
};

/* Of rows or columns: those with the most time. */
struct side {
	struct tally all;	/* a: kind << 8 | type, b: TID or site */
	size_t cnt;		/* shown; the one behind them is the rest, if there is one */
};

struct matrix {
	struct side waiters, holders;
	struct tally cells;	/* a: row << 16 | column, b: lock */
	uint64_t least, most;
};

static uint64_t waiter_key(const struct pair_row *p)
{
	return (uint64_t)BLAME_HOLDER << 8 | p->waiter_type;
}

static uint64_t holder_key(const struct pair_row *p)
{
	return (uint64_t)p->kind << 8 | p->by_type;
}

static int add(struct tally *t, uint64_t a, uint64_t b, const struct pair_row *p)
{
	struct tally_row *r = tally_at(t, a, b);

	if (!r)
		return -ENOMEM;
	tally_add(r, p->count, p->sum, p->max);
	return 0;
}

static int biggest_first(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->sum != y->sum)
		return x->sum > y->sum ? -1 : 1;
	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

static void rank(struct side *side)
{
	tally_sort(&side->all, biggest_first);
	side->cnt = side->all.cnt <= SIDE_MAX + 1 ? side->all.cnt : SIDE_MAX;
}

static size_t place_of(const struct side *side, uint64_t a, uint64_t b)
{
	size_t i = 0;

	while (i < side->cnt && (side->all.rows[i].a != a || side->all.rows[i].b != b))
		i++;
	return i;
}

static bool has_rest(const struct side *side)
{
	return side->cnt < side->all.cnt;
}

/* By cell, then the lock with the most time first. */
static int cell_order(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return biggest_first(a, b);
}

static int make_matrix(const struct svg *s, struct matrix *m)
{
	struct pair_row p;
	int err = 0;

	for (size_t i = 0; tables_pair(s->t, i, &p) && !err; i++) {
		err = add(&m->waiters.all, waiter_key(&p), p.waiter, &p);
		if (!err)
			err = add(&m->holders.all, holder_key(&p), p.by, &p);
	}
	rank(&m->waiters);
	rank(&m->holders);
	for (size_t i = 0; tables_pair(s->t, i, &p) && !err; i++) {
		size_t row = place_of(&m->waiters, waiter_key(&p), p.waiter);
		size_t col = place_of(&m->holders, holder_key(&p), p.by);

		err = add(&m->cells, row << 16 | col, p.lock, &p);
	}
	tally_sort(&m->cells, cell_order);
	return err;
}

/* One cell: its rows of m->cells, and their sums. */
struct cell_sum {
	size_t from, to;
	uint64_t count, sum, max;
};

static struct cell_sum cell_from(const struct matrix *m, size_t from)
{
	struct cell_sum c = {.from = from, .to = from};

	for (; c.to < m->cells.cnt && m->cells.rows[c.to].a == m->cells.rows[from].a; c.to++) {
		const struct tally_row *r = &m->cells.rows[c.to];

		c.count += r->count;
		c.sum += r->sum;
		c.max = r->max > c.max ? r->max : c.max;
	}
	return c;
}

static void find_range(struct matrix *m)
{
	struct cell_sum c;

	m->least = UINT64_MAX;
	for (size_t i = 0; i < m->cells.cnt; i = c.to) {
		c = cell_from(m, i);
		if (c.sum && c.sum < m->least)
			m->least = c.sum;
		if (c.sum > m->most)
			m->most = c.sum;
	}
}

static void name_of(const struct svg *s, const struct side *side, size_t i, struct label *out)
{
	if (i >= side->cnt) {
		*out = (struct label){.name = "rest"};
		return;
	}
	const struct tally_row *r = &side->all.rows[i];
	const struct taker who = {
		.kind = (enum blame_kind)(r->a >> 8), .by_type = (enum by_type)(uint8_t)r->a, .by = r->b,
		.site = (uint32_t)r->b, .tasks = 1,
	};

	label_taker(s->t, s->n, &who, out);
}

static bool is_waker(const struct side *side, size_t i)
{
	return i < side->cnt && side->all.rows[i].a >> 8 == BLAME_WAKER;
}

static int col_width(const struct matrix *m)
{
	int width = SVG_PLOT / (int)(m->holders.cnt + has_rest(&m->holders));

	return width < COL_MAX ? width : COL_MAX;
}

/* The room for the names above the columns, which are turned by 40 degrees. */
static int head_height(const struct svg *s, const struct matrix *m)
{
	char text[2 * TEXT_SZ];
	size_t longest = 0, len;
	struct label who;

	for (size_t col = 0; col < m->holders.cnt; col++) {
		name_of(s, &m->holders, col, &who);
		len = text_width(svg_label_text(&who, HEAD_CHARS, text, sizeof(text)));
		longest = len > longest ? len : longest;
	}
	return 16 + (int)longest * SVG_CHAR * 64 / 100;
}

static void put_head(const struct svg *s, const struct matrix *m, size_t col, int y)
{
	int x = SVG_LEFT + (int)col * col_width(m) + col_width(m) / 2;
	char text[2 * TEXT_SZ], attrs[128];
	struct label who;

	name_of(s, &m->holders, col, &who);
	snprintf(attrs, sizeof(attrs), "class=\"l\" transform=\"rotate(-40 %d %d)\"%s", x, y - 5,
		 is_waker(&m->holders, col) ? " font-style=\"italic\"" : "");
	svg_text(s->out, x, y - 5, attrs, svg_label_text(&who, HEAD_CHARS, text, sizeof(text)));
}

static void put_lock(const struct svg *s, const struct tally_row *r)
{
	char name[TEXT_SZ], ns[32];

	tables_lock_name(s->t, s->n, (uint32_t)r->b, name, sizeof(name));
	if (!*name)
		tables_lock_text(s->t, s->n, (uint32_t)r->b, name, sizeof(name));
	fputs("\n", s->out);
	svg_put_escaped(s->out, *name ? name : "no lock known");
	fprintf(s->out, ": %s, waits: %" PRIu64, text_ns(r->sum, ns, sizeof(ns)), r->count);
}

static void put_tip(const struct svg *s, const struct matrix *m, const struct cell_sum *c)
{
	size_t row = m->cells.rows[c->from].a >> 16, col = m->cells.rows[c->from].a & UINT16_MAX;
	char sum[32], max[32];
	struct label who;

	fputs("<title>", s->out);
	name_of(s, &m->waiters, row, &who);
	svg_put_label(s->out, &who);
	fputs(is_waker(&m->holders, col) ? " waited until woken by " : " waited for ", s->out);
	name_of(s, &m->holders, col, &who);
	svg_put_label(s->out, &who);
	fprintf(s->out, ": %s, waits: %" PRIu64 ", the longest of %s", text_ns(c->sum, sum, sizeof(sum)), c->count,
		text_ns(c->max, max, sizeof(max)));
	for (size_t i = c->from; i < c->to && i < c->from + TIP_LOCKS; i++)
		put_lock(s, &m->cells.rows[i]);
	if (c->to - c->from > TIP_LOCKS)
		fprintf(s->out, "\nand %zu other locks", c->to - c->from - TIP_LOCKS);
	fputs("</title>", s->out);
}

static void put_cell(const struct svg *s, const struct matrix *m, const struct cell_sum *c, int y)
{
	int width = col_width(m), x = SVG_LEFT + (int)(m->cells.rows[c->from].a & UINT16_MAX) * width;
	unsigned int step = palette_step(c->sum, m->least, m->most);
	char color[8], text[32], attrs[96];

	y += (int)(m->cells.rows[c->from].a >> 16) * ROW_HEIGHT;
	fputs("<g>", s->out);
	put_tip(s, m, c);
	fprintf(s->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n", x + 1, y + 1, width - 2,
		ROW_HEIGHT - 2, palette_hex(step, color));
	snprintf(attrs, sizeof(attrs), "text-anchor=\"middle\" style=\"font-size:10px;fill:%s\"",
		 step > PALETTE_STEPS / 3 ? "#fff" : "#222");
	svg_text(s->out, x + width / 2, y + 14, attrs, text_ns(c->sum, text, sizeof(text)));
	fputs("</g>\n", s->out);
}

static int put_plot(const struct svg *s, const struct matrix *m, int y)
{
	size_t rows = m->waiters.cnt + has_rest(&m->waiters), cols = m->holders.cnt + has_rest(&m->holders);
	int head = head_height(s, m), top = y + 20 + head, height = (int)rows * ROW_HEIGHT;
	struct cell_sum c;
	struct label who;

	svg_text(s->out, SVG_LEFT, y + 10, "class=\"h\"",
		 "lock.wait: who waited (rows) for whom (columns; italic: the waker, where the holder is not known)");
	for (size_t col = 0; col < cols; col++)
		put_head(s, m, col, top);
	for (size_t row = 0; row < rows; row++) {
		name_of(s, &m->waiters, row, &who);
		svg_row_name(s, &who, top + (int)row * ROW_HEIGHT + 14);
	}
	fprintf(s->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"frame\"/>\n", SVG_LEFT, top,
		(int)cols * col_width(m), height);
	for (size_t i = 0; i < m->cells.cnt; i = c.to) {
		c = cell_from(m, i);
		put_cell(s, m, &c, top);
	}
	svg_scale(s, top, "time waited", m->least, m->most, text_ns, text_tick);
	height = height > SVG_SCALE ? height : SVG_SCALE;
	return 20 + head + height + 12;
}

int svg_matrix(const struct svg *s, int y)
{
	struct matrix m = {.most = 0};
	int height = make_matrix(s, &m);

	if (!height && m.cells.cnt) {
		find_range(&m);
		height = put_plot(s, &m, y);
	}
	tally_done(&m.waiters.all);
	tally_done(&m.holders.all);
	tally_done(&m.cells);
	return height;
}
