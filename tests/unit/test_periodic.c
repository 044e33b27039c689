/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Periodic timers: the period is found, drift adds up only where it does, and nothing is missed that was not. */
#include "tests/unit/tables_feed.h"

#include "src/stats/period.h"

#define US UINT64_C(1000)

static struct span thread_tick(uint32_t tid, uint64_t asked, uint64_t late)
{
	return (struct span){.metric = METRIC_THREAD_DRIFT, .klass = CLASS_NANOSLEEP, .tid = tid, .tgid = tid,
			     .begin_ns = asked, .end_ns = asked + late};
}

static void add(struct periodic *p, const struct span *s)
{
	assert_int_equal(periodic_add(p, s, s->metric == METRIC_THREAD_DRIFT ? s->tid : s->site), 0);
}

static void add_tick(struct periodic *p, uint64_t asked, uint64_t late)
{
	struct span s = thread_tick(7, asked, late);

	add(p, &s);
}

/* Sleeps until points of a grid. */
static void feed_grid(struct periodic *p, uint64_t period, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		add_tick(p, START + i * period, random_below(period / 20));
}

/* Arms itself anew after each wakeup: returns what it lost. */
static int64_t feed_rearmed(struct periodic *p, uint64_t period, size_t cnt, uint64_t late_max)
{
	uint64_t asked = START, lost = 0;

	for (size_t i = 0; i < cnt; i++) {
		uint64_t late = 5 * US + random_below(late_max), work = 1 * US + random_below(2 * US);

		add_tick(p, asked, late);
		lost += i + 1 < cnt ? late + work : 0;
		asked += late + work + period;
	}
	return (int64_t)lost;
}

static const struct periodic_row *only_row(struct periodic *p)
{
	assert_int_equal(periodic_finish(p, START, 64), 0);
	assert_int_equal(p->row_cnt, 1);
	return &p->rows[0];
}

static void check_row(struct periodic *p, uint64_t period, uint64_t ticks, uint64_t missed, int64_t drift)
{
	const struct periodic_row *r = only_row(p);

	assert_int_equal(r->period_ns, period);
	assert_int_equal(r->ticks, ticks);
	assert_int_equal(r->missed, missed);
	assert_int_equal(r->drift_ns, drift);
	periodic_done(p);
}

/* Frames of screens and sound, too, and what nobody would call round. */
static void a_grid_does_not_drift(void **state)
{
	static const uint64_t periods[] = {100 * US, MS, 2500 * US, 10 * MS, 10037 * US, 12500 * US, 16666667, 20 * MS,
					   21333333, 250 * MS, 600000 * MS};

	(void)state;
	for (size_t i = 0; i < sizeof(periods) / sizeof(*periods); i++) {
		struct periodic p = {.cap = 0};

		feed_grid(&p, periods[i], 1000);
		check_row(&p, periods[i], 1000, 0, 0);
	}
}

static void what_is_armed_relative_to_now_drifts_by_all_it_is_late(void **state)
{
	static const uint64_t periods[] = {MS, 10 * MS, 15 * MS, 12500 * US, 16666666, 30 * MS, 1000 * MS};

	(void)state;
	for (size_t i = 0; i < sizeof(periods) / sizeof(*periods); i++) {
		struct periodic p = {.cap = 0};
		int64_t lost = feed_rearmed(&p, periods[i], 1000, 40 * US);

		check_row(&p, periods[i], 1000, 0, lost);
	}
}

/* The intervals are up to 50% longer than the period, what lies between wakeup and arming is not. */
static void the_period_is_found_under_load(void **state)
{
	struct periodic p = {.cap = 0};
	int64_t lost = feed_rearmed(&p, 10 * MS, 500, 5 * MS);

	(void)state;
	check_row(&p, 10 * MS, 500, 0, lost);
}

