/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The flight recorder in simulated time: what is in a dump, when there is one, and how much memory it takes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/soak/flight.h"
#include "src/soak/opts.h"
#include "src/soak/trigger.h"
#include "src/soak/window.h"
#include "tests/unit/soak_feed.h"

enum { HZ = 100, LATE_NS = 7000000, KEEP_S = 30 };

struct content {
	uint64_t waits, late, late_ran, first_ran, last_ran, clock, lost;
	unsigned int workers, dead, newcomers, reason, ends;
	char trigger[217];
};

static int take(void *ctx, const void *rec, size_t len)
{
	struct content *c = ctx;
	const union any_record *r = rec;

	(void)len;
	switch (r->hdr.kind) {
	case REC_WAIT_KIND:
		c->waits++;
		c->first_ran = c->first_ran ? c->first_ran : r->wait.ran;
		c->last_ran = r->wait.ran;
		if (r->wait.ran - r->wait.asked == LATE_NS) {
			c->late++;
			c->late_ran = r->wait.ran;
		}
		break;
	case REC_TASK_KIND:
		c->workers += !strcmp(r->task.comm, "worker");
		c->dead += !strcmp(r->task.comm, "dead");
		c->newcomers += !strcmp(r->task.comm, "newcomer");
		break;
	case REC_CLOCK_KIND:
		c->clock = r->clock.time;
		break;
	case REC_COUNT_KIND:
		if (r->count.id == COUNT_ring_waking)
			c->lost = r->count.value;
		break;
	case REC_FACT_KIND:
		if (!strcmp(r->fact.name, "recording.trigger"))
			memcpy(c->trigger, r->fact.value, sizeof(r->fact.value));
		break;
	case REC_END_KIND:
		c->ends++;
		c->reason = r->end.reason;
		break;
	}
	return 0;
}

struct run {
	struct soak_opts opts;
	struct trigger trigger;
	struct feed_dir dir;
	struct flight *flight;
	struct record_sink sink;
	uint64_t now, waking;
};

static void begin(struct run *run, const char *trigger, struct soak_opts opts)
{
	const char *why;

	*run = (struct run){.opts = opts, .now = FEED_BEGIN};
	feed_dir_make(&run->dir);
	assert_int_equal(trigger_parse(trigger, &run->trigger, &why), 0);
	run->opts.triggers = &run->trigger;
	run->opts.trigger_cnt = 1;
	assert_int_equal(flight_open(&run->opts, run->dir.name, &run->flight), 0);
	run->sink = flight_sink(run->flight);
	assert_int_equal(feed_begin(&run->sink, "here"), 0);
}

static void seconds(struct run *run, unsigned int cnt)
{
	for (; cnt; cnt--, run->now += SECOND)
		assert_int_equal(feed_second(&run->sink, run->now, HZ, &run->waking), 0);
}

static void late(struct run *run, uint32_t tid)
{
	assert_int_equal(feed_wait(&run->sink, tid, run->now - 2 * LATE_NS, LATE_NS), 0);
}

static void finish(struct run *run)
{
	flight_free(run->flight);
	trigger_done(&run->trigger);
	feed_dir_remove(&run->dir);
}

static struct content dump_nr(struct run *run, size_t i)
{
	struct content c = {};

	feed_dir_list(&run->dir);
	assert_true(i < run->dir.cnt);
	assert_int_equal(feed_read(run->dir.files[i], take, &c), 0);
	return c;
}

