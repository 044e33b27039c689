/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/names.h"
#include "../stats/tally.h"

struct part part_all(enum metric metric)
{
	return (struct part){.metric = metric, .rank_from = 0, .rank_to = SIZE_MAX};
}

static bool is_idle(uint32_t klass)
{
	static const uint32_t idle[] = {CLASS_GO_IDLE, CLASS_COND, CLASS_JOIN, CLASS_BARRIER, CLASS_WAITGROUP,
				       CLASS_BLOCKED};

	for (size_t i = 0; i < sizeof(idle) / sizeof(*idle); i++) {
		if (idle[i] == klass)
			return true;
	}
	return false;
}

static bool has_group(const struct part *p, const struct group *g)
{
	if (p->no_idle && is_idle(g->klass))
		return false;
	return g->metric == p->metric && g->rank >= p->rank_from && g->rank <= p->rank_to;
}

int part_hist(const struct tables *t, const struct part *p, unsigned int stage, struct hist *h)
{
	const struct group *g;
	int err = 0;

	for (size_t i = 0; (g = tables_group(t, i)) && !err; i++) {
		if (has_group(p, g))
			err = tables_add_hist(t, g, stage, h);
	}
	return err;
}

const struct group *part_group(const struct tables *t, const struct part *p)
{
	const struct group *g;

	for (size_t i = 0; (g = tables_group(t, i)); i++) {
		if (has_group(p, g))
			return g;
	}
	return NULL;
}

static int most_first(const void *a, const void *b)
{
	const struct taker *x = a, *y = b;

	if (x->sum != y->sum)
		return x->sum > y->sum ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->by_type != y->by_type)
		return x->by_type < y->by_type ? -1 : 1;
	return x->by < y->by ? -1 : x->by > y->by;
}

/* Same names together, the one with the most time of each first. */
static int by_name(const void *a, const void *b)
{
	const struct taker *x = a, *y = b;
	int order = strcmp(x->name ? x->name : "", y->name ? y->name : "");

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->by_type != y->by_type)
		return x->by_type < y->by_type ? -1 : 1;
	return order ? order : most_first(a, b);
}

/* Adds up the rows of one kind and name. */
static void merge_names(struct takers *k)
{
	size_t cnt = 0;

	qsort(k->rows, k->cnt, sizeof(*k->rows), by_name);
	for (size_t i = 0; i < k->cnt; i++) {
		const struct taker *row = &k->rows[i];
		struct taker *last = cnt ? &k->rows[cnt - 1] : NULL;

		if (!last || last->kind != row->kind || last->by_type != row->by_type || !row->name || !last->name ||
		    strcmp(last->name, row->name)) {
			k->rows[cnt++] = *row;
			continue;
		}
		last->tasks += row->tasks;
		last->count += row->count;
		last->sum += row->sum;
		if (row->max > last->max)
			last->max = row->max;
	}
	k->cnt = cnt;
}

static const char *name_of(const struct names *n, const struct taker *k)
{
	const struct site_name *site = k->by_type == BY_TASK ? NULL : names_of_site(n, k->site);
	const struct task_name *task;

	if (k->by_type != BY_TASK)
		return site ? site->func : NULL;
	task = k->by && k->by != BY_REST ? names_of_task(n, (uint32_t)k->by) : NULL;
	return task && *task->comm ? task->comm : NULL;
}

/* Takers by {kind, by_type, by}, and their sums in the tally, row by row. */
struct taking {
	struct tally by;
	struct taker *rows;
	size_t cap;
};

static int add_blame(struct taking *k, const struct blame_row *b)
{
	size_t known = k->by.cnt;
	struct tally_row *r = tally_at(&k->by, (uint64_t)b->by_type << 8 | b->kind, b->by);

	if (!r)
		return -ENOMEM;
	tally_add(r, b->count, b->sum, b->max);
	if (k->by.cnt == known)
		return 0;
	if (known == k->cap) {
		size_t cap = k->cap ? k->cap * 2 : 64;
		struct taker *rows = realloc(k->rows, cap * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		k->rows = rows;
		k->cap = cap;
	}
	k->rows[known] = (struct taker){
		.kind = b->kind, .by_type = b->by_type, .by = b->by, .site = b->site, .tasks = 1,
	};
	return 0;
}

/* To one row a name. Takes the rows. */
static struct takers finish(struct taking *t, const struct names *n)
{
	struct takers k = {.rows = t->rows, .cnt = t->by.cnt};

	for (size_t i = 0; i < k.cnt; i++) {
		const struct tally_row *r = &t->by.rows[i];

		k.rows[i].count = r->count;
		k.rows[i].sum = r->sum;
		k.rows[i].max = r->max;
		k.rows[i].name = name_of(n, &k.rows[i]);
		k.sum += r->sum;
	}
	if (!k.cnt)
		return k;
	merge_names(&k);
	qsort(k.rows, k.cnt, sizeof(*k.rows), most_first);
	while (k.timed < k.cnt && k.rows[k.timed].sum)
		k.timed++;
	return k;
}

int takers_make(const struct tables *t, const struct names *n, const struct part *p, struct takers *out)
{
	struct taking k = {.cap = 0};
	struct blame_row b;
	int err = 0;

	for (size_t i = 0; tables_blame(t, i, &b) && !err; i++) {
		if (has_group(p, b.waiter))
			err = add_blame(&k, &b);
	}
	if (err)
		free(k.rows);
	else
		*out = finish(&k, n);
	tally_done(&k.by);
	return err;
}

void takers_done(struct takers *k)
{
	if (!k)
		return;
	free(k->rows);
	*k = (struct takers){.cnt = 0};
}

uint64_t censored_of(const struct tables *t, enum metric metric)
{
	struct counter_row row;
	uint64_t sum = 0;

	for (size_t i = 0; tables_counter(t, i, &row); i++) {
		if (!strncmp(row.name, "censored.", 9) && !strcmp(row.name + 9, metrics[metric].name))
			sum += row.count;
	}
	return sum;
}

const char *percent_text(uint64_t part, uint64_t whole, char *buf, size_t size)
{
	double percent = whole ? (double)part * 100 / (double)whole : 0;

	if (part && percent < 1)
		snprintf(buf, size, "<1%%");
	else
		snprintf(buf, size, "%.0f%%", percent);
	return buf;
}
