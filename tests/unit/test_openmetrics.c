/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* OpenMetrics: its text, the totals behind it, and what a server keeps in bounded memory. */
#include "export_sample.h"
#include "src/export/openmetrics.h"
#include "src/serve/listen.h"
#include "src/serve/live.h"
#include "src/stats/recent_spans.h"
#include "src/stats/toplist.h"

/* The text of totals, to be freed. */
static char *text_of(struct totals *t, bool classic)
{
	char *text = NULL;
	size_t size = 0;
	struct om om = {.out = open_memstream(&text, &size), .classic = classic};

	assert_non_null(om.out);
	openmetrics_write(&om, t);
	om_end(&om);
	fclose(om.out);
	return text;
}

static void has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no '%s' in: %.3000s", line, text);
}

static void has_not(const char *text, const char *line)
{
	if (strstr(text, line))
		fail_msg("'%s' in: %.3000s", line, text);
}

static struct totals *new_totals(size_t top, const struct names *n)
{
	struct totals *t = totals_new(&(struct totals_opts){.top = top});

	assert_non_null(t);
	totals_names(t, n);
	return t;
}

static void feed_one(struct totals *t, struct span s)
{
	struct span_sink sink = totals_sink(t);

	sink.span(sink.ctx, &s);
}

static struct span sleep_of(uint32_t tid, uint64_t latency)
{
	struct span s = span_of(METRIC_THREAD_DRIFT, CLASS_NANOSLEEP, tid, 50000 * MS, latency);

	s.stage_ns[STAGE_RUNQ] = latency;
	s.cpu = 3;
	return s;
}

static void bounds_belong_to_their_bucket(void **state)
{
	(void)state;
	assert_int_equal(totals_bucket(0), 0);
	assert_int_equal(totals_bucket(1000), 0);
	assert_int_equal(totals_bucket(1001), 1);
	assert_int_equal(totals_bucket(UINT64_MAX), TOTALS_BOUND_CNT);
	for (size_t i = 0; i < TOTALS_BOUND_CNT; i++) {
		assert_int_equal(totals_bucket(totals_bounds[i]), i);
		assert_int_equal(totals_bucket(totals_bounds[i] + 1), i + 1);
	}
}

static void text_is_exact(void **state)
{
	struct names *n = names_new();
	struct totals *t = new_totals(4, n);
	char *text;

	(void)state;
	add_name(n, 101, 0, "mix\"er\\");
	feed_one(t, sleep_of(101, 1500));
	feed_one(t, sleep_of(101, 20 * 1000 * MS));
	text = text_of(t, false);
	has(text, "# TYPE wakelag_thread_drift_seconds histogram\n# UNIT wakelag_thread_drift_seconds seconds\n"
	    "# HELP wakelag_thread_drift_seconds ");
	has(text, "_drift_seconds_bucket{class=\"nanosleep\",entity=\"101\",name=\"mix\\\"er\\\\\",le=\"1e-06\"} 0\n");
	has(text, "le=\"2e-06\"} 1\n");
	has(text, "le=\"1.0\"} 1\n");
	has(text, "le=\"10.0\"} 1\n");
	has(text, "le=\"+Inf\"} 2\n");
	has(text, "_drift_seconds_count{class=\"nanosleep\",entity=\"101\",name=\"mix\\\"er\\\\\"} 2\n");
	has(text, "_drift_seconds_sum{class=\"nanosleep\",entity=\"101\",name=\"mix\\\"er\\\\\"} 20.000001500\n");
	has(text, "wakelag_thread_drift_cpu_seconds_count{cpu=\"3\"} 2\n");
	has(text, "_drift_stage_seconds_total{stage=\"runq\",entity=\"101\",name=\"mix\\\"er\\\\\"} 20.000001500\n");
	has(text, "# TYPE wakelag_lost counter\n");
	assert_string_equal(text + strlen(text) - 7, "\n# EOF\n");
	free(text);
	text = text_of(t, true);
	has(text, "# TYPE wakelag_lost_total counter\n");
	has(text, "le=\"1\"} 1\n");
	has_not(text, "# UNIT");
	has_not(text, "# EOF");
	free(text);
	totals_free(t);
	names_free(n);
}

