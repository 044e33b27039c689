/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Periodic timers in the tables and in what is made of them: ranked, counted, written and drawn. */
#include "tests/unit/export_sample.h"

#define US UINT64_C(1000)

static struct span thread_tick(uint32_t tid, uint64_t asked, uint64_t late)
{
	return (struct span){.metric = METRIC_THREAD_DRIFT, .klass = CLASS_NANOSLEEP, .tid = tid, .tgid = tid,
			     .begin_ns = asked, .end_ns = asked + late};
}

/* Rows of a metric: the most drift first, the others together; the counter says the same. */
static void tables_rank_by_drift_and_count_what_was_missed(void **state)
{
	enum { TIDS = 5, TICKS = 100 };
	static struct span spans[TIDS * TICKS];
	size_t cnt = 0;

	(void)state;
	for (uint64_t i = 0; i < TICKS; i++) {
		for (uint32_t tid = 1; tid <= TIDS; tid++) {
			if (i == 70 && tid < 4)
				continue;
			spans[cnt] = thread_tick(tid, START + i * (10 * MS + tid * 2 * US), tid * 2 * US);
			cnt++;
		}
	}
	for (size_t top = 1; top <= TIDS; top++) {
		struct tables *t = new_tables((struct tables_opts){.top = top, .period_ns = 10 * MS});
		uint64_t missed = 0, counted = 0;
		struct counter_row c;
		struct periodic_row r;
		size_t i;

		assert_int_equal(feed(t, spans, cnt), top < TIDS ? 2 : 1);
		for (i = 0; tables_periodic(t, i, &r); i++) {
			bool is_rest = i == top;

			assert_int_equal(r.entity, is_rest ? ENTITY_REST : TIDS - i);
			assert_int_equal(r.drift_ns, (TIDS - i) * 2 * US * (TICKS - 1));
			assert_int_equal(r.series, is_rest ? TIDS - top : 1);
			missed += r.missed;
		}
		assert_int_equal(i, top < TIDS ? top + 1 : top);
		assert_int_equal(missed, 3);
		for (i = 0; tables_counter(t, i, &c); i++)
			counted += strcmp(c.name, "missed_tick") ? 0 : c.count;
		assert_int_equal(counted, 3);
		assert_int_equal(tables_periodic_refused(t), 0);
		tables_free(t);
	}
}

/* Threads 10 to 12, which lose 20 us, nothing, and win 30 us a tick of 10 ms. */
static struct tables *sample_tables(size_t top)
{
	enum { TICKS = 100 };
	struct tables *t = new_tables((struct tables_opts){.tables = ~0u, .top = top, .period_ns = 10 * MS});
	static const uint64_t intervals[] = {10020 * US, 10000 * US, 9970 * US};
	static struct span spans[3 * TICKS];
	size_t cnt = 0;

	for (uint64_t i = 0; i < TICKS; i++) {
		for (uint32_t k = 0; k < 3; k++)
			spans[cnt++] = thread_tick(10 + k, START + MS + i * intervals[k], i < 4 ? 2 * MS : 1000);
	}
	feed(t, spans, cnt);
	return t;
}

static const struct model_info second = {.start_ns = START, .end_ns = START + 1000 * MS, .has_end = true};

static char *sample_text(const char *format, size_t top)
{
	struct names *n = names_new();
	struct tables *t = sample_tables(top);
	const struct export_opts o = {.table = TABLE_PERIODIC, .has_table = strcmp(format, "text") && strcmp(format, "svg"),
				      .info = &second};
	char *text;

	assert_non_null(n);
	add_name(n, 10, 0, "re<armed");
	add_name(n, 11, 0, "grid");
	text = exported(format, t, n, &o);
	names_free(n);
	tables_free(t);
	return text;
}

static void csv_and_json_have_the_columns(void **state)
{
	char *all = sample_text("csv", 64), *two = sample_text("csv", 1), *json = sample_text("json", 1);

	(void)state;
	assert_string_equal(all, "entity,name,period_ns,ticks,missed,drift_ns,streak_max\n"
			    "12,,10000000,100,0,-2970000,4\n"
			    "10,re<armed,10000000,100,0,1980000,4\n"
			    "11,grid,10000000,100,0,0,4\n");
	assert_string_equal(two, "entity,name,period_ns,ticks,missed,drift_ns,streak_max\n"
			    "12,,10000000,100,0,-2970000,4\n"
			    "rest,,,200,0,1980000,4\n");
	assert_string_equal(json, "[\n{\"entity\":\"12\",\"name\":\"\",\"period_ns\":10000000,\"ticks\":100,\"missed\":0,"
			    "\"drift_ns\":-2970000,\"streak_max\":4},\n"
			    "{\"entity\":\"rest\",\"name\":\"\",\"period_ns\":null,\"ticks\":200,\"missed\":0,"
			    "\"drift_ns\":1980000,\"streak_max\":4}\n]\n");
	free(all);
	free(two);
	free(json);
}

static void the_report_has_a_section(void **state)
{
	char *all = sample_text("text", 64), *two = sample_text("text", 1);
	const char *at = strstr(all, "\nperiodic timers"), *cut = strstr(two, "\nperiodic timers");

	(void)state;
	assert_non_null(at);
	assert_non_null(cut);
	assert_memory_equal(at, "\nperiodic timers: drift from the grid of their period\n", 54);
	assert_memory_equal(strstr(at, "\n  re<armed"), "\n  re<armed (10)             10.0ms      100       0   +1.98ms"
			    "      4 _..-::=++*#", 75);
	assert_memory_equal(strstr(at, "\n  grid"), "\n  grid (11)                 10.0ms      100       0       0ns"
			    "      4 ___________", 75);
	assert_memory_equal(strstr(at, "\n  tid 12"), "\n  tid 12                    10.0ms      100       0   -2.97ms"
			    "      4 *++=::-..__", 75);
	assert_memory_equal(strstr(cut, "\n  the others"), "\n  the others (2)                        200       0   +1.98ms"
			    "      4\n", 64);
	assert_non_null(strstr(at, "\n  streak: the most ticks in a row that were late by more than a tenth of the\n"
			       "    period, and 1ms\n"));
	free(all);
	free(two);
}

static void the_picture_has_a_line_for_each(void **state)
{
	char *text = sample_text("svg", 64);
	size_t lines = 0;

	(void)state;
	for (const char *s = text; (s = strstr(s, "<polyline")); s++)
		lines++;
	assert_int_equal(lines, 6);	/* each on a white rim */
	assert_non_null(strstr(text, ">re&lt;armed (10): drift +1.98ms from a period of 10ms<"));
	assert_non_null(strstr(text, ">grid (11): drift 0ns from a period of 10ms<"));
	assert_non_null(strstr(text, "on a linear scale from -2.97ms to +1.98ms"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_rank_by_drift_and_count_what_was_missed),
		cmocka_unit_test(csv_and_json_have_the_columns),
		cmocka_unit_test(the_report_has_a_section),
		cmocka_unit_test(the_picture_has_a_line_for_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
