/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/grow.h"
#include "impl.h"

/* Rows from where on new ones are folded, and folded to the least; 200 bytes each. */
enum { ROWS_MAX = 65536, FOLDED_MAX = ROWS_MAX + ROWS_MAX / 4 };

/* Without padding, so that it can be hashed and compared as bytes. */
struct stack_key {
	uint64_t goid;
	uint32_t metric, klass, tgid, tid, site, lock, by_kind, by, by_site, stack, stack_tgid, pad;
};

struct stack_entry {
	struct stack_key key;
	uint64_t count, sum, max;
	uint64_t stage_ns[STAGE_CNT];	/* without gaps */
	uint32_t next;			/* number (from 1) of the next of the same hash */
};

_Static_assert(sizeof(struct stack_key) == 56, "stack_key has no holes");

static uint64_t hash_of(const struct stack_key *key)
{
	uint64_t words[sizeof(*key) / sizeof(uint64_t)], hash = 0;

	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return hash;
}

static struct stack_key key_of(struct tables *t, const struct span *s)
{
	const struct blame *by = biggest_blame(s);
	bool has_name = by && (by->site || by->tid);

	return (struct stack_key){
		.goid = s->goid,
		.metric = s->metric,
		.klass = s->klass,
		.tgid = s->tgid,
		.tid = s->goid ? 0 : s->tid,
		.site = s->goid ? s->site : 0,
		.lock = lock_of(t, s),
		.by_kind = has_name ? by->kind : BLAME_UNKNOWN,
		.by = has_name && !by->site ? by->tid : 0,
		.by_site = has_name ? by->site : 0,
		.stack = s->stack,
		.stack_tgid = s->stack ? s->stack_tgid : 0,
	};
}

static struct stack_key folded(const struct stack_key *key, bool to_the_least)
{
	struct stack_key least = {.metric = key->metric, .klass = key->klass, .by_kind = BLAME_UNKNOWN};

	if (to_the_least)
		return least;
	least.tgid = key->tgid;
	least.site = key->site;
	least.stack = key->stack;
	least.stack_tgid = key->stack_tgid;
	return least;
}

static struct stack_entry *find(const struct stacks *st, const struct stack_key *key, uint64_t hash)
{
	const uint32_t *first = u64map_find(&st->by_hash, hash);

	for (uint32_t at = first ? *first : 0; at; at = st->rows[at - 1].next) {
		if (!memcmp(&st->rows[at - 1].key, key, sizeof(*key)))
			return &st->rows[at - 1];
	}
	return NULL;
}

static struct stack_entry *make(struct stacks *st, const struct stack_key *key, uint64_t hash)
{
	struct stack_entry *rows = grow(st->rows, st->cnt, &st->room, sizeof(*rows));
	uint32_t *first;

	if (!rows)
		return NULL;
	st->rows = rows;
	if (!st->by_hash.val_sz)
		u64map_init(&st->by_hash, sizeof(*first));
	first = u64map_get(&st->by_hash, hash);
	if (!first)
		return NULL;
	rows[st->cnt] = (struct stack_entry){.key = *key, .next = *first};
	*first = (uint32_t)++st->cnt;
	return &rows[st->cnt - 1];
}

/* The row of the key, or of what it is folded to; NULL: no memory. */
static struct stack_entry *entry_of(struct stacks *st, const struct stack_key *key)
{
	uint64_t hash = hash_of(key);
	struct stack_entry *e = find(st, key, hash);

	if (e || st->cnt < ROWS_MAX)
		return e ? e : make(st, key, hash);
	struct stack_key less = folded(key, false);

	st->folded++;
	hash = hash_of(&less);
	e = find(st, &less, hash);
	if (e || st->cnt < FOLDED_MAX)
		return e ? e : make(st, &less, hash);
	less = folded(key, true);
	hash = hash_of(&less);
	e = find(st, &less, hash);
	return e ? e : make(st, &less, hash);
}

void stacks_add(struct tables *t, const struct span *s, uint64_t latency)
{
	struct stack_key key = key_of(t, s);
	struct stack_entry *e = entry_of(&t->stacks, &key);
	size_t at = 0;

	if (!e) {
		tables_failed(t, -ENOMEM);
		return;
	}
	e->count++;
	e->sum += latency;
	if (latency > e->max)
		e->max = latency;
	for (unsigned int left = metrics[s->metric].stages; left; left &= left - 1)
		e->stage_ns[at++] += s->stage_ns[__builtin_ctz(left)];
}

static int shown_before(const void *a, const void *b)
{
	const struct stack_entry *x = a, *y = b;

	if (x->key.metric != y->key.metric)
		return x->key.metric < y->key.metric ? -1 : 1;
	if (x->sum != y->sum)
		return x->sum > y->sum ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return memcmp(&x->key, &y->key, sizeof(x->key));
}

void stacks_finish(struct tables *t)
{
	if (t->stacks.cnt)
		qsort(t->stacks.rows, t->stacks.cnt, sizeof(*t->stacks.rows), shown_before);
	u64map_done(&t->stacks.by_hash);
}

void stacks_done(struct stacks *st)
{
	free(st->rows);
	u64map_done(&st->by_hash);
	*st = (struct stacks){.cnt = 0};
}

bool tables_stack(const struct tables *t, size_t i, struct stack_row *out)
{
	if (i >= t->stacks.cnt)
		return false;
	const struct stack_entry *e = &t->stacks.rows[i];
	const struct stack_key *key = &e->key;

	*out = (struct stack_row){
		.metric = (enum metric)key->metric,
		.klass = key->klass,
		.tgid = key->tgid,
		.tid = key->tid,
		.goid = key->goid,
		.site = key->site,
		.lock = key->lock,
		.by_kind = (enum blame_kind)key->by_kind,
		.by = key->by,
		.by_site = key->by_site,
		.stack = key->stack,
		.stack_tgid = key->stack_tgid,
		.count = e->count,
		.sum = e->sum,
		.max = e->max,
		.stage_ns = e->stage_ns,
	};
	return true;
}

uint64_t tables_stacks_folded(const struct tables *t)
{
	return t->stacks.folded;
}
