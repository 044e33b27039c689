/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who took the time, per group, and the ids of locks. */
#include "impl.h"

#include <errno.h>
#include <inttypes.h>

uint32_t lock_of(struct tables *t, const struct span *s)
{
	if (!s->lock)
		return 0;
	const struct tally_row *r = tally_find(&t->locks, s->tgid, s->lock);

	if (!r) {
		if (t->locks.cnt >= LOCKS_MAX)
			return LOCK_REST;
		r = tally_at(&t->locks, s->tgid, s->lock);
	}
	if (!r) {
		tables_failed(t, -ENOMEM);
		return LOCK_REST;
	}
	return (uint32_t)(r - t->locks.rows) + 1;
}

const char *tables_lock_text(const struct tables *t, uint32_t lock, char *buf, size_t size)
{
	if (lock && lock - 1 < t->locks.cnt) {
		const struct tally_row *r = &t->locks.rows[lock - 1];

		snprintf(buf, size, "%" PRIu64 ":0x%" PRIx64, r->a, r->b);
	} else {
		snprintf(buf, size, "%s", lock ? "rest" : "");
	}
	return buf;
}

void blame_clear(struct tables *t)
{
	tally_done(&t->blame);
	t->blame_max = BLAME_MAX;
}

static bool is_task(enum blame_kind kind)
{
	return kind == BLAME_HOLDER || kind == BLAME_WAKER || kind == BLAME_COMPETITOR;
}

static bool to_rest(void *ctx, struct tally_row *r)
{
	uint64_t by = is_task((enum blame_kind)(uint32_t)r->a) ? BY_REST : 0;

	(void)ctx;
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
		uint64_t by = is_task(b->kind) ? b->tid : 0;
		struct tally_row *r = tally_at(&t->blame, (uint64_t)group << 32 | b->kind, by << 32 | lock);

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

	*out = (struct blame_row){
		.waiter = &t->groups[r->a >> 32],
		.kind = (enum blame_kind)(uint32_t)r->a,
		.by = (uint32_t)(r->b >> 32),
		.lock = (uint32_t)r->b,
		.count = r->count,
		.sum = r->sum,
		.max = r->max,
	};
	return true;
}
