/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tables against brute force over the spans: sums are exact whatever was folded, merged or spilled. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/record.h"
#include "src/model/names.h"
#include "src/stats/dims.h"
#include "src/stats/impl.h"
#include "src/stats/view.h"

#define START UINT64_C(1000000000000)
#define MS UINT64_C(1000000)

static uint64_t seed = 1;

static uint64_t random_below(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed * 0x2545f4914f6cdd1dull >> 20) % n;
}

static struct span span_of(enum metric m, uint32_t klass, uint32_t tid, uint64_t end, uint64_t latency)
{
	return (struct span){.metric = m, .klass = klass, .tid = tid, .tgid = tid / 10 * 10,
			     .begin_ns = START + end - latency, .end_ns = START + end};
}

static struct tables *new_tables(struct tables_opts opts)
{
	struct tables *t = tables_new(&opts);

	assert_non_null(t);
	tables_start(t, START);
	return t;
}

/* Feeds all as often as it is asked for; returns how often that was. */
static int feed(struct tables *t, const struct span *spans, size_t cnt)
{
	struct span_sink sink = tables_sink(t);
	bool again = true;
	int passes = 0;

	for (; again && passes < 3; passes++) {
		for (size_t i = 0; i < cnt; i++)
			sink.span(sink.ctx, &spans[i]);
		assert_int_equal(tables_pass_done(t, &again), 0);
	}
	return passes;
}

static void random_spans(struct span *spans, size_t cnt, uint32_t tids, uint64_t length)
{
	for (size_t i = 0; i < cnt; i++) {
		uint32_t tid = 100 + (uint32_t)random_below(tids);
		uint64_t latency = random_below(2) ? random_below(tid * 100) : random_below(1000);

		spans[i] = span_of((enum metric)random_below(METRIC_CNT), (uint32_t)random_below(3), tid,
				   i * length / cnt + 2 * MS - random_below(2 * MS), latency);
		spans[i].cpu = (uint16_t)random_below(4);
		spans[i].stage_ns[STAGE_RUNQ] = latency / 2;
		spans[i].stage_ns[STAGE_BUSY] = latency - latency / 2;
	}
}

/* The metric's sum of an entity, and how many of the metric's entities are bigger. */
static uint64_t sum_of(const struct span *spans, size_t cnt, enum metric m, uint32_t tid)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < cnt; i++)
		sum += spans[i].metric == m && spans[i].tid == tid ? spans[i].end_ns - spans[i].begin_ns : 0;
	return sum;
}

static size_t rank_of(const struct span *spans, size_t cnt, enum metric m, uint32_t tid, uint32_t tids)
{
	uint64_t own = sum_of(spans, cnt, m, tid);
	size_t rank = 0;

	for (uint32_t other = 100; other < 100 + tids; other++) {
		uint64_t sum = sum_of(spans, cnt, m, other);

		rank += sum > own || (sum == own && other < tid);
	}
	return rank;
}

static bool is_of(const struct span *s, const struct group *g, const size_t ranks[][METRIC_CNT], size_t top)
{
	if (s->metric != g->metric || s->klass != g->klass)
		return false;
	if (g->entity == ENTITY_REST)
		return ranks[s->tid - 100][s->metric] >= top;
	return g->entity == s->tid;
}

/* Every cell holds just those spans that belong there, and no span is in none. */
static void check_cells(const struct tables *t, const struct span *spans, size_t cnt,
			const size_t ranks[][METRIC_CNT], size_t top)
{
	const struct group *g;
	uint64_t total = 0;

	for (size_t i = 0; (g = tables_group(t, i)); i++) {
		if (g->entity != ENTITY_REST)
			assert_int_equal(g->rank, ranks[g->entity - 100][g->metric]);
		for (size_t at = g->cell_from; at < g->cell_to; at++) {
			uint64_t count = 0, sum = 0, max = 0;
			struct cell c;

			assert_true(tables_cell(t, at, &c));
			for (size_t k = 0; k < cnt; k++) {
				uint64_t end = spans[k].end_ns - START, ns = spans[k].end_ns - spans[k].begin_ns;

				if (!is_of(&spans[k], g, ranks, top) || end < c.t_start || end >= c.t_end ||
				    ns < c.lat_lo || ns >= c.lat_hi)
					continue;
				count++;
				sum += ns;
				max = ns > max ? ns : max;
			}
			assert_true(c.count == count && c.sum == sum && c.max == max);
			total += c.count;
		}
	}
	assert_int_equal(total, cnt);
}

