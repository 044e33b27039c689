/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Waits for one lock over time, against brute force over the moments at which somebody began or ended to wait. */
#include "tests/unit/tables_feed.h"

#include "src/stats/contention.h"

struct wait {
	uint64_t begin, end;
};

static int by_end(const void *a, const void *b)
{
	const struct wait *x = a, *y = b;

	return x->end < y->end ? -1 : x->end > y->end;
}

/* How many wait just before `at`. */
static uint32_t waiters_before(const struct wait *w, size_t cnt, uint64_t at)
{
	uint32_t n = 0;

	for (size_t i = 0; i < cnt; i++)
		n += w[i].begin < at && w[i].end >= at;
	return n;
}

static uint32_t most_in(const struct wait *w, size_t cnt, uint64_t from, uint64_t to)
{
	uint32_t most = waiters_before(w, cnt, to);

	for (size_t i = 0; i < cnt; i++) {
		uint32_t n = w[i].end > from && w[i].end <= to ? waiters_before(w, cnt, w[i].end) : 0;

		most = n > most ? n : most;
	}
	return most;
}

static uint64_t contended_in(const struct wait *w, size_t cnt, uint64_t from, uint64_t to)
{
	uint64_t ns = 0;

	for (uint64_t at = from; at < to; at++)
		ns += waiters_before(w, cnt, at + 1) != 0;
	return ns;
}

static uint64_t waited_in(const struct wait *w, size_t cnt, uint64_t from, uint64_t to)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < cnt; i++) {
		uint64_t begin = w[i].begin > from ? w[i].begin : from, end = w[i].end < to ? w[i].end : to;

		ns += end > begin ? end - begin : 0;
	}
	return ns;
}

static struct contention fed(const struct wait *w, size_t cnt, uint64_t width)
{
	struct contention c = {.cols = NULL};

	for (size_t i = 0; i < cnt; i++)
		assert_int_equal(contention_add(&c, width, w[i].begin, w[i].end), 0);
	return c;
}

enum { CNT = 60, LENGTH = 1000, WIDTH = 50, COLS = LENGTH / WIDTH + 1 };

static void random_waits(struct wait *w, uint64_t longest)
{
	for (size_t i = 0; i < CNT; i++) {
		uint64_t ns = random_below(4) ? random_below(30) : random_below(longest);

		w[i].end = ns + random_below(LENGTH - ns);
		w[i].begin = w[i].end - ns;
	}
	qsort(w, CNT, sizeof(*w), by_end);
}

static void a_column_never_has_more_than_there_were(const struct contention *c, const struct wait *w, uint64_t width)
{
	for (size_t i = 0; i < c->col_cnt; i++) {
		const struct lock_col *col = &c->cols[i];

		assert_int_equal(col->wait_ns, waited_in(w, CNT, i * width, (i + 1) * width));
		assert_int_equal(col->contended_ns, contended_in(w, CNT, i * width, (i + 1) * width));
		assert_true(col->queue_max <= most_in(w, CNT, i * width, (i + 1) * width));
		assert_true(!col->queue_max == !col->wait_ns);
	}
}

static void queue_and_contended_time_equal_brute_force(void **state)
{
	(void)state;
	for (size_t round = 0; round < 60; round++) {
		struct wait w[CNT];
		struct contention c;

		random_waits(w, round % 3 ? 900 : 60);
		c = fed(w, CNT, WIDTH);
		assert_int_equal(contention_finish(&c, WIDTH), most_in(w, CNT, 0, LENGTH));
		a_column_never_has_more_than_there_were(&c, w, WIDTH);
		contention_done(&c);
	}
}

static void columns_that_merged_equal_those_that_were_wide(void **state)
{
	(void)state;
	for (size_t round = 0; round < 30; round++) {
		struct wait w[CNT];
		struct contention c = {.cols = NULL};

		random_waits(w, 300);
		for (size_t i = 0; i < CNT; i++) {
			if (i == CNT / 2)
				contention_widen(&c, 2);
			assert_int_equal(contention_add(&c, i < CNT / 2 ? WIDTH : 4 * WIDTH, w[i].begin, w[i].end), 0);
		}
		assert_int_equal(contention_finish(&c, 4 * WIDTH), most_in(w, CNT, 0, LENGTH));
		a_column_never_has_more_than_there_were(&c, w, 4 * WIDTH);
		contention_done(&c);
	}
}

