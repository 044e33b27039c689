/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "groups.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static bool is_same(const struct go_group *a, const struct go_group *b)
{
	return a->startpc == b->startpc && a->gopc == b->gopc && a->labels == b->labels &&
	       a->status == b->status && a->reason == b->reason;
}

static size_t hash(const struct go_group *g)
{
	const uint64_t golden = 0x9e3779b97f4a7c15ull;	/* 2^64 by the golden ratio: Fibonacci hashing */
	uint64_t h = g->startpc * golden;

	h = (h ^ h >> 32 ^ g->gopc) * golden;
	h = (h ^ h >> 32 ^ g->labels) * golden;
	h = (h ^ h >> 32 ^ (uint64_t)g->status << 32 ^ g->reason) * golden;
	return h ^ h >> 32;
}

/* Where in the index it is, or is to be. */
static uint32_t *slot_of(const struct go_groups *groups, const struct go_group *g)
{
	size_t i = hash(g);

	for (;; i++) {
		uint32_t *slot = &groups->index[i & (groups->index_cap - 1)];

		if (!*slot || is_same(&groups->all[*slot - 1], g))
			return slot;
	}
}

static int grow(struct go_groups *groups)
{
	size_t cap = groups->cap ? groups->cap * 2 : 64;
	struct go_group *all = realloc(groups->all, cap * sizeof(*all));
	uint32_t *index;

	if (!all)
		return -ENOMEM;
	groups->all = all;
	index = calloc(cap * 2, sizeof(*index));
	if (!index)
		return -ENOMEM;
	free(groups->index);
	groups->index = index;
	groups->index_cap = cap * 2;
	groups->cap = cap;
	for (size_t i = 0; i < groups->cnt; i++)
		*slot_of(groups, &all[i]) = (uint32_t)i + 1;
	return 0;
}

int go_groups_add(struct go_groups *groups, const struct go_group *g)
{
	struct go_group *group;
	uint32_t *slot;

	if (groups->cnt == groups->cap && grow(groups))
		return -ENOMEM;
	slot = slot_of(groups, g);
	if (!*slot) {
		groups->all[groups->cnt] = *g;
		groups->all[groups->cnt].cnt = 1;
		*slot = (uint32_t)++groups->cnt;
		return 0;
	}
	group = &groups->all[*slot - 1];
	group->cnt++;
	if (g->since && (!group->since || g->since < group->since))
		group->since = g->since;
	return 0;
}

/* A total order, so that the same process gives the same rows. */
static int by_count(const void *a, const void *b)
{
	const struct go_group *x = a, *y = b;
	const uint64_t keys[][2] = {
		{y->cnt, x->cnt}, {x->startpc, y->startpc}, {x->gopc, y->gopc}, {x->status, y->status},
		{x->reason, y->reason}, {x->labels, y->labels},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i][0] != keys[i][1])
			return keys[i][0] < keys[i][1] ? -1 : 1;
	return 0;
}

void go_groups_sort(struct go_groups *groups)
{
	if (groups->cnt)
		qsort(groups->all, groups->cnt, sizeof(*groups->all), by_count);
}

void go_groups_done(struct go_groups *groups)
{
	free(groups->all);
	free(groups->index);
	*groups = (struct go_groups){.cnt = 0};
}