/* One line a sample: whatever a name holds, it ends where it should. */
static void hostile_names_stay_inside_their_quotes(void **state)
{
	struct names *n = hostile_names();
	struct tables *t = random_tables(3000, 29 * MS, (struct tables_opts){.by = dim_find("tid")});
	char *text = exported("openmetrics", t, n, &sample_opts);
	size_t lines = 0;

	(void)state;
	for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save), lines++) {
		bool quoted = false;

		for (const char *c = line; *c; c++) {
			assert_true((unsigned char)*c >= 0x20);
			if (quoted && *c == '\\')
				assert_non_null(strchr("\\\"n", *++c));
			else if (*c == '"')
				quoted = !quoted;
		}
		assert_false(quoted);
		assert_true(!strncmp(line, "# ", 2) || !strncmp(line, "wakelag_", 8));
	}
	assert_true(lines > 1000);
	free(text);
	tables_free(t);
	names_free(n);
}

/* An export's counts are those of the tables: bound by bound as many, but for those in a bucket on the bound. */
static void export_counts_every_sample_once(void **state)
{
	struct names *n = hostile_names();
	struct tables *t = random_tables(3000, 29 * MS, (struct tables_opts){.top = 5});
	struct totals *totals = totals_of_tables(t, n);
	uint64_t count = 0, sum = 0, found = 0, found_sum = 0;
	const struct group *g;
	struct totals_row row;

	(void)state;
	assert_non_null(totals);
	for (size_t i = 0; (g = tables_group(t, i)); i++) {
		count += g->count;
		sum += g->sum;
	}
	for (size_t m = 0; m < METRIC_CNT; m++) {
		for (size_t i = 0; totals_series(totals, (enum metric)m, &i, &row);) {
			for (size_t b = 0; b < TOTALS_BUCKET_CNT; b++)
				found += row.hist->buckets[b];
			found_sum += row.hist->sum_ns;
		}
	}
	assert_int_equal(found, count);
	assert_int_equal(found_sum, sum);
	totals_free(totals);
	tables_free(t);
	names_free(n);
}

static size_t rows_of(struct totals *t, const char *entity, uint64_t *count)
{
	struct totals_row row;
	size_t cnt = 0;

	*count = 0;
	for (size_t i = 0; totals_series(t, METRIC_THREAD_DRIFT, &i, &row); cnt++) {
		for (size_t b = 0; b < TOTALS_BUCKET_CNT && !strcmp(row.entity, entity); b++)
			*count += row.hist->buckets[b];
	}
	return cnt;
}

static void late_heavy_entity_gets_a_place_and_nothing_shrinks(void **state)
{
	struct names *n = names_new();
	struct totals *t = new_totals(2, n);
	uint64_t rest, heavy, first;

	(void)state;
	feed_one(t, sleep_of(1, 10 * MS));
	feed_one(t, sleep_of(2, 9 * MS));
	feed_one(t, sleep_of(3, MS));	/* no place: the rest */
	assert_int_equal(rows_of(t, "rest", &rest), 3);
	assert_int_equal(rest, 1);
	totals_turn(t);			/* too light to push one out */
	assert_int_equal(rows_of(t, "rest", &rest), 3);
	for (int i = 0; i < 100; i++)
		feed_one(t, sleep_of(3, MS));
	rows_of(t, "rest", &rest);
	assert_int_equal(rest, 101);
	totals_turn(t);			/* 2 is the lightest, and goes */
	feed_one(t, sleep_of(3, MS));
	feed_one(t, sleep_of(2, MS));
	assert_int_equal(rows_of(t, "3", &heavy), 3);
	rows_of(t, "1", &first);
	rows_of(t, "rest", &rest);
	assert_int_equal(heavy, 1);
	assert_int_equal(first, 1);
	assert_int_equal(rest, 102);
	totals_free(t);
	names_free(n);
}

