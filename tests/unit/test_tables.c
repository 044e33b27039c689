/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Groups, heatmap and stages against brute force over the spans: sums are exact whatever was merged. */
#include "tests/unit/tables_feed.h"

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
		struct tables *t = new_tables((struct tables_opts){.top = tops[i], .max_cols = i ? 8 : 0,
								   .by = dim_find("tid")});

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

static void entity_text(const struct tables *t, const struct names *n, size_t i, char *buf, size_t size)
{
	const struct group *g = tables_group(t, i);

	assert_non_null(g);
	const struct entity e = tables_entity(t, n, g);

	tables_dim(t, g->metric)->text(&e, buf, size);
}

static void dimensions_choose_the_entity(void **state)
{
	static const struct {
		const char *by, *text;
	} want[] = {{"entity", "17"}, {"tid", "17"}, {"pid", "10"}, {"site", "unknown"}, {"goid", ""}, {"label", ""},
		    {"cpu", "3"}, {"cgroup", "99"}, {"prio", "120"}, {"lock", "10:0xabc0"}};
	struct span s = span_of(METRIC_THREAD_FUTEX, CLASS_OTHER, 17, 100, 22);
	struct names *n = names_new();
	char buf[128];

	(void)state;
	s.cpu = 3;
	s.cgroup = 99;
	s.prio = 120;
	s.lock = 0xabc0;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		struct tables *t = new_tables((struct tables_opts){.by = dim_find(want[i].by)});

		feed(t, &s, 1);
		entity_text(t, n, 0, buf, sizeof(buf));
		assert_string_equal(buf, want[i].text);
		assert_null(tables_group(t, 1));
		tables_free(t);
	}
	assert_null(dim_find("nosuch"));
	assert_string_equal(dims_list(buf, sizeof(buf)),
			    "entity, tid, pid, site, goid, label, cpu, cgroup, prio, lock");
	names_free(n);
}

static void add_symbol(struct names *n, uint32_t tgid, uint64_t pc, const char *func, const char *file, uint32_t line)
{
	struct rec_symbol r = {.tgid = tgid, .pc = pc, .line = line, .last = 1};

	snprintf(r.func, sizeof(r.func), "%s", func);
	snprintf(r.file, sizeof(r.file), "%s", file);
	assert_int_equal(names_symbol(n, &r), 0);
}

static void add_labels(struct names *n, uint32_t tgid, uint64_t labels, const char *text)
{
	struct rec_golabel r = {.tgid = tgid, .labels = labels};

	snprintf(r.text, sizeof(r.text), "%s", text);
	assert_int_equal(names_golabel(n, &r), 0);
}

/* Texts of all entities of the first metric there is, by rank. */
static void check_entities(const struct span *spans, size_t cnt, const char *by, const struct names *n,
			   const char *const *want, size_t want_cnt)
{
	struct tables *t = new_tables((struct tables_opts){.by = dim_find(by)});
	char buf[128];

	tables_names(t, n);
	feed(t, spans, cnt);
	for (size_t i = 0; i < want_cnt; i++) {
		entity_text(t, n, i, buf, sizeof(buf));
		assert_string_equal(buf, want[i]);
	}
	assert_null(tables_group(t, want_cnt));
	tables_free(t);
}

