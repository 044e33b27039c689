/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The report: its headline's rule, its text to the byte, that it fits, and that names do nothing. */
#include <locale.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "export_sample.h"
#include "src/export/axis.h"
#include "src/export/headline.h"
#include "src/export/label.h"
#include "src/export/term.h"
#include "src/export/text.h"

static void utf8(bool on)
{
	assert_non_null(setlocale(LC_CTYPE, on ? "C.UTF-8" : "C"));
}

/* So many samples of one latency. */
struct load {
	enum metric metric;
	uint32_t tid;
	size_t cnt;
	uint64_t latency;
	uint32_t klass;	/* 0: one that nobody minds */
};

static struct tables *loaded(const struct load *loads, size_t cnt, struct tables_opts opts)
{
	struct tables *t = new_tables(opts);
	struct span_sink sink = tables_sink(t);
	bool again = true;

	while (again) {
		for (size_t i = 0; i < cnt; i++) {
			for (size_t k = 0; k < loads[i].cnt; k++) {
				uint32_t klass = loads[i].klass ? loads[i].klass : CLASS_TIMER;
				struct span s = span_of(loads[i].metric, klass, loads[i].tid, (k + 1) * MS, loads[i].latency);

				s.site = loads[i].tid;
				s.stage_ns[STAGE_RUNQ] = loads[i].latency;
				sink.span(sink.ctx, &s);
			}
		}
		assert_int_equal(tables_pass_done(t, &again), 0);
	}
	return t;
}

#define D METRIC_THREAD_DRIFT
#define R METRIC_THREAD_RUNQ
#define P METRIC_THREAD_PREEMPT
#define B METRIC_THREAD_BLOCK
#define F METRIC_THREAD_FUTEX
#define GD METRIC_GOROUTINE_DRIFT
#define GR METRIC_GOROUTINE_RUNQ
#define GL METRIC_GOROUTINE_LOCK
#define GC METRIC_GOROUTINE_CHAN
#define L METRIC_LOCK_WAIT

static void headline_is_the_worst_by_the_rule(void **state)
{
	static const struct {
		struct load loads[4];
		enum metric metric;
		uint32_t tid;
	} cases[] = {
		/* drift with enough samples, however bad the others are */
		{{{D, 11, 100, 5000}, {R, 12, 1000, 900000}}, D, 11},
		/* too few of drift: the larger p99 of the others */
		{{{D, 11, 99, 5000000}, {R, 12, 100, 4000}, {P, 13, 100, 8000}}, P, 13},
		/* none has enough: drift again */
		{{{D, 11, 3, 5000}, {R, 12, 99, 900000}}, D, 11},
		/* blocking only if there is nothing else */
		{{{B, 11, 1000, 90000000}, {R, 12, 1, 100}}, R, 12},
		{{{B, 11, 5, 90000000}}, B, 11},
		/* of the metric's entities one with enough samples, else the worst */
		{{{D, 11, 100, 5000}, {D, 12, 99, 700000}, {D, 13, 200, 6000}}, D, 13},
		{{{D, 11, 60, 5000}, {D, 12, 60, 7000}}, D, 12},
		/* of a Go program its goroutines: timers, then who waited to run or for a lock, then threads */
		{{{D, 11, 1000, 900000}, {GD, 12, 100, 5000}, {GR, 13, 1000, 70000}}, GD, 12},
		{{{D, 11, 1000, 900000}, {GD, 12, 99, 5000}, {GR, 13, 100, 70}, {GL, 14, 100, 80}}, GL, 14},
		{{{D, 11, 1000, 900}, {GR, 13, 99, 70000}, {R, 14, 1000, 800000}}, D, 11},
		/* not what is entered to idle, unless that is all */
		{{{F, 11, 1000, 9000000, CLASS_GO_IDLE}, {F, 12, 100, 50}, {B, 13, 1000, 40}}, F, 12},
		{{{F, 11, 1000, 9000000, CLASS_JOIN}, {F, 12, 100, 50, CLASS_BARRIER}, {R, 13, 1, 40}}, R, 13},
		/* a lock, rather than the futex that it is made of */
		{{{F, 11, 1000, 900, CLASS_MUTEX}, {L, 0, 1000, 900, CLASS_MUTEX}, {R, 13, 1000, 800}}, L, 0},
		{{{F, 11, 1000, 900}, {L, 0, 100, 700, CLASS_MUTEX}, {R, 13, 1000, 800}}, R, 13},
		{{{GL, 11, 500, 9000000, CLASS_COND}, {GL, 12, 500, 7000000, CLASS_WAITGROUP}, {D, 13, 100, 40}}, D, 13},
		{{{GC, 11, 1000, 9000000}, {R, 12, 1, 40}}, R, 12},
		{{{F, 11, 1000, 9000000, CLASS_GO_IDLE}}, F, 11},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct tables *t = loaded(cases[i].loads, 4, (struct tables_opts){0});
		struct headline h;

		assert_int_equal(headline_find(t, &h), 1);
		assert_int_equal(h.metric, cases[i].metric);
		assert_int_equal(h.entity, cases[i].tid);
		tables_free(t);
	}
}