/* A kernel's lock is waited for all over the kernel: what it is called must not be what was there last. */
static void a_lock_does_not_change_its_name(void **state)
{
	struct names *n = names_new();
	struct totals *t = new_totals(4, n);
	struct span s = span_of(METRIC_LOCK_WAIT, CLASS_KERNEL, 1, 50000 * MS, MS);
	char entity[64], name[64];
	struct totals_row row;

	(void)state;
	s.lock = 0xffff888000001000;
	s.lock_space = LOCK_OF_KERNEL;
	for (uint32_t stack = 1; stack <= 2; stack++) {
		struct rec_symbol symbol = {.tgid = TGID_KERNEL, .pc = stack, .last = 1};
		const struct rec_stack r = {.tgid = TGID_KERNEL, .id = stack, .pc0 = stack};
		size_t i = 0;

		snprintf(symbol.func, sizeof(symbol.func), "place_%u", stack);
		assert_int_equal(names_symbol(n, &symbol), 0);
		assert_int_equal(names_stack(n, &r), 0);
		s.wait_site = names_call_site(n, TGID_KERNEL, stack);
		feed_one(t, s);
		assert_true(totals_series(t, METRIC_LOCK_WAIT, &i, &row));
		if (stack == 1) {
			snprintf(entity, sizeof(entity), "%s", row.entity);
			snprintf(name, sizeof(name), "%s", row.name);
		}
		assert_string_equal(row.entity, entity);
		assert_string_equal(row.name, name);
	}
	assert_string_equal(name, "place_1");
	totals_free(t);
	names_free(n);
}

static void series_are_bounded(void **state)
{
	struct names *n = names_new();
	struct totals *t = new_totals(10000, n);
	uint64_t rest;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		struct span s = sleep_of(i % 20000 + 1, i);

		s.klass = CLASS_SYSCALL + i % 300;
		s.metric = i % 2 ? METRIC_THREAD_BLOCK : METRIC_THREAD_DRIFT;
		feed_one(t, s);
	}
	assert_in_range(rows_of(t, "rest", &rest), 1, 4096 + 100);
	assert_true(rest > 0);
	totals_free(t);
	names_free(n);
}

static void equals_do_not_change_places(void **state)
{
	struct toplist l;

	(void)state;
	assert_int_equal(toplist_init(&l, 2), 0);
	for (int turn = 0; turn < 20; turn++) {
		for (uint64_t key = 1; key <= 3; key++)
			assert_int_equal(toplist_place(&l, key, 100), key - 1);
		if (turn)
			toplist_turn(&l, NULL, NULL);	/* a lost place would call it */
		else
			toplist_place(&l, 1, 100), toplist_place(&l, 2, 100);
	}
	toplist_done(&l);
}

static void only_the_last_snapshot_counts(void **state)
{
	struct names *n = names_new();
	struct totals *t = new_totals(4, n);
	struct span_sink sink = totals_sink(t);
	uint32_t site = names_site(n, 7, 0x11, 0x22);
	char *text;

	(void)state;
	sink.gauge(sink.ctx, &(struct gauge){GAUGE_GOROUTINES, 7, 0, 1000 * MS, 50});
	sink.gauge(sink.ctx, &(struct gauge){GAUGE_THREADS, 7, 0, 1000 * MS, 5});
	sink.gauge(sink.ctx, &(struct gauge){GAUGE_GOROUTINES, 9, 0, 1001 * MS, 8});
	sink.gauge(sink.ctx, &(struct gauge){GAUGE_GOROUTINES, 7, 0, 2000 * MS, 60});
	sink.gauge(sink.ctx, &(struct gauge){GAUGE_MUTEX_WAIT, 7, 0, 2000 * MS, 1500 * MS});
	text = text_of(t, false);
	has(text, "wakelag_goroutines{pid=\"7\"} 60\n");
	has(text, "wakelag_goroutines{pid=\"9\"} 8\n");
	has(text, "# TYPE wakelag_mutex_wait_seconds counter\n");
	has(text, "wakelag_mutex_wait_seconds_total{pid=\"7\"} 1.500000000\n");
	has_not(text, "} 50\n");
	has_not(text, "wakelag_threads{");
	free(text);
	sink.gauge(sink.ctx, &(struct gauge){GAUGE_GOROUTINES_AT, 7, site, 2000 * MS, 41});	/* later than the others */
	sink.gauge(sink.ctx, &(struct gauge){GAUGE_GOROUTINES, 7, 0, 3000 * MS, 62});
	text = text_of(t, false);
	has(text, "wakelag_goroutines_at{pid=\"7\",entity=\"0x22\",name=\"0x11\"} 41\n");
	has(text, "wakelag_goroutines{pid=\"7\"} 62\n");
	has_not(text, "} 60\n");
	free(text);
	sink.gauge(sink.ctx, &(struct gauge){GAUGE_GOROUTINES, 7, 0, 20000 * MS, 61});	/* 9 is gone */
	text = text_of(t, false);
	has_not(text, "pid=\"9\"");
	free(text);
	totals_free(t);
	names_free(n);
}

