/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The histogram against sorted arrays, and the tally under it all against plain sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "src/stats/hist.h"
#include "src/stats/tally.h"

enum { MAX_VALUES = 4000 };

static const uint32_t ppms[] = {0, 1, 100000, 500000, 900000, 990000, 999000, 999999, 1000000};

static uint64_t seed = 1;

static uint64_t random_u64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull;
}

/* Spread evenly over the octaves, from 0 to `bits` bits. */
static uint64_t random_latency(unsigned int bits)
{
	unsigned int some = (unsigned int)(random_u64() >> 32) % (bits + 1);

	return some ? random_u64() >> (64 - some) : 0;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void buckets_tile_all_values(void **state)
{
	(void)state;
	for (unsigned int b = 0; b < HIST_BUCKETS; b++) {
		uint64_t lo = hist_lo(b), hi = hist_hi(b);

		assert_true(hi > lo);
		assert_int_equal(hist_bucket(lo), b);
		assert_int_equal(hist_bucket(hi - 1), b);
		if (b + 1 < HIST_BUCKETS)
			assert_true(hi == hist_lo(b + 1));
		if (lo < 64)
			assert_true(hi - lo == 1);
		else
			assert_true((hi - lo) <= lo / HIST_SLOTS);
	}
	assert_int_equal(hist_lo(0), 0);
	assert_int_equal(hist_bucket(UINT64_MAX), HIST_BUCKETS - 1);
}

static void check_quantiles(const uint64_t *sorted, size_t cnt, const struct hist *h)
{
	for (size_t i = 0; i < sizeof(ppms) / sizeof(*ppms); i++) {
		uint64_t rank = (cnt * (uint64_t)ppms[i] + 999999) / 1000000;
		uint64_t want = sorted[rank ? rank - 1 : 0], got = hist_quantile(h, ppms[i]);
		uint64_t off = got > want ? got - want : want - got;

		assert_true(off <= want / HIST_SLOTS);
		assert_true(got >= h->min && got <= h->max);
	}
}

static void quantiles_agree_with_sorted_values(void **state)
{
	static uint64_t values[MAX_VALUES];

	(void)state;
	for (size_t round = 0; round < 300; round++) {
		size_t cnt = 1 + random_u64() % (round % 3 ? 40 : MAX_VALUES);
		unsigned int bits = (unsigned int)(round % 65);
		struct hist h = {0};
		uint64_t sum = 0;

		for (size_t i = 0; i < cnt; i++) {
			values[i] = random_latency(bits);
			sum += values[i];
			assert_int_equal(hist_record(&h, values[i]), 0);
		}
		qsort(values, cnt, sizeof(*values), by_value);
		assert_true(h.count == cnt && h.sum == sum);
		assert_true(h.min == values[0] && h.max == values[cnt - 1]);
		check_quantiles(values, cnt, &h);
		hist_done(&h);
	}
}

static void quantiles_are_interpolated_inside_a_bucket(void **state)
{
	struct hist h = {0};

	(void)state;
	/* [1024, 1056) is one bucket: 32 values in it come back as they are spread. */
	for (uint64_t v = 1024; v < 1056; v++)
		hist_record(&h, v);
	assert_int_equal(h.page_cnt, 1);
	assert_int_equal(hist_quantile(&h, 500000), 1039);
	assert_int_equal(hist_quantile(&h, 250000), 1031);
	assert_int_equal(hist_quantile(&h, 1000000), 1055);
	hist_done(&h);
}

static void quantile_of_nothing_and_of_the_extremes(void **state)
{
	struct hist h = {0};

	(void)state;
	assert_int_equal(hist_quantile(&h, 500000), 0);
	hist_record(&h, 0);
	assert_int_equal(hist_quantile(&h, 1000000), 0);
	hist_record(&h, UINT64_MAX);
	assert_true(hist_quantile(&h, 1000000) == UINT64_MAX);
	assert_int_equal(hist_quantile(&h, 500000), 0);
	hist_done(&h);
}

static void assert_same(const struct hist *a, const struct hist *b)
{
	assert_true(a->count == b->count && a->sum == b->sum && a->min == b->min && a->max == b->max);
	for (uint32_t ppm = 0; ppm <= 1000000; ppm += 500)
		assert_true(hist_quantile(a, ppm) == hist_quantile(b, ppm));
}

static void merge_equals_concatenation(void **state)
{
	(void)state;
	for (size_t round = 0; round < 50; round++) {
		struct hist all = {0}, parts[3] = {0}, merged = {0};

		for (size_t i = 0; i < 500; i++) {
			uint64_t v = random_latency(40);

			hist_record(&all, v);
			/* The last part stays empty every other round. */
			hist_record(&parts[random_u64() % (round % 2 ? 3 : 2)], v);
		}
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(hist_merge(&merged, &parts[i]), 0);
		assert_same(&merged, &all);
		for (size_t i = 0; i < 3; i++)
			hist_done(&parts[i]);
		hist_done(&merged);
		hist_done(&all);
	}
}

static void adding_parts_equals_recording(void **state)
{
	struct hist recorded = {0}, added = {0};
	struct hist_part part = {.bucket = hist_bucket(1000), .count = 3, .sum = 3005, .min = 1000, .max = 1004};
	struct hist_part nothing = {.bucket = 0, .min = 0};

	(void)state;
	hist_record(&recorded, 1000);
	hist_record(&recorded, 1001);
	hist_record(&recorded, 1004);
	assert_int_equal(hist_add(&added, &part), 0);
	assert_int_equal(hist_add(&added, &nothing), 0);
	assert_same(&added, &recorded);
	hist_done(&recorded);
	hist_done(&added);
}

static void tally_counts_like_an_array(void **state)
{
	static uint64_t counts[64][64];
	struct tally t = {0};

	(void)state;
	for (size_t i = 0; i < 100000; i++) {
		uint64_t a = random_u64() % 64, b = random_u64() % 64;

		counts[a][b]++;
		tally_add(tally_at(&t, a << 40, b), 1, a + b, i);
	}
	for (uint64_t a = 0; a < 64; a++) {
		for (uint64_t b = 0; b < 64; b++) {
			const struct tally_row *r = tally_find(&t, a << 40, b);

			assert_int_equal(r ? r->count : 0, counts[a][b]);
			assert_int_equal(r ? r->sum : 0, counts[a][b] * (a + b));
		}
	}
	assert_null(tally_find(&t, 64, 64));
	tally_done(&t);
}

static bool halve_or_drop(void *ctx, struct tally_row *r)
{
	(void)ctx;
	r->a /= 2;
	return r->a != 2;
}

static void rekey_adds_up_rows_that_became_equal(void **state)
{
	struct tally t = {0};

	(void)state;
	for (uint64_t a = 0; a < 8; a++)
		tally_add(tally_at(&t, a, 7), 1, a, a);
	tally_rekey(&t, halve_or_drop, NULL);
	assert_int_equal(t.cnt, 3);
	assert_null(tally_find(&t, 2, 7));
	const struct tally_row *r = tally_find(&t, 3, 7);

	assert_int_equal(r->count, 2);
	assert_int_equal(r->sum, 6 + 7);
	assert_int_equal(r->max, 7);
	tally_add(tally_at(&t, 9, 9), 1, 1, 1);
	assert_int_equal(t.cnt, 4);
	tally_done(&t);
}

static bool to_zero(void *ctx, struct tally_row *r)
{
	(void)ctx;
	r->a = 0;
	return true;
}

static void fold_keeps_the_biggest_and_the_sum(void **state)
{
	struct tally t = {0};
	uint64_t sum = 0;

	(void)state;
	for (uint64_t a = 1; a <= 100; a++)
		tally_add(tally_at(&t, a, 0), 1, a <= 50 ? 5 : a, a);
	assert_int_equal(tally_fold(&t, 60, to_zero, NULL), 0);
	assert_int_equal(t.cnt, 61);
	for (uint64_t a = 51; a <= 100; a++)
		assert_non_null(tally_find(&t, a, 0));
	/* Of the 50 equal ones, the ten earliest. */
	assert_non_null(tally_find(&t, 10, 0));
	assert_null(tally_find(&t, 11, 0));
	assert_int_equal(tally_find(&t, 0, 0)->count, 40);
	for (size_t i = 0; i < t.cnt; i++)
		sum += t.rows[i].sum;
	assert_int_equal(sum, 50 * 5 + (51 + 100) * 25);
	tally_done(&t);
}

static void the_sum_of_late_samples_leaves_out_the_others(void **state)
{
	struct hist h = {0};

	(void)state;
	assert_int_equal(hist_sum_from(&h, 0), 0);
	for (int i = 0; i < 1000; i++)
		hist_record(&h, 50);
	hist_record(&h, 1 << 20);
	hist_record(&h, 1 << 22);
	assert_int_equal(hist_sum_from(&h, 0), 50000 + (1 << 20) + (1 << 22));
	assert_int_equal(hist_sum_from(&h, 51), (1 << 20) + (1 << 22));
	assert_int_equal(hist_sum_from(&h, (1 << 22) + (1 << 18)), 0);
	hist_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_tile_all_values),
		cmocka_unit_test(quantiles_agree_with_sorted_values),
		cmocka_unit_test(quantiles_are_interpolated_inside_a_bucket),
		cmocka_unit_test(quantile_of_nothing_and_of_the_extremes),
		cmocka_unit_test(the_sum_of_late_samples_leaves_out_the_others),
		cmocka_unit_test(merge_equals_concatenation),
		cmocka_unit_test(adding_parts_equals_recording),
		cmocka_unit_test(tally_counts_like_an_array),
		cmocka_unit_test(rekey_adds_up_rows_that_became_equal),
		cmocka_unit_test(fold_keeps_the_biggest_and_the_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
