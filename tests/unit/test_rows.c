/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Blame, counters, losses and events: nothing is lost in what is folded, cut or spilled. */
#include "tests/unit/tables_feed.h"

#include "bpf/record.h"

static void blame_is_summed_by_whom_and_for_which_lock(void **state)
{
	struct tables *t = new_tables((struct tables_opts){.tables = TABLE_BIT(BLAME)});
	const struct blame cpu[] = {{7, BLAME_COMPETITOR, 30}, {99, BLAME_IRQ, 5}, {8, BLAME_WAKER, 0}};
	const struct blame held[] = {{9, BLAME_HOLDER, 100}};
	struct span spans[] = {
		span_of(METRIC_THREAD_RUNQ, CLASS_TASK, 1, 100, 35),
		span_of(METRIC_THREAD_RUNQ, CLASS_TASK, 1, 200, 35),
		span_of(METRIC_THREAD_FUTEX, CLASS_MUTEX, 1, 300, 100),
	};
	const struct blame_row want[] = {
		{.kind = BLAME_COMPETITOR, .by = 7, .count = 2, .sum = 60, .max = 30},
		{.kind = BLAME_IRQ, .by = 0, .count = 2, .sum = 10, .max = 5},
		{.kind = BLAME_WAKER, .by = 8, .count = 2},
		{.kind = BLAME_HOLDER, .by = 9, .lock = 1, .count = 1, .sum = 100, .max = 100},
	};
	struct blame_row b;
	char buf[64];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		spans[i].blame = i < 2 ? cpu : held;
		spans[i].blame_cnt = i < 2 ? 3 : 1;
	}
	spans[2].tgid = 42;
	spans[2].lock = 0x7f00dead;
	feed(t, spans, 3);
	for (size_t i = 0; i < 4; i++) {
		assert_true(tables_blame(t, i, &b));
		assert_int_equal(b.waiter->entity, 1);
		assert_true(b.kind == want[i].kind && b.by == want[i].by && b.lock == want[i].lock);
		assert_true(b.count == want[i].count && b.sum == want[i].sum && b.max == want[i].max);
	}
	assert_false(tables_blame(t, 4, &b));
	assert_string_equal(tables_lock_text(t, NULL, 1, buf, sizeof(buf)), "42:0x7f00dead");
	assert_string_equal(tables_lock_text(t, NULL, LOCK_REST, buf, sizeof(buf)), "rest");
	assert_string_equal(tables_lock_text(t, NULL, 0, buf, sizeof(buf)), "");
	tables_free(t);
}

static void blame_beyond_the_cap_is_folded_and_adds_up(void **state)
{
	enum { CNT = 500000 };
	struct tables *t = new_tables((struct tables_opts){.tables = TABLE_BIT(BLAME)});
	struct span_sink sink = tables_sink(t);
	uint64_t fed = 0, sum = 0, count = 0;
	struct blame_row b;
	bool again, seen_big = false, seen_rest = false;

	(void)state;
	for (uint32_t i = 0; i < CNT; i++) {
		struct blame by = {.tid = i % 1000 ? 1000 + i : 5, .kind = BLAME_COMPETITOR, .ns = i % 100};
		struct span s = span_of(METRIC_THREAD_PREEMPT, 0, 1 + i % 3, i, i % 100);

		if (by.tid == 5)
			by.ns = 1000;
		s.lock = i % 2 ? 0x1000 + 4 * (uint64_t)i : 0;
		s.blame = &by;
		s.blame_cnt = 1;
		fed += by.ns;
		sink.span(sink.ctx, &s);
		assert_true(t->blame.cnt <= BLAME_MAX);
	}
	assert_int_equal(tables_pass_done(t, &again), 0);
	for (size_t i = 0; tables_blame(t, i, &b); i++) {
		sum += b.sum;
		count += b.count;
		seen_big |= b.by == 5;
		seen_rest |= b.by == BY_REST;
	}
	assert_int_equal(sum, fed);
	assert_int_equal(count, CNT);
	assert_true(seen_big && seen_rest);
	tables_free(t);
}

static int second_event(void *ctx, const struct event_row *e)
{
	struct event_row *out = ctx;

	if (e->end != START + 200)
		return 0;
	*out = *e;
	return 1;
}

