/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The locks of lock.wait: one per group of that metric, so as many as there are top entities and classes. Where it was
 * waited for, who for whom and what the holders did are tallies of all of them, each with a bound.
 */
#include "impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../model/names.h"

#define FIRST_WIDTH_NS 10000000u

/* A tally's key `a` is the group << 32 and what has room below: of pairs the types, of holds the doing and its class. */
enum { DOING_SHIFT = 24 };

#define HOLD_CLASS_MASK ((1u << DOING_SHIFT) - 1)

static bool is_wanted(const struct tables *t)
{
	return t->opts.tables & (TABLE_BIT(LOCKS) | TABLE_BIT(HOLDERS));
}

void locks_clear(struct tables *t)
{
	struct locks *l = &t->locks;

	for (size_t i = 0; i < l->lock_cnt; i++) {
		if (l->locks[i])
			contention_done(&l->locks[i]->time);
		free(l->locks[i]);
	}
	free(l->locks);
	free(l->rows);
	tally_done(&l->sites);
	tally_done(&l->pairs);
	tally_done(&l->holds);
	l->locks = NULL;
	l->rows = NULL;
	l->lock_cnt = l->row_cnt = 0;
	l->width_ns = FIRST_WIDTH_NS;
}

void locks_done(struct tables *t)
{
	locks_clear(t);
	tally_done(&t->locks.eagain);
}

static struct lock *lock_at(struct locks *l, size_t group)
{
	if (group >= l->lock_cnt) {
		size_t cnt = group + 64;
		struct lock **locks = realloc(l->locks, cnt * sizeof(struct lock *));

		if (!locks)
			return NULL;
		memset(locks + l->lock_cnt, 0, (cnt - l->lock_cnt) * sizeof(struct lock *));
		l->locks = locks;
		l->lock_cnt = cnt;
	}
	if (!l->locks[group])
		l->locks[group] = calloc(1, sizeof(struct lock));
	return l->locks[group];
}

static void widen_for(struct tables *t, uint64_t at)
{
	struct locks *l = &t->locks;
	unsigned int shift = 0;

	while ((at >> shift) / l->width_ns >= t->opts.max_cols)
		shift++;
	if (!shift)
		return;
	for (size_t i = 0; i < l->lock_cnt; i++)
		if (l->locks[i])
			contention_widen(&l->locks[i]->time, shift);
	l->width_ns <<= shift;
}

static void note_worst(struct lock_worst *w, const struct span *s, uint64_t end, uint64_t latency)
{
	if (!s->holder || latency <= w->ns)
		return;
	*w = (struct lock_worst){
		.end_ns = end, .ns = latency, .tid = s->tid, .site = s->goid ? s->site : 0, .holder = s->holder,
	};
	for (size_t i = 0; i < s->hold_cnt; i++) {
		const struct hold *h = &s->holds[i];

		w->doing_ns[h->doing] += h->ns;
		if (h->doing == HOLD_LOCK && h->root)
			w->root = h->root;
	}
}

static bool drop(void *ctx, struct tally_row *r)
{
	(void)ctx;
	(void)r;
	return false;
}

static bool pair_to_rest(void *ctx, struct tally_row *r)
{
	(void)ctx;
	r->a = r->a >> 32 << 32 | (r->a & UINT8_MAX);
	r->b = (uint64_t)BY_REST << 32 | ((uint32_t)r->b ? BY_REST : 0);
	return true;
}

static bool hold_to_rest(void *ctx, struct tally_row *r)
{
	(void)ctx;
	r->a &= ~(uint64_t)HOLD_CLASS_MASK;
	r->b = (uint64_t)BY_REST << 32 | ((uint32_t)r->b ? BY_REST : 0);
	return true;
}

