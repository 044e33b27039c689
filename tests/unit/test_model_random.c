/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The model against a small world of which every ns is known: who has which CPU, what noise it has, and
 * what the watched thread does. Records are made of it as the kernel side would make them, and spans are
 * compared with what counting ns by ns gives.
 */
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

enum {
	CPUS = 3,
	SPAN_NS = 4000,		/* length of a world */
	TIDS = 6,		/* tasks 1 to 5 and idle */
	WATCHED = 101,
	WAKER = 77,
};

enum doing { ON_CPU, ASLEEP, RUNNABLE };

struct world {
	uint64_t seed;
	uint8_t owner[CPUS][SPAN_NS];
	uint8_t noise[CPUS][SPAN_NS];	/* 0 or enum blame_kind */
	uint8_t cut[CPUS][SPAN_NS];	/* a slice begins here though its task had the CPU before */
	uint8_t doing[SPAN_NS], cpu[SPAN_NS], why[SPAN_NS];	/* of the watched thread */
	uint64_t emitted[CPUS];		/* slices are, up to here */
	bool is_lossy;
	struct model *model;
	struct rec_wait wait;		/* the one whose spans come */
	unsigned int spans;
};

static uint64_t rnd(struct world *w, uint64_t below)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return w->seed % below;
}

static void fill_cpus(struct world *w)
{
	for (int cpu = 0; cpu < CPUS; cpu++) {
		for (uint64_t t = 0; t < SPAN_NS;) {
			uint64_t end = t + 1 + rnd(w, 40), owner = rnd(w, TIDS);

			for (; t < end && t < SPAN_NS; t++)
				w->owner[cpu][t] = owner;
		}
		for (uint64_t t = 0; t < SPAN_NS; t += 1 + rnd(w, 30)) {
			static const uint8_t kinds[] = {BLAME_STEAL, BLAME_IRQ, BLAME_SOFTIRQ};
			uint64_t end = t + rnd(w, 8), kind = kinds[rnd(w, 3)];

			for (; t < end && t < SPAN_NS; t++)
				w->noise[cpu][t] = kind;
		}
	}
}

static uint64_t noise_in(const struct world *w, int cpu, uint64_t begin, uint64_t end, enum blame_kind kind)
{
	uint64_t n = 0;

	for (uint64_t t = begin; t < end; t++)
		n += w->noise[cpu][t] == kind;
	return n;
}

#define SET_NOISE(w, rec, cpu, begin, end) do { \
	(rec)->irq_ns = noise_in(w, cpu, begin, end, BLAME_IRQ); \
	(rec)->softirq_ns = noise_in(w, cpu, begin, end, BLAME_SOFTIRQ); \
	(rec)->steal_ns = noise_in(w, cpu, begin, end, BLAME_STEAL); \
} while (0)

static void feed(struct world *w, const void *rec, size_t len)
{
	assert_int_equal(model_feed(w->model, rec, len), 0);
}

/* All slices that ended up to now. */
static void feed_slices(struct world *w, uint64_t now)
{
	for (int cpu = 0; cpu < CPUS; cpu++) {
		uint64_t start = w->emitted[cpu];

		for (uint64_t t = start + 1; t <= now; t++) {
			struct rec_slice s = {{REC_SLICE_KIND, sizeof(s)}, .cpu = cpu, .end = t, .start = start};

			if (t < SPAN_NS && w->owner[cpu][t] == w->owner[cpu][t - 1] && !w->cut[cpu][t])
				continue;
			s.tid = w->owner[cpu][t - 1];
			SET_NOISE(w, &s, cpu, start, t);
			start = t;
			if (s.start && !(w->is_lossy && !rnd(w, 8)))
				feed(w, &s, sizeof(s));
		}
		w->emitted[cpu] = start;
	}
}

/* Who had the CPU, told in one of the two ways that are true. */
static uint32_t by_of(struct world *w, int cpu, uint64_t begin, uint64_t end)
{
	for (uint64_t t = begin; t < end; t++) {
		if (w->owner[cpu][t] != w->owner[cpu][begin])
			return BY_SLICES;
	}
	return begin < end && rnd(w, 2) ? w->owner[cpu][begin] : BY_SLICES;
}

