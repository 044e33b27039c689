/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What comes out, byte by byte: CSV tables, shapes, texts, and names that bite. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/record.h"
#include "src/export/csv.h"
#include "src/export/text.h"
#include "src/model/names.h"
#include "src/stats/dims.h"
#include "src/stats/view.h"

#define START UINT64_C(1000000000000)
#define MS UINT64_C(1000000)

#define DRIFT_STAGES(slack, runq) {[STAGE_SLACK] = slack, [STAGE_RUNQ] = runq}

static const struct blame cpu_taken[] = {{.tid = 77, .kind = BLAME_COMPETITOR, .ns = 3000},
					 {.kind = BLAME_IRQ, .ns = 1000},
					 {.tid = 78, .kind = BLAME_WAKER}};
static const struct blame held[] = {{.tid = 77, .kind = BLAME_HOLDER, .ns = 100}};

/* 11 and 12 are the threads; a top of 1 leaves 12 in `rest`. */
static const struct span spans[] = {
	{.metric = METRIC_THREAD_DRIFT, .klass = CLASS_EPOLL, .tid = 11, .tgid = 10, .cpu = 1,
	 .begin_ns = START + 5 * MS - 54000, .end_ns = START + 5 * MS, .stage_ns = DRIFT_STAGES(50000, 4000),
	 .blame = cpu_taken, .blame_cnt = 3},
	{.metric = METRIC_THREAD_DRIFT, .klass = CLASS_EPOLL, .tid = 11, .tgid = 10, .cpu = 1,
	 .begin_ns = START + 4 * MS - 54010, .end_ns = START + 4 * MS, .stage_ns = DRIFT_STAGES(50010, 4000),
	 .blame = cpu_taken, .blame_cnt = 2},
	{.metric = METRIC_THREAD_DRIFT, .klass = CLASS_POLL, .tid = 12, .tgid = 10,
	 .begin_ns = START + 25 * MS - 60, .end_ns = START + 25 * MS, .stage_ns = DRIFT_STAGES(60, 0)},
	{.metric = METRIC_THREAD_FUTEX, .klass = CLASS_MUTEX, .tid = 11, .tgid = 10, .lock = 0x7f00a0,
	 .begin_ns = START + 26 * MS - 100, .end_ns = START + 26 * MS, .blame = held, .blame_cnt = 1},
};

enum { SPAN_CNT = sizeof(spans) / sizeof(*spans) };

static void add_name(struct names *n, uint32_t tid, const char *comm)
{
	struct rec_task t = {.tid = tid, .tgid = 10};

	memcpy(t.comm, comm, strnlen(comm, sizeof(t.comm)));
	assert_int_equal(names_task(n, &t), 0);
}

static struct names *make_names(const char *comm11, const char *comm77)
{
	struct names *n = names_new();

	assert_non_null(n);
	add_name(n, 11, comm11);
	add_name(n, 77, comm77);
	return n;
}

static struct tables *make_tables(struct tables_opts opts, size_t cnt)
{
	struct tables *t;
	bool again = true;

	opts.tables = ~0u;
	t = tables_new(&opts);
	assert_non_null(t);
	tables_start(t, START);
	struct span_sink sink = tables_sink(t);

	while (again) {
		for (size_t i = 0; i < cnt; i++)
			sink.span(sink.ctx, &spans[i]);
		sink.counter(sink.ctx, ECOUNT_WAKING, 11, 3);
		sink.counter(sink.ctx, ECOUNT_OVERRUN, 12, 2);
		sink.total(sink.ctx, COUNT_waking, 4);
		sink.total(sink.ctx, COUNT_ring_slice, 9);
		assert_int_equal(tables_pass_done(t, &again), 0);
	}
	return t;
}

static void check(const struct exporter *e, struct tables *t, struct names *n, struct export_opts o,
		  const char *want)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(e->run(t, n, &o, out), 0);
	fclose(out);
	assert_string_equal(text, want);
	free(text);
	tables_free(t);
	names_free(n);
}

static void check_csv(struct tables_opts opts, struct export_opts o, const char *want)
{
	check(exporter_find("csv"), make_tables(opts, SPAN_CNT), make_names("mixer", "spin,\"er\""), o, want);
}

