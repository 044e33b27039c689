/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Locks over time, a row each, and who waited for whom. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../model/names.h"
#include "../stats/tally.h"
#include "../stats/view.h"
#include "axis.h"
#include "heatmap.h"
#include "report_parts.h"
#include "text.h"

enum {
	LANE_NAME = 24, COLS_MAX = 400,
	SHADES_OF = 1000,	/* a shade is of that many parts of the greatest: what is less shows as the faintest */
	SIDE = 8,		/* waiters, and those waited for, of the matrix */
	INDENT = 2, CELL = 9, WAITER = 30, WAITER_MIN = 16,
};

/* Columns of the tables that become one of the picture. */
struct scale {
	size_t merge, cols, stretch;
	uint64_t col_ns, most_ns;
};

static uint64_t waited_in(const struct lane *l, const struct scale *s, size_t col)
{
	uint64_t ns = 0;

	for (size_t i = col * s->merge; i < l->col_cnt && i < (col + 1) * s->merge; i++)
		ns += l->cols[i].wait_ns;
	return ns;
}

static struct scale scale_of(const struct report *r, const struct lane *lanes, size_t cnt)
{
	size_t room = r->term.width - LANE_NAME - 2, cols;
	uint64_t width = tables_lock_width(r->t);
	struct scale s = {.merge = 1};

	room = room < COLS_MAX ? room : COLS_MAX;
	cols = r->length_ns / width + !!(r->length_ns % width);
	for (size_t i = 0; i < cnt; i++)
		cols = lanes[i].col_cnt > cols ? lanes[i].col_cnt : cols;
	s.merge = cols / room + !!(cols % room);
	s.merge = s.merge ? s.merge : 1;
	s.cols = cols / s.merge + !!(cols % s.merge);
	s.stretch = s.cols ? room / s.cols : 1;
	s.col_ns = s.merge * width;
	for (size_t i = 0; i < cnt; i++)
		for (size_t col = 0; col < s.cols; col++)
			s.most_ns = waited_in(&lanes[i], &s, col) > s.most_ns ? waited_in(&lanes[i], &s, col) : s.most_ns;
	return s;
}

static void put_lane(const struct report *r, const struct lane *l, const struct scale *s)
{
	unsigned char levels[COLS_MAX] = {0};
	struct label who = l->who;

	/* half of an address says nothing */
	if (strlen(who.name) + strlen(who.key) + strlen(" ()") >= LANE_NAME)
		*who.key = '\0';

	for (size_t col = 0; col < s->cols; col++) {
		double part = (double)waited_in(l, s, col) / (double)s->most_ns * SHADES_OF;

		if (part > 0)
			levels[col] = (unsigned char)axis_level(part < 1 ? 1 : (uint64_t)part, SHADES_OF,
								term_shades(&r->term));
	}
	report_put_label(r, &who, LANE_NAME - 1);
	fprintf(r->out, " %s", heatmap_frame(&r->term));
	heatmap_cells(&r->term, levels, s->cols, s->stretch, r->out);
}

static void put_legend(const struct report *r, const struct scale *s)
{
	unsigned int shades = term_shades(&r->term);
	char most[32], width[32], text[128];

	fprintf(r->out, "%*s", LANE_NAME + 1, "");
	for (unsigned int level = 1; level <= shades; level++)
		term_shade(&r->term, r->out, level, 1);
	snprintf(text, sizeof(text), " in a column of %s: up to %s (log)", text_tick(s->col_ns, width, sizeof(width)),
		 text_ns(s->most_ns, most, sizeof(most)));
	fprintf(r->out, "%s\n", text);
}

void report_lanes(const struct report *r, const struct lane *lanes, size_t cnt)
{
	struct scale s = scale_of(r, lanes, cnt);
	const struct heat_axis axis = {LANE_NAME, s.cols, s.stretch, s.col_ns, r->length_ns};

	if (!s.most_ns)
		return;
	putc('\n', r->out);
	term_bold(&r->term, r->out, true);
	fputs("locks over time", r->out);
	term_bold(&r->term, r->out, false);
	fputs(": how long all together waited\n", r->out);
	for (size_t i = 0; i < cnt; i++)
		put_lane(r, &lanes[i], &s);
	heatmap_axis(&r->term, &axis, r->out);
	put_legend(r, &s);
}

/*
 * One side of the matrix, keyed by party_key(). Where they are more than the matrix shows, tasks of one name are one,
 * under the key of the first.
 */
struct side {
	struct tally ones;	/* a: key of each; its sum */
	struct tally shown;	/* a: key; count: how many tasks; their sum */
	struct tally names;	/* a, b: kind and bytes of a comm; sum: the key that stands for it */
	bool by_name;
};

struct matrix {
	struct side waiters, bys;
	struct tally cells;	/* a: key of the waiter, b: of whom it waited for */
};

/* Never 0. */
static uint64_t party_key(enum blame_kind kind, enum by_type type, uint32_t who)
{
	return (kind + UINT64_C(1)) << 40 | (uint64_t)type << 32 | who;
}

static enum blame_kind kind_of(uint64_t key)
{
	return (enum blame_kind)((key >> 40) - 1);
}

static bool is_task(uint64_t key)
{
	uint32_t who = (uint32_t)key;

	return (key >> 32 & UINT8_MAX) == BY_TASK && who && who != BY_REST;
}

/* The key that a party is shown under; 0: no memory. */
static uint64_t shown_key(const struct report *r, struct side *s, uint64_t key)
{
	const struct task_name *task = s->by_name && is_task(key) ? names_of_task(r->n, (uint32_t)key) : NULL;
	struct tally_row *row;
	uint64_t comm[2];

	if (!task || !*task->comm)
		return key;
	memcpy(comm, task->comm, sizeof(comm));
	row = tally_at(&s->names, comm[0], comm[1] ^ (uint64_t)kind_of(key) << 56);
	if (row && !row->sum)
		row->sum = key;
	return row ? row->sum : 0;
}