static void add(struct tables *t, struct tally *to, struct tally_row row, bool (*fold)(void *, struct tally_row *))
{
	struct tally_row *r = tally_at(to, row.a, row.b);

	if (!r) {
		tables_failed(t, -ENOMEM);
		return;
	}
	tally_add(r, row.count, row.sum, row.max);
	if (to->cnt > LOCK_ROWS_MAX && tally_fold(to, LOCK_ROWS_MAX / 2, fold, NULL))
		tables_failed(t, -ENOMEM);
}

/* Goroutines by their creation site: their numbers are as many as their waits. */
static uint64_t waiter_of(const struct span *s, enum by_type *ret_type)
{
	*ret_type = s->goid && s->site ? BY_SITE : BY_TASK;
	return *ret_type == BY_SITE ? s->site : s->tid;
}

static void add_pairs(struct tables *t, uint64_t group, const struct span *s)
{
	enum by_type type;
	uint64_t waiter = waiter_of(s, &type);

	for (size_t i = 0; i < s->blame_cnt; i++) {
		const struct blame *b = &s->blame[i];
		enum by_type by_type = b->site ? BY_SITE : BY_TASK;
		uint32_t types = (uint32_t)type << 16 | (uint32_t)by_type << 8 | b->kind;
		struct tally_row row = {.a = group << 32 | types, .b = waiter << 32 | (b->site ? b->site : b->tid),
					.count = 1, .sum = b->ns, .max = b->ns};

		add(t, &t->locks.pairs, row, pair_to_rest);
	}
}

static void add_part(struct tables *t, uint64_t group, uint32_t holder, const struct hold *h)
{
	uint64_t what = (uint64_t)h->doing << DOING_SHIFT | (h->klass & HOLD_CLASS_MASK);

	add(t, &t->locks.holds,
	    (struct tally_row){.a = group << 32 | what, .b = (uint64_t)holder << 32 | h->root, .count = 1,
			       .sum = h->ns, .max = h->ns}, hold_to_rest);
}

/* Parts of one wait in which the holder did the same count as one, unless it did very many things. */
static void add_holds(struct tables *t, uint64_t group, const struct span *s)
{
	struct hold parts[HOLD_PARTS];
	size_t cnt = 0;

	for (size_t i = 0; i < s->hold_cnt; i++) {
		const struct hold *h = &s->holds[i];
		size_t at = 0;

		while (at < cnt && (parts[at].doing != h->doing || parts[at].klass != h->klass || parts[at].root != h->root))
			at++;
		if (at < cnt)
			parts[at].ns += h->ns;
		else if (cnt < HOLD_PARTS)
			parts[cnt++] = *h;
		else
			add_part(t, group, s->holder, h);
	}
	for (size_t i = 0; i < cnt; i++)
		add_part(t, group, s->holder, &parts[i]);
}

void locks_add(struct tables *t, size_t group, const struct span *s, uint64_t latency)
{
	uint64_t end = s->end_ns > t->start_ns ? s->end_ns - t->start_ns : 0;
	uint64_t begin = s->begin_ns > t->start_ns ? s->begin_ns - t->start_ns : 0;
	struct lock *lock;

	if (s->metric != METRIC_LOCK_WAIT || !is_wanted(t))
		return;
	lock = lock_at(&t->locks, group);
	widen_for(t, end);
	if (!lock || contention_add(&lock->time, t->locks.width_ns, begin, end)) {
		tables_failed(t, -ENOMEM);
		return;
	}
	note_worst(&lock->worst, s, end, latency);
	add(t, &t->locks.sites,
	    (struct tally_row){.a = (uint64_t)group << 32, .b = s->wait_site, .count = 1, .sum = latency, .max = latency},
	    drop);
	add_pairs(t, group, s);
	add_holds(t, group, s);
}

void locks_eagain(struct tables *t, uint32_t tgid, uint64_t futex, uint64_t n)
{
	if (is_wanted(t))
		add(t, &t->locks.eagain, (struct tally_row){.a = tgid, .b = futex, .count = 1, .sum = n, .max = n}, drop);
}