/* Being late by periods loses them, and that is drift; a ticker skips them. */
static void late_by_periods(void **state)
{
	struct periodic rearmed = {.cap = 0}, ticker = {.cap = 0};
	uint64_t at = 0, ticks = 0, missed = 0;
	int64_t lost = feed_rearmed(&rearmed, 10 * MS, 500, 35 * MS);

	(void)state;
	check_row(&rearmed, 10 * MS, 500, 0, lost);
	while (at < 500) {
		uint64_t skip = ticks % 5 ? 0 : 1 + random_below(3);

		add_tick(&ticker, START + at * 10 * MS, skip * 10 * MS + 5 * US);	/* at the next's time */
		at += 1 + skip;
		missed += at < 500 ? skip : 0;
		ticks++;
	}
	check_row(&ticker, 10 * MS, ticks, missed, 0);
}

/* Relative sleeps towards a grid: asked is a bit off each time, and nothing adds up. */
static void a_measured_grid_is_a_grid(void **state)
{
	struct periodic p = {.cap = 0};
	const struct periodic_row *r;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		add_tick(&p, START + i * 10 * MS + random_below(4 * US), random_below(200 * US));
	r = only_row(&p);
	assert_int_equal(r->period_ns, 10 * MS);
	assert_true(llabs(r->drift_ns) < (int64_t)(4 * US));
	periodic_done(&p);
}

static void chance_has_no_period(void **state)
{
	struct periodic p = {.cap = 0};
	uint64_t asked = START;

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		asked += 1 + random_below(random_below(2) ? 20 * MS : MS);
		add_tick(&p, asked, random_below(MS));
	}
	assert_int_equal(periodic_finish(&p, START, 64), 0);
	assert_int_equal(p.row_cnt, 0);
	periodic_done(&p);
}

static void too_few_ticks_have_no_period(void **state)
{
	struct periodic p = {.cap = 0};

	(void)state;
	feed_grid(&p, 10 * MS, PERIOD_FOUND_MIN - 1);
	assert_int_equal(periodic_finish(&p, START, 64), 0);
	assert_int_equal(p.row_cnt, 0);
	periodic_done(&p);
	feed_grid(&p, 10 * MS, PERIOD_FOUND_MIN);
	check_row(&p, 10 * MS, PERIOD_FOUND_MIN, 0, 0);
}

/* A program that becomes periodic after a start that is not. */
static void a_wild_start_is_left_behind(void **state)
{
	struct periodic p = {.cap = 0};

	(void)state;
	for (size_t i = 0; i < PERIOD_LEARN; i++)
		add_tick(&p, START - 1000 * MS + i * 3 * MS + random_below(3 * MS), 0);
	feed_grid(&p, 10 * MS, 200);
	check_row(&p, 10 * MS, 200, 0, 0);
}

/* As a Ticker of Go does whose goroutine is late, and a loop that skips frames. */
static void points_of_the_grid_without_a_tick_are_missed(void **state)
{
	struct periodic p = {.cap = 0};
	uint64_t at = 0, missed = 0, ticks = 0;

	(void)state;
	for (; at < 1000; ticks++) {
		uint64_t skip = random_below(4) ? 0 : 1 + random_below(3);

		add_tick(&p, START + at * 10 * MS, 10 * US);
		missed += at + 1 + skip < 1000 ? skip : 0;
		at += 1 + skip;
	}
	check_row(&p, 10 * MS, ticks, missed, 0);
}

static void other_wakeups_between_ticks_are_none(void **state)
{
	struct periodic p = {.cap = 0};

	(void)state;
	for (size_t i = 0; i < 500; i++) {
		add_tick(&p, START + i * 10 * MS, 10 * US);
		if (i > 100 && i % 4 == 0)
			add_tick(&p, START + i * 10 * MS + 2 * MS, 10 * US);
	}
	check_row(&p, 10 * MS, 500, 0, 0);
}