static int biggest_first(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->sum != y->sum)
		return x->sum > y->sum ? -1 : 1;
	return x->a < y->a ? -1 : x->a > y->a;
}

static int count(struct tally *t, uint64_t a, uint64_t b, uint64_t n, uint64_t sum)
{
	struct tally_row *row = tally_at(t, a, b);

	if (!row)
		return -ENOMEM;
	tally_add(row, n, sum, 0);
	return 0;
}

static uint64_t waiter_key(const struct pair_row *p)
{
	return party_key(BLAME_UNKNOWN, p->waiter_type, p->waiter);
}

static uint64_t by_key(const struct pair_row *p)
{
	return party_key(p->kind, p->by_type, p->by);
}

static int merge_names(const struct report *r, struct side *s)
{
	int err = 0;

	s->by_name = s->ones.cnt > SIDE;
	for (size_t i = 0; i < s->ones.cnt && !err; i++) {
		uint64_t key = shown_key(r, s, s->ones.rows[i].a);

		err = key ? count(&s->shown, key, 0, 1, s->ones.rows[i].sum) : -ENOMEM;
	}
	tally_sort(&s->shown, biggest_first);
	return err;
}

static int fill(const struct report *r, struct matrix *m)
{
	struct pair_row p;
	int err = 0;

	for (size_t i = 0; tables_pair(r->t, i, &p) && !err; i++) {
		err = count(&m->waiters.ones, waiter_key(&p), 0, 1, p.sum);
		if (!err)
			err = count(&m->bys.ones, by_key(&p), 0, 1, p.sum);
	}
	if (!err)
		err = merge_names(r, &m->waiters);
	if (!err)
		err = merge_names(r, &m->bys);
	for (size_t i = 0; tables_pair(r->t, i, &p) && !err; i++) {
		uint64_t waiter = shown_key(r, &m->waiters, waiter_key(&p)), by = shown_key(r, &m->bys, by_key(&p));

		err = count(&m->cells, waiter, by, 1, p.sum);
	}
	return err;
}

static void label_party(const struct report *r, const struct tally_row *party, struct label *out)
{
	uint32_t who = (uint32_t)party->a;

	if ((party->a >> 32 & UINT8_MAX) == BY_SITE) {
		label_site(r->n, who, out);
	} else if (is_task(party->a)) {
		label_task(r->n, who, out);
		if (party->count > 1)
			snprintf(out->key, sizeof(out->key), "%" PRIu64 " threads", party->count);
	} else {
		*out = (struct label){.name = ""};
		snprintf(out->name, sizeof(out->name), "%s", who ? "others" : "not known");
	}
}

/* As many columns as there is room for. */
static size_t by_cnt(const struct report *r, const struct matrix *m)
{
	size_t room = (r->term.width - INDENT - WAITER_MIN) / CELL, cnt = m->bys.shown.cnt < SIDE ? m->bys.shown.cnt : SIDE;

	return cnt < room ? cnt : room;
}

static void put_cells(const struct report *r, const struct matrix *m, uint64_t waiter, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		const struct tally_row *row = tally_find(&m->cells, waiter, m->bys.shown.rows[i].a);
		char time[32];

		fprintf(r->out, "%*s", CELL, row && row->sum ? text_ns(row->sum, time, sizeof(time)) : ".");
	}
	putc('\n', r->out);
}

/* Who the letters are. */
static void put_letters(struct report *r, const struct matrix *m, size_t cnt)
{
	report_list_begin(r, "there");
	for (size_t i = 0; i < cnt; i++) {
		const struct tally_row *by = &m->bys.shown.rows[i];
		char name[TEXT_SZ + 128], item[TEXT_SZ + 192];
		struct label who;

		label_party(r, by, &who);
		report_label(r, &who, LANE_NAME + CELL, name, sizeof(name));
		snprintf(item, sizeof(item), "%c %s%s", (int)('A' + i), name,
			 kind_of(by->a) == BLAME_WAKER ? " as waker" : "");
		report_list_item(r, i ? "," : NULL, item);
	}
	report_list_end(r);
}

static void put_matrix(struct report *r, const struct matrix *m)
{
	size_t cnt = by_cnt(r, m), name = r->term.width - INDENT - cnt * CELL;

	name = name < WAITER ? name : WAITER;
	putc('\n', r->out);
	term_bold(&r->term, r->out, true);
	fputs("who waited for whom", r->out);
	term_bold(&r->term, r->out, false);
	fprintf(r->out, ": holders, else who released the lock\n%*s%-*s", INDENT, "", (int)name, "waiter");
	for (size_t i = 0; i < cnt; i++)
		fprintf(r->out, "%*c", CELL, (int)('A' + i));
	putc('\n', r->out);
	for (size_t i = 0; i < m->waiters.shown.cnt && i < SIDE; i++) {
		const struct tally_row *waiter = &m->waiters.shown.rows[i];
		struct label who;

		label_party(r, waiter, &who);
		fprintf(r->out, "%*s", INDENT, "");
		report_put_label(r, &who, name);
		put_cells(r, m, waiter->a, cnt);
	}
	put_letters(r, m, cnt);
}

static void side_done(struct side *s)
{
	tally_done(&s->ones);
	tally_done(&s->shown);
	tally_done(&s->names);
}

int report_pairs(struct report *r)
{
	struct matrix m = {.cells = {0}};
	int err = fill(r, &m);

	if (!err && m.bys.shown.cnt)
		put_matrix(r, &m);
	side_done(&m.waiters);
	side_done(&m.bys);
	tally_done(&m.cells);
	return err;
}
