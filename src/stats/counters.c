/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counters of entities (top N by count and the rest), of the whole recording, and losses. A counter that
 * exists per entity has no row of the whole: its rows add up to it.
 */
#include "impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct count_info count_infos[COUNT_CNT] = {
#define X(number, count_name, loss, help) [number] = {.name = #count_name, .is_loss = loss},
	COUNTS(X)
#undef X
};

void counters_done(struct tables *t)
{
	for (size_t i = 0; i < ECOUNT_CNT; i++)
		tally_done(&t->counters[i]);
	free(t->counter_rows);
	t->counter_rows = NULL;
	free(t->loss_times);
	t->loss_times = NULL;
	t->loss_time_cnt = 0;
}

/* Neighbours become one, so there are no more than the seconds of the recording; a hostile one has a limit. */
void loss_times_add(struct tables *t, uint64_t from, uint64_t to, uint64_t n)
{
	struct loss_time *last = t->loss_time_cnt ? &t->loss_times[t->loss_time_cnt - 1] : NULL, *grown;

	if (last && (from <= last->to || t->loss_time_cnt == LOSS_TIMES_MAX)) {
		last->to = to > last->to ? to : last->to;
		last->n += n;
		return;
	}
	grown = realloc(t->loss_times, (t->loss_time_cnt + 1) * sizeof(*grown));
	if (!grown) {
		tables_failed(t, -ENOMEM);
		return;
	}
	t->loss_times = grown;
	grown[t->loss_time_cnt++] = (struct loss_time){from, to, n};
}

bool tables_loss_time(const struct tables *t, size_t i, struct loss_time *out)
{
	uint64_t start = tables_start_ns(t);

	if (i >= t->loss_time_cnt)
		return false;
	*out = t->loss_times[i];
	out->from = out->from > start ? out->from - start : 0;
	out->to = out->to > start ? out->to - start : 0;
	return true;
}

static bool drop(void *ctx, struct tally_row *r)
{
	(void)ctx;
	(void)r;
	return false;
}

void counters_add(struct tables *t, enum entity_counter id, uint32_t tid, uint64_t n)
{
	struct tally *c = &t->counters[id];
	struct tally_row *r = n ? tally_at(c, 0, tid) : NULL;

	if (!n)
		return;
	if (!r) {
		tables_failed(t, -ENOMEM);
		return;
	}
	tally_add(r, 1, n, n);
	t->counter_sums[id] += n;
	/* What is dropped stays in the sum, so it comes out in `rest`. */
	if (c->cnt > COUNTERS_MAX && tally_fold(c, COUNTERS_MAX / 2, drop, NULL))
		tables_failed(t, -ENOMEM);
}

/* The whole recording's value of a counter that exists per entity, too; 0 if it has none. */
static uint64_t total_of(const struct tables *t, const char *name)
{
	for (size_t i = 0; i < COUNT_CNT; i++) {
		if (count_infos[i].name && !strcmp(count_infos[i].name, name))
			return t->totals[i];
	}
	return 0;
}

static bool is_per_entity(const char *name)
{
	for (size_t i = 0; i < ECOUNT_CNT; i++) {
		if (!strcmp(entity_counter_names[i], name))
			return true;
	}
	return false;
}

static int biggest_first(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->sum != y->sum)
		return x->sum > y->sum ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

static void add_row(struct tables *t, struct counter_row row)
{
	t->counter_rows[t->counter_row_cnt++] = row;
}

static void add_entities(struct tables *t, enum entity_counter id)
{
	struct tally *c = &t->counters[id];
	const char *name = entity_counter_names[id];
	uint64_t total = total_of(t, name), shown = 0;

	/* The last total of a recording that was cut can be older than the entities' counts. */
	if (total < t->counter_sums[id])
		total = t->counter_sums[id];
	tally_sort(c, biggest_first);
	for (size_t i = 0; i < c->cnt && i < t->opts.top; i++) {
		const struct tally_row *r = &c->rows[i];

		add_row(t, (struct counter_row){
			.name = name,
			.kind = r->b ? COUNTER_ENTITY : COUNTER_TOTAL,
			.tid = (uint32_t)r->b,
			.count = r->sum,
		});
		shown += r->sum;
	}
	if (!total)
		add_row(t, (struct counter_row){.name = name, .kind = COUNTER_TOTAL});
	else if (total > shown)
		add_row(t, (struct counter_row){.name = name, .kind = COUNTER_REST, .count = total - shown});
}

void counters_finish(struct tables *t)
{
	size_t cap = COUNT_CNT;

	for (size_t i = 0; i < ECOUNT_CNT; i++)
		cap += 1 + (t->counters[i].cnt < t->opts.top ? t->counters[i].cnt : t->opts.top);
	t->counter_rows = calloc(cap, sizeof(*t->counter_rows));
	if (!t->counter_rows) {
		tables_failed(t, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < COUNT_CNT; i++) {
		if (count_infos[i].name && !count_infos[i].is_loss && !is_per_entity(count_infos[i].name))
			add_row(t, (struct counter_row){.name = count_infos[i].name, .count = t->totals[i]});
	}
	for (size_t i = 0; i < ECOUNT_CNT; i++)
		add_entities(t, (enum entity_counter)i);
}

bool tables_counter(const struct tables *t, size_t i, struct counter_row *out)
{
	if (i >= t->counter_row_cnt)
		return false;
	*out = t->counter_rows[i];
	return true;
}

bool tables_loss(const struct tables *t, size_t i, const char **cause, uint64_t *count)
{
	for (size_t id = 0; id < COUNT_CNT; id++) {
		if (!count_infos[id].name || !count_infos[id].is_loss || i--)
			continue;
		*cause = count_infos[id].name;
		*count = t->totals[id];
		return true;
	}
	return false;
}