static void a_pause_is_not_missed(void **state)
{
	struct periodic p = {.cap = 0};

	(void)state;
	feed_grid(&p, 10 * MS, 100);
	for (size_t i = 0; i < 100; i++)
		add_tick(&p, START + 7003 * MS + i * 10 * MS, 0);
	check_row(&p, 10 * MS, 200, 0, 0);
}

/* The same gap, but the tick before it was late all the time. */
static void a_frozen_program_misses_ticks(void **state)
{
	struct periodic p = {.cap = 0};

	(void)state;
	feed_grid(&p, 10 * MS, 100);
	add_tick(&p, START + 1000 * MS, 5995 * MS);
	add_tick(&p, START + 7000 * MS, 0);
	check_row(&p, 10 * MS, 102, 599, 0);
}

static void what_was_lost_may_have_been_ticks(void **state)
{
	struct periodic p = {.cap = 0};

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		if (i == 150)	/* told after the gap of 102 to 104, and before that of 152 to 155 */
			periodic_lost(&p, START + 1000 * MS, START + 1545 * MS, 2);
		if (i % 50 < 3 || i % 50 > 5 || i < 100 || i > 200)
			add_tick(&p, START + i * 10 * MS, 10 * US);
		if (i == 900)	/* long after its gap */
			periodic_lost(&p, START + 8000 * MS, START + 8990 * MS, 100);
	}
	/* Gaps of 3 at 103, 153: 2 of each may be lost. */
	check_row(&p, 10 * MS, 994, 2, 0);
}

static void streaks_are_of_ticks_over_the_threshold(void **state)
{
	static const struct {
		uint64_t late_ns, streak;
	} wants[] = {{0, 5}, {3 * MS, 2}, {10 * US, 40}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct periodic p = {.late_ns = wants[i].late_ns};

		for (size_t k = 0; k < 200; k++) {
			bool is_late = (k >= 50 && k < 53) || (k >= 70 && k < 75), is_bad = k == 71 || k == 72;

			add_tick(&p, START + k * 10 * MS, is_bad ? 4 * MS : is_late ? 2 * MS : k / 40 == 3 ? 900 * US : 0);
		}
		assert_int_equal(only_row(&p)->streak_max, wants[i].streak);
		periodic_done(&p);
	}
}

static void a_given_period_is_taken_and_chooses(void **state)
{
	struct periodic p = {.period_ns = 10 * MS};

	(void)state;
	for (uint64_t i = 0; i < 20; i++) {
		const struct span spans[] = {
			thread_tick(1, START + i * 10300 * US, 0), thread_tick(2, START + i * 5 * MS, 0),
			thread_tick(3, START + i * 20 * MS, 0), thread_tick(4, START + i * 9900 * US, 0),
		};

		for (size_t k = 0; k < 4; k++)
			add(&p, &spans[k]);
	}
	assert_int_equal(periodic_finish(&p, START, 64), 0);
	assert_int_equal(p.row_cnt, 2);
	assert_int_equal(p.rows[0].entity, 1);
	assert_int_equal(p.rows[0].drift_ns, 19 * 300 * US);
	assert_int_equal(p.rows[1].entity, 4);
	assert_int_equal(p.rows[1].drift_ns, -(int64_t)(19 * 100 * US));
	periodic_done(&p);
}

static struct span go_tick(uint32_t klass, uint32_t site, uint64_t goid, uint64_t asked, uint64_t late)
{
	return (struct span){.metric = METRIC_GOROUTINE_DRIFT, .klass = klass, .tid = 5, .tgid = 5, .site = site,
			     .goid = goid, .begin_ns = asked, .end_ns = asked + late};
}

