/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Go processes in tables, report, JSON and pictures: gauges, growth, who waits where, and names that bite. */
#include <jansson.h>
#include <locale.h>

#include "go_sample.h"
#include "src/export/growth.h"
#include "src/export/headline.h"
#include "src/export/text.h"

static const char sample_section[] =
	"\nGo runtime of server (20)\n"
	"  go1.22.3, probes light: full would cost 4% of its CPU\n"
	"  SCHED 10000ms: gomaxprocs=2 idleprocs=1 threads=5 spinningthreads=0\n"
	"    idlethreads=0 runqueue=0 [sum 0]\n"
	"\n"
	"                              min     mean      max     last over time\n"
	"  goroutines                    8     58.0      108      108 _....--::::==++++*#\n"
	"  goroutines_running            1      1.0        1        1 ###################\n"
	"  goroutines_waiting            7     57.0      107      107 _....--::::==++++*#\n"
	"  threads                       5      5.0        5        5 ###################\n"
	"  threads_idle                  0      0.5        1        0  ##  ##  ##  ##  # \n"
	"  procs                         2      2.0        2        2 ###################\n"
	"  procs_idle                    1      1.0        1        1 ###################\n"
	"  procs_running                 1      1.0        1        1 ###################\n"
	"  timers                      100    100.0      100      100 ###################\n"
	"  timers_max                   60     60.0       60       60 ###################\n"
	"  goroutine.runq                     250us    300us          #                  \n"
	"  goroutine.lock                    2.30ms   2.30ms          #                  \n"
	"  meanwhile: gc_cycles 10 (1.0/s), sched_ticks 10000 (1000/s),\n"
	"    waits for mutexes 10.0ms in all, by the runtime's own estimate\n"
	"  grew: main.worker +100 in 10.0s (10/s), 100 now, steadily; created at\n"
	"    main.serve server.go:31; mostly waiting: chan receive at main.handle\n"
	"    server.go:77, the oldest for 10.0s\n"
	"  waiting: 100 of main.worker (main.serve server.go:31): chan receive at\n"
	"    main.handle server.go:77, the oldest for 10.0s\n"
	"  waiting: 5 of example.com/game/room.(*Room).run (main.main main.go:12):\n"
	"    sync.Mutex.Lock\n"
	"\n"
	"  by the runtime itself            count      p50      p90      p99      max\n";

static void has(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("lacks\n%s\nin\n%s", what, text);
}

static void report_has_a_section_of_each_go_process(void **state)
{
	struct go_sample s = go_sample_of("main.worker", "/src/server.go", (struct tables_opts){0});
	char *text;

	(void)state;
	setlocale(LC_CTYPE, "C");
	unsetenv("COLUMNS");
	text = go_exported(&s, "text", (struct export_opts){0});
	has(text, sample_section);
	has(text, "\n  runnable to running (1 in 8) ");
	has(text, "main.worker (server.go:31) waited up to 2.30ms for a lock (p99 2.30ms), ended by\n"
	    "  room.(*Room).run (main.go:12) 100%; goroutines grew from 8 to 108 (10/s), most\n"
	    "  of them main.worker (server.go:31)\n");
	has(text, "\n  class sampled: one in eight, by the runtime's own stamps; not scaled\n");
	has(text, "\n  woken by: room.(*Room).run (main.go:12) 11x\n");
	free(text);
	go_sample_done(&s);
}

