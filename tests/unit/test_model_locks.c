/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Locks in the model. What holders did, against a small world of which every ns is known: one thread holds a lock and is
 * on and off its CPU, another waits for it now and then. And names of locks and threads, beyond their bounds.
 */
#include <errno.h>
#include <linux/futex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/record.h"
#include "src/model/functions.h"
#include "src/model/model.h"
#include "src/model/names_impl.h"
#include "src/model/thread.h"

enum {
	TGID = 100,
	WAITER = 101,
	HOLDER = 102,
	OWNER = 103,		/* of the lock that the holder waits for */
	OTHER = 7,
	BEGIN = 100,		/* of the recording */
	END = 6000,
};

struct world {
	uint64_t seed;
	uint8_t doing[END];	/* of the holder, enum hold_doing */
	uint64_t awake;		/* seen on a CPU last */
	int futex, sleep;	/* system calls */
	struct model *model;
	uint64_t begin, woken, end;	/* of the wait under way */
	unsigned int waits;
	bool was_seen[HOLD_CNT];
};

static uint64_t rnd(struct world *w, uint64_t below)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return w->seed % below;
}

static int number_of(const char *name)
{
	int nr = 0;

	while (!syscall_name(nr) || strcmp(syscall_name(nr), name))
		nr++;
	return nr;
}

static void feed(struct world *w, const void *rec, size_t len)
{
	assert_int_equal(model_feed(w->model, rec, len), 0);
}

static void feed_task(struct world *w, uint32_t tid)
{
	struct rec_task t = {{REC_TASK_KIND, sizeof(t)}, .tid = tid, .tgid = TGID, .time = BEGIN};

	feed(w, &t, sizeof(t));
}

static void check_holds(struct world *w, const struct span *s)
{
	uint64_t want[HOLD_CNT] = {0}, have[HOLD_CNT] = {0};

	for (uint64_t t = s->begin_ns; t < s->end_ns; t++)
		want[t >= w->woken ? HOLD_WOKEN : t < w->awake ? w->doing[t] : HOLD_UNKNOWN]++;
	for (size_t i = 0; i < s->hold_cnt; i++) {
		const struct hold *h = &s->holds[i];

		have[h->doing] += h->ns;
		w->was_seen[h->doing] = true;
		assert_int_equal(h->klass, h->doing == HOLD_BLOCKED ? CLASS_SLEEP : CLASS_NONE);
		assert_int_equal(h->root, h->doing == HOLD_LOCK ? OWNER : 0);
	}
	for (int i = 0; i < HOLD_CNT; i++)
		assert_int_equal(have[i], want[i]);
}

static void check_span(void *ctx, const struct span *s)
{
	struct world *w = ctx;

	if (s->metric != METRIC_LOCK_WAIT || s->tid != WAITER)
		return;
	assert_int_equal(s->begin_ns, w->begin);
	assert_int_equal(s->end_ns, w->end);
	assert_int_equal(s->klass, CLASS_MUTEX);
	assert_int_equal(s->holder, HOLDER);
	assert_int_equal(s->lock, 0x1000);
	assert_int_equal(s->blame_cnt, 1);
	assert_int_equal(s->blame[0].kind, BLAME_HOLDER);
	check_holds(w, s);
	w->waits++;
}

static void any_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	(void)ctx;
	(void)tid;
	assert_true(id < ECOUNT_CNT && n);
}

static void no_total(void *ctx, unsigned int count_id, uint64_t value)
{
	(void)ctx;
	(void)count_id;
	(void)value;
}

static void mark(struct world *w, uint64_t from, uint64_t to, enum hold_doing doing)
{
	for (; from < to; from++)
		w->doing[from] = doing;
}

/* The holder leaves its CPU at `off` and comes back. Returns when. */
static uint64_t holder_waits(struct world *w, uint64_t off)
{
	static const enum hold_doing off_cpu[] = {
		[WAIT_BLOCKED] = HOLD_RUNQ, [WAIT_PREEMPTED] = HOLD_PREEMPT, [WAIT_THROTTLED] = HOLD_THROTTLE,
	};
	struct rec_wait r = {{REC_WAIT_KIND, sizeof(r)}, .tid = HOLDER, .tgid = TGID, .off = off,
			     .why = WAIT_BLOCKED + rnd(w, 3), .syscall = w->sleep, .by = OTHER};
	uint64_t runnable = off;

	if (r.why == WAIT_BLOCKED) {
		bool is_lock = rnd(w, 2);

		runnable = off + rnd(w, 60);
		r.waking = rnd(w, 5) ? runnable : off - rnd(w, 3);	/* woken on its way out */
		runnable = r.waking > off ? r.waking : off;
		r.woken_by = WOKEN_IRQ;
		mark(w, off, runnable, is_lock ? HOLD_LOCK : HOLD_BLOCKED);
		if (is_lock) {
			r.syscall = w->futex;
			r.futex = 0x2000;
			r.futex_op = FUTEX_WAIT | FUTEX_PRIVATE_FLAG;
			r.futex_val = 2;
			r.futex_owner = OWNER;
		}
	}
	r.ran = runnable + rnd(w, 50);
	mark(w, runnable, r.ran, off_cpu[r.why]);
	feed(w, &r, sizeof(r));
	w->awake = r.ran;
	return r.ran;
}