/* AfterFunc starts a goroutine for each tick; a goroutine with a Ticker is the same one all the time. */
static void a_series_is_a_goroutine_or_the_site_of_a_func(void **state)
{
	struct periodic p = {.cap = 0};
	uint64_t asked = START;

	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		struct span func = go_tick(CLASS_FUNC, 1, 1000 + i, asked, 20 * US);

		add(&p, &func);
		asked += 10 * MS + 20 * US;
		for (uint64_t g = 0; g < 50; g++) {
			uint64_t phase = g * 117 * US;
			struct span tick = go_tick(CLASS_TICKER, 2, 1 + g, START + i * 20 * MS + phase, g * US);

			add(&p, &tick);
		}
	}
	assert_int_equal(periodic_finish(&p, START, 64), 0);
	assert_int_equal(p.row_cnt, 2);
	assert_true(p.rows[0].entity == 1 && p.rows[0].series == 1 && p.rows[0].ticks == 100);
	assert_int_equal(p.rows[0].site, 1);
	assert_int_equal(p.rows[0].period_ns + (uint64_t)p.rows[0].drift_ns / 99, 10 * MS + 20 * US);
	assert_true(p.rows[1].entity == 2 && p.rows[1].series == 50 && p.rows[1].ticks == 5000);
	assert_true(p.rows[1].period_ns == 20 * MS && !p.rows[1].drift_ns && !p.rows[1].missed);
	periodic_done(&p);
}

/* One that goes on finds its place among many that come and go, and many are bounded. */
static void short_lives_do_not_fill_it(void **state)
{
	struct periodic p = {.cap = 0};
	uint64_t goid = 1;

	(void)state;
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t now = START + i * 10 * MS;
		struct span ticker = go_tick(CLASS_TICKER, 1, 1, now, 0);

		add(&p, &ticker);
		for (size_t k = 0; k < 1000; k++) {
			struct span s = go_tick(CLASS_SLEEP, 2, ++goid, now + k, 0);

			add(&p, &s);
			assert_true(p.ids.cnt <= 4096);
		}
	}
	assert_int_equal(p.refused, 0);
	check_row(&p, 10 * MS, 200, 0, 0);
}

static void feed_threads(struct periodic *p, uint32_t tids, uint64_t ticks)
{
	for (uint64_t i = 0; i < ticks; i++) {
		for (uint32_t tid = 1; tid <= tids; tid++) {
			struct span s = thread_tick(tid, START + i * 10 * MS, 0);

			add(p, &s);
		}
	}
}

/* Most of what there is room for is found though more come in turns; all of it if no more come. */
static void too_many_are_bounded(void **state)
{
	static const struct {
		uint32_t tids, found_min;
	} runs[] = {{6000, 2500}, {4096, 4096}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct span late = thread_tick(9999, START + 9999 * MS, 0);
		struct periodic p = {.cap = 0};

		feed_threads(&p, runs[i].tids, 150);
		add(&p, &late);
		assert_true(p.ids.cnt <= 4096);
		assert_true(p.points <= (1 << 18) + 4096 * 16);
		assert_int_equal(p.refused, i);
		assert_int_equal(periodic_finish(&p, START, 3), 0);
		assert_int_equal(p.row_cnt, 4);
		assert_int_equal(p.rows[3].entity, ENTITY_REST);
		assert_true(p.rows[3].series + 3 >= runs[i].found_min);
		periodic_done(&p);
	}
}

static void a_line_is_bounded_and_ends_where_the_drift_does(void **state)
{
	(void)state;
	for (size_t cnt = PERIOD_FOUND_MIN; cnt < 30000; cnt = cnt * 5 / 3) {
		struct periodic p = {.cap = 0};
		int64_t lost = feed_rearmed(&p, 10 * MS, cnt, 50 * US);
		const struct periodic_row *r = only_row(&p);

		assert_true(r->line_cnt <= 240 && r->line_cnt >= (cnt < 120 ? cnt : 120));
		assert_int_equal(r->line[0].drift_ns, 0);
		assert_int_equal(r->line[r->line_cnt - 1].drift_ns, lost);
		for (size_t i = 1; i < r->line_cnt; i++) {
			assert_true(r->line[i].t_ns > r->line[i - 1].t_ns);
			assert_true(r->line[i].drift_ns > r->line[i - 1].drift_ns);
		}
		assert_true(r->line[r->line_cnt - 1].t_ns / (10 * MS) >= cnt - 1);
		periodic_done(&p);
	}
}