/* By site, or by number if that is asked for; a thread stays a thread. */
static void a_goroutine_is_blamed_as_it_is_grouped(void **state)
{
	static const struct {
		const char *by;
		struct blame_row rows[3];
		uint64_t event_by;
	} cases[] = {
		{"entity", {{.by_type = BY_SITE, .by = 5, .site = 5, .count = 2, .sum = 60},
			    {.by_type = BY_TASK, .by = 7, .count = 1, .sum = 9}}, 5},
		{"cpu", {{.by_type = BY_SITE, .by = 5, .site = 5, .count = 2, .sum = 60},
			 {.by_type = BY_TASK, .by = 7, .count = 1, .sum = 9}}, 5},
		{"goid", {{.by_type = BY_GOID, .by = 22, .site = 5, .count = 1, .sum = 40},
			  {.by_type = BY_GOID, .by = 21, .site = 5, .count = 1, .sum = 20},
			  {.by_type = BY_TASK, .by = 7, .count = 1, .sum = 9}}, 22},
	};
	static const struct blame by[] = {{.kind = BLAME_WAKER, .site = 5, .goid = 21, .ns = 20},
					  {.kind = BLAME_WAKER, .site = 5, .goid = 22, .ns = 40},
					  {.kind = BLAME_WAKER, .tid = 7, .ns = 9}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct tables *t = new_tables((struct tables_opts){.by = dim_find(cases[i].by), .tables = ~0u});
		struct event_row event;
		struct blame_row b;
		struct span spans[3];
		size_t at = 0;

		for (size_t k = 0; k < 3; k++) {
			spans[k] = span_of(METRIC_GOROUTINE_LOCK, CLASS_MUTEX, 1, 100 * k + 100, 50);
			spans[k].goid = 9;
			spans[k].blame = &by[k];
			spans[k].blame_cnt = 1;
		}
		feed(t, spans, 3);
		for (; at < 3 && cases[i].rows[at].count; at++) {
			const struct blame_row *want = &cases[i].rows[at];

			assert_true(tables_blame(t, at, &b));
			assert_true(b.by_type == want->by_type && b.by == want->by && b.site == want->site);
			assert_true(b.kind == BLAME_WAKER && b.count == want->count && b.sum == want->sum);
		}
		assert_false(tables_blame(t, at, &b));
		assert_int_equal(tables_events(t, second_event, &event), 1);
		assert_int_equal(event.by, cases[i].event_by);
		assert_int_equal(event.by_type, cases[i].rows[0].by_type);
		tables_free(t);
	}
}

static void check_counter(const struct tables *t, const char *name, const struct counter_row *want, size_t cnt)
{
	struct counter_row row;
	size_t seen = 0;

	for (size_t i = 0; tables_counter(t, i, &row); i++) {
		if (strcmp(row.name, name))
			continue;
		assert_true(seen < cnt);
		assert_int_equal(row.kind, want[seen].kind);
		assert_int_equal(row.tid, want[seen].tid);
		assert_int_equal(row.count, want[seen].count);
		seen++;
	}
	assert_int_equal(seen, cnt);
}

enum {
#define X(number, name, is_loss, help) + is_loss
	LOSSES = 0 COUNTS(X),
#undef X
};