static void headline_of_nothing_is_none(void **state)
{
	struct tables *t = loaded(NULL, 0, (struct tables_opts){0});
	struct headline h;

	(void)state;
	assert_int_equal(headline_find(t, &h), 0);
	tables_free(t);
}

/* The tail is runq, though slack is most of the sum. */
static struct tables *tail_tables(void)
{
	static const struct blame taken[] = {{.tid = 77, .kind = BLAME_COMPETITOR, .ns = 700000},
					     {.tid = 78, .kind = BLAME_COMPETITOR, .ns = 500000},
					     {.kind = BLAME_IRQ, .ns = 100000}, {.tid = 79, .kind = BLAME_WAKER}};
	struct tables *t = new_tables((struct tables_opts){0});
	struct span_sink sink = tables_sink(t);
	bool again;

	for (int i = 0; i < 200; i++) {
		bool is_late = i % 40 == 0;
		struct span s = span_of(D, CLASS_NANOSLEEP, 11, (uint64_t)(i + 1) * MS / 8, is_late ? 1350000 : 50000);

		s.stage_ns[STAGE_SLACK] = 50000;
		s.stage_ns[STAGE_RUNQ] = is_late ? 1300000 : 0;
		s.blame = taken;
		s.blame_cnt = is_late ? 4 : 0;
		sink.span(sink.ctx, &s);
	}
	sink.counter(sink.ctx, ECOUNT_CENSORED_BLOCK, 11, 2);
	sink.total(sink.ctx, COUNT_ring_slice, 9);
	assert_int_equal(tables_pass_done(t, &again), 0);
	return t;
}

static struct names *tail_names(void)
{
	struct names *n = names_new();

	assert_non_null(n);
	add_name(n, 11, 3, "m\x1bxer");
	add_name(n, 77, 77, "hackbench");
	add_name(n, 78, 0, "hackbench");
	add_name(n, 79, 0, "M\xc3\xbcller");
	return n;
}

static void headline_says_who_when_where_and_by_whom(void **state)
{
	struct tables *t = tail_tables();
	struct names *n = tail_names();
	struct headline h;
	char text[512];

	(void)state;
	assert_int_equal(headline_find(t, &h), 1);
	assert_int_equal(headline_text(t, n, &h, text, sizeof(text)), 0);
	assert_string_equal(text, "m\x1bxer (11, inside 3) woke up to 1.35ms late (p99 1.35ms): most of it runq (woken, but "
				  "waiting for a CPU; p99 1.29ms), taken by hackbench (2 threads) 92%");
	tables_free(t);
	names_free(n);
}