/* The waiter's wait ends at `end`; the holder is on a CPU then, or may be in a wait that has not ended. */
static void waiter_waits(struct world *w, uint64_t end, bool is_waker)
{
	struct rec_wait r = {
		{REC_WAIT_KIND, sizeof(r)}, .tid = WAITER, .tgid = TGID, .why = WAIT_BLOCKED, .ran = end,
		.syscall = w->futex, .futex = 0x1000, .futex_op = FUTEX_WAIT | FUTEX_PRIVATE_FLAG, .futex_val = 2,
		.futex_owner = HOLDER, .woken_by = WOKEN_TASK, .waker = is_waker ? HOLDER : OTHER,
	};

	r.off = end - rnd(w, end - w->end < 400 ? end - w->end : 400);
	r.waking = r.off + rnd(w, end - r.off + 1) - rnd(w, 3);
	if (is_waker && r.waking > w->awake)
		w->awake = r.waking;
	w->begin = r.off;
	w->woken = r.waking > r.off ? r.waking : r.off;
	w->end = end;
	feed(w, &r, sizeof(r));
}

static void run_world(uint64_t seed, unsigned int *waits, bool *was_seen)
{
	struct world *w = calloc(1, sizeof(*w));
	struct span_sink sink = {.ctx = w, .span = check_span, .counter = any_counter, .total = no_total};
	struct rec_clock clock = {{REC_CLOCK_KIND, sizeof(clock)}, .time = BEGIN};
	uint64_t t = BEGIN;

	assert_non_null(w);
	*w = (struct world){.seed = seed, .model = model_new(&sink), .awake = BEGIN, .end = BEGIN / 2};
	assert_non_null(w->model);
	w->futex = number_of("futex");
	w->sleep = number_of("nanosleep");
	mark(w, 0, BEGIN, HOLD_UNKNOWN);
	feed(w, &clock, sizeof(clock));
	feed_task(w, WAITER);
	feed_task(w, HOLDER);
	feed_task(w, OWNER);
	while (t < END - 300) {
		uint64_t off = t + 1 + rnd(w, 40);

		mark(w, t, off, HOLD_RUNNING);
		/* its first waking is what makes it known */
		if (rnd(w, 2) && t > BEGIN)
			waiter_waits(w, off, rnd(w, 2));
		t = holder_waits(w, off);
	}
	model_end(w->model);
	model_free(w->model);
	*waits += w->waits;
	for (int i = 0; i < HOLD_CNT; i++)
		was_seen[i] |= w->was_seen[i];
	free(w);
}

static void holds_are_what_counting_gives(void **state)
{
	bool was_seen[HOLD_CNT] = {0};
	unsigned int waits = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++)
		run_world(seed * 0x9e3779b97f4a7c15ull, &waits, was_seen);
	assert_true(waits > 5000);
	for (int i = 0; i < HOLD_CNT; i++)
		assert_true(was_seen[i]);
}

struct sums {
	uint64_t ns, unknown_ns;
};

static void sum_holds(void *ctx, const struct span *s)
{
	struct sums *sums = ctx;

	if (s->metric != METRIC_LOCK_WAIT)
		return;
	*sums = (struct sums){0};
	for (size_t i = 0; i < s->hold_cnt; i++) {
		sums->ns += s->holds[i].ns;
		sums->unknown_ns += s->holds[i].doing == HOLD_UNKNOWN ? s->holds[i].ns : 0;
	}
}

/* So many threads run and end, enough of them that what is left of them is dropped. */
static void run_and_end(struct threads *t, uint32_t cnt)
{
	for (uint32_t tid = OWNER + 1; tid <= OWNER + cnt; tid++) {
		struct rec_wait r = {.tid = tid, .tgid = TGID, .why = WAIT_ON_CPU, .waking = 2990, .ran = 2990};
		struct rec_task_end end = {.tid = tid, .tgid = TGID, .time = 2995, .exited = 1};

		assert_int_equal(threads_wait(t, &r), 0);
		assert_int_equal(threads_end(t, &end), 0);
	}
}

/*
 * The holder sleeps for 10 of every 20, in a ring of 8 sleeps: so much of a wait from `begin` on, before whose end
 * others ended.
 */