#define CHECK_ENTITIES(spans, cnt, by, n, ...) \
	check_entities(spans, cnt, by, n, (const char *const[]){__VA_ARGS__}, \
		       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void a_goroutine_is_its_site_its_number_or_its_labels(void **state)
{
	struct names *n = names_new();
	struct span s[4];

	(void)state;
	add_symbol(n, 10, 0x100, "main.worker", "/src/main.go", 7);
	add_symbol(n, 10, 0x200, "main.main", "/src/main.go", 42);
	add_labels(n, 10, 0xc0001, "k=a");
	add_labels(n, 10, 0xc0002, "k=b");
	add_labels(n, 10, 0xc0003, "k=a");
	for (size_t i = 0; i < 4; i++) {
		s[i] = span_of(METRIC_GOROUTINE_RUNQ, CLASS_READIED, 17, 100 * i + 100, 40 - i);
		s[i].goid = i == 3 ? 1 : i + 1;
		s[i].label = i == 3 ? 0 : 0xc0001 + i;
		s[i].site = i == 3 ? 0 : names_site(n, 10, 0x100, 0x200);
	}
	CHECK_ENTITIES(s, 4, "entity", n, "main.main main.go:42", "unknown");
	CHECK_ENTITIES(s, 4, "site", n, "main.main main.go:42", "unknown");
	CHECK_ENTITIES(s, 4, "goid", n, "1", "2", "3");
	CHECK_ENTITIES(s, 4, "label", n, "k=a", "k=b", "");
	CHECK_ENTITIES(s, 4, "tid", n, "17");
	/* A number is of its process. */
	s[3].tgid = 20;
	CHECK_ENTITIES(s, 4, "goid", n, "10:1", "10:2", "10:3", "20:1");
	/* Labels that nobody told are one, and known ones stay apart. */
	s[0].label = 0xc0007;
	s[1].label = 0xc0008;
	CHECK_ENTITIES(s, 4, "label", n, "unknown", "k=a", "");
	s[0].metric = METRIC_PROCESS_STW;
	s[0].site = 0;
	CHECK_ENTITIES(s, 1, "entity", n, "10");
	CHECK_ENTITIES(s, 1, "site", n, "");
	names_free(n);
}

static void a_wait_without_an_address_is_by_its_place(void **state)
{
	struct names *n = names_new();
	const struct rec_stack stack = {.tgid = 10, .id = 3, .pc0 = 0x300};
	struct span s = span_of(METRIC_GOROUTINE_CHAN, CLASS_SEND, 17, 100, 22);

	(void)state;
	add_symbol(n, 10, 0x300, "main.(*Room).publish", "/src/room.go", 88);
	assert_int_equal(names_stack(n, &stack), 0);
	s.wait_site = names_call_site(n, 10, 3);
	CHECK_ENTITIES(&s, 1, "lock", n, "main.(*Room).publish room.go:88");
	/* Others with no address waited for no lock. */
	s.metric = METRIC_GOROUTINE_DRIFT;
	CHECK_ENTITIES(&s, 1, "lock", n, "");
	s.metric = METRIC_GOROUTINE_LOCK;
	s.lock = 0xc000;
	CHECK_ENTITIES(&s, 1, "lock", n, "10:0xc000");
	names_free(n);
}

static void ids_are_bounded(void **state)
{
	enum { CNT = 100000 };
	struct names *n = names_new();
	struct tables *t = new_tables((struct tables_opts){.by = dim_find("goid"), .top = 2});
	struct span_sink sink = tables_sink(t);
	uint64_t count = 0;
	struct blame_row b;
	bool again = true, seen_rest = false;

	(void)state;
	while (again) {
		for (uint64_t i = 0; i < CNT; i++) {
			const struct blame by = {.kind = BLAME_WAKER, .site = 1, .goid = i + 1, .ns = 1};
			struct span s = span_of(METRIC_GOROUTINE_CHAN, CLASS_SEND, 17, 100, 22);

			s.tgid = 1 + (uint32_t)(i % 1000);
			s.goid = UINT64_MAX - i;
			s.blame = &by;
			s.blame_cnt = 1;
			sink.span(sink.ctx, &s);
		}
		assert_int_equal(tables_pass_done(t, &again), 0);
	}
	assert_true(t->wakers.cnt <= WAKERS_MAX);
	for (size_t i = 0; tables_blame(t, i, &b); i++) {
		count += b.count;
		seen_rest |= b.by_type == BY_TASK && b.by == BY_REST;
	}
	assert_int_equal(count, CNT);
	assert_true(seen_rest);
	assert_int_equal(tables_group(t, 2)->entity, ENTITY_REST);
	assert_int_equal(tables_group(t, 2)->count, CNT - 2);
	tables_free(t);
	names_free(n);
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
		cmocka_unit_test(too_many_groups_go_to_one),
		cmocka_unit_test(entities_beyond_memory_keep_the_ranking_of_the_big),
		cmocka_unit_test(dimensions_choose_the_entity),
		cmocka_unit_test(a_goroutine_is_its_site_its_number_or_its_labels),
		cmocka_unit_test(a_wait_without_an_address_is_by_its_place),
		cmocka_unit_test(ids_are_bounded),
		cmocka_unit_test(without_a_start_time_begins_with_the_first_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