static void blame_and_events_name_sites_locks_and_goroutines(void **state)
{
	static const struct {
		const char *by, *blame, *event;
	} cases[] = {
		{"entity",
		 "goroutine.lock,mutex,main.serve server.go:31,main.worker,main.main main.go:12,"
		 "example.com/game/room.(*Room).run,waker,20:0xc000,main.handle server.go:77,11,25300000,2300000\n",
		 "goroutine.lock,mutex,main.serve server.go:31,main.worker,5000000,2300000,0,main.main main.go:12,"
		 "20:0xc000,,,,,,,,,,,,,\n"},
		{"goid",
		 "goroutine.lock,mutex,33,main.worker,7,example.com/game/room.(*Room).run,waker,20:0xc000,"
		 "main.handle server.go:77,6,13800000,2300000\n",
		 "goroutine.lock,mutex,33,main.worker,5000000,2300000,0,7,20:0xc000,,,,,,,,,,,,,\n"},
		{"lock",
		 "goroutine.lock,mutex,20:0xc000,main.handle server.go:77,main.main main.go:12,"
		 "example.com/game/room.(*Room).run,waker,20:0xc000,main.handle server.go:77,11,25300000,2300000\n",
		 "goroutine.lock,mutex,20:0xc000,main.handle server.go:77,5000000,2300000,0,main.main main.go:12,"
		 "20:0xc000,,,,,,,,,,,,,\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct tables_opts opts = {.tables = ~0u, .by = dim_find(cases[i].by)};
		struct go_sample s = go_sample_of("main.worker", "/src/server.go", opts);
		char *blame = go_exported(&s, "csv", (struct export_opts){.table = TABLE_BLAME});
		char *events = go_exported(&s, "csv", (struct export_opts){.table = TABLE_EVENTS});

		has(blame, cases[i].blame);
		has(events, cases[i].event);
		has(events, ",sampled,");
		free(blame);
		free(events);
		go_sample_done(&s);
	}
}

static void gauges_are_of_processes_and_sites(void **state)
{
	struct go_sample s = go_sample_of("main.worker", "/src/server.go", (struct tables_opts){.top = 1});
	char *csv = go_exported(&s, "csv", (struct export_opts){.table = TABLE_GAUGES});

	(void)state;
	has(csv, "gauge,entity,name,t_ns,value\ngoroutines,20,server,0,8\ngoroutines,20,server,1000000000,18\n");
	has(csv, "\ngoroutines_at,main.serve server.go:31,main.worker,1000000000,10\n");
	/* The rest: the five beyond the top, and the sum that the snapshot itself has. */
	has(csv, "\ngoroutines_at,rest,,0,8\ngoroutines_at,rest,,1000000000,8\n");
	has(csv, "\nwaiting_at,rest,,10000000000,5\n");
	assert_null(strstr(csv, "room.(*Room).run"));
	free(csv);
	go_sample_done(&s);
}

static double number_at(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static void json_has_the_go_processes(void **state)
{
	struct go_sample s = go_sample_of("main.worker", "/src/server.go", (struct tables_opts){0});
	char *text = go_exported(&s, "json", (struct export_opts){0});
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const json_t *go = json_array_get(json_object_get(root, "go"), 0), *first;

	(void)state;
	assert_non_null(go);
	assert_string_equal(json_string_value(json_object_get(go, "version")), "go1.22.3");
	assert_string_equal(json_string_value(json_object_get(go, "level")), "light");
	first = json_object_get(json_object_get(go, "gauges"), "goroutines");
	assert_true(number_at(first, "last") == 108 && number_at(first, "growth_per_s") == 10);
	assert_true(json_is_true(json_object_get(first, "steady")));
	first = json_array_get(json_object_get(go, "waiting"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "reason")), "chan receive");
	assert_string_equal(json_string_value(json_object_get(first, "wait_at")), "server.go:77");
	assert_int_equal(json_array_size(json_object_get(go, "grown")), 1);
	assert_true(number_at(json_object_get(json_object_get(go, "histograms"), "run"), "p50_ns") == 1500);
	json_decref(root);
	free(text);
	go_sample_done(&s);
}

/* Functions and files come from the target's file: they may hold anything. */
static void names_of_functions_do_nothing(void **state)
{
	static const char *const bites[] = {
		"<script>alert(1)</script>", "a\x1b[2J\x1b]0;x\x07", "\xff\xfe\n\r\t", "=cmd|' /C calc'!A0", "%s%n\"'&",
		"no/such/end/", "([", "\xe2\x80\xae" "flip.F[go.shape.struct { a/b }]",
	};
	char longest[200];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i <= sizeof(bites) / sizeof(*bites); i++) {
		const char *bite = i < sizeof(bites) / sizeof(*bites) ? bites[i] : longest;
		struct go_sample s = go_sample_of(bite, bite, (struct tables_opts){.stacks = true});

		for (const struct exporter *e = exporters; e->name; e++) {
			if (e->is_binary)
				continue;
			char *text = go_exported(&s, e->name, (struct export_opts){0});

			for (const char *c = text; *c; c++)
				assert_true((unsigned char)*c >= 0x20 || *c == '\n');
			assert_null(strstr(text, "\xe2\x80\xae"));
			if (!strcmp(e->name, "svg"))
				assert_null(strstr(text, "<script"));
			for (const char *line = text; !strcmp(e->name, "text") && *line; line += strcspn(line, "\n") + 1)
				assert_true(strcspn(line, "\n") <= 80);
			free(text);
		}
		go_sample_done(&s);
	}
}

