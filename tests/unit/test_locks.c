/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tables locks and holders, and what a lock is called. */
#include "tests/unit/tables_feed.h"

#include "bpf/record.h"
#include "src/stats/recent_spans.h"

#define L METRIC_LOCK_WAIT

static struct span wait_for(uint64_t lock, uint32_t tid, uint64_t end, uint64_t latency)
{
	struct span s = span_of(L, CLASS_MUTEX, tid, end, latency);

	s.lock = lock;
	return s;
}

static struct span held(struct span s, const struct blame *by, const struct hold *holds, size_t cnt)
{
	s.blame = by;
	s.blame_cnt = 1;
	s.holder = by->kind == BLAME_HOLDER ? by->tid : 0;
	s.holds = holds;
	s.hold_cnt = cnt;
	return s;
}

static uint64_t contended(const struct lock_row *l)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < l->col_cnt; i++)
		ns += l->cols[i].contended_ns;
	return ns;
}

static void a_lock_is_known_by_its_space_and_address(void **state)
{
	static const struct {
		enum metric metric;
		uint32_t tgid, wait_site;
		uint64_t space, lock;
		const char *text;
		size_t same;	/* as that row, counted from 1 */
	} cases[] = {
		{L, 10, 0, 0, 0x7f00, "10:0x7f00", 1},
		{L, 20, 0, 0, 0x7f00, "20:0x7f00", 2},
		{L, 10, 0, 77, 0x40, "77:0x40", 3},
		{L, 20, 0, 77, 0x40, "77:0x40", 3},
		{L, 10, 0, 78, 0x40, "78:0x40", 4},
		{L, 10, 0, 78, 0, "78:0x0", 5},
		{L, 10, 0, LOCK_OF_KERNEL, 0xffff888012345678, "kernel:0xffff888012345678", 6},
		{L, 20, 0, LOCK_OF_KERNEL, 0xffff888012345678, "kernel:0xffff888012345678", 6},
		{L, 10, 0, 10, 0x7f00, "10:0x7f00", 7},		/* an inode of a process's number */
		{L, 10, 0, 0, 0, "", 0},
		{METRIC_THREAD_FUTEX, 20, 0, 77, 0x40, "77:0x40", 3},
		{METRIC_THREAD_FUTEX, 20, 5, 0, 0, "", 0},
	};
	struct tables *t = new_tables((struct tables_opts){.tables = TABLE_BIT(BLAME)});
	struct event_row e;
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct span s = span_of(cases[i].metric, CLASS_MUTEX, 1, 100, 10);

		s.tgid = cases[i].tgid;
		s.lock = cases[i].lock;
		s.lock_space = cases[i].space;
		s.wait_site = cases[i].wait_site;
		assert_int_equal(lock_of(t, &s), cases[i].same);
		assert_string_equal(tables_lock_text(t, NULL, (uint32_t)cases[i].same, buf, sizeof(buf)), cases[i].text);
		e = (struct event_row){.metric = (uint8_t)s.metric, .tgid = s.tgid, .lock = s.lock, .lock_space = s.lock_space};
		assert_string_equal(tables_event_lock(&e, NULL, buf, sizeof(buf)), cases[i].text);
		if (cases[i].space != LOCK_OF_KERNEL)
			assert_int_equal(lock_find(t, s.tgid, s.lock_space, s.lock), cases[i].same);
	}
	assert_int_equal(lock_find(t, 10, 79, 0x40), 0);
	assert_int_equal(lock_find(t, 30, 0, 0x7f00), 0);
	tables_free(t);
}