static void heatmap_long(void **state)
{
	(void)state;
	check_csv((struct tables_opts){.top = 1}, (struct export_opts){.table = TABLE_HEATMAP},
		  "metric,class,entity,name,t_start_ns,t_end_ns,lat_lo_ns,lat_hi_ns,count,sum_ns,max_ns\n"
		  "thread.drift,poll,rest,,20000000,30000000,60,61,1,60,60\n"
		  "thread.drift,epoll,11,mixer,0,10000000,53248,54272,2,108010,54010\n"
		  "thread.futex,mutex,11,mixer,20000000,30000000,100,102,1,100,100\n");
}

static void heatmap_wide_is_dense(void **state)
{
	(void)state;
	/* Dense in time, too: nothing happened in the first two columns. */
	check_csv((struct tables_opts){.metrics = 1u << METRIC_THREAD_FUTEX},
		  (struct export_opts){.table = TABLE_HEATMAP, .shape = SHAPE_WIDE},
		  "t_start_ns,102\n0,0\n10000000,0\n20000000,1\n");
}

static void heatmap_wide_adds_up_entities_and_classes(void **state)
{
	struct tables *t = make_tables((struct tables_opts){.metrics = 1u << METRIC_THREAD_DRIFT}, SPAN_CNT);
	struct names *n = make_names("a", "b");
	struct export_opts o = {.shape = SHAPE_WIDE};
	char *text = NULL;
	size_t size = 0, commas = 0;
	uint64_t sum = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(export_csv(t, n, &o, out), 0);
	fclose(out);
	for (const char *s = text; *s != '\n'; s++)
		commas += *s == ',';
	assert_int_equal(commas, hist_bucket(54000) - hist_bucket(60) + 1);
	assert_memory_equal(text, "t_start_ns,61,62,", 17);
	for (char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
		for (char *cell = strchr(line, ','); cell && cell < strchr(line, '\n'); cell = strchr(cell + 1, ','))
			sum += strtoull(cell + 1, NULL, 10);
	}
	assert_int_equal(sum, 3);
	free(text);
	tables_free(t);
	names_free(n);
}

static void heatmap_wide_wants_one_metric(void **state)
{
	struct tables *t = make_tables((struct tables_opts){0}, SPAN_CNT);
	struct names *n = make_names("a", "b");
	struct export_opts wide = {.shape = SHAPE_WIDE}, stages = {.table = TABLE_STAGES, .shape = SHAPE_PAIRS};

	(void)state;
	assert_int_equal(export_csv(t, n, &wide, stdout), -EINVAL);
	assert_int_equal(export_csv(t, n, &stages, stdout), -EINVAL);
	tables_free(t);
	names_free(n);
}

static void heatmap_pairs_are_sorted(void **state)
{
	(void)state;
	check_csv((struct tables_opts){0}, (struct export_opts){.shape = SHAPE_PAIRS},
		  "4000000 54010\n5000000 54000\n25000000 60\n26000000 100\n");
}

static void stages_have_rows_of_all(void **state)
{
	(void)state;
	check_csv((struct tables_opts){.metrics = 1u << METRIC_THREAD_FUTEX}, (struct export_opts){.table = TABLE_STAGES},
		  "metric,class,entity,name,stage,count,sum_ns,p50_ns,p90_ns,p99_ns,p999_ns,max_ns\n"
		  "thread.futex,*,*,,total,1,100,100,100,100,100,100\n"
		  "thread.futex,mutex,*,,total,1,100,100,100,100,100,100\n"
		  "thread.futex,mutex,11,mixer,total,1,100,100,100,100,100,100\n");
}

/* The rows of drift for all classes and entities: three samples, two of them with run-queue time. */
static void stages_of_drift(void **state)
{
	struct tables *t = make_tables((struct tables_opts){.metrics = 1u << METRIC_THREAD_DRIFT}, SPAN_CNT);
	struct names *n = make_names("a", "b");
	struct export_opts o = {.table = TABLE_STAGES};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(export_csv(t, n, &o, out), 0);
	fclose(out);
	assert_non_null(strstr(text, "\nthread.drift,*,*,,busy,3,0,0,0,0,0,0\n"
				     "thread.drift,*,*,,slack,3,100070,49408,50010,50010,50010,50010\n"
				     "thread.drift,*,*,,timer,3,0,0,0,0,0,0\n"
				     "thread.drift,*,*,,wake,3,0,0,0,0,0,0\n"
				     "thread.drift,*,*,,runq,3,8000,3984,4000,4000,4000,4000\n"
				     "thread.drift,*,*,,preempt,3,0,0,0,0,0,0\n"
				     "thread.drift,*,*,,throttle,3,0,0,0,0,0,0\n"
				     "thread.drift,*,*,,total,3,108070,53504,54010,54010,54010,54010\n"));
	free(text);
	tables_free(t);
	names_free(n);
}