static void add_gauge(struct tables *t, enum gauge_id id, uint32_t tgid, uint32_t site, uint64_t at, uint64_t value)
{
	const struct gauge g = {.id = id, .tgid = tgid, .site = site, .time_ns = START + at, .value = value};
	struct span_sink sink = tables_sink(t);

	sink.gauge(sink.ctx, &g);
}

static void done(struct tables *t)
{
	bool again;

	assert_int_equal(tables_pass_done(t, &again), 0);
	assert_false(again);
}

static void snapshots_fit_the_columns(void **state)
{
	(void)state;
	for (uint32_t cnt = 1; cnt < 200; cnt++) {
		struct tables *t = new_tables((struct tables_opts){.max_cols = 10});
		struct gauge_row g;
		size_t rows = 0;

		for (uint32_t i = 0; i < cnt; i++)
			add_gauge(t, GAUGE_TIMERS, 7, 0, i * 1000 * MS, i);
		done(t);
		while (tables_gauge(t, rows, &g))
			rows++;
		assert_true(rows <= 10 && (rows >= 5 || rows == cnt));
		assert_true(tables_gauge(t, 0, &g) && g.value == 0);
		assert_true(tables_gauge(t, rows - 1, &g) && g.value == cnt - 1);
		tables_free(t);
	}
}

/* A day of snapshots of ten processes with a thousand sites in all. */
static void gauges_are_bounded_and_keep_the_last(void **state)
{
	enum { SNAPSHOTS = 86400, PROCESSES = 10, SITES = 100, LAST = SNAPSHOTS - 1 };
	struct tables *t = new_tables((struct tables_opts){.tables = TABLE_BIT(GAUGES), .top = 4});
	size_t counts[PROCESSES] = {0}, lasts = 0;
	struct gauge_row g;

	(void)state;
	for (uint32_t i = 0; i < SNAPSHOTS; i += i < 1000 || i > LAST - 1000 ? 1 : 50) {
		for (uint32_t p = 0; p < PROCESSES; p++) {
			add_gauge(t, GAUGE_GOROUTINES, p + 1, 0, i * 1000 * MS, i);
			for (uint32_t site = 0; site < SITES; site++)
				add_gauge(t, GAUGE_GOROUTINES_AT, p + 1, site, i * 1000 * MS, site);
		}
		assert_true(t->gauges.cnt <= GAUGE_VALUES_MAX);
	}
	done(t);
	for (size_t i = 0; tables_gauge(t, i, &g); i++) {
		if (g.id == GAUGE_GOROUTINES) {
			counts[g.tgid - 1]++;
			assert_int_equal(g.t_ns, g.value * 1000 * MS);
			lasts += g.value == LAST;
			continue;
		}
		/* Of those with 96 to 99 each has its own row, the others are one. */
		assert_true(g.site == SITE_REST ? g.value == 95 * 96 / 2 && g.rank == SIZE_MAX : g.value == 99 - g.rank);
	}
	for (size_t p = 0; p < PROCESSES; p++)
		assert_true(counts[p] > 10 && counts[p] <= 240);
	assert_int_equal(lasts, PROCESSES);
	tables_free(t);
}