static struct sums overwritten(uint64_t begin, uint32_t ended)
{
	struct sums sums = {0};
	struct span_sink sink = {.ctx = &sums, .span = sum_holds, .counter = any_counter, .total = no_total};
	struct threads *t = calloc(1, sizeof(*t));
	struct names *n = names_new();
	struct rec_task task = {.tid = HOLDER, .tgid = TGID};
	struct rec_wait r = {.tid = HOLDER, .tgid = TGID, .why = WAIT_BLOCKED, .woken_by = WOKEN_IRQ};

	assert_non_null(t);
	assert_non_null(n);
	assert_int_equal(threads_init(t, &sink, n, 32, 8), 0);
	assert_int_equal(names_task(n, &task), 0);
	for (uint64_t i = 0; i < 100; i++) {
		r.off = 1000 + 20 * i;
		r.waking = r.ran = r.off + 10;
		assert_int_equal(threads_wait(t, &r), 0);
	}
	run_and_end(t, ended);
	r = (struct rec_wait){.tid = WAITER, .tgid = TGID, .off = begin, .waking = 3000, .ran = 3000, .why = WAIT_BLOCKED,
			      .woken_by = WOKEN_TASK, .waker = HOLDER, .syscall = number_of("futex"),
			      .futex_op = FUTEX_LOCK_PI, .futex_val = HOLDER};
	assert_int_equal(threads_wait(t, &r), 0);
	threads_done(t);
	names_free(n);
	free(t);
	return sums;
}

static void overwritten_sleeps_are_unknown(void **state)
{
	struct sums s = overwritten(2000, 0);

	(void)state;
	assert_int_equal(s.ns, 1000);
	/* its own wait took a place: seven are left, and what was overwritten last ended at 2850 */
	assert_int_equal(s.unknown_ns, 850);
	s = overwritten(2850, 0);
	assert_int_equal(s.ns, 150);
	assert_int_equal(s.unknown_ns, 0);
}

/* It has never waited for a CPU: its sleeps are all that is known of it. */
static void sleepers_outlive_those_that_end(void **state)
{
	struct sums s = overwritten(2850, 40000);

	(void)state;
	assert_int_equal(s.ns, 150);
	assert_int_equal(s.unknown_ns, 0);
}

static struct names *names_with(uint32_t tid, uint32_t tgid, uint32_t ns_tid, uint64_t time, uint32_t flags)
{
	struct names *n = names_new();
	struct rec_task t = {.tid = tid, .tgid = tgid, .ns_tid = ns_tid, .time = time, .flags = flags};

	assert_non_null(n);
	assert_int_equal(names_task(n, &t), 0);
	return n;
}

static void threads_are_found_by_their_own_ids_while_they_live(void **state)
{
	struct names *n = names_with(500, TGID, 7, 1000, TASK_FORKED);
	struct rec_task t = {.tid = 501, .tgid = TGID, .time = 1000};

	(void)state;
	assert_int_equal(names_thread(n, TGID, 7, 1000), 500);
	assert_int_equal(names_thread(n, TGID, 7, 999), 0);
	assert_int_equal(names_thread(n, TGID, 500, 2000), 0);
	assert_int_equal(names_thread(n, TGID + 1, 7, 2000), 0);
	assert_int_equal(names_thread(n, TGID, 0, 2000), 0);
	assert_int_equal(names_task(n, &t), 0);
	assert_int_equal(names_thread(n, TGID, 501, 1), 501);
	names_thread_ends(n, 500, 3000);
	assert_int_equal(names_thread(n, TGID, 7, 2999), 500);
	assert_int_equal(names_thread(n, TGID, 7, 3000), 0);
	/* its end was not told, and its id is another process's now */
	t.tgid = TGID + 1;
	assert_int_equal(names_task(n, &t), 0);
	assert_int_equal(names_thread(n, TGID, 501, 4000), 0);
	assert_int_equal(names_thread(n, TGID + 1, 501, 4000), 501);
	names_free(n);
}

static void ended_threads_make_room(void **state)
{
	struct names *n = names_with(1, 1, 0, 1, 0);

	(void)state;
	for (uint32_t tid = 2; tid < 4 * NAMES_ENDED_MAX; tid++) {
		struct rec_task t = {.tid = tid, .tgid = 1, .time = tid, .flags = TASK_FORKED};

		assert_int_equal(names_task(n, &t), 0);
		names_thread_ends(n, tid, tid + 1);
	}
	assert_true(n->threads.cnt <= NAMES_ENDED_MAX + 2);
	assert_int_equal(names_thread(n, 1, 1, 5), 1);
	names_free(n);
}