/* Two threads wait for 11, who is preempted and then waits for 12 itself; one later for an unknown thread. */
static void a_row_has_who_held_it_where_and_how_many_waited(void **state)
{
	static const struct blame by_holder = {.tid = 11, .kind = BLAME_HOLDER, .ns = 8 * MS};
	static const struct blame by_other = {.tid = 14, .kind = BLAME_HOLDER, .ns = 6 * MS};
	static const struct blame by_waker = {.tid = 13, .kind = BLAME_WAKER, .ns = 2 * MS};
	static const struct hold did[] = {{.doing = HOLD_RUNNING, .ns = 1 * MS}, {.doing = HOLD_PREEMPT, .ns = 4 * MS},
					  {.doing = HOLD_RUNNING, .ns = 1 * MS},
					  {.doing = HOLD_LOCK, .root = 12, .ns = 2 * MS}};
	static const struct hold slept[] = {{.doing = HOLD_BLOCKED, .klass = CLASS_SLEEP, .ns = 6 * MS}};
	struct span spans[] = {
		held(wait_for(0x100, 21, 10 * MS, 8 * MS), &by_holder, did, 4),
		held(wait_for(0x100, 22, 12 * MS, 6 * MS), &by_other, slept, 1),
		held(wait_for(0x100, 21, 40 * MS, 2 * MS), &by_waker, NULL, 0),
	};
	struct tables *t = new_tables((struct tables_opts){.tables = TABLE_BIT(LOCKS) | TABLE_BIT(HOLDERS)});
	struct holder_row h;
	struct pair_row p;
	struct lock_row l;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		spans[i].wait_site = 5 + i % 2;
	feed(t, spans, 3);
	assert_true(tables_lock(t, 0, &l));
	assert_int_equal(l.group->count, 3);
	assert_int_equal(l.group->sum, 16 * MS);
	assert_int_equal(l.group->max, 8 * MS);
	assert_int_equal(l.lock, 1);
	assert_int_equal(l.contended_ns, 12 * MS);
	assert_int_equal(l.queue_max, 2);
	assert_true(l.site_cnt == 2 && l.site == 5 && l.site_ns == 10 * MS);
	assert_true(l.holder == 11 && l.holder_ns == 8 * MS);
	assert_int_equal(tables_lock_width(t), 10 * MS);
	assert_int_equal(l.col_cnt, 5);
	assert_int_equal(l.cols[0].wait_ns, 12 * MS);
	assert_int_equal(l.cols[0].contended_ns, 8 * MS);
	assert_true(l.cols[1].count == 2 && l.cols[1].max_ns == 8 * MS && l.cols[1].wait_ns == 2 * MS);
	assert_true(l.worst.ns == 8 * MS && l.worst.end_ns == 10 * MS && l.worst.tid == 21);
	assert_true(l.worst.holder == 11 && l.worst.root == 12);
	assert_int_equal(l.worst.doing_ns[HOLD_RUNNING], 2 * MS);
	assert_int_equal(l.worst.doing_ns[HOLD_PREEMPT], 4 * MS);
	assert_int_equal(l.worst.doing_ns[HOLD_LOCK], 2 * MS);
	assert_false(tables_lock(t, 1, &l));

	static const struct pair_row pairs[] = {
		{.waiter = 21, .by = 11, .kind = BLAME_HOLDER, .count = 1, .sum = 8 * MS},
		{.waiter = 22, .by = 14, .kind = BLAME_HOLDER, .count = 1, .sum = 6 * MS},
		{.waiter = 21, .by = 13, .kind = BLAME_WAKER, .count = 1, .sum = 2 * MS},
	};
	static const struct holder_row rows[] = {
		{.holder = 14, .doing = HOLD_BLOCKED, .klass = CLASS_SLEEP, .count = 1, .sum = 6 * MS},
		{.holder = 11, .doing = HOLD_PREEMPT, .count = 1, .sum = 4 * MS},
		{.holder = 11, .doing = HOLD_RUNNING, .count = 1, .sum = 2 * MS},
		{.holder = 11, .doing = HOLD_LOCK, .root = 12, .count = 1, .sum = 2 * MS},
	};

	for (size_t i = 0; i < 3; i++) {
		assert_true(tables_pair(t, i, &p));
		assert_true(p.waiter == pairs[i].waiter && p.by == pairs[i].by && p.kind == pairs[i].kind && p.lock == 1);
		assert_true(p.count == pairs[i].count && p.sum == pairs[i].sum && p.max == pairs[i].sum);
	}
	assert_false(tables_pair(t, 3, &p));
	for (size_t i = 0; i < 4; i++) {
		assert_true(tables_holder(t, i, &h));
		assert_true(h.holder == rows[i].holder && h.doing == rows[i].doing && h.root == rows[i].root);
		assert_true(h.klass == rows[i].klass && h.lock == 1);
		assert_true(h.count == rows[i].count && h.sum == rows[i].sum && h.max == rows[i].sum);
	}
	assert_false(tables_holder(t, 4, &h));
	tables_free(t);
}