/* Of waits that all end in one column each, nothing is left to chance. */
static void a_convoy_is_counted_column_by_column(void **state)
{
	static const struct wait w[] = {{10, 60}, {20, 70}, {30, 80}, {5, 130}, {120, 140}, {110, 260}};
	static const uint32_t queue[] = {4, 4, 3, 1, 1, 1};
	static const uint32_t ended[] = {0, 3, 2, 0, 0, 1};
	struct contention c = fed(w, sizeof(w) / sizeof(*w), 50);

	(void)state;
	assert_int_equal(contention_finish(&c, 50), 4);
	assert_int_equal(c.col_cnt, 6);
	for (size_t i = 0; i < c.col_cnt; i++) {
		assert_int_equal(c.cols[i].queue_max, queue[i]);
		assert_int_equal(c.cols[i].count, ended[i]);
	}
	assert_int_equal(c.cols[2].max_ns, 125);
	assert_int_equal(c.cols[5].max_ns, 150);
	contention_done(&c);
}

/* One wait lies over more periods of contention than are kept. */
static void a_long_wait_over_many_short_ones_fills_the_gaps(void **state)
{
	enum { PERIODS = 5 * CONTENTION_BUSY_MAX };
	struct contention c = {.cols = NULL};
	uint64_t contended = 0;

	(void)state;
	for (uint64_t i = 0; i < PERIODS; i++)
		assert_int_equal(contention_add(&c, 100, 20 * i, 20 * i + 5), 0);
	assert_int_equal(contention_add(&c, 100, 400, 20 * PERIODS), 0);
	assert_int_equal(contention_finish(&c, 100), 2);
	for (size_t i = 0; i < c.col_cnt; i++)
		contended += c.cols[i].contended_ns;
	assert_int_equal(contended, 20 * 5 + 20 * (PERIODS - 20));
	contention_done(&c);
}

static void more_at_once_than_there_are_slots_stay_bounded(void **state)
{
	struct contention c = {.cols = NULL};

	(void)state;
	for (uint64_t i = 0; i < CONTENTION_SLOTS_MAX + 1000; i++)
		assert_int_equal(contention_add(&c, 1000000, 1, 10 + i), 0);
	assert_int_equal(contention_finish(&c, 1000000), CONTENTION_SLOTS_MAX);
	contention_done(&c);
}

/* Not in order, as when CPUs' records meet: the sums stay, and the queue is not too short. */
static void waits_out_of_order_lose_no_time(void **state)
{
	(void)state;
	for (size_t round = 0; round < 30; round++) {
		struct wait w[CNT];
		struct contention c;
		uint64_t waited = 0;

		random_waits(w, 60);
		for (size_t i = 1; i + 1 < CNT; i += 2) {
			struct wait other = w[i];

			w[i] = w[i + 1];
			w[i + 1] = other;
		}
		c = fed(w, CNT, WIDTH);
		assert_true(contention_finish(&c, WIDTH) >= most_in(w, CNT, 0, LENGTH));
		for (size_t i = 0; i < c.col_cnt; i++)
			waited += c.cols[i].wait_ns;
		assert_int_equal(waited, waited_in(w, CNT, 0, LENGTH));
		contention_done(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_and_contended_time_equal_brute_force),
		cmocka_unit_test(columns_that_merged_equal_those_that_were_wide),
		cmocka_unit_test(a_convoy_is_counted_column_by_column),
		cmocka_unit_test(a_long_wait_over_many_short_ones_fills_the_gaps),
		cmocka_unit_test(more_at_once_than_there_are_slots_stay_bounded),
		cmocka_unit_test(waits_out_of_order_lose_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