static void blame_names_the_blamed(void **state)
{
	(void)state;
	check_csv((struct tables_opts){.top = 1}, (struct export_opts){.table = TABLE_BLAME},
		  "metric,class,waiter,waiter_name,by,by_name,by_kind,lock,lock_name,count,sum_ns,max_ns\n"
		  "thread.drift,epoll,11,mixer,77,\"spin,\"\"er\"\"\",competitor,,,2,6000,3000\n"
		  "thread.drift,epoll,11,mixer,,,irq,,,2,2000,1000\n"
		  "thread.drift,epoll,11,mixer,78,,waker,,,1,0,0\n"
		  "thread.futex,mutex,11,mixer,77,\"spin,\"\"er\"\"\",holder,10:0x7f00a0,,1,100,100\n");
}

static void events_have_a_column_a_stage(void **state)
{
	(void)state;
	check_csv((struct tables_opts){.top = 1}, (struct export_opts){.table = TABLE_EVENTS},
		  "metric,class,entity,name,t_ns,latency_ns,cpu,by,lock,busy,handoff,rounding,slack,timer,wake,"
		  "runq,preempt,throttle,runtime,grunq,stopping,stopped\n"
		  "thread.drift,epoll,11,mixer,4000000,54010,1,77,,0,,,50010,0,0,4000,0,0,,,,\n"
		  "thread.drift,epoll,11,mixer,5000000,54000,1,77,,0,,,50000,0,0,4000,0,0,,,,\n"
		  "thread.drift,poll,12,,25000000,60,0,,,0,,,60,0,0,0,0,0,,,,\n"
		  "thread.futex,mutex,11,mixer,26000000,100,0,77,10:0x7f00a0,,,,,,,,,,,,,\n");
}

static void counters_and_losses(void **state)
{
	(void)state;
	check_csv((struct tables_opts){0}, (struct export_opts){.table = TABLE_COUNTERS},
		  "counter,entity,name,count\n"
		  "join_impossible,,,0\ngo_hits,,,0\ngo_births,,,0\ngo_deaths,,,0\nstack_later,,,0\nstack_unreadable,,,0\nklock_short,,,0\n"
		  "waking,11,mixer,3\nwaking,rest,,1\n"
		  "waking_again,,,0\nwaking_preempted,,,0\nlost_waking,,,0\n"
		  "censored.thread.drift,,,0\ncensored.thread.runq,,,0\ncensored.thread.preempt,,,0\n"
		  "censored.thread.throttle,,,0\ncensored.thread.futex,,,0\ncensored.thread.block,,,0\n"
		  "censored.goroutine.drift,,,0\ncensored.goroutine.runq,,,0\ncensored.goroutine.lock,,,0\n"
		  "censored.goroutine.chan,,,0\ncensored.lock.wait,,,0\ncensored.process.stw,,,0\n"
		  "jiffies,,,0\noverrun,12,,2\nmissed_tick,,,0\nfutex_eagain,,,0\nclock_step,,,0\n");
	check_csv((struct tables_opts){0}, (struct export_opts){.table = TABLE_LOSS},
		  "cause,count\n"
		  "missed_switch,0\nring_waking,0\nring_preempt,0\nring_slice,9\nring_move,0\nring_task,0\nslice_history,0\n"
		  "waking_slots,0\nwaking_no_state,0\ntask_state_full,0\nrecursion,0\nfutex_eagain_map,0\n"
		  "overrun_map,0\nfile_cut,0\nfile_bad_record,0\nmissed_waking,0\nring_goroutine,0\ngoroutine_full,0\n"
		  "stack_full,0\ngo_unreadable,0\nstack_paths_full,0\nring_klock,0\n");
}