/* The sample, all of the time before it and a second behind; who is who, also who ended meanwhile; losses. */
static void dump_has_the_sample_and_the_time_before(void **state)
{
	struct content c;
	struct run run;
	uint64_t at;

	(void)state;
	begin(&run, "thread.drift > 5ms", (struct soak_opts){.keep_last_ns = KEEP_S * SECOND, .dumps = 1});
	assert_int_equal(feed_task(&run.sink, run.now, 900, "dead"), 0);
	seconds(&run, 20);
	assert_int_equal(feed_count(&run.sink, run.now, COUNT_ring_waking, 1000), 0);
	seconds(&run, 60);
	assert_int_equal(feed_end(&run.sink, run.now, 900, 77), 0);
	assert_int_equal(feed_task(&run.sink, run.now, 901, "newcomer"), 0);
	assert_int_equal(feed_count(&run.sink, run.now, COUNT_ring_waking, 1003), 0);
	seconds(&run, 10);
	assert_int_equal(flight_dumps(run.flight), 0);
	late(&run, FEED_TGID);
	at = run.now;
	seconds(&run, 1);
	assert_int_equal(flight_dumps(run.flight), 1);
	c = dump_nr(&run, 0);
	assert_int_equal(c.late, 1);
	assert_true(c.late_ran < at && c.late_ran > at - SECOND);
	assert_true(c.first_ran <= c.late_ran - KEEP_S * SECOND);
	assert_true(c.clock <= c.late_ran - KEEP_S * SECOND && c.clock >= c.late_ran - (KEEP_S + 4) * SECOND);
	assert_true(c.last_ran >= c.late_ran);
	assert_true(c.waits >= KEEP_S * HZ * FEED_THREADS);
	assert_int_equal(c.workers, FEED_THREADS);
	assert_int_equal(c.dead, 1);
	assert_true(c.newcomers >= 1);
	assert_int_equal(c.lost, 3);
	assert_int_equal(c.ends, 1);
	assert_int_equal(c.reason, END_TRIGGER);
	assert_string_equal(c.trigger, "thread.drift > 5ms: 7.000 ms, tid 100 worker");
	finish(&run);
}

static void who_ended_long_ago_is_forgotten(void **state)
{
	struct run run;

	(void)state;
	begin(&run, "thread.drift > 5ms", (struct soak_opts){.keep_last_ns = KEEP_S * SECOND, .dumps = 1});
	assert_int_equal(feed_task(&run.sink, run.now, 900, "dead"), 0);
	seconds(&run, 1);
	assert_int_equal(feed_end(&run.sink, run.now, 900, 77), 0);
	seconds(&run, 60);
	late(&run, FEED_TGID);
	seconds(&run, 1);
	assert_int_equal(dump_nr(&run, 0).dead, 0);
	finish(&run);
}

static void an_id_that_is_used_again_has_its_new_name(void **state)
{
	struct content c;
	struct run run;

	(void)state;
	begin(&run, "thread.drift > 5ms", (struct soak_opts){.keep_last_ns = 2 * SECOND, .dumps = 1});
	assert_int_equal(feed_task(&run.sink, run.now, 900, "dead"), 0);
	seconds(&run, 1);
	assert_int_equal(feed_end(&run.sink, run.now, 900, 77), 0);
	assert_int_equal(feed_task(&run.sink, run.now, 900, "newcomer"), 0);
	seconds(&run, 20);
	late(&run, FEED_TGID);
	seconds(&run, 1);
	c = dump_nr(&run, 0);
	assert_int_equal(c.dead, 0);
	assert_int_equal(c.newcomers, 1);
	finish(&run);
}

static void cooldown_and_number_of_dumps(void **state)
{
	struct run run;

	(void)state;
	begin(&run, "thread.drift > 5ms",
	      (struct soak_opts){.keep_last_ns = 5 * SECOND, .dumps = 2, .cooldown_ns = 20 * SECOND});
	seconds(&run, 10);
	for (int i = 0; i < 6; i++) {	/* 0, 10, 20, 30 s ... */
		late(&run, FEED_TGID);
		seconds(&run, 10);
	}
	assert_int_equal(flight_dumps(run.flight), 2);
	assert_int_equal(flight_trips(run.flight), 6);
	assert_true(dump_nr(&run, 1).late_ran - dump_nr(&run, 0).late_ran >= 20 * SECOND);
	finish(&run);
}

