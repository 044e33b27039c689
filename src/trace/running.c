/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "running.h"

/* The kernel side's tables of totals are smaller; a hostile recording shall not fill the memory. */
enum { TOTALS_MAX = 1 << 18 };

void running_init(struct running *r)
{
	u64map_init(&r->totals, sizeof(struct running_total));
}

void running_done(struct running *r)
{
	u64map_done(&r->totals);
}

bool running_is(unsigned int kind)
{
	return kind == REC_COUNT_KIND || kind == REC_EAGAIN_KIND || kind == REC_OVERRUN_KIND;
}

/* The finalizer of splitmix64: of 2^18 keys, two are one with a probability of 2^-29. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t h = a * 0x9e3779b97f4a7c15ull ^ b;

	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9ull;
	h = (h ^ h >> 27) * 0x94d049bb133111ebull;
	return h ^ h >> 31;
}

static uint64_t key_of(union any_record *rec, __u64 **ret_value)
{
	switch (rec->hdr.kind) {
	case REC_COUNT_KIND:
		*ret_value = &rec->count.value;
		return rec->count.id;
	case REC_EAGAIN_KIND:
		*ret_value = &rec->eagain.count;
		return mix(rec->eagain.tgid, rec->eagain.futex);
	default:
		*ret_value = &rec->overrun.count;
		return mix(rec->overrun.id, ~((uint64_t)rec->overrun.timer << 1 | rec->overrun.is_thread));
	}
}

struct running_total *running_of(struct running *r, union any_record *rec, __u64 **ret_value)
{
	__u64 *value;
	uint64_t key = key_of(rec, &value);
	struct running_total *t = u64map_find(&r->totals, key);

	if (!t && r->totals.cnt < TOTALS_MAX)
		t = u64map_get(&r->totals, key);
	if (!t)
		return NULL;
	*ret_value = value;
	return t;
}

void running_cut(struct running *r)
{
	struct running_total *t;
	uint64_t key;
	size_t i = 0;

	while ((t = u64map_next(&r->totals, &i, &key)))
		t->base = t->last;
}