static void cells_are_safe_for_terminals_and_spreadsheets(void **state)
{
	static const struct {
		const char *raw, *csv;
	} cases[] = {
		{"", ""},
		{"plain", "plain"},
		{"a b", "a b"},
		{"a,b", "\"a,b\""},
		{"say \"hi\"", "\"say \"\"hi\"\"\""},
		{"two\nlines\r", "two\\x0alines\\x0d"},
		{"\x1b[31mred", "\\x1b[31mred"},
		{"=cmd()", "'=cmd()"},
		{"=a,\"b\"", "\"'=a,\"\"b\"\"\""},
		{"+1", "'+1"},
		{"-1", "'-1"},
		{"@x", "'@x"},
		{"\tx", "'\\x09x"},
		{"x=1", "x=1"},
		{"M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x98\x80", "M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"cut \xe2\x82", "cut \\xe2\\x82"},
		{"\xff\xfe\x80", "\\xff\\xfe\\x80"},
		{"over\xc0\xaf \xe0\x80\xaf", "over\\xc0\\xaf \\xe0\\x80\\xaf"},
		{"\xed\xa0\x80 \xf4\x90\x80\x80", "\\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80"},
		{"c1 \xc2\x9b", "c1 \\xc2\\x9b"},
		{"\x7f", "\\x7f"},
		{"fl\xe2\x80\xae" "ip", "fl\\xe2\\x80\\xaeip"},	/* U+202E turns what follows */
		{"hid\xe2\x80\x8b" "den", "hid\\xe2\\x80\\x8bden"},
		{"no \xef\xbf\xbf xml", "no \\xef\\xbf\\xbf xml"},
	};
	char buf[TEXT_SZ];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(text_csv(cases[i].raw, buf, sizeof(buf)), strlen(cases[i].csv));
		assert_string_equal(buf, cases[i].csv);
	}
}

static void long_text_is_cut_between_characters(void **state)
{
	char raw[4 * TEXT_SZ], out[TEXT_SZ];

	(void)state;
	for (size_t size = 1; size < 40; size++) {
		memset(raw, 0, sizeof(raw));
		for (size_t i = 0; i < sizeof(raw) - 4; i += 3)
			memcpy(raw + i, i % 2 ? "\xe2\x82\xac" : "a\x01z", 3);
		size_t len = text_escape(raw, out, size);

		assert_true(len < size && strlen(out) == len);
		assert_true(!len || (out[len - 1] & 0xc0) != 0xc0);
	}
	memset(raw, '"', sizeof(raw) - 1);
	raw[sizeof(raw) - 1] = '\0';
	size_t len = text_csv(raw, out, sizeof(out));

	assert_true(len < sizeof(out) && strlen(out) == len && len % 2 == 0);
}

static void times_have_three_digits(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{0, "0ns"}, {999, "999ns"}, {1000, "1.00us"}, {1234, "1.23us"}, {9996, "10.0us"}, {12345, "12.3us"},
		{99960, "100us"}, {999400, "999us"}, {999600, "1.00ms"}, {51200000, "51.2ms"},
		{999600000, "1.00s"}, {3600000000000, "3600s"},
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(text_ns(cases[i].ns, buf, sizeof(buf)), cases[i].text);
}

/* Everything but the shapes that refuse: a full disk must not pass for success. */
static void a_full_disk_is_an_error(void **state)
{
	struct tables *t = make_tables((struct tables_opts){.sort_rows = 2, .stacks = true}, SPAN_CNT);
	struct names *n = make_names("a", "b");

	(void)state;
	for (const struct exporter *e = exporters; e->name; e++) {
		for (int table = 0; table < TABLE_CNT; table++) {
			struct export_opts o = {.table = (enum table)table, .has_table = table % 2};
			FILE *full = fopen("/dev/full", "w");

			assert_non_null(full);
			assert_int_equal(e->run(t, n, &o, full), -EIO);
			fclose(full);
		}
	}
	tables_free(t);
	names_free(n);
}

