/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Verdicts: what passes, what fails, and above all what neither does. */
#include <math.h>

#include "tests/unit/gate_feed.h"

static void expect(const struct verdict *v, enum result result, const char *why)
{
	if (v->result != result || !strstr(v->why, why))
		fail_msg("%s: %s (%s): %g in [%g, %g], n %llu", v->text, result_words[v->result], v->why, v->estimate,
			 v->lo, v->hi, (unsigned long long)v->n);
}

/* One budget on 2,000 samples of `mixer` between 1 and 2 ms. */
static struct verdict of_even(const char *budget)
{
	struct verdict v;
	struct fed f;

	fed_begin(&f, &budget, 1);
	drifts(&f, 11, 2000, MS, 2 * MS);
	v = judged(&f, 0);
	fed_end(&f);
	return v;
}

static void the_interval_decides(void **state)
{
	static const struct {
		const char *budget;
		enum result result;
		const char *why;
	} rows[] = {
		{"thread.drift p99 < 3ms", RESULT_PASS, ""},
		{"thread.drift p99 < 1500us", RESULT_FAIL, "1.99ms is over the budget of 1.50ms"},
		{"thread.drift p99 < 1990us", RESULT_INCONCLUSIVE, "may be on either side of 1.99ms"},
		{"thread.drift p50 < 2ms", RESULT_PASS, ""},
		{"thread.drift p50 < 1ms", RESULT_FAIL, "over the budget"},
		{"thread.drift p50 > 1ms", RESULT_PASS, ""},
		{"thread.drift p50 > 2ms", RESULT_FAIL, "1.50ms is below the budget of 2.00ms"},
		{"thread.drift p50 < 1502us", RESULT_INCONCLUSIVE, "may be on either side"},
		{"thread.drift max < 2ms", RESULT_PASS, ""},
		{"thread.drift max < 1999us", RESULT_FAIL, "over the budget"},
		{"thread.drift mean < 1600us", RESULT_PASS, ""},
		{"thread.drift mean < 1400us", RESULT_FAIL, "1.50ms"},
		{"thread.drift count <= 2000", RESULT_PASS, ""},
		{"thread.drift count < 2000", RESULT_FAIL, "2000 is over"},
		{"thread.drift rate < 300/s", RESULT_PASS, ""},
		{"thread.drift rate > 300/s", RESULT_FAIL, "200/s is below the budget of 300/s"},
		{"thread.drift total < 40%", RESULT_PASS, ""},
		{"thread.drift total < 20%", RESULT_FAIL, "30% is over the budget of 20%"},
		{"thread.drift p99 < 3ms stage runq", RESULT_PASS, ""},
		{"thread.drift p99 < 1ms stage runq", RESULT_FAIL, "over the budget"},
		{"thread.drift p99 < 1us stage slack", RESULT_PASS, ""},
		{"thread.throttle count < 1", RESULT_PASS, ""},
		{"thread.throttle total < 1%", RESULT_PASS, ""},
		{"thread.throttle rate < 1/s", RESULT_PASS, ""},
		{"thread.throttle p99 < 1ms", RESULT_INCONCLUSIVE, "no samples; to ask for none, give: thread.throttle count < 1"},
		{"thread.drift count < 1 for \"mixter*\"", RESULT_INCONCLUSIVE, "no samples of that name"},
		{"goroutine.lock total < 3%", RESULT_INCONCLUSIVE, "nothing of that kind was recorded"},
		{"goroutines < 3", RESULT_INCONCLUSIVE, "nothing of that kind was recorded"},
		{"loss < 0.1%", RESULT_PASS, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct verdict v = of_even(rows[i].budget);

		expect(&v, rows[i].result, rows[i].why);
		assert_true(!v.has_estimate || (v.lo <= v.estimate && v.estimate <= v.hi));
	}
}

static void names_choose_the_samples(void **state)
{
	const char *const budgets[] = {
		"thread.drift max < 3ms for mixer", "thread.drift max < 3ms for mixer*", "thread.drift count <= 100 for m*r",
		"thread.drift max < 3ms",
	};
	struct fed f;

	(void)state;
	fed_begin(&f, budgets, 4);
	drifts(&f, 11, 100, MS, 2 * MS);
	drifts(&f, 12, 100, 4 * MS, 5 * MS);
	for (size_t i = 0; i < 4; i++) {
		struct verdict v = judged(&f, i);

		assert_int_equal(v.n, i % 2 ? 200 : 100);
		assert_int_equal(v.result, i % 2 ? RESULT_FAIL : RESULT_PASS);
	}
	fed_end(&f);
}

static void names_are_matched_as_people_write_them(void **state)
{
	(void)state;
	assert_true(name_is_meant("mix*", "mixer"));
	assert_false(name_is_meant("mix", "mixer"));
	assert_true(name_is_meant("b.(*T).Run", "b.(*T).Run"));
	assert_true(name_is_meant("b.*Run", "github.com/a/b.(*T).Run"));
	assert_true(name_is_meant("b.F[go/types.X]", "github.com/a/b.F[go/types.X]"));
	assert_false(name_is_meant("types.X]", "github.com/a/b.F[go/types.X]"));
}

static void the_worst_three_are_kept(void **state)
{
	const char *budget = "thread.drift max < 1ms stage runq";
	struct verdict v;
	struct fed f;

	(void)state;
	fed_begin(&f, &budget, 1);
	drifts(&f, 11, 100, 10 * US, 20 * US);
	drift(&f, 12, 3 * SECOND, 9 * MS, STAGE_SLACK);	/* another stage */
	drift(&f, 12, 4 * SECOND, 5 * MS, STAGE_RUNQ);
	drift(&f, 11, 5 * SECOND, 8 * MS, STAGE_RUNQ);
	drift(&f, 12, 6 * SECOND, 7 * MS, STAGE_RUNQ);
	v = judged(&f, 0);
	assert_int_equal(v.result, RESULT_FAIL);
	assert_int_equal(v.series->worst_cnt, WORST_CNT);
	assert_int_equal(v.series->worst[0].value, 8 * MS);
	assert_int_equal(v.series->worst[0].t_ns, 5 * SECOND);
	assert_int_equal(v.series->worst[0].tid, 11);
	assert_int_equal(v.series->worst[0].by.tid, 13);
	assert_int_equal(v.series->worst[0].by.ns, 4 * MS);
	assert_int_equal(v.series->worst[1].value, 7 * MS);
	assert_int_equal(v.series->worst[2].value, 5 * MS);
	fed_end(&f);
}

static struct verdict of_few(const char *budget, size_t cnt, uint64_t min_samples)
{
	struct verdict v;
	struct fed f;

	fed_begin(&f, &budget, 1);
	drifts(&f, 11, cnt, MS, 2 * MS);
	f.judged.min_samples = min_samples;
	v = judged(&f, 0);
	fed_end(&f);
	return v;
}

/* 0.99^368 is 2.5%: fewer than 368 samples say nothing of what lies above their greatest. */
static void a_tail_takes_samples(void **state)
{
	struct verdict v;

	(void)state;
	assert_int_equal(quantile_needs(0.99), 368);
	assert_int_equal(quantile_needs(0.999), 3688);
	assert_int_equal(quantile_needs(0.5), 6);
	v = of_few("thread.drift p99 < 1s", 300, 0);
	expect(&v, RESULT_INCONCLUSIVE, "too few samples: 300, it takes 368");
	assert_true(isinf(v.hi));
	v = of_few("thread.drift p99 < 1s", 400, 0);
	expect(&v, RESULT_PASS, "");
	v = of_few("thread.drift p99 < 1s", 400, 500);
	expect(&v, RESULT_INCONCLUSIVE, "too few samples: 400, it takes 500");
	v = of_few("thread.drift p99 < 1us", 300, 0);
	expect(&v, RESULT_INCONCLUSIVE, "too few samples");
	v = of_few("thread.drift mean < 1s", 20, 0);
	expect(&v, RESULT_INCONCLUSIVE, "too few samples: 20, it takes 30");
	v = of_few("thread.drift max < 1s", 20, 0);
	expect(&v, RESULT_PASS, "");
	v = of_few("thread.drift max < 1us", 20, 100);
	expect(&v, RESULT_FAIL, "over");
	v = of_few("thread.drift count < 1000", 20, 100);
	expect(&v, RESULT_PASS, "");
}

/* 2% of the samples are 10 ms: spread over the time they are p99; all in one moment they may be an accident. */
static void a_burst_is_no_tail(void **state)
{
	const char *budget = "thread.drift p99 < 3ms";
	struct verdict v;
	struct fed f;

	(void)state;
	fed_begin(&f, &budget, 1);
	for (size_t i = 0; i < 5000; i++)
		drift(&f, 11, i * 2 * MS + 10 * MS, i % 50 ? MS : 10 * MS, STAGE_RUNQ);
	v = judged(&f, 0);
	expect(&v, RESULT_FAIL, "10.0ms is over the budget of 3.00ms");
	fed_end(&f);
	fed_begin(&f, &budget, 1);
	for (size_t i = 0; i < 5000; i++)
		drift(&f, 11, i * 2 * MS + 10 * MS, i / 100 == 25 ? 10 * MS : MS, STAGE_RUNQ);
	v = judged(&f, 0);
	expect(&v, RESULT_INCONCLUSIVE, "10.0ms, but it may be on either side of 3.00ms");
	fed_end(&f);
}

static struct verdict of_lost(const char *budget, unsigned int count_id, uint64_t lost, uint64_t of_mixer)
{
	struct verdict v;
	struct fed f;

	fed_begin(&f, &budget, 1);
	drifts(&f, 11, 20000, MS, 2 * MS);
	f.sink.total(f.sink.ctx, count_id, lost);
	f.sink.counter(f.sink.ctx, ECOUNT_LOST_WAKING, 11, of_mixer);
	f.sink.counter(f.sink.ctx, ECOUNT_LOST_WAKING, 13, lost > of_mixer ? lost - of_mixer : 0);
	v = judged(&f, 0);
	fed_end(&f);
	return v;
}

static void losses_widen_and_then_end_it(void **state)
{
	const unsigned int full = COUNT_ring_waking;
	struct verdict v;

	(void)state;
	v = of_lost("thread.drift p99 < 3ms", full, 10, 10);
	expect(&v, RESULT_PASS, "");
	v = of_lost("thread.drift p99.9 < 3ms", full, 19, 19);
	expect(&v, RESULT_INCONCLUSIVE, "the 19 samples that were lost could change it");
	v = of_lost("thread.drift max < 3ms", full, 1, 1);
	expect(&v, RESULT_INCONCLUSIVE, "the 1 samples that were lost could change it");
	v = of_lost("thread.drift max < 1ms", full, 1, 1);
	expect(&v, RESULT_FAIL, "over");
	v = of_lost("thread.drift count < 20010", full, 15, 15);
	expect(&v, RESULT_INCONCLUSIVE, "could change it");
	v = of_lost("thread.drift p99 < 3ms", full, 100, 100);
	expect(&v, RESULT_INCONCLUSIVE, "0.498% was lost, 0.1% is allowed");
	v = of_lost("thread.drift p50 < 1ms", full, 100, 100);
	expect(&v, RESULT_FAIL, "over");
	v = of_lost("loss < 0.1%", full, 100, 100);
	expect(&v, RESULT_FAIL, "0.498% is over the budget of 0.1%");
	/* Of another thread, or of nothing that would be a sample. */
	v = of_lost("thread.drift max < 3ms for mixer", full, 5, 0);
	expect(&v, RESULT_PASS, "");
	v = of_lost("thread.drift max < 3ms", COUNT_ring_slice, 500, 0);
	expect(&v, RESULT_PASS, "");
	v = of_lost("loss <= 0%", COUNT_slice_history, 500, 0);
	expect(&v, RESULT_PASS, "");
	v = of_lost("thread.drift max < 3ms", COUNT_ring_goroutine, 5, 0);
	expect(&v, RESULT_PASS, "");
}

static struct verdict of_early(const char *budget)
{
	struct verdict v;
	struct fed f;

	fed_begin(&f, &budget, 1);
	drifts(&f, 11, 2000, MS, 2 * MS);
	snprintf(f.judged.early, sizeof(f.judged.early), "the target ended after 10.0s of 60.0s");
	v = judged(&f, 0);
	fed_end(&f);
	return v;
}

static void an_early_end_passes_nothing(void **state)
{
	struct verdict v;

	(void)state;
	v = of_early("thread.drift p99 < 3ms");
	expect(&v, RESULT_INCONCLUSIVE, "the target ended after 10.0s of 60.0s");
	v = of_early("thread.drift p99 < 1us");
	expect(&v, RESULT_INCONCLUSIVE, "the target ended");
	v = of_early("thread.drift max < 3ms");
	expect(&v, RESULT_INCONCLUSIVE, "the target ended");
	v = of_early("thread.drift max < 1us");
	expect(&v, RESULT_FAIL, "over");
	v = of_early("thread.drift count > 10");
	expect(&v, RESULT_PASS, "");
	v = of_early("thread.drift count > 10000");
	expect(&v, RESULT_INCONCLUSIVE, "the target ended");
	v = of_early("loss < 1%");
	expect(&v, RESULT_INCONCLUSIVE, "the target ended");
}

static void gauge(struct fed *f, enum gauge_id id, uint32_t tgid, uint64_t t_ns, uint64_t value)
{
	lines_gauge(&f->lines, &(struct gauge){.id = id, .tgid = tgid, .time_ns = START + t_ns, .value = value});
}

static struct verdict of_gauge(const char *budget, uint64_t (*value)(uint64_t i), size_t snapshots)
{
	struct verdict v;
	struct fed f;

	fed_begin(&f, &budget, 1);
	for (uint64_t i = 0; i < snapshots; i++)
		gauge(&f, GAUGE_GOROUTINES, 10, i * SECOND, value(i));
	v = judged(&f, 0);
	assert_true(v.result == RESULT_INCONCLUSIVE || v.n == snapshots);
	fed_end(&f);
	return v;
}

static uint64_t level(uint64_t i)
{
	return 100 + i * 7 % 5;
}

static uint64_t growing(uint64_t i)
{
	return 100 + 3 * i + i * 7 % 5;
}

static uint64_t sawtooth(uint64_t i)
{
	return 100 + i % 10 * 10;
}

static void gauges_over_time(void **state)
{
	static const struct {
		const char *budget;
		uint64_t (*value)(uint64_t i);
		size_t snapshots;
		enum result result;
		const char *why;
	} rows[] = {
		{"goroutines < 105", level, 60, RESULT_PASS, ""},
		{"goroutines < 104", level, 60, RESULT_FAIL, "104 is over"},
		{"goroutines last < 105", level, 60, RESULT_PASS, ""},
		{"goroutines mean < 103", level, 60, RESULT_PASS, ""},
		{"goroutines mean < 101", level, 60, RESULT_FAIL, "over"},
		{"goroutines slope < 1/s", level, 60, RESULT_PASS, ""},
		{"goroutines slope < 1/s", growing, 60, RESULT_FAIL, "/s is over the budget of 1/s"},
		{"goroutines slope < 3/s", growing, 60, RESULT_INCONCLUSIVE, "either side"},
		{"goroutines slope < 5/s", growing, 60, RESULT_PASS, ""},
		{"goroutines slope < 2/s", sawtooth, 200, RESULT_PASS, ""},
		{"goroutines slope < 5/s", growing, 5, RESULT_INCONCLUSIVE, "too few samples: 5, it takes 8"},
		{"goroutines slope < 5/s", growing, 5000, RESULT_PASS, ""},
		{"goroutines slope > 5/s", growing, 5000, RESULT_FAIL, "below"},
		{"goroutines < 1 for nosuch", level, 60, RESULT_INCONCLUSIVE, "nothing of that name"},
		{"goroutines < 105 for serv*", level, 60, RESULT_PASS, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct verdict v = of_gauge(rows[i].budget, rows[i].value, rows[i].snapshots);

		expect(&v, rows[i].result, rows[i].why);
	}
}

static void the_worst_process_decides(void **state)
{
	const char *const budgets[] = {"goroutines < 50", "goroutines > 5", "goroutines_at < 9"};
	struct verdict v;
	struct fed f;

	(void)state;
	fed_begin(&f, budgets, 3);
	name_task(f.model, 20, 20, "second");
	for (uint64_t i = 0; i < 10; i++) {
		gauge(&f, GAUGE_GOROUTINES, 10, i * SECOND, 10);
		gauge(&f, GAUGE_GOROUTINES, 20, i * SECOND, i == 3 ? 60 : 20);
	}
	v = judged(&f, 0);
	expect(&v, RESULT_FAIL, "60 is over");
	assert_string_equal(v.of, "second (20)");
	v = judged(&f, 1);
	expect(&v, RESULT_PASS, "");
	assert_string_equal(v.of, "server (10)");
	v = judged(&f, 2);
	expect(&v, RESULT_INCONCLUSIVE, "nothing of that kind");
	fed_end(&f);
}

static void task(struct fed *f, uint32_t tid, uint64_t t_ns)
{
	struct rec_task t = task_of(tid, 10, "server");

	t.time = START + t_ns;
	lines_record(&f->lines, &t.hdr);
}

static void task_end(struct fed *f, uint32_t tid, uint64_t t_ns)
{
	struct rec_task_end t = {.hdr = {REC_TASK_END_KIND, sizeof(t)}, .time = START + t_ns, .tid = tid, .exited = 1};

	lines_record(&f->lines, &t.hdr);
}

/* Threads of a program without snapshots: a peak between two looks counts. */
static void threads_are_counted_without_snapshots(void **state)
{
	const char *const budgets[] = {"threads < 4", "threads last <= 2", "threads mean < 4"};
	struct verdict v;
	struct fed f;

	(void)state;
	fed_begin(&f, budgets, 3);
	task(&f, 10, 0);
	task(&f, 11, 0);
	task(&f, 11, 10);	/* only its name */
	for (uint32_t i = 0; i < 3; i++)
		task(&f, 100 + i, 5 * SECOND + MS);
	for (uint32_t i = 0; i < 3; i++)
		task_end(&f, 100 + i, 5 * SECOND + 2 * MS);
	assert_int_equal(lines_finish(&f.lines, START + 10 * SECOND), 0);
	v = judged(&f, 0);
	expect(&v, RESULT_FAIL, "5 is over");
	v = judged(&f, 1);
	expect(&v, RESULT_PASS, "");
	v = judged(&f, 2);
	expect(&v, RESULT_PASS, "");
	assert_true(v.estimate == 2);
	/* Snapshots know better. */
	gauge(&f, GAUGE_THREADS, 10, 10 * SECOND, 3);
	v = judged(&f, 0);
	expect(&v, RESULT_PASS, "");
	assert_true(v.estimate == 3);
	fed_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_interval_decides),
		cmocka_unit_test(names_choose_the_samples),
		cmocka_unit_test(names_are_matched_as_people_write_them),
		cmocka_unit_test(the_worst_three_are_kept),
		cmocka_unit_test(a_tail_takes_samples),
		cmocka_unit_test(a_burst_is_no_tail),
		cmocka_unit_test(losses_widen_and_then_end_it),
		cmocka_unit_test(an_early_end_passes_nothing),
		cmocka_unit_test(gauges_over_time),
		cmocka_unit_test(the_worst_process_decides),
		cmocka_unit_test(threads_are_counted_without_snapshots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