static void as_many_processes_as_there_are_pids(void **state)
{
	enum { PROCESSES = 300000 };
	struct tables *t = new_tables((struct tables_opts){.tables = TABLE_BIT(GAUGES)});
	struct growth g;
	size_t cnt = 0;

	(void)state;
	for (uint32_t p = 1; p <= PROCESSES; p++)
		add_gauge(t, GAUGE_GOROUTINES, p, 0, 0, p);
	done(t);
	for (size_t row = 0; growth_next(t, &row, &g); cnt++)
		assert_int_equal(g.last, g.tgid);
	assert_int_equal(cnt, PROCESSES);
	assert_true(growth_of(t, GAUGE_GOROUTINES, PROCESSES / 2, &g));
	assert_int_equal(g.first, PROCESSES / 2);
	assert_false(growth_of(t, GAUGE_THREADS, 1, &g));
	tables_free(t);
}

static void only_what_grows_all_the_time_is_told(void **state)
{
	static const struct {
		enum gauge_id id;
		uint64_t values[7];	/* one a second */
		bool is_steady;
		const char *sentence;
	} cases[] = {
		{GAUGE_GOROUTINES, {10, 20, 30, 40, 50, 60, 70}, true, "; goroutines grew from 10 to 70 (10/s)"},
		{GAUGE_GOROUTINES, {10, 12, 30, 30, 40, 60, 35}, false, ""},	/* came and went */
		{GAUGE_GOROUTINES, {10, 70, 70, 70, 70, 70, 70}, false, ""},	/* a start, then no more */
		{GAUGE_GOROUTINES, {10, 12, 14, 16, 18, 20, 22}, false, ""},	/* too few */
		{GAUGE_GOROUTINES, {1000, 1010, 1020, 1030, 1040, 1050, 1060}, false, ""},	/* too small a share */
		{GAUGE_GOROUTINES, {70, 60, 50, 40, 30, 20, 10}, false, ""},
		{GAUGE_THREADS, {8, 9, 10, 11, 12, 13, 14}, true, "; threads grew from 8 to 14 (1.0/s)"},
		{GAUGE_TIMERS, {10, 20, 30, 40, 50, 60, 70}, true, ""},
	};
	struct names *n = names_new();
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct tables *t = new_tables((struct tables_opts){0});
		struct growth g;

		for (size_t k = 0; k < 7; k++)
			add_gauge(t, cases[i].id, 7, 0, k * 1000 * MS, cases[i].values[k]);
		done(t);
		assert_true(growth_of(t, cases[i].id, 7, &g));
		assert_int_equal(g.is_steady, cases[i].is_steady);
		assert_true(g.first == cases[i].values[0] && g.last == cases[i].values[6]);
		growth_sentence(t, n, text, sizeof(text));
		assert_string_equal(text, cases[i].sentence);
		tables_free(t);
	}
	names_free(n);
}

/* A site that is not in a snapshot has none there: its growth begins with 0, and may end with it. */
static void a_site_without_a_row_is_at_zero(void **state)
{
	struct tables *t = new_tables((struct tables_opts){0});
	size_t row;
	struct growth g;

	(void)state;
	for (size_t k = 0; k < 5; k++)
		add_gauge(t, GAUGE_GOROUTINES, 7, 0, k * 1000 * MS, 100);
	for (size_t k = 1; k < 4; k++)
		add_gauge(t, GAUGE_GOROUTINES_AT, 7, 3, k * 1000 * MS, 10 * k);
	done(t);
	row = growth_row(t, GAUGE_GOROUTINES_AT, 7);
	assert_true(growth_next(t, &row, &g));
	assert_true(g.first == 0 && g.last == 0 && g.min == 0 && g.max == 30 && g.mean == 12);
	assert_int_equal(g.to_ns, 4000 * MS);
	assert_false(growth_next(t, &row, &g));
	tables_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_has_a_section_of_each_go_process),
		cmocka_unit_test(blame_and_events_name_sites_locks_and_goroutines),
		cmocka_unit_test(gauges_are_of_processes_and_sites),
		cmocka_unit_test(json_has_the_go_processes),
		cmocka_unit_test(names_of_functions_do_nothing),
		cmocka_unit_test(snapshots_fit_the_columns),
		cmocka_unit_test(gauges_are_bounded_and_keep_the_last),
		cmocka_unit_test(as_many_processes_as_there_are_pids),
		cmocka_unit_test(only_what_grows_all_the_time_is_told),
		cmocka_unit_test(a_site_without_a_row_is_at_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