static void only_that_metric_limit_and_name(void **state)
{
	static const struct {
		const char *trigger;
		size_t dumps;
	} cases[] = {
		{"thread.drift > 7ms", 0}, {"thread.drift >= 7ms", 1}, {"thread.drift > 8ms", 0}, {"thread.preempt > 1ns", 0},
		{"thread.drift > 5ms for work*", 1}, {"thread.drift>5ms for \"worker\"", 1}, {"thread.drift > 5ms for other", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run run;

		begin(&run, cases[i].trigger, (struct soak_opts){.keep_last_ns = 5 * SECOND, .dumps = 5});
		seconds(&run, 1);
		late(&run, FEED_TGID);
		seconds(&run, 1);
		assert_int_equal(flight_dumps(run.flight), cases[i].dumps);
		finish(&run);
	}
}

static void wrong_triggers_say_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "metric"}, {"drift > 5ms", "metric"}, {"thread.drift", "> or >="}, {"thread.drift < 5ms", "> or >="},
		{"thread.drift > 5", "time"}, {"thread.drift >", "time"}, {"thread.drift > 5ms or so", "for NAME"},
		{"thread.drift > 5ms for", "for NAME"}, {"thread.drift > 5ms for ", "for NAME"},
		{"thread.drift > 5ms for \"\"", "for NAME"},
		{"thread.drift > 111111111111111111111111111111111111ms", "time"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trigger t;
		const char *why = NULL;

		assert_int_equal(trigger_parse(cases[i].text, &t, &why), -EINVAL);
		if (!strstr(why, cases[i].why))
			fail_msg("%s: %s", cases[i].text, why);
	}
}

/* At 20,000 waits a second a megabyte is some seconds: the dump is shorter, and has the sample all the same. */
static void memory_is_bounded_in_bytes(void **state)
{
	struct content c;
	struct run run;

	(void)state;
	begin(&run, "thread.drift > 5ms",
	      (struct soak_opts){.keep_last_ns = KEEP_S * SECOND, .dumps = 1, .max_bytes = 1 << 20});
	for (unsigned int i = 0; i < 20; i++, run.now += SECOND) {
		assert_int_equal(feed_second(&run.sink, run.now, 5000, &run.waking), 0);
		assert_in_range(run.sink.bytes(run.sink.ctx), 1, 1 << 20);
	}
	late(&run, FEED_TGID);
	seconds(&run, 1);
	c = dump_nr(&run, 0);
	assert_int_equal(c.late, 1);
	assert_true(c.first_ran > c.late_ran - 18 * SECOND && c.first_ran < c.late_ran - SECOND);
	finish(&run);
}

/* One flush that alone is too much: what is left of it is its end. */
static void a_segment_that_is_too_large_begins_anew(void **state)
{
	static const uint8_t bytes[40000];
	struct window w;

	(void)state;
	assert_int_equal(window_init(&w, 100000), 0);
	for (int i = 0; i < 7; i++)
		assert_int_equal(window_add(&w, bytes, sizeof(bytes)), 0);
	assert_int_equal(w.last->len, 40000);
	assert_int_equal(window_next(&w, 10, 0), 0);
	assert_int_equal(w.bytes, 40000);
	assert_int_equal(window_next(&w, 20, 15), 0);
	assert_int_equal(w.bytes, 0);
	window_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_has_the_sample_and_the_time_before),
		cmocka_unit_test(who_ended_long_ago_is_forgotten),
		cmocka_unit_test(an_id_that_is_used_again_has_its_new_name),
		cmocka_unit_test(cooldown_and_number_of_dumps),
		cmocka_unit_test(only_that_metric_limit_and_name),
		cmocka_unit_test(wrong_triggers_say_what_is_wrong),
		cmocka_unit_test(memory_is_bounded_in_bytes),
		cmocka_unit_test(a_segment_that_is_too_large_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
