/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "u64map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t slot_of(const struct u64map *m, uint64_t key)
{
	/* Fibonacci hashing: the high bits of the product are the well-mixed ones. */
	uint64_t h = key * 0x9e3779b97f4a7c15ull;

	h ^= h >> 32;
	return h & (m->cap - 1);
}

void u64map_init(struct u64map *m, size_t val_sz)
{
	*m = (struct u64map){.val_sz = val_sz};
}

void u64map_done(struct u64map *m)
{
	free(m->keys);
	free(m->used);
	free(m->vals);
	u64map_init(m, m->val_sz);
}

void u64map_clear(struct u64map *m)
{
	if (m->cap)
		memset(m->used, 0, m->cap);
	m->cnt = 0;
}

static bool probe(const struct u64map *m, uint64_t key, size_t *slot)
{
	size_t i = slot_of(m, key);

	while (m->used[i]) {
		if (m->keys[i] == key) {
			*slot = i;
			return true;
		}
		i = (i + 1) & (m->cap - 1);
	}
	*slot = i;
	return false;
}

void *u64map_find(const struct u64map *m, uint64_t key)
{
	size_t i;

	if (!m->cap || !probe(m, key, &i))
		return NULL;
	return m->vals + i * m->val_sz;
}

static bool grow(struct u64map *m)
{
	struct u64map n = {.val_sz = m->val_sz, .cap = m->cap ? m->cap * 2 : 64};
	uint64_t key;
	size_t i = 0, slot;
	void *val;

	n.keys = malloc(n.cap * sizeof(*n.keys));
	n.used = calloc(n.cap, 1);
	n.vals = malloc(n.cap * n.val_sz);
	if (!n.keys || !n.used || !n.vals) {
		u64map_done(&n);
		return false;
	}
	while ((val = u64map_next(m, &i, &key))) {
		probe(&n, key, &slot);
		n.keys[slot] = key;
		n.used[slot] = 1;
		memcpy(n.vals + slot * n.val_sz, val, n.val_sz);
	}
	n.cnt = m->cnt;
	u64map_done(m);
	*m = n;
	return true;
}

void *u64map_get(struct u64map *m, uint64_t key)
{
	size_t i;

	if (m->cap && probe(m, key, &i))
		return m->vals + i * m->val_sz;
	if (m->cnt * 10 >= m->cap * 7 && !grow(m))
		return NULL;
	probe(m, key, &i);
	m->keys[i] = key;
	m->used[i] = 1;
	m->cnt++;
	return memset(m->vals + i * m->val_sz, 0, m->val_sz);
}

void *u64map_next(const struct u64map *m, size_t *i, uint64_t *key)
{
	for (; *i < m->cap; (*i)++) {
		if (m->used[*i]) {
			*key = m->keys[*i];
			return m->vals + (*i)++ * m->val_sz;
		}
	}
	return NULL;
}

int u64map_keep(struct u64map *m, bool (*keep)(const void *value))
{
	struct u64map kept;
	const void *val;
	uint64_t key;
	size_t i = 0;
	void *copy;

	u64map_init(&kept, m->val_sz);
	while ((val = u64map_next(m, &i, &key))) {
		if (!keep(val))
			continue;
		copy = u64map_get(&kept, key);
		if (!copy) {
			u64map_done(&kept);
			return -ENOMEM;
		}
		memcpy(copy, val, m->val_sz);
	}
	u64map_done(m);
	*m = kept;
	return 0;
}
