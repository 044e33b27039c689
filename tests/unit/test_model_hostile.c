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
#include "src/model/names_impl.h"
#include "src/model/thread.h"

enum { WATCHED = 101 };

static uint64_t rnd(uint64_t *seed, uint64_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % below;
}

static int futex_nr(void)
{
	static int nr = -1;

	while (nr < 0 || !syscall_name(nr) || strcmp(syscall_name(nr), "futex"))
		nr++;
	return nr;
}

static void no_total(void *ctx, unsigned int count_id, uint64_t value)
{
	(void)ctx;
	(void)count_id;
	(void)value;
}

static unsigned int with_holds;

static void check_sums(void *ctx, const struct span *s)
{
	uint64_t stages = 0, blame = 0, holds = 0, latency = s->end_ns - s->begin_ns, to_explain = latency;

	assert_true(s->begin_ns <= s->end_ns);
	for (int i = 0; i < STAGE_CNT; i++) {
		assert_true(!s->stage_ns[i] || metrics[s->metric].stages & 1u << i);
		stages += s->stage_ns[i];
	}
	for (size_t i = 0; i < s->blame_cnt; i++)
		blame += s->blame[i].ns;
	for (size_t i = 0; i < s->hold_cnt; i++)
		holds += s->holds[i].ns;
	assert_true(!s->hold_cnt || (s->metric == METRIC_LOCK_WAIT && s->holder));
	assert_int_equal(holds, s->hold_cnt ? latency : 0);
	with_holds += s->hold_cnt > 1;
	if (metrics[s->metric].stages)
		assert_int_equal(stages, latency);
	if (s->metric == METRIC_THREAD_DRIFT || s->metric == METRIC_GOROUTINE_DRIFT ||
	    s->metric == METRIC_GOROUTINE_RUNQ)
		to_explain = s->stage_ns[STAGE_RUNQ] + s->stage_ns[STAGE_PREEMPT];
	if (s->metric == METRIC_PROCESS_STW)
		to_explain = s->stage_ns[STAGE_STOPPING];
	if (s->metric == METRIC_THREAD_THROTTLE || (s->metric == METRIC_GOROUTINE_OFFCPU && !s->blame_cnt))
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

static uint64_t any_goid(uint64_t *seed)
{
	static const uint64_t some[] = {GOID_NONE, GOID_SCHEDULER, GOID_PARKED, 1, 2, UINT64_MAX - 2};

	return some[rnd(seed, 6)];
}

static void feed_go_nonsense(struct model *m, uint64_t *seed, uint64_t now)
{
	const struct rec_go go = {
		.hdr = {REC_GO_KIND, sizeof(go)}, .tid = rnd(seed, 4), .tgid = rnd(seed, 3),
		.ran = rnd(seed, 2) ? now : any_time(seed, now), .readied = any_time(seed, now),
		.left = any_time(seed, now),
		.fired = any_time(seed, now), .when = any_time(seed, now), .goid = any_goid(seed),
		.startpc = rnd(seed, 9), .gopc = rnd(seed, 9), .labels = rnd(seed, 3), .lock = rnd(seed, 3),
		.waker_goid = rnd(seed, 3), .waker_startpc = rnd(seed, 9), .waker = any_by(seed),
		.fired_by = rnd(seed, 5), .stack = rnd(seed, 9), .cause = rnd(seed, 8), .timer = rnd(seed, 7),
		.reason = rnd(seed, 4), .sampled = rnd(seed, 8) == 0,
	};
	const struct rec_stw stw = {
		.hdr = {REC_STW_KIND, sizeof(stw)}, .tid = rnd(seed, 4), .tgid = rnd(seed, 3),
		.end = any_time(seed, now), .stopped = any_time(seed, now), .start = any_time(seed, now), .last_goid = any_goid(seed),
		.last_startpc = rnd(seed, 3), .last_tid = any_by(seed), .reason = rnd(seed, 3), .stack = rnd(seed, 9),
	};

	if (rnd(seed, 8))
		model_feed(m, &go, sizeof(go));
	else
		model_feed(m, &stw, sizeof(stw));
}

/* What names things, of two processes. */
static void feed_names(struct model *m, uint64_t *seed)
{
	struct rec_symbol symbol = {
		.hdr = {REC_SYMBOL_KIND, sizeof(symbol)}, .tgid = rnd(seed, 3), .pc = rnd(seed, 9),
		.depth = rnd(seed, 4), .last = rnd(seed, 2), .line = rnd(seed, 3),
	};
	const struct rec_stack stack = {
		.hdr = {REC_STACK_KIND, sizeof(stack)}, .tgid = rnd(seed, 3), .id = rnd(seed, 9), .pc0 = rnd(seed, 9),
		.pc1 = rnd(seed, 9), .pc2 = rnd(seed, 9), .pc3 = rnd(seed, 9), .pc11 = rnd(seed, 9),
	};
	struct rec_goword word = {
		.hdr = {REC_GOWORD_KIND, sizeof(word)}, .tgid = rnd(seed, 3), .word = rnd(seed, 4),
		.number = rnd(seed, 4),
	};
	static const char *const funcs[] = {"", "runtime.x", "sync.(*Mutex).Lock", "main.f.func1", "runtime.goexit",
					    "__pthread_mutex_lock", "pthread_rwlock_rdlock", "pthread_cond_wait", "_", "std::"};
	static const char *const modules[] = {"", "libc.so.6", "app"};
	static const char *const reasons[] = {"", "select", "semacquire", "sync.Mutex.Lock"};

	snprintf(symbol.func, sizeof(symbol.func), "%s", funcs[rnd(seed, 10)]);
	snprintf(symbol.module, sizeof(symbol.module), "%s", modules[rnd(seed, 3)]);
	if (rnd(seed, 4) == 0)
		memset(symbol.func, 'f', sizeof(symbol.func));
	if (rnd(seed, 4) == 0)
		memset(symbol.file, '/', sizeof(symbol.file));
	if (rnd(seed, 4) == 0)
		memset(symbol.module, 'm', sizeof(symbol.module));
	snprintf(word.text, sizeof(word.text), "%s", reasons[rnd(seed, 4)]);
	model_feed(m, &symbol, sizeof(symbol));
	model_feed(m, &stack, sizeof(stack));
	model_feed(m, &word, sizeof(word));
}

static uint32_t any_tgid(uint64_t *seed)
{
	return rnd(seed, 8) ? 1 : rnd(seed, 3);
}

/* Of locks that are waited for, and of threads that may have them. */
static void feed_lock_nonsense(struct model *m, uint64_t *seed, uint64_t now)
{
	struct rec_lock lock = {
		.hdr = {REC_LOCK_KIND, sizeof(lock)}, .tgid = rnd(seed, 3), .futex = 4 * rnd(seed, 6), .base = rnd(seed, 24),
		.inode = rnd(seed, 2), .offset = rnd(seed, 2) ? rnd(seed, 20) : UINT64_MAX,
	};
	const struct rec_klock klock = {
		.hdr = {REC_KLOCK_KIND, sizeof(klock)}, .tid = rnd(seed, 5), .tgid = rnd(seed, 3), .begin = any_time(seed, now),
		.end = any_time(seed, now), .lock = rnd(seed, 3), .flags = rnd(seed, UINT32_MAX), .stack = rnd(seed, 9),
		.syscall = (int16_t)rnd(seed, UINT16_MAX),
	};
	const struct rec_task task = {
		.hdr = {REC_TASK_KIND, sizeof(task)}, .tid = rnd(seed, 5), .tgid = any_tgid(seed),
		.ns_tid = rnd(seed, 2) ? rnd(seed, 3) : 0, .time = any_time(seed, now),
		.flags = rnd(seed, 8) ? 0 : TASK_FORKED,
	};
	const struct rec_task_end end = {
		.hdr = {REC_TASK_END_KIND, sizeof(end)}, .tid = rnd(seed, 5), .tgid = rnd(seed, 3), .time = any_time(seed, now),
		.exited = rnd(seed, 2),
	};

	memset(lock.name, "a+\0"[rnd(seed, 3)], sizeof(lock.name));
	memset(lock.module, 'm', rnd(seed, sizeof(lock.module) + 1));
	model_feed(m, &lock, sizeof(lock));
	model_feed(m, &klock, sizeof(klock));
	if (rnd(seed, 2))
		model_feed(m, &task, sizeof(task));
	if (rnd(seed, 16) == 0)
		model_feed(m, &end, sizeof(end));
}

/* What the wait was for: some lock of theirs, mostly. */
static void set_futex(struct rec_wait *w, uint64_t *seed)
{
	static const uint32_t words[] = {0, 1, 2, 3, UINT32_MAX, 0x80000001, 0x80000002, 0xc0000003, 0x80000010};
	static const uint32_t ops[] = {0, 6, 9, 11, 13, 0x80, 0x189, UINT32_MAX};

	w->syscall = rnd(seed, 4) ? futex_nr() : (int)rnd(seed, 500);
	w->futex = rnd(seed, 8) ? 4 * rnd(seed, 6) : rnd(seed, UINT64_MAX);
	w->futex_op = ops[rnd(seed, 8)];
	w->futex_val = words[rnd(seed, 9)];
	w->futex_owner = rnd(seed, 8) ? rnd(seed, 5) : UINT32_MAX;
	w->stack = rnd(seed, 9);
	w->waker = any_by(seed);
	w->tgid = any_tgid(seed);
	if (rnd(seed, 2)) {
		w->why = WAIT_BLOCKED;
		w->off = w->ran - rnd(seed, 300);
		w->waking = w->ran;
	}
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
			.syscall = rnd(seed, 500), .tgid = 1, .until = any_time(seed, now), .goid = any_goid(seed),
			.startpc = 1 + rnd(seed, 9), .gopc = rnd(seed, 9),
		};
		if (r.wait.why < WAIT_BLOCKED)
			r.wait.off = 0;
		if (rnd(seed, 2))
			r.wait.ran = now;
		if (rnd(seed, 2))
			set_futex(&r.wait, seed);
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

static void nonsense_of_locks_keeps_sums_exact(void **state)
{
	uint64_t spans = 0, seed = 2;
	struct span_sink sink = {.ctx = &spans, .span = check_sums, .counter = any_counter, .total = no_total};
	struct model *m = model_new(&sink);

	(void)state;
	assert_non_null(m);
	for (int i = 0; i < 100000; i++) {
		feed_nonsense(m, &seed, 1000 + i * 10);
		if (i % 8 == 0)
			feed_lock_nonsense(m, &seed, 1000 + i * 10);
		if (i % 32 == 0)
			feed_names(m, &seed);
	}
	model_free(m);
	assert_true(spans > 10000);
	assert_true(with_holds > 100);
}

static void go_nonsense_keeps_sums_exact(void **state)
{
	uint64_t spans = 0, seed = 4712;
	struct span_sink sink = {.ctx = &spans, .span = check_sums, .counter = any_counter, .total = no_total};
	struct model *m = model_new(&sink);

	(void)state;
	assert_non_null(m);
	for (int i = 0; i < 30000; i++) {
		if (i % 16 == 0)
			feed_names(m, &seed);
		feed_nonsense(m, &seed, 1000 + i * 10);
		feed_go_nonsense(m, &seed, 1000 + i * 10);
	}
	model_free(m);
	assert_true(spans > 10000);
}

/* More of everything than there is room for: the first keep their names, the others have none. */
static void names_are_bounded(void **state)
{
	struct names *n = names_new();
	struct rec_symbol symbol = {.tgid = 1, .line = 1, .func = "main.f"};
	struct rec_stack stack = {.tgid = 1};
	struct rec_golabel label = {.tgid = 1};
	uint32_t site = 0;
	char buf[32];

	(void)state;
	assert_non_null(n);
	for (uint32_t i = 1; i <= 200000; i++) {
		symbol.pc = stack.pc0 = label.labels = i;
		stack.id = i;
		snprintf(symbol.file, sizeof(symbol.file), "/src/%u.go", i);
		snprintf(label.text, sizeof(label.text), "%u", i);
		assert_int_equal(names_symbol(n, &symbol), 0);
		assert_int_equal(names_stack(n, &stack), 0);
		assert_int_equal(names_golabel(n, &label), 0);
		site = names_site(n, 1, i, i);
		assert_true(i > NAMES_SITES_MAX ? !site : site == i);
	}
	assert_int_equal(n->symbols.map.cnt, NAMES_SYMBOLS_MAX);
	assert_int_equal(n->frame_cnt, NAMES_SYMBOLS_MAX);
	assert_int_equal(n->stacks.map.cnt, NAMES_STACKS_MAX);
	assert_int_equal(n->labels.map.cnt, NAMES_LABELS_MAX);
	assert_int_equal(n->site_cnt, NAMES_SITES_MAX);
	assert_true(n->texts.by_hash.cnt <= NAMES_TEXTS_MAX);
	assert_true(n->site_pcs.map.cnt <= NAMES_SITE_PCS_MAX);
	assert_string_equal(names_of_site(n, 7)->at, "main.f 7.go:1");
	assert_string_equal(names_label(n, 1, 7), "7");
	assert_null(names_of_site(n, NAMES_SITES_MAX + 1));
	for (int i = 0; i < 100; i++) {
		snprintf(buf, sizeof(buf), "reason %d", i);
		assert_int_equal(names_stw_class(n, buf), i < NAMES_STW_MAX ? CLASS_STW + i : CLASS_UNKNOWN);
	}
	names_free(n);
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
	assert_int_equal(threads_init(t, &sink, NULL, 8, 8), 0);
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
	assert_int_equal(threads_init(t, &sink, NULL, 8, 8), 0);
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
		cmocka_unit_test(nonsense_of_locks_keeps_sums_exact),
		cmocka_unit_test(go_nonsense_keeps_sums_exact),
		cmocka_unit_test(names_are_bounded),
		cmocka_unit_test(overwritten_history_censors),
		cmocka_unit_test(ended_threads_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