static void names_are_found_and_listed(void **state)
{
	char buf[256];

	(void)state;
	assert_int_equal(table_find("blame"), TABLE_BLAME);
	assert_int_equal(table_find("nosuch"), -1);
	assert_int_equal(shape_find("wide"), SHAPE_WIDE);
	assert_int_equal(metric_find("thread.runq"), METRIC_THREAD_RUNQ);
	assert_null(exporter_find("nosuch"));
	assert_string_equal(tables_list(buf, sizeof(buf)), "heatmap, stages, blame, events, periodic, counters, "
			    "locks, holders, gauges, loss");
	assert_string_equal(shapes_list(buf, sizeof(buf)), "long, wide, pairs");
	assert_string_equal(exporters_list(buf, sizeof(buf)), "csv, text, svg, json, openmetrics, pprof, folded");
	assert_string_equal(metrics_list(3, buf, sizeof(buf)), "thread.drift, thread.runq");
	assert_string_equal(metrics_list(3, buf, 8), "thread.");
}

static void only_ascii_where_nothing_else_is_shown(void **state)
{
	char buf[64];

	(void)state;
	text_escape_ascii("M\xc3\xbcller\x1b \xff", buf, sizeof(buf));
	assert_string_equal(buf, "M\\xc3\\xbcller\\x1b \\xff");
}

static void widths_are_columns(void **state)
{
	static const struct {
		const char *text;
		size_t width;
	} cases[] = {
		{"", 0}, {"abc", 3}, {"M\xc3\xbcller", 6}, {"\xe9\x9f\xb3\xe6\xa5\xbd", 4}, {"e\xcc\x81", 1},
		{"\xf0\x9f\x98\x80", 2}, {"\xe2\x96\x88", 1}, {"\xff", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(text_width(cases[i].text), cases[i].width);
}

static void text_is_cut_and_wrapped_to_a_width(void **state)
{
	char buf[32];

	(void)state;
	text_cut("short", 5, "..", buf, sizeof(buf));
	assert_string_equal(buf, "short");
	text_cut("longer", 5, "..", buf, sizeof(buf));
	assert_string_equal(buf, "lon..");
	text_cut("longer", 2, "...", buf, sizeof(buf));
	assert_string_equal(buf, "lo");
	text_cut("\xe9\x9f\xb3\xe6\xa5\xbd\xe9\x9f\xb3", 5, "", buf, sizeof(buf));	/* two columns each */
	assert_string_equal(buf, "\xe9\x9f\xb3\xe6\xa5\xbd");
	assert_int_equal(text_line("one two three", 9), 7);
	assert_int_equal(text_line("one two three", 7), 7);
	assert_int_equal(text_line("one two three", 40), 13);
	assert_int_equal(text_line("unbreakable", 4), 4);
	assert_int_equal(text_line("\xe9\x9f\xb3", 1), 3);	/* never nothing */
}

static void axes_and_bytes_are_short(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} ticks[] = {
		{0, "0"}, {5000, "5us"}, {12500000000, "12.5s"}, {90000000000, "90s"}, {60000000000, "1min"},
		{3600000000000, "1h"}, {5400000000000, "90min"}, {131000, "131us"}, {30, "30ns"},
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < sizeof(ticks) / sizeof(*ticks); i++)
		assert_string_equal(text_tick(ticks[i].ns, buf, sizeof(buf)), ticks[i].text);
	assert_string_equal(text_bytes(999, buf, sizeof(buf)), "999B");
	assert_string_equal(text_bytes(50496, buf, sizeof(buf)), "50.5kB");
	assert_string_equal(text_bytes(1200000, buf, sizeof(buf)), "1.20MB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heatmap_long),
		cmocka_unit_test(heatmap_wide_is_dense),
		cmocka_unit_test(heatmap_wide_adds_up_entities_and_classes),
		cmocka_unit_test(heatmap_wide_wants_one_metric),
		cmocka_unit_test(heatmap_pairs_are_sorted),
		cmocka_unit_test(stages_have_rows_of_all),
		cmocka_unit_test(stages_of_drift),
		cmocka_unit_test(blame_names_the_blamed),
		cmocka_unit_test(events_have_a_column_a_stage),
		cmocka_unit_test(counters_and_losses),
		cmocka_unit_test(cells_are_safe_for_terminals_and_spreadsheets),
		cmocka_unit_test(long_text_is_cut_between_characters),
		cmocka_unit_test(times_have_three_digits),
		cmocka_unit_test(only_ascii_where_nothing_else_is_shown),
		cmocka_unit_test(widths_are_columns),
		cmocka_unit_test(text_is_cut_and_wrapped_to_a_width),
		cmocka_unit_test(axes_and_bytes_are_short),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(names_are_found_and_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