static void cells_equal_brute_force(void **state)
{
	enum { CNT = 3000, TIDS = 12 };
	static const size_t tops[] = {12, 4, 1};
	static struct span spans[CNT];
	static size_t ranks[TIDS][METRIC_CNT];

	(void)state;
	random_spans(spans, CNT, TIDS, 300 * MS);
	for (uint32_t tid = 0; tid < TIDS; tid++) {
		for (size_t m = 0; m < METRIC_CNT; m++)
			ranks[tid][m] = rank_of(spans, CNT, (enum metric)m, 100 + tid, TIDS);
	}
	for (size_t i = 0; i < 3; i++) {
		struct tables *t = new_tables((struct tables_opts){.top = tops[i], .max_cols = i ? 8 : 0});

		assert_int_equal(feed(t, spans, CNT), tops[i] < TIDS ? 2 : 1);
		check_cells(t, spans, CNT, ranks, tops[i]);
		tables_free(t);
	}
}

static uint64_t count_cells(const struct tables *t)
{
	uint64_t count = 0;
	struct cell c;

	for (size_t i = 0; tables_cell(t, i, &c); i++)
		count += c.count;
	return count;
}

static void columns_merge_when_the_run_outgrows_them(void **state)
{
	struct tables *t = new_tables((struct tables_opts){.max_cols = 4});
	struct span spans[100];
	struct cell c;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		spans[i] = span_of(METRIC_THREAD_RUNQ, CLASS_TASK, 1, i * 10 * MS + 5, 3);
	assert_int_equal(feed(t, spans, 100), 1);
	/* 100 columns of 10 ms: 32 of them make one, four fit. */
	for (size_t i = 0; i < 4; i++) {
		assert_true(tables_cell(t, i, &c));
		assert_int_equal(c.t_start, i * 320 * MS);
		assert_int_equal(c.t_end, (i + 1) * 320 * MS);
		assert_int_equal(c.count, i < 3 ? 32 : 4);
	}
	assert_false(tables_cell(t, 4, &c));
	tables_free(t);
}

static void one_sample_far_away_merges_all_before_it(void **state)
{
	struct tables *t = new_tables((struct tables_opts){.max_cols = 2});
	struct span spans[] = {
		span_of(METRIC_THREAD_RUNQ, 0, 1, 5, 1),
		span_of(METRIC_THREAD_RUNQ, 0, 1, 15 * MS, 1),
		span_of(METRIC_THREAD_RUNQ, 0, 1, UINT64_MAX - START, 1),
		span_of(METRIC_THREAD_RUNQ, 0, 1, 25 * MS, 1),
		{.metric = METRIC_THREAD_RUNQ, .tid = 1, .begin_ns = 4, .end_ns = 5},	/* before the start */
	};
	struct cell c;

	(void)state;
	feed(t, spans, 5);
	assert_true(tables_cell(t, 0, &c));
	assert_int_equal(c.count, 4);
	assert_int_equal(c.t_start, 0);
	assert_true(tables_cell(t, 1, &c));
	assert_int_equal(c.count, 1);
	assert_true(c.t_start <= UINT64_MAX - START);
	assert_false(tables_cell(t, 2, &c));
	tables_free(t);
}

static void columns_merge_when_cells_are_too_many(void **state)
{
	enum { CNT = 40000 };
	static struct span spans[CNT];
	struct tables *t = new_tables((struct tables_opts){.max_cells = 1000});

	(void)state;
	random_spans(spans, CNT, 5, 2000 * MS);
	feed(t, spans, CNT);
	assert_int_equal(count_cells(t), CNT);
	/* Groups times buckets may exceed the cap, but then there is one column. */
	assert_true(t->cells.cnt <= 1000 || t->col == 0);
	tables_free(t);
}