/* In rows of locks all waits are in one of them, whatever was merged, folded or is of the rest. */
static void rows_add_up_to_the_spans(void **state)
{
	enum { CNT = 4000, LOCKS = 20 };
	static const size_t tops[] = {LOCKS, 4, 1};
	static struct span spans[CNT];
	static struct blame blame[CNT];
	static struct hold holds[CNT];
	uint64_t sum = 0;

	(void)state;
	for (size_t i = 0; i < CNT; i++) {
		uint64_t ns = random_below(3 * MS);

		blame[i] = (struct blame){.tid = 30 + (uint32_t)random_below(5), .kind = BLAME_HOLDER, .ns = ns};
		holds[i] = (struct hold){.doing = (enum hold_doing)random_below(HOLD_CNT), .ns = ns};
		spans[i] = held(wait_for(0x1000 + 8 * random_below(LOCKS), 20, i * MS + 5 * MS, ns), &blame[i], &holds[i], 1);
		spans[i].tid = 21 + (uint32_t)random_below(5);
		spans[i].klass = random_below(2) ? CLASS_MUTEX : CLASS_RWLOCK;
		sum += ns;
	}
	for (size_t round = 0; round < 3; round++) {
		struct tables *t = new_tables((struct tables_opts){.top = tops[round], .max_cols = 16});
		uint64_t waited = 0, cols = 0, count = 0, pairs = 0, held_ns = 0;
		struct holder_row h;
		struct pair_row p;
		struct lock_row l;
		size_t i;

		assert_int_equal(feed(t, spans, CNT), tops[round] < LOCKS ? 2 : 1);
		for (i = 0; tables_lock(t, i, &l); i++) {
			waited += l.group->sum;
			for (size_t k = 0; k < l.col_cnt; k++) {
				cols += l.cols[k].wait_ns;
				count += l.cols[k].count;
				assert_true(l.cols[k].contended_ns <= l.cols[k].wait_ns);
				assert_true(l.cols[k].contended_ns <= tables_lock_width(t));
			}
			assert_int_equal(contended(&l), l.contended_ns);
			assert_int_equal(l.lock == LOCK_REST, l.group->entity == ENTITY_REST);
			assert_true(l.col_cnt <= 16);
		}
		assert_int_equal(i, 2 * tops[round] + (tops[round] < LOCKS ? 2 : 0));
		for (i = 0; tables_pair(t, i, &p); i++)
			pairs += p.sum;
		for (i = 0; tables_holder(t, i, &h); i++)
			held_ns += h.sum;
		assert_true(waited == sum && cols == sum && pairs == sum && held_ns == sum);
		assert_int_equal(count, CNT);
		tables_free(t);
	}
}

static void pairs_and_holders_beyond_the_cap_are_folded_and_add_up(void **state)
{
	enum { CNT = 200000 };
	struct tables *t = new_tables((struct tables_opts){.tables = TABLE_BIT(LOCKS)});
	struct span_sink sink = tables_sink(t);
	uint64_t fed = 0, pairs = 0, held_ns = 0;
	bool again, seen_rest = false;
	struct holder_row h;
	struct pair_row p;
	struct lock_row l;

	(void)state;
	for (uint32_t i = 0; i < CNT; i++) {
		struct blame by = {.tid = i % 100 ? 1000 + i : 7, .kind = BLAME_HOLDER, .ns = i % 100 ? i % 90 : 5000};
		struct hold did = {.doing = HOLD_RUNNING, .ns = by.ns};
		struct span s = held(wait_for(0x1000 + 8 * (i % 3), 5, 10000 + i, by.ns), &by, &did, 1);

		s.wait_site = 1 + i;
		fed += by.ns;
		sink.span(sink.ctx, &s);
		assert_true(t->locks.pairs.cnt <= LOCK_ROWS_MAX && t->locks.holds.cnt <= LOCK_ROWS_MAX &&
			    t->locks.sites.cnt <= LOCK_ROWS_MAX);
	}
	assert_int_equal(tables_pass_done(t, &again), 0);
	for (size_t i = 0; tables_pair(t, i, &p); i++) {
		pairs += p.sum;
		seen_rest |= p.waiter == BY_REST && p.by == BY_REST;
	}
	for (size_t i = 0; tables_holder(t, i, &h); i++)
		held_ns += h.sum;
	assert_true(pairs == fed && held_ns == fed && seen_rest);
	for (size_t i = 0; i < 3; i++) {
		assert_true(tables_lock(t, i, &l));
		assert_int_equal(l.holder, 7);
	}
	tables_free(t);
}