int locks_renumber(struct tables *t, const uint32_t *new_id)
{
	struct locks *l = &t->locks;
	struct lock **locks = calloc(t->group_cnt, sizeof(struct lock *));

	if (!locks)
		return -ENOMEM;
	for (size_t i = 0; i < l->lock_cnt; i++)
		if (l->locks[i])
			locks[new_id[i]] = l->locks[i];
	free(l->locks);
	l->locks = locks;
	l->lock_cnt = t->group_cnt;
	return 0;
}

static int by_group_and_sum(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->a >> 32 != y->a >> 32)
		return x->a >> 32 < y->a >> 32 ? -1 : 1;
	if (x->sum != y->sum)
		return x->sum > y->sum ? -1 : 1;
	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

/* 0: the entity is not a lock. */
static uint32_t lock_of_group(const struct tables *t, const struct group *g)
{
	if (t->by[g->metric]->what != DIM_LOCK)
		return 0;
	return g->entity == ENTITY_REST ? LOCK_REST : (uint32_t)g->entity;
}

static void make_row(struct tables *t, size_t group)
{
	const struct group *g = &t->groups[group];
	struct lock *lock = t->locks.locks[group];
	struct lock_row *row = &t->locks.rows[t->locks.row_cnt++];

	*row = (struct lock_row){.group = g, .lock = lock_of_group(t, g)};
	if (!lock)
		return;
	row->queue_max = contention_finish(&lock->time, t->locks.width_ns);
	row->cols = lock->time.cols;
	row->col_cnt = lock->time.col_cnt;
	for (size_t i = 0; i < row->col_cnt; i++)
		row->contended_ns += row->cols[i].contended_ns;
	row->worst = lock->worst;
}

/* The row of a group, which the tallies know by its number. */
static struct lock_row *row_of(struct tables *t, uint64_t a)
{
	return &t->locks.rows[(a >> 32) - (size_t)(t->locks.rows->group - t->groups)];
}

static void add_sites(struct tables *t)
{
	const struct tally *sites = &t->locks.sites;

	for (size_t i = 0; i < sites->cnt; i++) {
		struct lock_row *row = row_of(t, sites->rows[i].a);

		if (!sites->rows[i].b)
			continue;
		if (!row->site_cnt++) {
			row->site = (uint32_t)sites->rows[i].b;
			row->site_ns = sites->rows[i].sum;
		}
	}
}

/* Who held it for the most time of all waiters together. */
static void add_holders(struct tables *t)
{
	const struct tally *pairs = &t->locks.pairs;
	struct tally holders = {0};

	for (size_t i = 0; i < pairs->cnt; i++) {
		const struct tally_row *p = &pairs->rows[i];
		struct tally_row *r = NULL;

		if ((uint8_t)p->a != BLAME_HOLDER || !(uint32_t)p->b)
			continue;
		r = tally_at(&holders, p->a >> 32 << 32, (uint32_t)p->b);
		if (r)
			tally_add(r, p->count, p->sum, p->max);
		else
			tables_failed(t, -ENOMEM);
	}
	for (size_t i = 0; i < holders.cnt; i++) {
		struct lock_row *row = row_of(t, holders.rows[i].a);

		if (holders.rows[i].sum > row->holder_ns) {
			row->holder = (uint32_t)holders.rows[i].b;
			row->holder_ns = holders.rows[i].sum;
		}
	}
	tally_done(&holders);
}

/* One lock can have rows of several classes: the one with the most waits. */
static struct lock_row *row_of_lock(struct tables *t, uint32_t lock, uint32_t klass)
{
	struct lock_row *most = NULL;

	for (size_t i = 0; lock && i < t->locks.row_cnt; i++) {
		struct lock_row *row = &t->locks.rows[i];

		if (row->lock != lock || (klass && row->group->klass != klass))
			continue;
		if (!most || row->group->count > most->group->count)
			most = row;
	}
	return most;
}