/* The truth: how many ns of [begin, end) that the thread waited for its CPU went to this one. */
static uint64_t taken(const struct world *w, uint64_t begin, uint64_t end, enum blame_kind kind, uint32_t tid)
{
	uint64_t n = 0;

	for (uint64_t t = begin; t < end; t++) {
		uint8_t owner = w->owner[w->cpu[t]][t], noise = w->noise[w->cpu[t]][t];

		if (w->doing[t] != RUNNABLE || w->why[t] == WAIT_THROTTLED)
			continue;
		if (noise)
			n += noise == kind;
		else if (owner)
			n += kind == BLAME_COMPETITOR && owner == tid;
		else
			n += kind == BLAME_IDLE;
	}
	return n;
}

/* Rows' sum is the time to explain; nobody is blamed for more than he took. */
static void check_blame(const struct world *w, const struct span *s, uint64_t total, bool is_exact)
{
	uint64_t sum = 0, unknown = 0;

	for (size_t i = 0; i < s->blame_cnt; i++) {
		const struct blame *b = &s->blame[i];
		uint64_t truth = taken(w, s->begin_ns, s->end_ns, b->kind, b->tid);

		if (b->kind == BLAME_WAKER) {
			assert_int_equal(b->ns, 0);
			assert_int_equal(b->tid, WAKER);
			continue;
		}
		sum += b->ns;
		assert_true(b->ns > 0);
		if (b->kind == BLAME_UNKNOWN)
			unknown = b->ns;
		else if (is_exact)
			assert_int_equal(b->ns, truth);
		else
			assert_true(b->ns <= truth);
		for (size_t k = 0; k < i; k++)
			assert_false(s->blame[k].kind == b->kind && s->blame[k].tid == b->tid);
	}
	assert_int_equal(sum, total);
	if (is_exact)	/* only what the thread spent on its own CPU after the waking */
		assert_int_equal(unknown, w->wait.off > s->begin_ns ? w->wait.off - s->begin_ns : 0);
}

static enum stage stage_at(const struct world *w, uint64_t t)
{
	const struct rec_wait *r = &w->wait;

	if (w->doing[t] == RUNNABLE)
		return w->why[t] == WAIT_PREEMPTED ? STAGE_PREEMPT :
		       w->why[t] == WAIT_THROTTLED ? STAGE_THROTTLE : STAGE_RUNQ;
	if (w->doing[t] == ON_CPU || t < r->off)
		return STAGE_BUSY;
	if (t < r->due)
		return STAGE_SLACK;
	return t < r->fired ? STAGE_TIMER : STAGE_WAKE;
}

static void check_drift(const struct world *w, const struct span *s)
{
	uint64_t want[STAGE_CNT] = {0};

	for (uint64_t t = s->begin_ns; t < s->end_ns; t++)
		want[stage_at(w, t)]++;
	for (int i = 0; i < STAGE_CNT; i++)
		assert_int_equal(s->stage_ns[i], want[i]);
	check_blame(w, s, want[STAGE_RUNQ] + want[STAGE_PREEMPT], false);
}

static void check_span(void *ctx, const struct span *s)
{
	struct world *w = ctx;
	uint64_t latency = s->end_ns - s->begin_ns;

	w->spans++;
	assert_int_equal(s->end_ns, w->wait.ran);
	assert_int_equal(s->tid, WATCHED);
	if (s->metric == METRIC_THREAD_DRIFT) {
		check_drift(w, s);
	} else if (s->metric == METRIC_THREAD_RUNQ || s->metric == METRIC_THREAD_PREEMPT) {
		assert_int_equal(s->stage_ns[STAGE_RUNQ], s->metric == METRIC_THREAD_RUNQ ? latency : 0);
		check_blame(w, s, latency, !w->is_lossy);
	} else if (s->metric == METRIC_THREAD_THROTTLE) {
		assert_int_equal(s->blame_cnt, 0);
	} else {
		assert_int_equal(s->blame_cnt, 1);
		assert_int_equal(s->blame[0].ns, latency);
	}
}

static void no_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	(void)ctx;
	fail_msg("counter %d of %u: %llu", id, tid, (unsigned long long)n);
}

static void no_total(void *ctx, unsigned int count_id, uint64_t value)
{
	(void)ctx;
	(void)count_id;
	(void)value;
}

static void mark(struct world *w, uint64_t begin, uint64_t end, enum doing doing, int cpu)
{
	for (uint64_t t = begin; t < end; t++) {
		w->doing[t] = doing;
		w->cpu[t] = cpu;
		w->why[t] = w->wait.why;
	}
}