static const char sample_report[] =
	"m\\x1bxer (11, inside 3) woke up to 1.35ms late (p99 1.35ms): most of it runq\n"
	"  (woken, but waiting for a CPU; p99 1.29ms), taken by hackbench (2 threads) 92%\n"
	"\n"
	"recorded 30.0ms from 2023-11-14 22:13:20 UTC; the time was over\n"
	"  pid 10 (mix\\x1ber <b>) on h&st, Linux 6.1 x86_64, CPUs: 2\n"
	"  options: -p 10 --weird '\\xff'\n"
	"\n"
	"thread.drift over time (a row begins at its label)\n"
	"  1.3ms |.....................................................................\n"
	"    1ms |\n"
	"  920us |\n"
	"  790us |\n"
	"  660us |\n"
	"  520us |\n"
	"  460us |\n"
	"  390us |\n"
	"  330us |\n"
	"  260us |\n"
	"  230us |\n"
	"  200us |\n"
	"  160us |\n"
	"  130us |\n"
	"  110us |\n"
	"   98us |\n"
	"   82us |\n"
	"   66us |\n"
	"   57us |\n"
	"   49us |#####################################################################\n"
	"        ++----------------------+----------------------+----------------------\n"
	"         0                      10ms                   20ms\n"
	"         . 1-2  : 3-8  * 9-26  # 27-78  samples; a column is 10ms\n"
	"\n"
	"thread.drift: timer-caused wakeups: ran minus asked\n"
	"  tid                         count      p50      p90      p99    p99.9      max\n"
	"  all                           200   50.0us   50.1us   1.35ms   1.35ms   1.35ms\n"
	"  m\\x1bxer (11, inside 3)       200   50.0us   50.1us   1.35ms   1.35ms   1.35ms\n"
	"\n"
	"  stage                                         share     mean      p99      max\n"
	"  slack      #####################                61%   50.0us   50.0us   50.0us\n"
	"  runq       #############                        39%   32.5us   1.29ms   1.30ms\n"
	"\n"
	"  blame      who took it                        share     time    waits      max\n"
	"  competitor hackbench (2 threads)      ######    92%   6.00ms       10    700us\n"
	"  irq        interrupts                 #          8%    500us        5    100us\n"
	"\n"
	"  woken by: M\\xc3\\xbcller (79) 5x\n"
	"\n"
	"periodic timers: drift from the grid of their period\n"
	"  timer of                  period    ticks  missed     drift streak over time\n"
	"  m\\x1b.. (11, inside 3)     125us      196      14   +50.0us      1 ###########\n"
	"  streak: the most ticks in a row that were late by more than a tenth of the\n"
	"    period, and 1ms\n"
	"\n"
	"  counted: missed_tick 14\n"
	"  censored: thread.block 2\n"
	"  lost: ring_slice 9 (ring full: a run slice)\n"
	"  not attached: futex_results: EACCES\n"
	"  cost: collector cpu 600us (2% of a CPU), bytes 50.5kB\n";

static void report_to_the_byte(void **state)
{
	struct tables *t = tail_tables();
	struct names *n = tail_names();
	char *text;

	(void)state;
	utf8(false);
	unsetenv("COLUMNS");
	text = exported("text", t, n, &sample_opts);
	assert_string_equal(text, sample_report);
	free(text);
	tables_free(t);
	names_free(n);
}

static void report_of_nothing(void **state)
{
	struct tables *t = loaded(NULL, 0, (struct tables_opts){0});
	struct names *n = names_new();
	char *text = exported("text", t, n, &(struct export_opts){0});

	(void)state;
	assert_string_equal(text, "\nno samples\n\n  lost: nothing\n");
	free(text);
	tables_free(t);
	names_free(n);
}

