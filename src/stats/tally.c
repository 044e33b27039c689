/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Open addressing over slots of {hash, row}: a probe touches a row only if 32 bits of its hash agree,
 * and growing the slots touches no row at all.
 */
#include "tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tally_slot {
	uint32_t hash;
	uint32_t row;	/* 1 + index, 0: free */
};

void tally_done(struct tally *t)
{
	if (!t)
		return;
	free(t->rows);
	free(t->slots);
	*t = (struct tally){0};
}

void tally_clear(struct tally *t)
{
	t->cnt = 0;
	if (t->slot_cnt)
		memset(t->slots, 0, t->slot_cnt * sizeof(*t->slots));
}

static uint32_t hash_of(uint64_t a, uint64_t b)
{
	uint64_t h = a * 0x9e3779b97f4a7c15ull;

	h = (h ^ h >> 32 ^ b) * 0xbf58476d1ce4e5b9ull;
	return (uint32_t)(h ^ h >> 32);
}

/* The slot of the key, or the free slot where it belongs. */
static struct tally_slot *probe(const struct tally *t, uint32_t hash, uint64_t a, uint64_t b)
{
	for (size_t i = hash;; i++) {
		struct tally_slot *s = &t->slots[i & (t->slot_cnt - 1)];

		if (!s->row)
			return s;
		if (s->hash != hash)
			continue;
		const struct tally_row *r = &t->rows[s->row - 1];

		if (r->a == a && r->b == b)
			return s;
	}
}

static bool grow_slots(struct tally *t)
{
	size_t cnt = t->slot_cnt ? t->slot_cnt * 2 : 64;
	struct tally_slot *slots = calloc(cnt, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < t->slot_cnt; i++) {
		if (!t->slots[i].row)
			continue;
		size_t to = t->slots[i].hash & (cnt - 1);

		while (slots[to].row)
			to = (to + 1) & (cnt - 1);
		slots[to] = t->slots[i];
	}
	free(t->slots);
	t->slots = slots;
	t->slot_cnt = cnt;
	return true;
}

static bool grow_rows(struct tally *t)
{
	size_t cap = t->cap ? t->cap + t->cap / 2 : 64;
	struct tally_row *rows = realloc(t->rows, cap * sizeof(*rows));

	if (!rows)
		return false;
	t->rows = rows;
	t->cap = cap;
	return true;
}

struct tally_row *tally_find(const struct tally *t, uint64_t a, uint64_t b)
{
	if (!t->slot_cnt)
		return NULL;
	const struct tally_slot *s = probe(t, hash_of(a, b), a, b);

	return s->row ? &t->rows[s->row - 1] : NULL;
}

struct tally_row *tally_at(struct tally *t, uint64_t a, uint64_t b)
{
	uint32_t hash = hash_of(a, b);

	if (t->slot_cnt) {
		const struct tally_slot *s = probe(t, hash, a, b);

		if (s->row)
			return &t->rows[s->row - 1];
	}
	if (t->cnt == UINT32_MAX || (t->cnt == t->cap && !grow_rows(t)))
		return NULL;
	if (t->cnt * 4 >= t->slot_cnt * 3 && !grow_slots(t))
		return NULL;
	t->rows[t->cnt] = (struct tally_row){.a = a, .b = b};
	*probe(t, hash, a, b) = (struct tally_slot){.hash = hash, .row = (uint32_t)++t->cnt};
	return &t->rows[t->cnt - 1];
}

void tally_add(struct tally_row *r, uint64_t count, uint64_t sum, uint64_t max)
{
	r->count += count;
	r->sum += sum;
	if (max > r->max)
		r->max = max;
}

void tally_rekey(struct tally *t, bool (*fn)(void *ctx, struct tally_row *r), void *ctx)
{
	size_t cnt = t->cnt;

	if (!cnt)
		return;
	memset(t->slots, 0, t->slot_cnt * sizeof(*t->slots));
	t->cnt = 0;
	for (size_t i = 0; i < cnt; i++) {
		struct tally_row row = t->rows[i];

		if (!fn(ctx, &row))
			continue;
		uint32_t hash = hash_of(row.a, row.b);
		struct tally_slot *s = probe(t, hash, row.a, row.b);

		if (s->row) {
			tally_add(&t->rows[s->row - 1], row.count, row.sum, row.max);
			continue;
		}
		t->rows[t->cnt++] = row;
		*s = (struct tally_slot){.hash = hash, .row = (uint32_t)t->cnt};
	}
}

struct fold {
	uint64_t sum;	/* of the smallest row that is kept */
	size_t ties;	/* how many rows of just that sum are kept */
	bool (*fn)(void *ctx, struct tally_row *r);
	void *ctx;
};

static bool fold_small(void *ctx, struct tally_row *r)
{
	struct fold *f = ctx;

	if (r->sum > f->sum)
		return true;
	if (r->sum < f->sum || !f->ties)
		return f->fn(f->ctx, r);
	f->ties--;
	return true;
}

static int biggest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x > y ? -1 : x < y;
}

int tally_fold(struct tally *t, size_t keep, bool (*fn)(void *ctx, struct tally_row *r), void *ctx)
{
	struct fold f = {.sum = UINT64_MAX, .fn = fn, .ctx = ctx};

	if (keep >= t->cnt)
		return 0;
	if (keep) {
		uint64_t *sums = malloc(t->cnt * sizeof(*sums));

		if (!sums)
			return -ENOMEM;
		for (size_t i = 0; i < t->cnt; i++)
			sums[i] = t->rows[i].sum;
		qsort(sums, t->cnt, sizeof(*sums), biggest_first);
		f.sum = sums[keep - 1];
		for (f.ties = 1; f.ties < keep && sums[keep - 1 - f.ties] == f.sum; f.ties++)
			;
		free(sums);
	}
	tally_rekey(t, fold_small, &f);
	return 0;
}

void tally_sort(struct tally *t, int (*cmp)(const void *, const void *))
{
	free(t->slots);
	t->slots = NULL;
	t->slot_cnt = 0;
	if (t->cnt)
		qsort(t->rows, t->cnt, sizeof(*t->rows), cmp);
}

int tally_append(struct tally *t, const struct tally_row *r)
{
	if (t->cnt == t->cap && !grow_rows(t))
		return -ENOMEM;
	t->rows[t->cnt++] = *r;
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

void tally_compact(struct tally *t)
{
	size_t cnt = t->cnt;

	tally_sort(t, by_key);
	t->cnt = 0;
	for (size_t i = 0; i < cnt; i++) {
		const struct tally_row *r = &t->rows[i];
		struct tally_row *last = t->cnt ? &t->rows[t->cnt - 1] : NULL;

		if (last && last->a == r->a && last->b == r->b)
			tally_add(last, r->count, r->sum, r->max);
		else
			t->rows[t->cnt++] = *r;
	}
}
