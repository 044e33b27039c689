/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void texts_init(struct texts *t, size_t max)
{
	*t = (struct texts){.max = max};
	u64map_init(&t->by_hash, sizeof(char *));
}

void texts_done(struct texts *t)
{
	uint64_t hash;
	size_t i = 0;
	char **text;

	while ((text = u64map_next(&t->by_hash, &i, &hash)))
		free(*text);
	u64map_done(&t->by_hash);
}

/* FNV-1a. */
static uint64_t hash_of(const char *text, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * 0x100000001b3ull;
	return h;
}

const char *texts_add(struct texts *t, const char *text, size_t len)
{
	uint64_t hash;
	char **slot, *copy;

	len = strnlen(text, len);
	hash = hash_of(text, len);
	while ((slot = u64map_find(&t->by_hash, hash))) {
		if (!strncmp(*slot, text, len) && !(*slot)[len])
			return *slot;
		hash++;
	}
	if (t->by_hash.cnt >= t->max) {
		errno = ENOSPC;
		return NULL;
	}
	copy = strndup(text, len);
	slot = copy ? u64map_get(&t->by_hash, hash) : NULL;
	if (!slot) {
		free(copy);
		errno = ENOMEM;
		return NULL;
	}
	*slot = copy;
	return copy;
}

void pairs_init(struct pairs *p, size_t val_sz, size_t max)
{
	*p = (struct pairs){.max = max};
	u64map_init(&p->map, val_sz);
}

void pairs_done(struct pairs *p)
{
	u64map_done(&p->map);
}

/* Where the search for a pair begins; the finalizer of splitmix64. */
static uint64_t slot_of(uint32_t tgid, uint64_t number)
{
	uint64_t h = number ^ tgid * 0x9e3779b97f4a7c15ull;

	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9ull;
	h = (h ^ h >> 27) * 0x94d049bb133111ebull;
	return h ^ h >> 31;
}

/* The pair's value, or NULL and the free place behind the others of its hash. */
static void *find(const struct pairs *p, uint32_t tgid, uint64_t number, uint64_t *place)
{
	struct pair_key *k;

	*place = slot_of(tgid, number);
	for (; (k = u64map_find(&p->map, *place)); ++*place) {
		if (k->tgid == tgid && k->number == number)
			return k;
	}
	return NULL;
}

void *pairs_find(const struct pairs *p, uint32_t tgid, uint64_t number)
{
	uint64_t place;

	return find(p, tgid, number, &place);
}

void *pairs_get(struct pairs *p, uint32_t tgid, uint64_t number)
{
	uint64_t place;
	struct pair_key *k = find(p, tgid, number, &place);

	if (k)
		return k;
	if (p->map.cnt >= p->max) {
		errno = ENOSPC;
		return NULL;
	}
	k = u64map_get(&p->map, place);
	if (!k) {
		errno = ENOMEM;
		return NULL;
	}
	*k = (struct pair_key){.number = number, .tgid = tgid};
	return k;
}