static void locks_are_named_by_word_and_by_begin(void **state)
{
	struct names *n = names_new();
	struct rec_lock r = {.tgid = TGID, .futex = 0x5008, .base = 0x5000, .name = "table", .module = "app"};

	(void)state;
	assert_non_null(n);
	assert_int_equal(names_lock(n, &r), 0);
	assert_string_equal(names_of_lock(n, TGID, 0x5008)->name, "table+0x8");
	assert_null(names_of_lock(n, TGID, 0x5000));
	assert_int_equal(names_lock_begin(n, TGID, 0x5008, 0x5000), 0);
	assert_string_equal(names_of_lock(n, TGID, 0x5000)->name, "table");
	assert_string_equal(names_of_lock(n, TGID, 0x5000)->module, "app");
	/* the second element of an array */
	r.futex = 0x5040;
	assert_int_equal(names_lock(n, &r), 0);
	assert_int_equal(names_lock_begin(n, TGID, 0x5040, 0x5038), 0);
	assert_string_equal(names_of_lock(n, TGID, 0x5038)->name, "table+0x38");
	/* not told: nothing is made of it */
	assert_int_equal(names_lock_begin(n, TGID, 0x6008, 0x6000), 0);
	assert_null(names_of_lock(n, TGID, 0x6000));
	memset(r.name, 'x', sizeof(r.name));
	assert_int_equal(names_lock(n, &r), 0);
	assert_int_equal(strlen(names_of_lock(n, TGID, 0x5040)->name), sizeof(r.name) + strlen("+0x40"));
	names_free(n);
}

static void names_of_locks_are_bounded(void **state)
{
	struct names *n = names_new();

	(void)state;
	assert_non_null(n);
	for (uint32_t i = 1; i <= NAMES_LOCKS_MAX + 10; i++) {
		struct rec_lock r = {.tgid = TGID, .futex = i * 64 + 8, .base = i * 64, .name = "l"};

		assert_int_equal(names_lock(n, &r), 0);
		assert_int_equal(names_lock_begin(n, TGID, r.futex, r.base), 0);
	}
	assert_int_equal(n->locks.map.cnt, NAMES_LOCKS_MAX);
	names_free(n);
}

static void functions_are_known_by_their_names(void **state)
{
	static const struct {
		const char *func;
		uint32_t klass;
		enum lock_word word;
	} rows[] = {
		{"__GI___lll_lock_wait", CLASS_MUTEX, WORD_MUTEX},
		{"__lll_lock_wait_private", CLASS_MUTEX, WORD_LOW},
		{"___pthread_mutex_clocklock64", CLASS_MUTEX, WORD_MUTEX},
		{"___pthread_cond_clockwait64", CLASS_COND, WORD_COND},
		{"__new_sem_wait", CLASS_SEM, WORD_UNKNOWN},
		{"___pthread_timedjoin_np64", CLASS_JOIN, WORD_UNKNOWN},
		{"__lock", CLASS_MUTEX, WORD_LOW},
		{"ObjectMonitor::EnterI", CLASS_MUTEX, WORD_UNKNOWN},
		{"std::sys::unix::locks::futex_mutex::Mutex::lock_contended", CLASS_MUTEX, WORD_UNKNOWN},
		{"<std::sys::sync::mutex::futex::Mutex>::lock_contended", CLASS_MUTEX, WORD_UNKNOWN},
		{"<std::sys::sync::condvar::futex::Condvar>::wait_optional_timeout", CLASS_COND, WORD_UNKNOWN},
	};
	static const char *const others[] = {"", "_", "lock", "__lock_file", "pthread_create", "main", "std::sys::x", "my_sem_wait"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct wait_function *w = wait_function_of(rows[i].func);

		assert_non_null(w);
		assert_int_equal(w->klass, rows[i].klass);
		assert_int_equal(w->word, rows[i].word);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_null(wait_function_of(others[i]));
	assert_true(is_library("operator()", "libstdc++.so.6"));
	assert_true(is_library("std::mutex::lock", "app"));
	assert_true(is_library("<std::sync::poison::mutex::Mutex<u8>>::lock", "app"));
	assert_true(is_library("<core::cell::once::OnceCell<()>>::try_init", "app"));
	assert_true(is_library("__pthread_mutex_lock", "static_app"));
	assert_false(is_library("operator()", "app"));
	assert_false(is_library("free_list_lock", "app"));
	assert_false(is_library("x", "libc-client.so.2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_are_what_counting_gives),
		cmocka_unit_test(overwritten_sleeps_are_unknown),
		cmocka_unit_test(sleepers_outlive_those_that_end),
		cmocka_unit_test(threads_are_found_by_their_own_ids_while_they_live),
		cmocka_unit_test(ended_threads_make_room),
		cmocka_unit_test(locks_are_named_by_word_and_by_begin),
		cmocka_unit_test(names_of_locks_are_bounded),
		cmocka_unit_test(functions_are_known_by_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
