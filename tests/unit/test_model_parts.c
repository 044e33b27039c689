/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The parts of the model below the records: history, partition, blame. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bpf/record.h"
#include "src/model/blame.h"
#include "src/model/partition.h"

static void push(struct history *h, uint64_t *head, uint64_t begin, uint64_t end, uint32_t by)
{
	history_push(h, head, &(struct piece){.begin_ns = begin, .end_ns = end, .by = by, .stage = STAGE_RUNQ});
}

static void owners_keep_their_own_order(void **state)
{
	uint64_t odd = 0, even = 0;
	struct history_walk walk;
	struct history h;

	(void)state;
	assert_int_equal(history_init(&h, 16), 0);
	for (uint64_t i = 1; i <= 12; i++)
		push(&h, i % 2 ? &odd : &even, i, i + 1, 0);
	walk = history_from(&h, odd);
	for (uint64_t i = 11; i != 1; i -= 2)
		assert_int_equal(history_older(&walk)->begin_ns, i);
	assert_int_equal(history_older(&walk)->begin_ns, 1);
	assert_null(history_older(&walk));
	assert_false(walk.gone);
	history_done(&h);
	history_done(&h);
}

static void the_oldest_is_overwritten_first(void **state)
{
	uint64_t first = 0, other = 0;
	struct history_walk walk;
	struct history h;

	(void)state;
	assert_int_equal(history_init(&h, 8), 0);
	push(&h, &first, 100, 200, 0);
	for (uint64_t i = 0; i < 7; i++)
		push(&h, &other, 300 + i, 301 + i, 0);
	walk = history_from(&h, first);
	assert_int_equal(history_older(&walk)->begin_ns, 100);
	assert_int_equal(h.gone_ns, 0);
	push(&h, &other, 400, 401, 0);
	walk = history_from(&h, first);
	assert_null(history_older(&walk));
	assert_true(walk.gone);
	assert_int_equal(h.gone_ns, 200);
	history_done(&h);
}

static void a_link_longer_than_its_field_leads_nowhere(void **state)
{
	uint64_t head = 0;
	struct history_walk walk;
	struct history h;

	(void)state;
	assert_int_equal(history_init(&h, 8), 0);
	push(&h, &head, 100, 200, 0);
	h.next += 1ull << 33;
	push(&h, &head, 300, 400, 0);
	walk = history_from(&h, head);
	assert_int_equal(history_older(&walk)->begin_ns, 300);
	assert_null(history_older(&walk));
	assert_true(walk.gone);
	history_done(&h);
}

static void check_stages(const struct timeline *t, uint64_t begin, uint64_t end, const struct own_sleep *s,
			 const uint64_t want[STAGE_CNT])
{
	uint64_t have[STAGE_CNT] = {0};

	assert_int_equal(partition(t, begin, end, s, have), 0);
	assert_memory_equal(have, want, sizeof(have));
}

static void a_sample_is_cut_around_pieces_and_sleep(void **state)
{
	struct history h;
	struct timeline t = {.history = &h, .rules = &cut_drift};
	const struct own_sleep sleep = {.off_ns = 400, .until_ns = 500, .due_ns = 420, .fired_ns = 450};

	(void)state;
	assert_int_equal(history_init(&h, 8), 0);
	push(&h, &t.head, 200, 300, 0);
	push(&h, &t.head, 600, 650, 0);
	push(&h, &t.head, 900, 950, 0);	/* after the end of a sample that comes late */
	check_stages(&t, 100, 700, &sleep, (uint64_t[STAGE_CNT]){
		[STAGE_BUSY] = 100 + 100 + 100 + 50, [STAGE_SLACK] = 20, [STAGE_TIMER] = 30, [STAGE_WAKE] = 50,
		[STAGE_RUNQ] = 150});
	/* begin and end may lie in any of them */
	check_stages(&t, 250, 620, &sleep, (uint64_t[STAGE_CNT]){
		[STAGE_BUSY] = 200, [STAGE_SLACK] = 20, [STAGE_TIMER] = 30, [STAGE_WAKE] = 50, [STAGE_RUNQ] = 70});
	check_stages(&t, 430, 470, &sleep, (uint64_t[STAGE_CNT]){[STAGE_TIMER] = 20, [STAGE_WAKE] = 20});
	check_stages(&t, 610, 630, &sleep, (uint64_t[STAGE_CNT]){[STAGE_RUNQ] = 20});
	check_stages(&t, 610, 610, &sleep, (uint64_t[STAGE_CNT]){0});
	history_done(&h);
}

