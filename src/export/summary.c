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

static bool has_group(const struct part *p, const struct group *g)
{
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
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

/* Same names together, the one with the most time of each first. */
static int by_name(const void *a, const void *b)
{
	const struct taker *x = a, *y = b;
	int order = strcmp(x->comm ? x->comm : "", y->comm ? y->comm : "");

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
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

		if (!last || last->kind != row->kind || !row->comm || !last->comm ||
		    strcmp(last->comm, row->comm)) {
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

/* From {kind, tid} to one row a name. */
static int from_tally(const struct tally *by, const struct names *n, struct takers *out)
{
	struct takers k = {.rows = calloc(by->cnt + 1, sizeof(*k.rows))};

	if (!k.rows)
		return -ENOMEM;
	for (size_t i = 0; i < by->cnt; i++) {
		const struct tally_row *r = &by->rows[i];
		uint32_t tid = (uint32_t)r->b;
		const struct task_name *task = tid && tid != BY_REST ? names_of_task(n, tid) : NULL;

		k.rows[k.cnt++] = (struct taker){
			.kind = (enum blame_kind)r->a, .tid = tid, .tasks = 1, .count = r->count, .sum = r->sum,
			.max = r->max, .comm = task && *task->comm ? task->comm : NULL,
		};
		k.sum += r->sum;
	}
	merge_names(&k);
	qsort(k.rows, k.cnt, sizeof(*k.rows), most_first);
	while (k.timed < k.cnt && k.rows[k.timed].sum)
		k.timed++;
	*out = k;
	return 0;
}

int takers_make(const struct tables *t, const struct names *n, const struct part *p, struct takers *out)
{
	struct tally by = {0};
	struct blame_row b;
	int err = 0;

	for (size_t i = 0; tables_blame(t, i, &b) && !err; i++) {
		if (!has_group(p, b.waiter))
			continue;
		struct tally_row *row = tally_at(&by, b.kind, b.by);

		if (row)
			tally_add(row, b.count, b.sum, b.max);
		else
			err = -ENOMEM;
	}
	if (!err)
		err = from_tally(&by, n, out);
	tally_done(&by);
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