static void losses_only_grow(void **state)
{
	struct names *n = names_new();
	struct totals *t = new_totals(4, n);
	char *text;

	(void)state;
	totals_count(t, COUNT_ring_waking, 7);
	totals_count(t, COUNT_ring_waking, 5);
	totals_count(t, COUNT_CNT, 5);
	text = text_of(t, false);
	has(text, "wakelag_lost_total{cause=\"ring_waking\"} 7\n");
	free(text);
	totals_free(t);
	names_free(n);
}

struct kept {
	uint64_t cnt, first_ns, stage_sum, blame_sum, counters, lost;
};

static void keep_span(void *ctx, const struct span *s)
{
	struct kept *k = ctx;

	if (!k->cnt++)
		k->first_ns = s->end_ns;
	k->stage_sum += s->stage_ns[STAGE_RUNQ] + s->stage_ns[STAGE_BUSY];
	for (size_t i = 0; i < s->blame_cnt; i++)
		k->blame_sum += s->blame[i].ns;
}

static void keep_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	(void)id, (void)tid;
	((struct kept *)ctx)->counters += n;
}

static void keep_loss(void *ctx, uint64_t from, uint64_t to, uint64_t n)
{
	(void)from, (void)to;
	((struct kept *)ctx)->lost += n;
}

static struct kept replay(const struct recent_spans *r)
{
	struct kept k = {};
	struct span_sink sink = {.ctx = &k, .span = keep_span, .counter = keep_counter, .loss = keep_loss};

	recent_spans_replay(r, &sink);
	return k;
}

static void window_keeps_the_newest(void **state)
{
	struct recent_spans *r = recent_spans_new(10000 * MS, 1 << 20);
	struct blame blame[2] = {{.ns = 3}, {.ns = 4}};
	uint64_t from;
	struct kept k;

	(void)state;
	for (uint64_t i = 1; i <= 100; i++) {
		struct span s = span_of(METRIC_THREAD_DRIFT, 0, 1, i * MS, MS);

		s.stage_ns[STAGE_RUNQ] = 2;
		s.blame = blame;
		s.blame_cnt = 2;
		recent_spans_span(r, &s);
		recent_spans_counter(r, ECOUNT_OVERRUN, 1, 1);
	}
	recent_spans_loss(r, START, START + 101 * MS, 5);
	k = replay(r);
	assert_int_equal(k.cnt, 100);
	assert_int_equal(k.stage_sum, 200);
	assert_int_equal(k.blame_sum, 700);
	assert_int_equal(k.counters, 100);
	assert_int_equal(k.lost, 5);
	assert_int_equal(recent_spans_from(r), 0);
	for (uint64_t i = 0; i < 1000000; i++) {	/* 8 of them a millisecond: 1 MiB is full long before 10 s */
		struct span s = span_of(METRIC_THREAD_DRIFT, 0, 1, 200 * MS + i * MS / 8, MS);

		recent_spans_span(r, &s);
	}
	k = replay(r);
	from = recent_spans_from(r);
	assert_in_range(k.cnt, 5000, (1 << 20) / 80);
	assert_true(from && k.first_ns > from && k.first_ns - from <= MS);
	recent_spans_free(r);
}

