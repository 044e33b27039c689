/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Intervals from blocks of windows: they hold what they promise for samples that are correlated, too. */
#include <math.h>
#include <time.h>

#include "src/stats/bootstrap.h"
#include "tests/unit/tables_feed.h"

enum { WINDOWS = 240, TRIALS = 60 };

static const struct boot_stat p50 = {BOOT_QUANTILE, 500000}, p99 = {BOOT_QUANTILE, 990000}, mean = {BOOT_MEAN, 0},
			      sum = {BOOT_SUM, 0}, count = {BOOT_COUNT, 0};

static void add(struct boot *b, size_t window, uint64_t ns)
{
	struct hist_part p = {.bucket = hist_bucket(ns), .count = 1, .sum = ns, .min = ns, .max = ns};

	assert_int_equal(boot_add(b, window, &p), 0);
}

/* Each window's level is partly that of the one before; the mean over all time is 1 ms. */
static struct boot *correlated(double memory, size_t samples)
{
	struct boot *b = boot_new(WINDOWS);
	double level = 0;

	assert_non_null(b);
	for (size_t w = 0; w < WINDOWS; w++) {
		level = memory * level + ((double)random_below(200001) - 100000);
		for (size_t i = 0; i < samples; i++)
			add(b, w, (uint64_t)(1000000 + level) + random_below(2001) - 1000);
	}
	return b;
}

static void values_are_those_of_the_histogram(void **state)
{
	static const uint32_t ppms[] = {1000, 500000, 900000, 990000, 999000, 1000000};
	struct boot *b = boot_new(WINDOWS);
	struct hist h = {0};
	double total = 0;

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		uint64_t ns = random_below(random_below(2) ? 100 : 5000000);

		add(b, random_below(WINDOWS), ns);
		assert_int_equal(hist_record(&h, ns), 0);
		total += (double)ns;
	}
	for (size_t i = 0; i < sizeof(ppms) / sizeof(*ppms); i++) {
		struct boot_stat s = {BOOT_QUANTILE, ppms[i]};
		double value = boot_value(b, &s), other = (double)hist_quantile(&h, ppms[i]);

		if (fabs(value - other) > other / HIST_SLOTS + 1)
			fail_msg("quantile %u: %f, the histogram has %f", ppms[i], value, other);
	}
	assert_true(fabs(boot_value(b, &mean) - total / 5000) < 1e-3);
	assert_true(fabs(boot_value(b, &sum) * WINDOWS - total) < 1);
	assert_true(fabs(boot_value(b, &count) * WINDOWS - 5000) < 1e-6);
	assert_int_equal(boot_count(b), 5000);
	hist_done(&h);
	boot_free(b);
}

static void blocks_are_as_long_as_the_memory(void **state)
{
	struct boot *none = correlated(0, 20), *much = correlated(0.95, 20);

	(void)state;
	assert_in_range(boot_block(none, &mean), BOOT_BLOCK_MIN, BOOT_BLOCK_MIN + 3);
	assert_in_range(boot_block(much, &mean), 3 * BOOT_BLOCK_MIN, WINDOWS / 3);
	assert_true(boot_freedom(much, &mean) < boot_freedom(none, &mean));
	boot_free(none);
	boot_free(much);
}

/* How many intervals of TRIALS hold the mean. */
static int held(double memory)
{
	int hits = 0;

	for (int i = 0; i < TRIALS; i++) {
		struct boot *b = correlated(memory, 5);
		struct boot_estimate e;

		assert_int_equal(boot_estimate(b, &mean, 1, 0.95, 1, &e), 0);
		assert_true(e.lo <= e.value && e.value <= e.hi);
		hits += e.lo <= 1000000 && e.hi >= 1000000;
		boot_free(b);
	}
	return hits;
}

/* With 95% of 60: below 50 there is less than a chance in 1,000 if they hold it. Without blocks 0.8 would have 45%. */
static void intervals_hold_the_truth(void **state)
{
	(void)state;
	assert_in_range(held(0), 50, TRIALS);
	assert_in_range(held(0.8), 50, TRIALS);
}

static void equal_seeds_give_equal_numbers(void **state)
{
	static double first[BOOT_RESAMPLES], second[BOOT_RESAMPLES], other[BOOT_RESAMPLES];
	struct boot *b = correlated(0.5, 5);

	(void)state;
	assert_int_equal(boot_resample(b, &p99, 1, 7, first), 0);
	assert_int_equal(boot_resample(b, &p99, 1, 7, second), 0);
	assert_int_equal(boot_resample(b, &p99, 1, 8, other), 0);
	assert_memory_equal(first, second, sizeof(first));
	assert_memory_not_equal(first, other, sizeof(first));
	boot_free(b);
}

static void nothing_is_nothing(void **state)
{
	struct boot *b = boot_new(0);
	struct boot_estimate e[2];
	const struct boot_stat stats[] = {p50, sum};

	(void)state;
	assert_true(boot_value(b, &p50) == 0);
	assert_int_equal(boot_estimate(b, stats, 2, 0.95, 1, e), 0);
	assert_true(e[0].lo == 0 && e[0].hi == 0 && e[1].hi == 0);
	add(b, 99, 5);	/* beyond the last: into the last */
	assert_int_equal(boot_estimate(b, stats, 2, 0.95, 1, e), 0);
	assert_true(e[0].value == 5 && e[0].lo == 5 && e[0].hi == 5);
	boot_free(b);
	boot_free(NULL);
}

/* Tables of Student's distribution. */
static void students_factor_is_known(void **state)
{
	static const struct {
		double tails, freedom, t;
	} rows[] = {{0.05, 5, 2.571}, {0.05, 10, 2.228}, {0.01, 10, 3.169}, {0.001, 20, 3.850}, {0.05, 1e6, 1.960}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		double t = boot_student(rows[i].tails, rows[i].freedom);

		if (fabs(t - rows[i].t) > 0.01 * rows[i].t)
			fail_msg("t of %g at %g: %f, not %f", rows[i].tails, rows[i].freedom, t, rows[i].t);
		assert_true(fabs(boot_student_tails(t, rows[i].freedom) - rows[i].tails) < 0.01 * rows[i].tails);
	}
}

/* The bar is 100 ms of CPU time for 240 windows; sanitizers cost a factor of ten. */
static void resampling_is_fast(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	const double bar = 2;
#else
	const double bar = 0.1;
#endif
	static double out[BOOT_RESAMPLES];
	struct boot *b = correlated(0.5, 100);
	clock_t begin;
	double seconds;

	(void)state;
	boot_value(b, &p99);
	begin = clock();
	assert_int_equal(boot_resample(b, &p99, 1, 1, out), 0);
	seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
	if (seconds > bar)
		fail_msg("%g s", seconds);
	boot_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_the_histogram),
		cmocka_unit_test(blocks_are_as_long_as_the_memory),
		cmocka_unit_test(intervals_hold_the_truth),
		cmocka_unit_test(equal_seeds_give_equal_numbers),
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(students_factor_is_known),
		cmocka_unit_test(resampling_is_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