static void stages_count_every_sample_zeros_too(void **state)
{
	struct tables *t = new_tables((struct tables_opts){.tables = TABLE_BIT(STAGES)});
	struct span spans[10];
	struct hist h = {0};

	(void)state;
	for (size_t i = 0; i < 10; i++) {
		spans[i] = span_of(METRIC_THREAD_DRIFT, CLASS_EPOLL, 1, 100 * i, 60);
		spans[i].stage_ns[STAGE_SLACK] = i < 4 ? 0 : 50;
		spans[i].stage_ns[STAGE_RUNQ] = i < 4 ? 60 : 10;
	}
	feed(t, spans, 10);
	assert_int_equal(tables_add_hist(t, tables_group(t, 0), STAGE_SLACK, &h), 0);
	assert_int_equal(h.count, 10);
	assert_int_equal(h.sum, 300);
	assert_int_equal(h.min, 0);
	assert_int_equal(hist_quantile(&h, 400000), 0);
	assert_int_equal(hist_quantile(&h, 500000), 50);
	hist_done(&h);
	assert_int_equal(tables_add_hist(t, tables_group(t, 0), STAGE_WAKE, &h), 0);
	assert_true(h.count == 10 && h.sum == 0 && h.max == 0);
	hist_done(&h);
	assert_int_equal(tables_add_hist(t, tables_group(t, 0), STAGE_CNT, &h), 0);
	assert_true(h.count == 10 && h.sum == 600 && h.min == 60 && h.max == 60);
	hist_done(&h);
	tables_free(t);
}

static void whole_histogram_equals_recording(void **state)
{
	enum { CNT = 2000 };
	static struct span spans[CNT];
	struct tables *t = new_tables((struct tables_opts){.metrics = 1u << METRIC_THREAD_RUNQ});
	struct hist want = {0}, total = {0}, runq = {0};
	const struct group *g;

	(void)state;
	random_spans(spans, CNT, 3, 100 * MS);
	for (size_t i = 0; i < CNT; i++) {
		if (spans[i].metric == METRIC_THREAD_RUNQ)
			hist_record(&want, spans[i].end_ns - spans[i].begin_ns);
	}
	feed(t, spans, CNT);
	for (size_t i = 0; (g = tables_group(t, i)); i++) {
		assert_int_equal(g->metric, METRIC_THREAD_RUNQ);
		tables_add_hist(t, g, STAGE_CNT, &total);
		tables_add_hist(t, g, STAGE_RUNQ, &runq);
	}
	assert_true(total.count == want.count && total.sum == want.sum);
	assert_true(total.min == want.min && total.max == want.max);
	for (uint32_t ppm = 0; ppm <= 1000000; ppm += 1000) {
		assert_true(hist_quantile(&total, ppm) == hist_quantile(&want, ppm));
		assert_true(hist_quantile(&runq, ppm) == hist_quantile(&want, ppm));
	}
	hist_done(&want);
	hist_done(&total);
	hist_done(&runq);
	tables_free(t);
}

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
	assert_string_equal(tables_lock_text(t, 1, buf, sizeof(buf)), "42:0x7f00dead");
	assert_string_equal(tables_lock_text(t, LOCK_REST, buf, sizeof(buf)), "rest");
	assert_string_equal(tables_lock_text(t, 0, buf, sizeof(buf)), "");
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

static void too_many_groups_go_to_one(void **state)
{
	enum { CNT = 30000 };
	static struct span spans[CNT];
	struct tables *t = new_tables((struct tables_opts){0});
	size_t groups = 0;

	(void)state;
	for (uint32_t i = 0; i < CNT; i++)
		spans[i] = span_of(METRIC_THREAD_BLOCK, CLASS_SYSCALL + i, 1, i, 10);
	feed(t, spans, CNT);
	while (tables_group(t, groups))
		groups++;
	assert_int_equal(groups, GROUPS_MAX + 1);
	assert_int_equal(count_cells(t), CNT);
	tables_free(t);
}

