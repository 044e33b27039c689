/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Goroutines' samples against a small world of which every moment is known: what three threads of a Go
 * program do, which of them runs a timer and which the goroutine. Stages are compared with what looking at
 * one microsecond after the other gives.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/record.h"
#include "src/model/model.h"

enum {
	THREADS = 3,
	SPAN_US = 6000,		/* length of a world */
	BEGIN_US = 100,		/* of the recording: all that happens is after it */
	TURNS = SPAN_US / 20,
	FIRINGS = 20,
	BATCH = 100,		/* goroutines that one firing readies, at most */
	TGID = 100,
};

enum doing { ON_CPU, ASLEEP, RUNNABLE };

struct thread {
	uint8_t doing[SPAN_US], why[SPAN_US];
	uint16_t turn[SPAN_US];		/* of waits */
	struct rec_wait waits[TURNS];
	size_t wait_cnt, fed;
};

struct world {
	uint64_t seed;
	struct thread threads[THREADS];
	struct model *model;
	struct rec_go go;		/* the one whose spans come */
	unsigned int drifts, runqs;
	bool was_seen[STAGE_CNT];
};

static uint64_t rnd(struct world *w, uint64_t below)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return w->seed % below;
}

static uint64_t ns(uint64_t us)
{
	return us * 1000;
}

static void mark(struct thread *t, uint64_t begin, uint64_t end, enum doing doing, unsigned int why)
{
	for (uint64_t i = begin; i < end; i++) {
		t->doing[i] = doing;
		t->why[i] = why;
		t->turn[i] = t->wait_cnt;
	}
}

/* How the sleep [off, waking) ends: by its timer, or by something else before or after its timeout. */
static void end_sleep(struct world *w, struct rec_wait *r, uint64_t off, uint64_t waking)
{
	uint64_t asked = waking - rnd(w, rnd(w, 2) ? 30 : 200), due, fired;

	if (rnd(w, 3) == 0) {
		r->woken_by = rnd(w, 2) ? WOKEN_TASK : WOKEN_IRQ;
		r->waker = r->woken_by == WOKEN_TASK ? 7 : 0;
		if (rnd(w, 2))
			r->until = ns(off + rnd(w, rnd(w, 2) ? 300 : 4000));
		return;
	}
	due = asked + rnd(w, 20);
	fired = due + rnd(w, 20);
	r->woken_by = WOKEN_TIMER;
	r->timer = TIMER_SLEEPER;
	r->asked = ns(asked);
	r->due = ns(due < waking ? due : waking);
	r->fired = ns(fired < waking ? fired : waking);
}

/* One turn of a thread: on a CPU from t on, then off it. Returns when it ran again. */
static uint64_t turn(struct world *w, struct thread *th, uint32_t tid, uint64_t t)
{
	struct rec_wait *r = &th->waits[th->wait_cnt];
	uint64_t off = t + 20 + rnd(w, 60), from = off;

	*r = (struct rec_wait){{REC_WAIT_KIND, sizeof(*r)}, .tid = tid, .tgid = TGID, .off = ns(off), .by = 9,
			       .goid = GOID_SCHEDULER};
	r->why = WAIT_BLOCKED + rnd(w, 3);
	mark(th, t, off, ON_CPU, 0);
	if (r->why == WAIT_BLOCKED) {
		from = off + 1 + rnd(w, rnd(w, 4) ? 200 : 1500);
		mark(th, off, from, ASLEEP, r->why);
		r->waking = ns(from);
		end_sleep(w, r, off, from);
	}
	t = from + rnd(w, 40);
	mark(th, from, t, RUNNABLE, r->why);
	r->ran = ns(t);
	th->wait_cnt++;
	return t;
}

/* Feeds all waits that ended up to now. */
static void feed_waits(struct world *w, uint64_t now_us)
{
	for (int i = 0; i < THREADS; i++) {
		struct thread *t = &w->threads[i];

		for (; t->fed < t->wait_cnt && t->waits[t->fed].ran <= ns(now_us); t->fed++) {
			w->go.tid = 0;
			assert_int_equal(model_feed(w->model, &t->waits[t->fed], sizeof(t->waits[0])), 0);
		}
	}
}

static enum stage off_cpu_stage(const struct thread *t, uint64_t at)
{
	return t->why[at] == WAIT_PREEMPTED ? STAGE_PREEMPT :
	       t->why[at] == WAIT_THROTTLED ? STAGE_THROTTLE : STAGE_RUNQ;
}

static enum stage asleep_stage(const struct rec_wait *sleep, uint64_t at, uint64_t when)
{
	uint64_t timer = sleep->asked ? sleep->asked : sleep->until;

	if (!timer || timer > when + 1000000)
		return STAGE_HANDOFF;
	if (ns(at) < timer)
		return STAGE_ROUNDING;
	if (!sleep->asked || ns(at) < sleep->due)
		return STAGE_SLACK;
	return ns(at) < sleep->fired ? STAGE_TIMER : STAGE_WAKE;
}

/* What the table of the stages says of this moment before the goroutine was runnable. */
static enum stage firing_stage(const struct world *w, uint64_t at, uint64_t last_slept)
{
	const struct thread *t = &w->threads[w->go.fired_by - 1];

	if (t->doing[at] == RUNNABLE)
		return off_cpu_stage(t, at);
	if (t->doing[at] == ASLEEP)
		return asleep_stage(&t->waits[t->turn[at]], at, w->go.when);
	return at < last_slept || !last_slept ? STAGE_BUSY : STAGE_RUNTIME;
}