/*
 * Calls that did not wait are counted by futex word, spans name the object that it is in. A rwlock of glibc has two
 * words, 8 and 12 bytes behind its begin (struct __pthread_rwlock_arch_t).
 */
static struct lock_row *row_of_futex(struct tables *t, uint32_t tgid, uint64_t futex)
{
	const struct lock_name *name = t->names ? names_of_lock(t->names, tgid, futex) : NULL;
	struct lock_row *row = row_of_lock(t, lock_find(t, tgid, 0, futex), 0);

	if (!row && name && name->inode)
		row = row_of_lock(t, lock_find(t, tgid, name->inode, name->offset), 0);
	if (!row && name && name->base)
		row = row_of_lock(t, lock_find(t, tgid, 0, name->base), 0);
	for (unsigned int at = 8; !row && at <= 12 && futex > at; at += 4)
		row = row_of_lock(t, lock_find(t, tgid, 0, futex - at), CLASS_RWLOCK);
	return row;
}

static void add_eagain(struct tables *t)
{
	const struct tally *eagain = &t->locks.eagain;

	for (size_t i = 0; i < eagain->cnt; i++) {
		const struct tally_row *r = &eagain->rows[i];
		struct lock_row *row = row_of_futex(t, (uint32_t)r->a, r->b);

		if (row)
			row->eagain += r->sum;
	}
}

/* The groups are in their final order. */
void locks_finish(struct tables *t)
{
	struct locks *l = &t->locks;

	if (!is_wanted(t) || t->err)
		return;
	l->rows = calloc(t->group_cnt + 1, sizeof(*l->rows));
	if (!l->rows) {
		tables_failed(t, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < t->group_cnt; i++)
		if (t->groups[i].metric == METRIC_LOCK_WAIT)
			make_row(t, i);
	tally_sort(&l->sites, by_group_and_sum);
	tally_sort(&l->pairs, by_group_and_sum);
	tally_sort(&l->holds, by_group_and_sum);
	add_sites(t);
	add_holders(t);
	add_eagain(t);
}

bool tables_lock(const struct tables *t, size_t i, struct lock_row *out)
{
	if (i >= t->locks.row_cnt)
		return false;
	*out = t->locks.rows[i];
	return true;
}

uint64_t tables_lock_width(const struct tables *t)
{
	return t->locks.width_ns;
}

bool tables_pair(const struct tables *t, size_t i, struct pair_row *out)
{
	if (i >= t->locks.pairs.cnt)
		return false;
	const struct tally_row *r = &t->locks.pairs.rows[i];
	const struct group *g = &t->groups[r->a >> 32];

	*out = (struct pair_row){
		.group = g,
		.lock = lock_of_group(t, g),
		.waiter_type = (enum by_type)(uint8_t)(r->a >> 16),
		.waiter = (uint32_t)(r->b >> 32),
		.kind = (enum blame_kind)(uint8_t)r->a,
		.by_type = (enum by_type)(uint8_t)(r->a >> 8),
		.by = (uint32_t)r->b,
		.count = r->count,
		.sum = r->sum,
		.max = r->max,
	};
	return true;
}

bool tables_holder(const struct tables *t, size_t i, struct holder_row *out)
{
	if (i >= t->locks.holds.cnt)
		return false;
	const struct tally_row *r = &t->locks.holds.rows[i];
	const struct group *g = &t->groups[r->a >> 32];

	*out = (struct holder_row){
		.group = g,
		.lock = lock_of_group(t, g),
		.holder = (uint32_t)(r->b >> 32),
		.root = (uint32_t)r->b,
		.doing = (enum hold_doing)((uint32_t)r->a >> DOING_SHIFT),
		.klass = (uint32_t)r->a & HOLD_CLASS_MASK,
		.count = r->count,
		.sum = r->sum,
		.max = r->max,
	};
	return true;
}