static void report_shows_ten_and_the_rest(void **state)
{
	struct load loads[30];
	struct names *n = names_new();
	struct tables *t;
	char *text;

	(void)state;
	for (uint32_t i = 0; i < 30; i++)
		loads[i] = (struct load){B, i + 1, 1, 99 - i};
	t = loaded(loads, 30, (struct tables_opts){.top = 12});
	text = exported("text", t, n, &(struct export_opts){0});
	assert_non_null(strstr(text, "\n  tid 1                           1     99ns"));
	assert_non_null(strstr(text, "\n  tid 10                          1     90ns"));
	assert_null(strstr(text, "\n  tid 11 "));
	assert_non_null(strstr(text, "\n  rest                           20 "));
	free(text);
	tables_free(t);
	names_free(n);
}

/* Lines, columns and bytes of a report for this width. */
static void check_text(const char *text, size_t width, bool is_utf8)
{
	char line[4096];

	for (const char *s = text; *s;) {
		size_t len = strcspn(s, "\n");

		assert_true(len < sizeof(line));
		memcpy(line, s, len);
		line[len] = '\0';
		if (text_width(line) > width)
			fail_msg("%zu columns of %zu: %s", text_width(line), width, line);
		for (const char *c = line; *c; c++) {
			if ((unsigned char)*c < 0x20 || *c == 0x7f || (!is_utf8 && (unsigned char)*c >= 0x80))
				fail_msg("byte %02x: %s", (unsigned char)*c, line);
		}
		if (len && line[len - 1] == ' ')
			fail_msg("blank at the end: '%s'", line);
		s += len + (s[len] == '\n');
	}
}

static void report_fits_and_names_do_nothing(void **state)
{
	static const char *const widths[] = {"60", "80", "100", "200"};
	struct names *n = hostile_names();

	(void)state;
	for (const struct dim *by = dims; by->name; by++) {
		for (size_t i = 0; i < 8; i++) {
			bool is_utf8 = i % 2;
			struct tables *t = random_tables(i < 2 ? 30 : 3000, (i + 1) * 400 * MS,
							 (struct tables_opts){.by = by, .top = i < 4 ? 64 : 5});
			char *text;

			utf8(is_utf8);
			setenv("COLUMNS", widths[i / 2], 1);
			text = exported("text", t, n, &sample_opts);
			/* The tables need 74. */
			check_text(text, i < 2 ? 74 : strtoul(widths[i / 2], NULL, 10), is_utf8);
			assert_null(strstr(text, "\xe2\x80\xae"));
			free(text);
			tables_free(t);
		}
	}
	unsetenv("COLUMNS");
	names_free(n);
}

static void a_cut_recording_is_said_so(void **state)
{
	struct model_info cut = sample_info;
	struct export_opts o = sample_opts;
	struct tables *t = tail_tables();
	struct names *n = names_new();
	char *text;

	(void)state;
	cut.has_end = false;
	o.info = &cut;
	text = exported("text", t, n, &o);
	assert_non_null(strstr(text, "; cut off: "));
	assert_non_null(strstr(text, "the recording was cut off at the right edge"));
	free(text);
	tables_free(t);
	names_free(n);
}

static void colour_and_width_are_the_terminals(void **state)
{
	struct winsize size = {.ws_col = 123, .ws_row = 40};
	int terminal, fd;

	(void)state;
	setenv("COLUMNS", "77", 1);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	assert_int_equal(openpty(&terminal, &fd, NULL, NULL, &size), 0);
	FILE *out = fdopen(fd, "w");
	FILE *file = tmpfile();

	assert_true(term_of(out).has_color);
	assert_int_equal(term_of(out).width, 123);
	assert_false(term_of(file).has_color);
	assert_int_equal(term_of(file).width, 77);
	setenv("NO_COLOR", "1", 1);
	assert_false(term_of(out).has_color);
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_false(term_of(out).has_color);
	unsetenv("COLUMNS");
	assert_int_equal(term_of(file).width, 80);
	setenv("COLUMNS", "9999999999", 1);
	assert_int_equal(term_of(file).width, 400);
	unsetenv("COLUMNS");
	fclose(out);
	fclose(file);
	close(terminal);
}

