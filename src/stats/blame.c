/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who took the time, per group. */
#include "impl.h"

#include <errno.h>

void blame_clear(struct tables *t)
{
	tally_done(&t->blame);
	t->blame_max = BLAME_MAX;
}

static bool is_task(enum blame_kind kind)
{
	return kind == BLAME_HOLDER || kind == BLAME_WAKER || kind == BLAME_COMPETITOR;
}

enum by_type blame_type(const struct tables *t, const struct span *s, const struct blame *b)
{
	bool by_goid = t->by[s->metric]->what == DIM_GOID;

	if (!b->site && !(by_goid && b->goid))
		return BY_TASK;
	return by_goid ? BY_GOID : BY_SITE;
}

uint64_t blame_key(struct tables *t, const struct span *s, const struct blame *b)
{
	switch (blame_type(t, s, b)) {
	case BY_SITE:
		return b->site;
	case BY_GOID:
		return goid_of(t, s->tgid, b->goid);
	case BY_TASK:
		break;
	}
	return is_task(b->kind) ? b->tid : 0;
}

/* The low half of a row's `a`. */
static uint32_t cause_of(enum by_type type, enum blame_kind kind)
{
	return (uint32_t)type << 8 | kind;
}

static enum blame_kind kind_of(const struct tally_row *r)
{
	return (enum blame_kind)(uint8_t)r->a;
}

static enum by_type type_of(const struct tally_row *r)
{
	return (enum by_type)((uint32_t)r->a >> 8);
}

static bool to_rest(void *ctx, struct tally_row *r)
{
	uint64_t by = is_task(kind_of(r)) ? BY_REST : 0;

	(void)ctx;
	r->a = r->a >> 32 << 32 | cause_of(BY_TASK, kind_of(r));
	r->b = by << 32 | ((uint32_t)r->b ? LOCK_REST : 0);
	return true;
}

static void fold(struct tables *t)
{
	if (tally_fold(&t->blame, BLAME_MAX / 2, to_rest, NULL))
		tables_failed(t, -ENOMEM);
	/* Mostly rows of `rest`, which are bounded: don't fold again at once. */
	if (t->blame.cnt > t->blame_max / 4 * 3)
		t->blame_max = t->blame.cnt * 2;
}

void blame_add(struct tables *t, size_t group, const struct span *s)
{
	uint32_t lock = lock_of(t, s);

	for (size_t i = 0; i < s->blame_cnt; i++) {
		const struct blame *b = &s->blame[i];
		enum by_type type = blame_type(t, s, b);
		uint64_t by = blame_key(t, s, b);

		if (type == BY_GOID)
			by = waker_of(t, by, b->site);
		struct tally_row *r = tally_at(&t->blame, (uint64_t)group << 32 | cause_of(type, b->kind),
					       by << 32 | lock);

		if (!r) {
			tables_failed(t, -ENOMEM);
			return;
		}
		tally_add(r, 1, b->ns, b->ns);
	}
	if (t->blame.cnt > t->blame_max)
		fold(t);
}

static int shown_before(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->a >> 32 != y->a >> 32)
		return x->a >> 32 < y->a >> 32 ? -1 : 1;
	if (x->sum != y->sum)
		return x->sum > y->sum ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

void blame_finish(struct tables *t)
{
	tally_sort(&t->blame, shown_before);
}

bool tables_blame(const struct tables *t, size_t i, struct blame_row *out)
{
	if (i >= t->blame.cnt)
		return false;
	const struct tally_row *r = &t->blame.rows[i];
	uint64_t by = r->b >> 32;

	*out = (struct blame_row){
		.waiter = &t->groups[r->a >> 32],
		.kind = kind_of(r),
		.by_type = type_of(r),
		.by = by,
		.site = type_of(r) == BY_SITE ? (uint32_t)by : 0,
		.lock = (uint32_t)r->b,
		.count = r->count,
		.sum = r->sum,
		.max = r->max,
	};
	if (by == BY_REST)
		out->by_type = BY_TASK;
	if (type_of(r) == BY_GOID && by && by - 1 < t->wakers.cnt) {
		out->by = t->wakers.rows[by - 1].b;
		out->site = (uint32_t)t->wakers.rows[by - 1].sum;
	}
	return true;
}