static void addresses_are_numeric(void **state)
{
	static const struct {
		const char *text, *is;
		bool loopback;
	} good[] = {
		{"127.0.0.1:9465", "127.0.0.1:9465", true}, {":0", "127.0.0.1:0", true},
		{"[::1]:80", "[::1]:80", true}, {"0.0.0.0:65535", "0.0.0.0:65535", false},
		{"[::]:1", "[::]:1", false}, {"127.9.9.9:1", "127.9.9.9:1", true}, {"10.0.0.1:1", "10.0.0.1:1", false},
	};
	static const char *const bad[] = {
		"", ":", "9465", "localhost:1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80",
		"[::1]", "[::1:80", "[127.0.0.1]:80", "127.0.0.1:80x", "[]:80",
		"1111111111111111111111111111111111111111111111111111111111:1",
	};
	struct listen_addr a;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(listen_parse(good[i].text, &a), 0);
		assert_string_equal(listen_text(&a, text, sizeof(text)), good[i].is);
		assert_int_equal(listen_is_loopback(&a), good[i].loopback);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (!listen_parse(bad[i], &a))
			fail_msg("'%s' was taken", bad[i]);
	}
}

static void feed_record(struct live *l, const void *rec, size_t len)
{
	assert_int_equal(live_feed(l, rec, len), 0);
}

/* From records to a page and a picture, and what is no record is refused without harm. */
static void live_takes_records(void **state)
{
	struct live *l = live_new(&(struct tables_opts){});
	struct rec_clock clock = {.hdr = {REC_CLOCK_KIND, sizeof(clock)}, .time = START, .realtime = 1000};
	struct rec_task task = {.hdr = {REC_TASK_KIND, sizeof(task)}, .tid = 5, .tgid = 5, .time = START,
				.flags = TASK_TRACKED, .comm = "mixer"};
	struct rec_count lost = {.hdr = {REC_COUNT_KIND, sizeof(lost)}, .id = COUNT_ring_waking, .time = START + MS, .value = 9};
	struct rec_wait wait = {.hdr = {REC_WAIT_KIND, sizeof(wait)}, .tid = 5, .tgid = 5, .why = WAIT_BLOCKED,
				.woken_by = WOKEN_TIMER, .timer = TIMER_SLEEPER, .off = START + MS,
				.asked = START + 2 * MS, .due = START + 2 * MS, .fired = START + 2 * MS,
				.waking = START + 2 * MS, .ran = START + 5 * MS};
	char *text = NULL, *picture;
	size_t size = 0;
	uint64_t from, to;
	FILE *out;

	(void)state;
	assert_non_null(l);
	assert_false(live_is_well(l));
	feed_record(l, &clock, sizeof(clock));
	feed_record(l, &task, sizeof(task));
	feed_record(l, &wait, sizeof(wait));
	feed_record(l, &lost, sizeof(lost));
	assert_int_equal(live_feed(l, "\xff\xff\x08\x00\x00\x00\x00", 8), 0);
	assert_null(live_picture(l, &from, &to));
	assert_int_equal(live_second(l), 0);
	assert_true(live_is_well(l));
	picture = live_picture(l, &from, &to);
	assert_non_null(picture);
	has(picture, "<svg ");
	has(picture, "mixer (5)");
	assert_int_equal(to - from, 5 * MS);
	out = open_memstream(&text, &size);
	live_metrics(l, true, out);
	fclose(out);
	has(text, "wakelag_thread_drift_seconds_sum{class=\"read\",entity=\"5\",name=\"mixer\"} 0.003000000\n");
	has(text, "wakelag_lost_total{cause=\"ring_waking\"} 9\n");
	has(text, "wakelag_records_total 5\n");
	has(text, "wakelag_start_time_seconds 1000.000001000\n");
	has(text, "wakelag_resident_memory_bytes ");
	free(text);
	free(picture);
	live_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_belong_to_their_bucket),
		cmocka_unit_test(text_is_exact),
		cmocka_unit_test(hostile_names_stay_inside_their_quotes),
		cmocka_unit_test(export_counts_every_sample_once),
		cmocka_unit_test(late_heavy_entity_gets_a_place_and_nothing_shrinks),
		cmocka_unit_test(a_lock_does_not_change_its_name),
		cmocka_unit_test(series_are_bounded),
		cmocka_unit_test(equals_do_not_change_places),
		cmocka_unit_test(only_the_last_snapshot_counts),
		cmocka_unit_test(losses_only_grow),
		cmocka_unit_test(window_keeps_the_newest),
		cmocka_unit_test(addresses_are_numeric),
		cmocka_unit_test(live_takes_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
