/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "holds.h"

#include "thread_impl.h"

static void add(struct hold_rows *h, enum hold_doing doing, uint32_t klass, uint32_t root, uint64_t ns)
{
	if (!ns)
		return;
	for (size_t i = 0; i < h->cnt; i++) {
		struct hold *r = &h->rows[i];

		if (r->doing == doing && r->klass == klass && r->root == root) {
			r->ns += ns;
			return;
		}
	}
	if (doing == HOLD_UNKNOWN || h->cnt == HOLD_ROWS)
		h->unknown_ns += ns;
	else
		h->rows[h->cnt++] = (struct hold){.doing = doing, .klass = klass, .root = root, .ns = ns};
}

/* A thread's pieces of both kinds, the newest first. */
struct both {
	struct history_walk runnable_walk, sleep_walk;
	const struct piece *runnable, *sleep;	/* the next ones */
	uint64_t from_ns;	/* what it did before is not known */
};

static const struct piece *older(struct history_walk *w, uint64_t *from_ns)
{
	const struct piece *p = history_older(w);

	if (!p && w->gone)
		*from_ns = max_u64(*from_ns, w->h->gone_ns);
	return p;
}

static const struct piece *older_runnable(struct both *b)
{
	const struct piece *p;

	do	/* a Go thread's sleeps are there too */
		p = older(&b->runnable_walk, &b->from_ns);
	while (p && p->kind != PIECE_OFF_CPU);
	return p;
}

static struct both both_of(const struct threads *t, const struct thread *th)
{
	struct both b = {
		.runnable_walk = history_from(&t->pieces, th->head),
		.sleep_walk = history_from(&t->sleeps, th->sleeps),
		.from_ns = max_u64(t->known_from_ns, th->known_from_ns),
	};

	b.runnable = older_runnable(&b);
	b.sleep = older(&b.sleep_walk, &b.from_ns);
	return b;
}

static const struct piece *next_piece(struct both *b)
{
	const struct piece *p;

	if (b->runnable && (!b->sleep || b->runnable->end_ns > b->sleep->end_ns)) {
		p = b->runnable;
		b->runnable = older_runnable(b);
		return p;
	}
	p = b->sleep;
	if (p)
		b->sleep = older(&b->sleep_walk, &b->from_ns);
	return p;
}

/* The sleep of a thread for a lock of which we know who had it that has most of [lo, hi). NULL: none. */
static const struct piece *lock_sleep(const struct threads *t, uint32_t tid, uint64_t lo, uint64_t hi)
{
	const struct thread *th = u64map_find(&t->by_tid, tid);
	struct history_walk walk = history_from(&t->sleeps, th ? th->sleeps : 0);
	const struct piece *p, *best = NULL;
	uint64_t best_ns = 0;

	for (int n = 0; n < HOLD_HOP_PIECES && (p = history_older(&walk)) && p->end_ns > lo; n++) {
		uint64_t begin = clamp_u64(p->begin_ns, lo, hi), end = clamp_u64(p->end_ns, lo, hi);

		if (p->holder && end > begin && end - begin > best_ns) {
			best = p;
			best_ns = end - begin;
		}
	}
	return best;
}

/* Who held it all up in [lo, hi): the holder, who held the lock that that one waited for, and so on. */
static uint32_t root_of(const struct threads *t, uint32_t holder, uint64_t lo, uint64_t hi)
{
	uint32_t chain[HOLD_HOPS + 1] = {holder};
	const struct piece *p;

	for (int n = 0; n < HOLD_HOPS && (p = lock_sleep(t, chain[n], lo, hi)); n++) {
		for (int i = 0; i <= n; i++) {
			if (chain[i] == p->holder)
				return chain[n];
		}
		chain[n + 1] = p->holder;
		lo = max_u64(lo, p->begin_ns);
		hi = min_u64(hi, p->end_ns);
		holder = p->holder;
	}
	return holder;
}

static void add_piece(struct threads *t, const struct piece *p, uint64_t lo, uint64_t hi)
{
	struct hold_rows *h = &t->holds;

	if (p->kind == PIECE_OFF_CPU)
		add(h, p->stage == STAGE_PREEMPT ? HOLD_PREEMPT : p->stage == STAGE_THROTTLE ? HOLD_THROTTLE : HOLD_RUNQ,
		    0, 0, hi - lo);
	else if (is_lock_class(p->klass))
		add(h, HOLD_LOCK, 0, p->holder ? root_of(t, p->holder, lo, hi) : 0, hi - lo);
	else
		add(h, HOLD_BLOCKED, p->klass, 0, hi - lo);
}

/* [lo, hi) is in no piece. */
static void add_gap(struct hold_rows *h, const struct both *b, uint64_t awake_ns, uint64_t lo, uint64_t hi)
{
	uint64_t from = clamp_u64(b->from_ns, lo, hi), until = clamp_u64(awake_ns, from, hi);

	add(h, HOLD_RUNNING, 0, 0, until - from);
	add(h, HOLD_UNKNOWN, 0, 0, hi - lo - (until - from));
}

void holds_make(struct threads *t, uint32_t holder, uint64_t begin_ns, uint64_t woken_ns, uint64_t end_ns)
{
	const struct thread nobody = {.known_from_ns = UINT64_MAX}, *th = u64map_find(&t->by_tid, holder);
	struct hold_rows *h = &t->holds;
	struct both b = both_of(t, th ? th : &nobody);
	uint64_t awake_ns = th ? th->awake_ns : 0, cursor = woken_ns;
	const struct piece *p;
	int n = 0;

	h->cnt = 0;
	h->unknown_ns = 0;
	add(h, HOLD_WOKEN, 0, 0, end_ns - woken_ns);
	while (cursor > begin_ns && n++ < HOLD_PIECES && (p = next_piece(&b)) && p->end_ns > begin_ns) {
		uint64_t lo = clamp_u64(p->begin_ns, begin_ns, cursor);

		if (p->end_ns < cursor) {
			add_gap(h, &b, awake_ns, p->end_ns, cursor);
			cursor = p->end_ns;
			lo = clamp_u64(lo, begin_ns, cursor);
		}
		add_piece(t, p, lo, cursor);
		cursor = lo;
	}
	if (n > HOLD_PIECES)
		b.from_ns = UINT64_MAX;
	add_gap(h, &b, awake_ns, begin_ns, cursor);
	if (h->unknown_ns)
		h->rows[h->cnt++] = (struct hold){.doing = HOLD_UNKNOWN, .ns = h->unknown_ns};
}
