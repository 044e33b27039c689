/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Records that no kernel makes, and more threads and history than there is room for. */
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
#include "src/model/model.h"
#include "src/model/thread.h"

enum { WATCHED = 101 };

static uint64_t rnd(uint64_t *seed, uint64_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % below;
}

static void no_total(void *ctx, unsigned int count_id, uint64_t value)
{
	(void)ctx;
	(void)count_id;
	(void)value;
}

static void check_sums(void *ctx, const struct span *s)
{
	uint64_t stages = 0, blame = 0, latency = s->end_ns - s->begin_ns, to_explain = latency;

	assert_true(s->begin_ns <= s->end_ns);
	for (int i = 0; i < STAGE_CNT; i++) {
		assert_true(!s->stage_ns[i] || metrics[s->metric].stages & 1u << i);
		stages += s->stage_ns[i];
	}
	for (size_t i = 0; i < s->blame_cnt; i++)
		blame += s->blame[i].ns;
	if (metrics[s->metric].stages)
		assert_int_equal(stages, latency);
	if (s->metric == METRIC_THREAD_DRIFT)
		to_explain = s->stage_ns[STAGE_RUNQ] + s->stage_ns[STAGE_PREEMPT];
	if (s->metric == METRIC_THREAD_THROTTLE)
		to_explain = 0;
	assert_int_equal(blame, to_explain);
	++*(uint64_t *)ctx;
}

static void any_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	(void)ctx;
	(void)tid;
	assert_true(id < ECOUNT_CNT && n);
}

/* Mostly a time near now, sometimes anything. */
static uint64_t any_time(uint64_t *seed, uint64_t now)
{
	switch (rnd(seed, 16)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX - rnd(seed, 3);
	case 2:
		return rnd(seed, UINT64_MAX);
	default:
		return now - rnd(seed, 200);
	}
}

static uint32_t any_by(uint64_t *seed)
{
	static const uint32_t some[] = {0, 1, 2, WATCHED, BY_SLICES, BY_UNKNOWN};

	return some[rnd(seed, 6)];
}

static void feed_nonsense(struct model *m, uint64_t *seed, uint64_t now)
{
	union {
		struct rec_hdr hdr;
		struct rec_wait wait;
		struct rec_slice slice;
		struct rec_move move;
	} r = {0};
	uint32_t noise = rnd(seed, 4) ? rnd(seed, 50) : UINT32_MAX;

	switch (rnd(seed, 4)) {
	case 0:
		r.slice = (struct rec_slice){{REC_SLICE_KIND, sizeof(r.slice)}, any_by(seed), any_time(seed, now),
					     any_time(seed, now), noise, noise / 2, 3, rnd(seed, 3), 0};
		break;
	case 1:
		r.move = (struct rec_move){{REC_MOVE_KIND, sizeof(r.move)}, 1 + rnd(seed, 3), any_time(seed, now),
					   any_time(seed, now), any_by(seed), noise, noise, 1, rnd(seed, 3), 0, 0};
		break;
	default:
		r.wait = (struct rec_wait){
			.hdr = {REC_WAIT_KIND, sizeof(r.wait)}, .tid = 1 + rnd(seed, 3), .ran = any_time(seed, now),
			.waking = any_time(seed, now), .off = any_time(seed, now), .fired = any_time(seed, now),
			.due = any_time(seed, now), .asked = any_time(seed, now), .since = any_time(seed, now),
			.by = any_by(seed), .irq_ns = noise, .steal_ns = noise / 3, .cpu = rnd(seed, 3),
			.why = rnd(seed, 5), .woken_by = rnd(seed, 5), .timer = rnd(seed, 7), .moves = rnd(seed, 4),
			.syscall = rnd(seed, 500),
		};
		if (r.wait.why < WAIT_BLOCKED)
			r.wait.off = 0;
		if (rnd(seed, 2))
			r.wait.ran = now;
	}
	model_feed(m, &r, r.hdr.len);
}

static void nonsense_keeps_sums_exact(void **state)
{
	uint64_t spans = 0, seed = 4711;
	struct span_sink sink = {.ctx = &spans, .span = check_sums, .counter = any_counter, .total = no_total};
	struct model *m = model_new(&sink);

	(void)state;
	assert_non_null(m);
	for (int i = 0; i < 100000; i++)
		feed_nonsense(m, &seed, 1000 + i * 10);
	model_free(m);
	assert_true(spans > 10000);
}

struct outcome {
	unsigned int drift, censored;
};

static void count_drift(void *ctx, const struct span *s)
{
	((struct outcome *)ctx)->drift += s->metric == METRIC_THREAD_DRIFT;
}

static void count_censored(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	(void)tid;
	((struct outcome *)ctx)->censored += id == ECOUNT_CENSORED_DRIFT ? n : 0;
}

/* A history of 8 pieces, of which others overwrite thread 1's preemption of 100 to 200. */
static struct outcome drift_from(uint64_t asked, uint64_t off)
{
	struct outcome out = {0};
	struct span_sink sink = {.ctx = &out, .span = count_drift, .counter = count_censored, .total = no_total};
	struct threads *t = calloc(1, sizeof(*t));
	struct rec_wait w = {.tid = 1, .off = 100, .ran = 200, .why = WAIT_PREEMPTED};

	assert_non_null(t);
	assert_int_equal(threads_init(t, &sink, 8, 8), 0);
	threads_wait(t, &w);
	for (w.tid = 2; w.tid < 20; w.tid++) {
		w.off = w.tid * 1000;
		w.ran = w.off + 500;
		threads_wait(t, &w);
	}
	w = (struct rec_wait){.tid = 1, .off = off, .asked = asked, .due = asked, .fired = 20100, .waking = 20200,
			      .ran = 20300, .why = WAIT_BLOCKED, .woken_by = WOKEN_TIMER, .timer = TIMER_SLEEPER};
	threads_wait(t, &w);
	threads_done(t);
	free(t);
	return out;
}

static void overwritten_history_censors(void **state)
{
	struct outcome o = drift_from(300, 20000);

	(void)state;
	assert_int_equal(o.drift, 0);
	assert_int_equal(o.censored, 1);
	/* all that was overwritten ended before: it can't matter */
	o = drift_from(13000, 20000);
	assert_int_equal(o.drift, 1);
	assert_int_equal(o.censored, 0);
	/* asleep since then: no history is needed */
	o = drift_from(300, 250);
	assert_int_equal(o.drift, 1);
	assert_int_equal(o.censored, 0);
}

static void ended_threads_are_dropped(void **state)
{
	struct outcome out = {0};
	struct span_sink sink = {.ctx = &out, .span = count_drift, .counter = count_censored, .total = no_total};
	struct threads *t = calloc(1, sizeof(*t));

	(void)state;
	assert_non_null(t);
	assert_int_equal(threads_init(t, &sink, 8, 8), 0);
	for (uint32_t tid = 1; tid <= 200000; tid++) {
		struct rec_wait w = {.tid = tid, .off = tid * 10, .ran = tid * 10 + 5, .why = WAIT_PREEMPTED};
		struct rec_task_end e = {.tid = tid, .exited = tid != 7};

		assert_int_equal(threads_wait(t, &w), 0);
		assert_int_equal(threads_end(t, &e), 0);
	}
	assert_true(t->by_tid.cnt < 50000);
	assert_non_null(u64map_find(&t->by_tid, 7));
	threads_done(t);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonsense_keeps_sums_exact),
		cmocka_unit_test(overwritten_history_censors),
		cmocka_unit_test(ended_threads_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