static void entities_beyond_memory_keep_the_ranking_of_the_big(void **state)
{
	enum { CNT = 100000 };
	struct tables *t = new_tables((struct tables_opts){.top = 1});
	struct span_sink sink = tables_sink(t);
	const struct group *g;
	bool again = true;

	(void)state;
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < CNT; i++) {
			struct span s = span_of(METRIC_THREAD_RUNQ, 0, i % 50 ? 1000 + i : 1, i, i % 50 ? 10 : 20);

			sink.span(sink.ctx, &s);
			assert_true(t->entities[METRIC_THREAD_RUNQ].cnt <= ENTITIES_MAX + 1);
		}
		assert_int_equal(tables_pass_done(t, &again), 0);
		assert_int_equal(again, !pass);
	}
	g = tables_group(t, 0);
	assert_true(g->entity == 1 && g->count == CNT / 50);
	g = tables_group(t, 1);
	assert_true(g->entity == ENTITY_REST && g->rank == SIZE_MAX && g->count == CNT - CNT / 50);
	assert_null(tables_group(t, 2));
	tables_free(t);
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
		sink.total(sink.ctx, COUNT_records, 60);
		sink.total(sink.ctx, COUNT_records, 77);
		sink.total(sink.ctx, COUNT_ring_slice, 6);
		sink.total(sink.ctx, 12345, 1);
		assert_int_equal(tables_pass_done(t, &again), 0);
		assert_true(pass || again);
	}
	check_counter(t, "waking", waking, 3);
	check_counter(t, "overrun", overrun, 1);
	check_counter(t, "clock_step", step, 1);
	check_counter(t, "futex_eagain", zero, 1);
	check_counter(t, "records", records, 1);
	check_counter(t, "ring_slice", NULL, 0);
	for (size_t i = 0; tables_loss(t, i, &cause, &count); i++) {
		assert_int_equal(count, strcmp(cause, "ring_slice") ? 0 : 6);
		losses++;
	}
	assert_int_equal(losses, COUNT_file_bad_record - COUNT_ring_waking + 1);
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
		check_events(new_tables((struct tables_opts){.tables = TABLE_BIT(EVENTS),
							     .sort_rows = chunks[i]}), spans, CNT);
	/* In reverse, no entities but the first two, with a second pass. */
	for (size_t i = 0; i < 300; i++)
		spans[i].end_ns = START + 1000000000 - 5 * i;
	check_events(new_tables((struct tables_opts){.tables = TABLE_BIT(EVENTS) | TABLE_BIT(HEATMAP), .top = 2,
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

static void dimensions_choose_the_entity(void **state)
{
	static const struct {
		const char *by, *text;
	} want[] = {{"tid", "17"}, {"pid", "10"}, {"cpu", "3"}, {"cgroup", "99"}, {"prio", "120"},
		    {"lock", "10:0xabc0"}};
	struct span s = span_of(METRIC_THREAD_FUTEX, CLASS_OTHER, 17, 100, 22);
	char buf[128];

	(void)state;
	s.cpu = 3;
	s.cgroup = 99;
	s.prio = 120;
	s.lock = 0xabc0;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		const struct dim *by = dim_find(want[i].by);
		struct tables *t = new_tables((struct tables_opts){.by = by});

		feed(t, &s, 1);
		by->text(t, tables_group(t, 0)->entity, buf, sizeof(buf));
		assert_string_equal(buf, want[i].text);
		assert_null(tables_group(t, 1));
		tables_free(t);
	}
	assert_null(dim_find("nosuch"));
	assert_string_equal(dims_list(buf, sizeof(buf)), "tid, pid, cpu, cgroup, prio, lock");
}

static void without_a_start_time_begins_with_the_first_span(void **state)
{
	struct tables_opts opts = {0};
	struct tables *t = tables_new(&opts);
	struct span s = span_of(METRIC_THREAD_RUNQ, 0, 1, 15 * MS, 15 * MS);
	struct cell c;

	(void)state;
	feed(t, &s, 1);
	assert_int_equal(tables_start_ns(t), START);
	assert_true(tables_cell(t, 0, &c));
	assert_int_equal(c.t_start, 10 * MS);
	tables_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_equal_brute_force),
		cmocka_unit_test(columns_merge_when_the_run_outgrows_them),
		cmocka_unit_test(one_sample_far_away_merges_all_before_it),
		cmocka_unit_test(columns_merge_when_cells_are_too_many),
		cmocka_unit_test(stages_count_every_sample_zeros_too),
		cmocka_unit_test(whole_histogram_equals_recording),
		cmocka_unit_test(blame_is_summed_by_whom_and_for_which_lock),
		cmocka_unit_test(blame_beyond_the_cap_is_folded_and_adds_up),
		cmocka_unit_test(too_many_groups_go_to_one),
		cmocka_unit_test(entities_beyond_memory_keep_the_ranking_of_the_big),
		cmocka_unit_test(counters_add_up_to_their_totals),
		cmocka_unit_test(too_many_counted_entities_are_in_the_rest),
		cmocka_unit_test(events_are_sorted_by_end_then_arrival),
		cmocka_unit_test(an_event_reader_can_stop),
		cmocka_unit_test(an_event_is_by_the_biggest_blame),
		cmocka_unit_test(dimensions_choose_the_entity),
		cmocka_unit_test(without_a_start_time_begins_with_the_first_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