static void a_sample_over_too_many_pieces_is_refused(void **state)
{
	uint64_t stage_ns[STAGE_CNT] = {0};
	struct history h;
	struct timeline t = {.history = &h, .rules = &cut_drift};
	const struct own_sleep none = {.off_ns = UINT64_MAX, .until_ns = UINT64_MAX};

	(void)state;
	assert_int_equal(history_init(&h, 2 * PARTITION_PIECES_MAX), 0);
	for (uint64_t i = 1; i <= PARTITION_PIECES_MAX; i++)
		push(&h, &t.head, 10 * i, 10 * i + 5, 0);
	assert_int_equal(partition(&t, 1, 1000000, &none, stage_ns), -ENODATA);
	assert_int_equal(partition(&t, 30, 1000000, &none, stage_ns), 0);
	history_done(&h);
}

/* Competitors beyond the rows are unknown; the others have their own time, whatever their hash. */
static void many_competitors_have_a_row_each(void **state)
{
	struct slices *slices = calloc(1, sizeof(*slices));
	struct blame_rows *b = calloc(1, sizeof(*b));
	struct history pieces;
	uint64_t head = 0;

	(void)state;
	assert_non_null(slices);
	assert_non_null(b);
	assert_int_equal(history_init(&pieces, 8), 0);
	assert_int_equal(history_init(&slices->history, 1 << 14), 0);
	for (uint64_t i = 0; i < 4000; i++)
		push(&slices->history, &slices->head[0], 1000 + i * 10, 1010 + i * 10, (1 + i % 2000) * 7919);
	push(&pieces, &head, 1000, 41000, BY_SLICES);
	for (int round = 0; round < 2; round++) {
		blame_reset(b);
		blame_pieces(b, slices, &pieces, head, 0, UINT64_MAX);
		blame_close(b, 40000);
		assert_int_equal(b->cnt, BLAME_ROWS + 1);
		for (size_t i = 0; i < BLAME_ROWS; i++) {
			assert_int_equal(b->rows[i].ns, 20);
			assert_int_equal(b->rows[i].tid, (2000 - i) * 7919);
		}
		assert_int_equal(b->rows[BLAME_ROWS].kind, BLAME_UNKNOWN);
		assert_int_equal(b->rows[BLAME_ROWS].ns, 40000 - 20 * BLAME_ROWS);
	}
	history_done(&slices->history);
	history_done(&pieces);
	free(slices);
	free(b);
}

static void a_sample_looks_at_so_many_slices(void **state)
{
	struct slices *slices = calloc(1, sizeof(*slices));
	struct blame_rows *b = calloc(1, sizeof(*b));
	struct history pieces;
	uint64_t head = 0;

	(void)state;
	assert_non_null(slices);
	assert_non_null(b);
	assert_int_equal(history_init(&pieces, 8), 0);
	assert_int_equal(history_init(&slices->history, 1 << 15), 0);
	for (uint64_t i = 0; i < 20000; i++)
		push(&slices->history, &slices->head[0], 1000 + i * 10, 1010 + i * 10, 7);
	push(&pieces, &head, 1000, 201000, BY_SLICES);
	blame_reset(b);
	blame_pieces(b, slices, &pieces, head, 0, UINT64_MAX);
	blame_close(b, 200000);
	assert_int_equal(b->cnt, 2);
	assert_int_equal(b->rows[0].ns, 10 * BLAME_SLICES);
	assert_int_equal(b->rows[1].kind, BLAME_UNKNOWN);
	history_done(&slices->history);
	history_done(&pieces);
	free(slices);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_keep_their_own_order),
		cmocka_unit_test(the_oldest_is_overwritten_first),
		cmocka_unit_test(a_link_longer_than_its_field_leads_nowhere),
		cmocka_unit_test(a_sample_is_cut_around_pieces_and_sleep),
		cmocka_unit_test(a_sample_over_too_many_pieces_is_refused),
		cmocka_unit_test(many_competitors_have_a_row_each),
		cmocka_unit_test(a_sample_looks_at_so_many_slices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