/* The runnable part: on one CPU after the other. Returns when it ran. */
static uint64_t wait_for_cpus(struct world *w, uint64_t begin)
{
	struct rec_wait *r = &w->wait;
	uint64_t since = begin;

	for (int moves = rnd(w, 2) ? 0 : rnd(w, 4); moves > 0; moves--) {
		struct rec_move m = {{REC_MOVE_KIND, sizeof(m)}, .tid = WATCHED, .start = since};

		m.cpu = rnd(w, CPUS);
		m.end = since + rnd(w, 50);
		m.by = by_of(w, m.cpu, m.start, m.end);
		SET_NOISE(w, &m, m.cpu, m.start, m.end);
		mark(w, m.start, m.end, RUNNABLE, m.cpu);
		w->cut[m.cpu][m.end] = 1;
		feed_slices(w, m.end);
		if (!(w->is_lossy && !rnd(w, 4)))
			feed(w, &m, sizeof(m));
		since = m.end;
		r->moves++;
	}
	r->cpu = rnd(w, CPUS);
	r->since = r->moves ? since : 0;
	r->ran = since + rnd(w, 60);
	r->by = by_of(w, r->cpu, since, r->ran);
	SET_NOISE(w, r, r->cpu, since, r->ran);
	mark(w, since, r->ran, RUNNABLE, r->cpu);
	return r->ran;
}

static void set_timer(struct world *w, uint64_t left)
{
	struct rec_wait *r = &w->wait;
	uint64_t back = rnd(w, 2) ? 30 : 800;

	r->woken_by = WOKEN_TIMER;
	r->timer = TIMER_SLEEPER;
	r->asked = r->waking > back + left ? r->waking - rnd(w, back) : r->waking;
	r->due = r->asked + rnd(w, 20);
	r->fired = r->due + rnd(w, 20);
	if (r->due > r->waking)
		r->due = r->waking;
	if (r->fired > r->waking || rnd(w, 8) == 0)
		r->fired = r->waking;
}

/* One turn of the watched thread: on a CPU from t on, then off it. Returns when it ran again. */
static uint64_t turn(struct world *w, uint64_t t, int *cpu)
{
	struct rec_wait *r = &w->wait;
	uint64_t off = t + 1 + rnd(w, 40), from = off;

	*r = (struct rec_wait){{REC_WAIT_KIND, sizeof(*r)}, .tid = WATCHED, .off = off};
	for (uint64_t i = t; i < off; i++)
		w->owner[*cpu][i] = WATCHED;
	w->cut[*cpu][off] = 1;
	r->why = WAIT_BLOCKED + rnd(w, 3);
	mark(w, t, off, ON_CPU, *cpu);
	if (r->why == WAIT_BLOCKED) {
		r->waking = rnd(w, 4) ? off + rnd(w, 60) : off - rnd(w, off - t);
		from = r->waking > off ? r->waking : off;
		mark(w, off, from, ASLEEP, 0);
		r->woken_by = WOKEN_TASK;
		r->waker = WAKER;
		if (rnd(w, 2))
			set_timer(w, 200);
	}
	t = wait_for_cpus(w, from);
	*cpu = r->cpu;
	w->cut[*cpu][t] = 1;
	w->owner[*cpu][t] = WATCHED;
	feed_slices(w, t);
	feed(w, r, sizeof(*r));
	return t;
}

static unsigned int run_world(uint64_t seed, bool is_lossy)
{
	struct world *w = calloc(1, sizeof(*w));
	struct span_sink sink = {.ctx = w, .span = check_span, .counter = no_counter, .total = no_total};
	unsigned int spans;
	uint64_t t = 100;
	int cpu = 0;

	assert_non_null(w);
	w->seed = seed;
	w->is_lossy = is_lossy;
	w->model = model_new(&sink);
	assert_non_null(w->model);
	fill_cpus(w);
	while (t < SPAN_NS - 500)
		t = turn(w, t, &cpu);
	model_end(w->model);
	model_free(w->model);
	spans = w->spans;
	free(w);
	return spans;
}

static void spans_are_what_counting_gives(void **state)
{
	unsigned int spans = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++)
		spans += run_world(seed * 0x9e3779b97f4a7c15ull, false);
	assert_true(spans > 10000);
}

static void loss_blames_nobody_else(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++)
		run_world(seed * 0x9e3779b97f4a7c15ull, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_are_what_counting_gives),
		cmocka_unit_test(loss_blames_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