static void every_escape_is_ended(void **state)
{
	const struct term term = {.width = 80, .is_utf8 = true, .has_color = true};
	struct export_opts o = sample_opts;
	struct names *n = hostile_names();
	struct tables *t = random_tables(3000, 900 * MS, (struct tables_opts){0});
	bool is_on = false;
	char *text;

	(void)state;
	o.term = &term;
	text = exported("text", t, n, &o);
	for (const char *s = text; (s = strchr(s, '\x1b')); s++) {
		bool ends = !strncmp(s, "\x1b[0m", 4);

		assert_true(ends || !strncmp(s, "\x1b[1m", 4) || !strncmp(s, "\x1b[38;5;", 7));
		assert_int_equal(is_on, ends);
		is_on = !ends;
	}
	assert_false(is_on);
	assert_non_null(strstr(text, "\x1b[38;5;"));
	free(text);
	tables_free(t);
	names_free(n);
}

static void bars_are_in_proportion(void **state)
{
	static const struct {
		double share;
		bool is_utf8;
		const char *text;
	} cases[] = {
		{0, true, ""}, {1, true, "\xe2\x96\x88\xe2\x96\x88"}, {0.5, true, "\xe2\x96\x88"},
		{0.25, true, "\xe2\x96\x8c"}, {0.001, true, "\xe2\x96\x8f"}, {7, true, "\xe2\x96\x88\xe2\x96\x88"},
		{0.5, false, "#"}, {0.001, false, "#"}, {1, false, "##"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct term term = {.is_utf8 = cases[i].is_utf8};
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);

		assert_int_equal(term_bar(&term, out, cases[i].share, 2), text_width(cases[i].text));
		fclose(out);
		assert_string_equal(text, cases[i].text);
		free(text);
	}
}

static void axes_have_steps_people_count_in(void **state)
{
	static const struct {
		uint64_t length, step;
		size_t cnt;
	} cases[] = {
		{6 * 1000 * MS, 1000 * MS, 6}, {6 * 1000 * MS, 2000 * MS, 5}, {676 * MS, 100 * MS, 8},
		{90000 * MS, 20000 * MS, 6}, {3600000 * MS, 600000 * MS, 6}, {UINT64_C(864000) * 1000 * MS, 2 * 86400000 * MS, 5},
		{1, 1, 10}, {0, 1, 10},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(axis_step(cases[i].length, cases[i].cnt), cases[i].step);
	assert_int_equal(axis_round(1048576), 1000000);
	assert_int_equal(axis_round(63), 63);
	for (uint64_t max = 1; max < 1000; max += 7) {
		unsigned int last = 1;

		assert_int_equal(axis_level(0, max, 6), 0);
		assert_int_equal(axis_level(1, max, 6), 1);
		for (uint64_t v = 1; v <= max; v++) {
			unsigned int level = axis_level(v, max, 6);

			assert_true(level >= last && level <= 6 && axis_level_from(level, max, 6) <= v);
			last = level;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headline_is_the_worst_by_the_rule),
		cmocka_unit_test(headline_of_nothing_is_none),
		cmocka_unit_test(headline_says_who_when_where_and_by_whom),
		cmocka_unit_test(report_to_the_byte),
		cmocka_unit_test(report_of_nothing),
		cmocka_unit_test(report_shows_ten_and_the_rest),
		cmocka_unit_test(report_fits_and_names_do_nothing),
		cmocka_unit_test(a_cut_recording_is_said_so),
		cmocka_unit_test(colour_and_width_are_the_terminals),
		cmocka_unit_test(every_escape_is_ended),
		cmocka_unit_test(bars_are_in_proportion),
		cmocka_unit_test(axes_have_steps_people_count_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
