/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "contention.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

void contention_done(struct contention *c)
{
	free(c->cols);
	free(c->at_end);
	free(c->slots);
	*c = (struct contention){.cols = NULL};
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int grow_cols(struct contention *c, size_t cnt)
{
	size_t cap = c->col_cap ? c->col_cap : 8;
	struct lock_col *cols;
	uint32_t *at_end;

	if (cnt <= c->col_cap) {
		c->col_cnt = cnt > c->col_cnt ? cnt : c->col_cnt;
		return 0;
	}
	while (cap < cnt)
		cap *= 2;
	cols = realloc(c->cols, cap * sizeof(*cols));
	c->cols = cols ? cols : c->cols;
	at_end = realloc(c->at_end, cap * sizeof(*at_end));
	c->at_end = at_end ? at_end : c->at_end;
	if (!cols || !at_end)
		return -ENOMEM;
	memset(cols + c->col_cap, 0, (cap - c->col_cap) * sizeof(*cols));
	memset(at_end + c->col_cap, 0, (cap - c->col_cap) * sizeof(*at_end));
	c->col_cap = cap;
	c->col_cnt = cnt;
	return 0;
}

/* The time waited, and the queue of columns that the wait went through or began in. */
static void add_to_cols(struct contention *c, uint64_t width_ns, uint64_t begin, uint64_t end)
{
	for (uint64_t i = begin / width_ns; i * width_ns < end; i++) {
		struct lock_col *col = &c->cols[i];
		uint64_t from = i * width_ns, to = from + width_ns;

		col->wait_ns += least(end, to) - (begin > from ? begin : from);
		if (end < to)
			continue;
		c->at_end[i]++;
		if (begin <= from && col->queue_max)
			col->queue_max++;
	}
}

/* So many waited at that moment. */
static void note_queue(struct contention *c, uint64_t width_ns, uint64_t at, size_t n)
{
	struct lock_col *col = &c->cols[(at - 1) / width_ns];

	if (n > col->queue_max)
		col->queue_max = (uint32_t)n;
}

/* How many slots end up to that moment. */
static size_t slots_until(const struct contention *c, uint64_t at)
{
	size_t lo = 0, hi = c->slot_cnt;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (c->slots[mid] <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int add_to_slots(struct contention *c, uint64_t width_ns, uint64_t begin, uint64_t end)
{
	size_t at = slots_until(c, begin);

	if (!at && c->slot_cnt == CONTENTION_SLOTS_MAX)
		at = 1;
	if (!at && c->slot_cnt == c->slot_cap) {
		size_t cap = c->slot_cap ? c->slot_cap * 2 : 8;
		uint64_t *slots = realloc(c->slots, cap * sizeof(*slots));

		if (!slots)
			return -ENOMEM;
		c->slots = slots;
		c->slot_cap = cap;
	}
	if (at--) {
		note_queue(c, width_ns, c->slots[at], c->slot_cnt - at);
		c->slot_cnt--;
		memmove(&c->slots[at], &c->slots[at + 1], (c->slot_cnt - at) * sizeof(*c->slots));
	}
	at = slots_until(c, end);
	memmove(&c->slots[at + 1], &c->slots[at], (c->slot_cnt - at) * sizeof(*c->slots));
	c->slots[at] = end;
	c->slot_cnt++;
	return 0;
}

/* Adds the oldest interval to its columns. */
static void settle(struct contention *c, uint64_t width_ns)
{
	struct contention_busy b = c->busy[0];

	for (uint64_t i = b.begin / width_ns; i * width_ns < b.end; i++) {
		uint64_t from = i * width_ns;

		c->cols[i].contended_ns += least(b.end, from + width_ns) - (b.begin > from ? b.begin : from);
	}
	c->settled = b.end;
	memmove(c->busy, c->busy + 1, --c->busy_cnt * sizeof(*c->busy));
}

/* All of [begin, end) was contended, which is settled. */
static void fill_settled(struct contention *c, uint64_t width_ns, uint64_t begin, uint64_t end)
{
	for (uint64_t i = begin / width_ns; i * width_ns < end; i++) {
		uint64_t from = i * width_ns, ns = least(end, from + width_ns) - (begin > from ? begin : from);

		if (ns > c->cols[i].contended_ns)
			c->cols[i].contended_ns = ns;
	}
}

static void add_to_busy(struct contention *c, uint64_t width_ns, uint64_t begin, uint64_t end)
{
	struct contention_busy b = {begin, end};
	size_t to, from;

	if (begin < c->settled) {
		fill_settled(c, width_ns, begin, least(end, c->settled));
		b.begin = c->settled;
	}
	if (b.begin >= b.end)
		return;
	for (to = c->busy_cnt; to && c->busy[to - 1].begin > b.end; to--)
		;
	for (from = to; from && c->busy[from - 1].end >= b.begin; from--) {
		b.begin = least(b.begin, c->busy[from - 1].begin);
		b.end = c->busy[from - 1].end > b.end ? c->busy[from - 1].end : b.end;
	}
	if (from == to && c->busy_cnt == CONTENTION_BUSY_MAX) {
		if (!from)
			return;	/* long before all others, which come in order */
		settle(c, width_ns);
		from = --to;
	}
	memmove(&c->busy[from + 1], &c->busy[to], (c->busy_cnt - to) * sizeof(b));
	c->busy_cnt = c->busy_cnt - (to - from) + 1;
	c->busy[from] = b;
}

int contention_add(struct contention *c, uint64_t width_ns, uint64_t begin, uint64_t end)
{
	uint64_t at = end / width_ns;
	int err = grow_cols(c, at + 1);

	if (err)
		return err;
	c->cols[at].count++;
	if (end <= begin)
		return 0;
	if (end - begin > c->cols[at].max_ns)
		c->cols[at].max_ns = end - begin;
	add_to_cols(c, width_ns, begin, end);
	add_to_busy(c, width_ns, begin, end);
	return add_to_slots(c, width_ns, begin, end);
}

static void merge(struct lock_col *to, uint32_t *to_end, const struct lock_col *col, uint32_t at_end)
{
	to->wait_ns += col->wait_ns;
	to->contended_ns += col->contended_ns;
	to->count += col->count;
	if (col->max_ns > to->max_ns)
		to->max_ns = col->max_ns;
	/* The end of a column that is not the last of them is a moment like any other. */
	if (*to_end > to->queue_max)
		to->queue_max = *to_end;
	if (col->queue_max > to->queue_max)
		to->queue_max = col->queue_max;
	*to_end = at_end;
}

/* Nobody is known to have waited when the last column ends, so a half of a new column does not count for its end. */
void contention_widen(struct contention *c, unsigned int shift)
{
	size_t cnt = 0;

	for (size_t i = 0; i < c->col_cnt; i++) {
		struct lock_col col = c->cols[i];
		uint32_t at_end = c->at_end[i];
		size_t to = shift < 64 ? i >> shift : 0;

		if (to == cnt) {
			c->cols[cnt] = col;
			c->at_end[cnt++] = at_end;
		} else {
			merge(&c->cols[to], &c->at_end[to], &col, at_end);
		}
	}
	memset(c->cols + cnt, 0, (c->col_cap - cnt) * sizeof(*c->cols));
	memset(c->at_end + cnt, 0, (c->col_cap - cnt) * sizeof(*c->at_end));
	c->col_cnt = cnt;
}

uint32_t contention_finish(struct contention *c, uint64_t width_ns)
{
	while (c->busy_cnt)
		settle(c, width_ns);
	for (size_t i = 0; i < c->slot_cnt; i++)
		note_queue(c, width_ns, c->slots[i], c->slot_cnt - i);
	for (size_t i = 0; i < c->col_cnt; i++)
		if (c->at_end[i] > c->cols[i].queue_max)
			c->cols[i].queue_max = c->at_end[i];
	return (uint32_t)c->slot_cnt;
}