static void calls_that_did_not_wait_count_for_their_lock(void **state)
{
	struct tables *t = new_tables((struct tables_opts){0});
	struct span_sink sink = tables_sink(t);
	struct span spans[] = {wait_for(0x100, 21, 10 * MS, MS), wait_for(0x100, 21, 11 * MS, MS),
			       wait_for(0x100, 21, 12 * MS, MS), wait_for(0x200, 21, 12 * MS, MS)};
	struct lock_row l;
	uint64_t eagain[4] = {0};

	(void)state;
	spans[2].klass = spans[3].klass = CLASS_RWLOCK;
	sink.eagain(sink.ctx, 20, 0x100, 30);
	sink.eagain(sink.ctx, 20, 0x100, 12);
	sink.eagain(sink.ctx, 20, 0x20c, 5);	/* a glibc rwlock's second word */
	sink.eagain(sink.ctx, 20, 0x108, 3);	/* the lock there is waited for as a rwlock, too */
	sink.eagain(sink.ctx, 30, 0x100, 9);	/* another process's */
	feed(t, spans, 4);
	for (size_t i = 0; tables_lock(t, i, &l); i++)
		eagain[i] = l.eagain;
	assert_int_equal(eagain[0], 42);	/* as a mutex it was waited for more often */
	assert_int_equal(eagain[1] + eagain[2], 8);
	tables_free(t);
}

static void by_site_merges_the_locks_of_one_place(void **state)
{
	struct span spans[] = {wait_for(0x100, 21, 10 * MS, MS), wait_for(0x200, 22, 20 * MS, MS),
			       wait_for(0x300, 23, 30 * MS, MS)};
	struct tables *t;
	struct lock_row l;

	(void)state;
	spans[0].wait_site = spans[1].wait_site = 4;
	spans[2].wait_site = 5;
	t = new_tables((struct tables_opts){.by = dim_find("site")});
	feed(t, spans, 3);
	assert_true(tables_lock(t, 0, &l));
	assert_true(l.group->entity == 4 && l.group->count == 2 && l.lock == 0 && l.contended_ns == 2 * MS);
	assert_true(tables_lock(t, 1, &l));
	assert_true(l.group->entity == 5 && l.group->count == 1);
	assert_false(tables_lock(t, 2, &l));
	tables_free(t);
}

/* Goroutines are many: they are told by where they were created. */
static void a_waiting_goroutine_is_its_creation_site(void **state)
{
	static const struct blame by = {.kind = BLAME_WAKER, .site = 9, .goid = 77, .ns = MS};
	struct span s = wait_for(0x100, 21, 10 * MS, MS);
	struct tables *t = new_tables((struct tables_opts){0});
	struct pair_row p;

	(void)state;
	s.goid = 12;
	s.site = 8;
	s.blame = &by;
	s.blame_cnt = 1;
	feed(t, &s, 1);
	assert_true(tables_pair(t, 0, &p));
	assert_true(p.waiter_type == BY_SITE && p.waiter == 8 && p.by_type == BY_SITE && p.by == 9);
	tables_free(t);
}

static void keep_last(void *ctx, const struct span *s)
{
	struct span *out = ctx;

	*out = *s;
	assert_true(s->hold_cnt == 2 && s->holds[1].ns == 7 && s->blame_cnt == 1 && s->blame->tid == 11);
}

static void a_server_keeps_what_holders_did(void **state)
{
	static const struct blame by = {.tid = 11, .kind = BLAME_HOLDER, .ns = 10};
	static const struct hold did[] = {{.doing = HOLD_RUNNING, .ns = 3}, {.doing = HOLD_LOCK, .root = 4, .ns = 7}};
	struct recent_spans *r = recent_spans_new(1000 * MS, 1 << 20);
	struct span s = held(wait_for(0x100, 21, MS, 10), &by, did, 2), got = {0};
	struct span_sink sink = {.ctx = &got, .span = keep_last};

	(void)state;
	s.lock_space = 55;
	recent_spans_span(r, &s);
	recent_spans_replay(r, &sink);
	assert_true(got.lock == 0x100 && got.lock_space == 55 && got.holder == 11);
	recent_spans_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lock_is_known_by_its_space_and_address),
		cmocka_unit_test(a_row_has_who_held_it_where_and_how_many_waited),
		cmocka_unit_test(rows_add_up_to_the_spans),
		cmocka_unit_test(pairs_and_holders_beyond_the_cap_are_folded_and_add_up),
		cmocka_unit_test(calls_that_did_not_wait_count_for_their_lock),
		cmocka_unit_test(by_site_merges_the_locks_of_one_place),
		cmocka_unit_test(a_waiting_goroutine_is_its_creation_site),
		cmocka_unit_test(a_server_keeps_what_holders_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