static enum stage readied_stage(const struct world *w, uint64_t at)
{
	const struct thread *t = &w->threads[w->go.tid - 1];

	if (t->doing[at] == RUNNABLE)
		return off_cpu_stage(t, at);
	return t->doing[at] == ASLEEP ? STAGE_HANDOFF : STAGE_GRUNQ;
}

static void check_stages(struct world *w, const struct span *s, uint64_t begin_us)
{
	uint64_t want[STAGE_CNT] = {0}, readied = w->go.readied / 1000, last_slept = 0, blame = 0;

	for (uint64_t at = begin_us; at < readied; at++) {
		if (w->threads[w->go.fired_by - 1].doing[at] == ASLEEP)
			last_slept = at;
	}
	for (uint64_t at = begin_us; at < w->go.ran / 1000; at++)
		want[at < readied ? firing_stage(w, at, last_slept) : readied_stage(w, at)] += 1000;
	for (int i = 0; i < STAGE_CNT; i++) {
		assert_int_equal(s->stage_ns[i], want[i]);
		w->was_seen[i] |= want[i] > 0;
	}
	for (size_t i = 0; i < s->blame_cnt; i++)
		blame += s->blame[i].ns;
	assert_int_equal(blame, want[STAGE_RUNQ] + want[STAGE_PREEMPT]);
}

static void check_span(void *ctx, const struct span *s)
{
	struct world *w = ctx;

	if (!w->go.tid)
		return;
	assert_int_equal(s->end_ns, w->go.ran);
	assert_int_equal(s->goid, w->go.goid);
	if (s->metric == METRIC_GOROUTINE_DRIFT) {
		assert_int_equal(s->begin_ns, w->go.when);
		check_stages(w, s, s->begin_ns / 1000);
		w->drifts++;
	} else {
		assert_int_equal(s->metric, METRIC_GOROUTINE_RUNQ);
		assert_int_equal(s->begin_ns, w->go.readied);
		check_stages(w, s, s->begin_ns / 1000);
		w->runqs++;
	}
}

static void no_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	const struct world *w = ctx;

	if (w->go.tid)
		fail_msg("counter %d of %u: %llu", id, tid, (unsigned long long)n);
}

static void no_total(void *ctx, unsigned int count_id, uint64_t value)
{
	(void)ctx;
	(void)count_id;
	(void)value;
}

/* Some time from `from` on when the thread is on a CPU; 0: no more. */
static uint64_t on_cpu_from(const struct thread *t, uint64_t from)
{
	while (from < SPAN_US && t->doing[from] != ON_CPU)
		from++;
	return from < SPAN_US ? from : 0;
}

/* A thread runs so many timers at once, and others run the goroutines. */
static void fire(struct world *w, uint64_t at)
{
	uint32_t by = 1 + rnd(w, THREADS), cnt = 1 + rnd(w, BATCH);

	at = on_cpu_from(&w->threads[by - 1], at);
	for (uint32_t i = 0; at && i < cnt; i++) {
		uint32_t tid = rnd(w, 2) ? by : 1 + rnd(w, THREADS);
		uint64_t ran = on_cpu_from(&w->threads[tid - 1], at + (tid == by ? 0 : rnd(w, 200)));

		if (!ran)
			continue;
		feed_waits(w, ran);
		w->go = (struct rec_go){
			{REC_GO_KIND, sizeof(w->go)}, .tid = tid, .tgid = TGID, .ran = ns(ran), .readied = ns(at),
			.fired = ns(at), .when = ns(at - rnd(w, at - BEGIN_US)), .fired_by = by, .goid = 1 + i,
			.cause = GO_READIED, .timer = GO_TIMER_SLEEP,
		};
		assert_int_equal(model_feed(w->model, &w->go, sizeof(w->go)), 0);
	}
}

static void run_world(uint64_t seed, unsigned int *drifts, bool was_seen[STAGE_CNT])
{
	struct world *w = calloc(1, sizeof(*w));
	struct span_sink sink = {.ctx = w, .span = check_span, .counter = no_counter, .total = no_total};
	const struct rec_clock clock = {{REC_CLOCK_KIND, sizeof(clock)}, .time = ns(BEGIN_US)};

	assert_non_null(w);
	w->seed = seed;
	w->model = model_new(&sink);
	assert_non_null(w->model);
	assert_int_equal(model_feed(w->model, &clock, sizeof(clock)), 0);
	for (int i = 0; i < THREADS; i++) {
		for (uint64_t t = 0; t < SPAN_US - 2000 && w->threads[i].wait_cnt < TURNS;)
			t = turn(w, &w->threads[i], i + 1, t);
	}
	for (uint64_t i = 1; i <= FIRINGS; i++)
		fire(w, BEGIN_US + 1 + i * (SPAN_US - 2500) / FIRINGS);
	assert_int_equal(w->drifts, w->runqs);
	*drifts += w->drifts;
	for (int i = 0; i < STAGE_CNT; i++)
		was_seen[i] |= w->was_seen[i];
	model_free(w->model);
	free(w);
}

static void goroutines_stages_are_what_looking_gives(void **state)
{
	bool was_seen[STAGE_CNT] = {false};
	unsigned int drifts = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		run_world(seed * 0x9e3779b97f4a7c15ull, &drifts, was_seen);
	assert_true(drifts > 10000);
	for (int i = 0; i < STAGE_CNT; i++)
		assert_int_equal(was_seen[i], metrics[METRIC_GOROUTINE_DRIFT].stages >> i & 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goroutines_stages_are_what_looking_gives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
