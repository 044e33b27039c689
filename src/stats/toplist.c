/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "toplist.h"

#include <errno.h>
#include <stdlib.h>

/* Keys that are weighed for a place between two turns; more than these stay in the rest. */
enum { OTHERS_MAX = 4096 };

int toplist_init(struct toplist *l, size_t cnt)
{
	*l = (struct toplist){.cnt = cnt, .places = calloc(cnt, sizeof(*l->places))};
	u64map_init(&l->index, sizeof(size_t));
	u64map_init(&l->others, sizeof(uint64_t));
	return l->places ? 0 : -ENOMEM;
}

void toplist_done(struct toplist *l)
{
	free(l->places);
	u64map_done(&l->index);
	u64map_done(&l->others);
	*l = (struct toplist){};
}

static bool take(struct toplist *l, size_t place, uint64_t key, uint64_t weight)
{
	size_t *at = u64map_get(&l->index, key);

	if (!at)
		return false;
	*at = place;
	l->places[place] = (struct toplist_place){key, weight, true};
	return true;
}

size_t toplist_place(struct toplist *l, uint64_t key, uint64_t weight)
{
	size_t *at = u64map_find(&l->index, key);
	uint64_t *other;

	if (at) {
		l->places[*at].weight += weight;
		return *at;
	}
	/* Places are given in order and never given back: the first free one is behind the used ones. */
	if (l->index.cnt < l->cnt && take(l, l->index.cnt, key, weight))
		return l->index.cnt - 1;
	if (l->others.cnt < OTHERS_MAX || u64map_find(&l->others, key)) {
		other = u64map_get(&l->others, key);
		if (other)
			*other += weight;
	}
	return l->cnt;
}

static size_t lightest(const struct toplist *l)
{
	size_t min = 0;

	for (size_t i = 1; i < l->cnt; i++) {
		if (l->places[i].weight < l->places[min].weight)
			min = i;
	}
	return min;
}

/* The map forgets no single keys: it is made anew from the places. */
static void index_places(struct toplist *l)
{
	u64map_clear(&l->index);
	for (size_t i = 0; i < l->cnt; i++) {
		size_t *at = u64map_get(&l->index, l->places[i].key);

		if (at)
			*at = i;
	}
}

void toplist_turn(struct toplist *l, void (*lost)(void *ctx, size_t place), void *ctx)
{
	uint64_t key, *weight;
	bool changed = false;
	size_t at = 0;

	while ((weight = u64map_next(&l->others, &at, &key))) {
		size_t place = lightest(l);

		if (*weight <= l->places[place].weight)
			continue;
		lost(ctx, place);
		l->places[place] = (struct toplist_place){key, *weight, true};
		changed = true;
	}
	if (changed)
		index_places(l);
	u64map_clear(&l->others);
	for (size_t i = 0; i < l->cnt; i++)
		l->places[i].weight /= 2;
}