static void counters_add_up_to_their_totals(void **state)
{
	struct tables *t = new_tables((struct tables_opts){.top = 2});
	struct span_sink sink = tables_sink(t);
	const struct counter_row waking[] = {{.kind = COUNTER_ENTITY, .tid = 3, .count = 7},
					     {.kind = COUNTER_ENTITY, .tid = 1, .count = 5},
					     {.kind = COUNTER_REST, .count = 8}};
	const struct counter_row overrun[] = {{.kind = COUNTER_ENTITY, .tid = 9, .count = 4}};
	const struct counter_row step[] = {{.kind = COUNTER_TOTAL, .count = 1}};
	const struct counter_row zero[] = {{.kind = COUNTER_TOTAL}};
	const struct counter_row records[] = {{.kind = COUNTER_TOTAL, .count = 77}};
	const char *cause;
	uint64_t count, losses = 0;
	bool again = true;

	(void)state;
	for (int pass = 0; again; pass++) {
		for (uint32_t tid = 1; tid <= 3; tid++) {
			struct span s = span_of(METRIC_THREAD_RUNQ, 0, tid, 10, 10);

			sink.span(sink.ctx, &s);
		}
		sink.counter(sink.ctx, ECOUNT_WAKING, 1, 5);
		sink.counter(sink.ctx, ECOUNT_WAKING, 2, 4);
		sink.counter(sink.ctx, ECOUNT_WAKING, 3, 7);
		sink.counter(sink.ctx, ECOUNT_WAKING, 4, 0);
		sink.counter(sink.ctx, ECOUNT_OVERRUN, 9, 1);
		sink.counter(sink.ctx, ECOUNT_OVERRUN, 9, 3);
		sink.counter(sink.ctx, ECOUNT_CLOCK_STEP, 0, 1);
		sink.total(sink.ctx, COUNT_waking, 20);
		sink.total(sink.ctx, COUNT_join_impossible, 60);
		sink.total(sink.ctx, COUNT_join_impossible, 77);
		sink.total(sink.ctx, COUNT_ring_slice, 6);
		sink.total(sink.ctx, 12345, 1);
		assert_int_equal(tables_pass_done(t, &again), 0);
		assert_true(pass || again);
	}
	check_counter(t, "waking", waking, 3);
	check_counter(t, "overrun", overrun, 1);
	check_counter(t, "clock_step", step, 1);
	check_counter(t, "futex_eagain", zero, 1);
	check_counter(t, "join_impossible", records, 1);
	check_counter(t, "ring_slice", NULL, 0);
	for (size_t i = 0; tables_loss(t, i, &cause, &count); i++) {
		assert_int_equal(count, strcmp(cause, "ring_slice") ? 0 : 6);
		losses++;
	}
	assert_int_equal(losses, LOSSES);
	tables_free(t);
}

static void times_of_loss_are_since_the_start_and_merge(void **state)
{
	struct tables *t = new_tables((struct tables_opts){.top = 2});
	struct span_sink sink = tables_sink(t);
	uint64_t start = 5000000000;
	struct loss_time l;
	bool again;

	(void)state;
	tables_start(t, start);
	sink.loss(sink.ctx, 0, start + 100, 3);
	sink.loss(sink.ctx, start + 100, start + 200, 4);
	sink.loss(sink.ctx, start + 300, start + 400, 5);
	assert_int_equal(tables_pass_done(t, &again), 0);
	assert_true(tables_loss_time(t, 0, &l));
	assert_true(l.from == 0 && l.to == 200 && l.n == 7);
	assert_true(tables_loss_time(t, 1, &l));
	assert_true(l.from == 300 && l.to == 400 && l.n == 5);
	assert_false(tables_loss_time(t, 2, &l));
	tables_free(t);
}

static void too_many_counted_entities_are_in_the_rest(void **state)
{
	struct tables *t = new_tables((struct tables_opts){.top = 1});
	struct span_sink sink = tables_sink(t);
	const struct counter_row want[] = {{.kind = COUNTER_ENTITY, .tid = 1, .count = 10},
					   {.kind = COUNTER_REST, .count = 100000}};
	bool again;

	(void)state;
	sink.counter(sink.ctx, ECOUNT_OVERRUN, 1, 10);
	for (uint32_t tid = 2; tid < 100002; tid++)
		sink.counter(sink.ctx, ECOUNT_OVERRUN, tid, 1);
	assert_true(t->counters[ECOUNT_OVERRUN].cnt <= COUNTERS_MAX);
	assert_int_equal(tables_pass_done(t, &again), 0);
	assert_false(again);
	check_counter(t, "overrun", want, 2);
	tables_free(t);
}

/* The events in the order in which they must come: insertion sort, stable. */
struct check {
	const struct span **sorted;
	size_t at;
};

static int check_event(void *ctx, const struct event_row *e)
{
	struct check *c = ctx;
	const struct span *s = c->sorted[c->at++];

	assert_true(e->end == s->end_ns && e->latency == s->end_ns - s->begin_ns);
	assert_true(e->entity == s->tid && e->metric == s->metric && e->klass == s->klass && e->cpu == s->cpu);
	if (s->metric == METRIC_THREAD_DRIFT) {
		assert_int_equal(e->stage_ns[0], s->stage_ns[STAGE_BUSY]);
		assert_int_equal(e->stage_ns[4], s->stage_ns[STAGE_RUNQ]);
	}
	return 0;
}