static void a_series_that_changes_its_ways_ends(void **state)
{
	struct periodic p = {.cap = 0};
	uint64_t asked = START + 2000 * MS;
	const struct periodic_row *r;

	(void)state;
	feed_grid(&p, 10 * MS, 200);
	for (size_t i = 0; i < 5000; i++) {
		asked += 1 * MS + random_below(200 * MS);
		add_tick(&p, asked, 0);
	}
	r = only_row(&p);
	assert_true(r->ticks >= 200 && r->ticks < 200 + 2 * 64);
	periodic_done(&p);
}

/* Any numbers: nothing overflows, and the bounds hold. */
static void nonsense_is_borne(void **state)
{
	(void)state;
	for (size_t round = 0; round < 40; round++) {
		struct periodic p = {.period_ns = round % 4 ? 0 : PERIOD_MIN_NS + random_below(PERIOD_MAX_NS - PERIOD_MIN_NS)};
		uint64_t asked = random_below(2) ? 0 : UINT64_MAX - random_below(UINT64_C(1) << 40);

		for (size_t i = 0; i < 5000; i++) {
			struct span s = go_tick((uint32_t)random_below(1 << 30), (uint32_t)random_below(3),
						random_below(5) ? 1 : random_below(UINT64_C(1) << 43), 0, 0);

			if (random_below(2))
				s = thread_tick((uint32_t)random_below(3), 0, 0);
			asked += random_below(50) ? 10 * MS : random_below(UINT64_C(1) << random_below(44));
			s.begin_ns = random_below(100) ? asked : random_below(UINT64_C(1) << 43) << random_below(22);
			s.end_ns = s.begin_ns + (random_below(3) ? 0 : random_below(UINT64_C(1) << random_below(44)));
			add(&p, &s);
			if (!random_below(100))
				periodic_lost(&p, asked - random_below(1000 * MS), asked, random_below(1 << 20));
		}
		assert_true(p.ids.cnt <= 4096);
		assert_int_equal(periodic_finish(&p, random_below(asked | 1), 4), 0);
		for (size_t i = 0; i < p.row_cnt; i++)
			assert_true(p.rows[i].line_cnt <= 240 && p.rows[i].line_cnt > 0);
		periodic_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_grid_does_not_drift),
		cmocka_unit_test(what_is_armed_relative_to_now_drifts_by_all_it_is_late),
		cmocka_unit_test(the_period_is_found_under_load),
		cmocka_unit_test(late_by_periods),
		cmocka_unit_test(a_measured_grid_is_a_grid),
		cmocka_unit_test(chance_has_no_period),
		cmocka_unit_test(too_few_ticks_have_no_period),
		cmocka_unit_test(a_wild_start_is_left_behind),
		cmocka_unit_test(points_of_the_grid_without_a_tick_are_missed),
		cmocka_unit_test(other_wakeups_between_ticks_are_none),
		cmocka_unit_test(a_pause_is_not_missed),
		cmocka_unit_test(a_frozen_program_misses_ticks),
		cmocka_unit_test(what_was_lost_may_have_been_ticks),
		cmocka_unit_test(streaks_are_of_ticks_over_the_threshold),
		cmocka_unit_test(a_given_period_is_taken_and_chooses),
		cmocka_unit_test(a_series_is_a_goroutine_or_the_site_of_a_func),
		cmocka_unit_test(short_lives_do_not_fill_it),
		cmocka_unit_test(too_many_are_bounded),
		cmocka_unit_test(a_line_is_bounded_and_ends_where_the_drift_does),
		cmocka_unit_test(a_series_that_changes_its_ways_ends),
		cmocka_unit_test(nonsense_is_borne),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