static void check_events(struct tables *t, const struct span *spans, size_t cnt)
{
	const struct span **sorted = calloc(cnt + 1, sizeof(*sorted));
	struct check c = {.sorted = sorted};

	for (size_t i = 0; i < cnt; i++) {
		size_t at = i;

		for (; at && sorted[at - 1]->end_ns > spans[i].end_ns; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = &spans[i];
	}
	feed(t, spans, cnt);
	/* Twice: reading changes nothing. */
	for (int i = 0; i < 2; i++) {
		c.at = 0;
		assert_int_equal(tables_events(t, check_event, &c), 0);
		assert_int_equal(c.at, cnt);
	}
	free(sorted);
	tables_free(t);
}

static void events_are_sorted_by_end_then_arrival(void **state)
{
	enum { CNT = 5000 };
	static const size_t chunks[] = {0, CNT, CNT - 1, 1000, 64, 7};
	static struct span spans[CNT];

	(void)state;
	random_spans(spans, CNT, 5, 100 * MS);
	for (size_t i = 0; i < CNT; i++)
		spans[i].end_ns = spans[i].end_ns / 1000 * 1000 + 100000000;	/* with ties */
	for (size_t i = 0; i < sizeof(chunks) / sizeof(*chunks); i++)
		check_events(new_tables((struct tables_opts){.tables = TABLE_BIT(EVENTS), .by = dim_find("tid"),
							     .sort_rows = chunks[i]}), spans, CNT);
	/* In reverse, no entities but the first two, with a second pass. */
	for (size_t i = 0; i < 300; i++)
		spans[i].end_ns = START + 1000000000 - 5 * i;
	check_events(new_tables((struct tables_opts){.tables = TABLE_BIT(EVENTS) | TABLE_BIT(HEATMAP), .top = 2,
						     .by = dim_find("tid"),
						     .sort_rows = 16}), spans, 300);
	check_events(new_tables((struct tables_opts){.tables = TABLE_BIT(EVENTS)}), spans, 0);
}

static int stop_at_three(void *ctx, const struct event_row *e)
{
	(void)e;
	return ++*(int *)ctx == 3 ? -EIO : 0;
}

static void an_event_reader_can_stop(void **state)
{
	struct tables *t = new_tables((struct tables_opts){.tables = TABLE_BIT(EVENTS), .sort_rows = 2});
	struct span spans[10];
	int seen = 0;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		spans[i] = span_of(METRIC_THREAD_RUNQ, 0, 1, i, 0);
	feed(t, spans, 10);
	assert_int_equal(tables_events(t, stop_at_three, &seen), -EIO);
	assert_int_equal(seen, 3);
	tables_free(t);
}

static int first_by(void *ctx, const struct event_row *e)
{
	*(uint32_t *)ctx = e->by;
	return 1;
}

static void an_event_is_by_the_biggest_blame(void **state)
{
	static const struct blame rows[] = {{4, BLAME_WAKER, 0}, {5, BLAME_COMPETITOR, 3}, {6, BLAME_COMPETITOR, 9},
					    {0, BLAME_IRQ, 10}};

	(void)state;
	for (size_t cnt = 0; cnt <= 4; cnt++) {
		static const uint32_t want[] = {0, 0, 5, 6, 0};
		struct tables *t = new_tables((struct tables_opts){.tables = TABLE_BIT(EVENTS)});
		struct span s = span_of(METRIC_THREAD_RUNQ, 0, 1, 100, 22);
		uint32_t by = 123;

		s.blame = rows;
		s.blame_cnt = cnt;
		feed(t, &s, 1);
		assert_int_equal(tables_events(t, first_by, &by), 1);
		assert_int_equal(by, want[cnt]);
		tables_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blame_is_summed_by_whom_and_for_which_lock),
		cmocka_unit_test(blame_beyond_the_cap_is_folded_and_adds_up),
		cmocka_unit_test(a_goroutine_is_blamed_as_it_is_grouped),
		cmocka_unit_test(counters_add_up_to_their_totals),
		cmocka_unit_test(times_of_loss_are_since_the_start_and_merge),
		cmocka_unit_test(too_many_counted_entities_are_in_the_rest),
		cmocka_unit_test(events_are_sorted_by_end_then_arrival),
		cmocka_unit_test(an_event_reader_can_stop),
		cmocka_unit_test(an_event_is_by_the_biggest_blame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
