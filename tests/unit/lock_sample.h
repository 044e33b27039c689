/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A process whose threads wait for each other's locks, as spans in tables: for the tests of the exporters. */
#pragma once

#include "export_sample.h"

enum {
	LOCK_PID = 20, MIXER, MIXER_2, FLUSH, IO, WORKER,	/* its threads; workers go on */
	WORKERS = 8,
	SITE_ENQUEUE = 1, SITE_DRAIN, SITE_LOG, SITE_FAULT,
};

static inline void add_place(struct names *n, uint32_t tgid, uint32_t stack, const char *func, const char *file,
			     uint32_t line)
{
	struct rec_symbol symbol = {.tgid = tgid, .pc = 0x100 * stack, .line = line, .last = 1};
	const struct rec_stack r = {.tgid = tgid, .id = stack, .pc0 = 0x100 * stack};

	snprintf(symbol.func, sizeof(symbol.func), "%s", func);
	snprintf(symbol.file, sizeof(symbol.file), "%s", file);
	assert_int_equal(names_symbol(n, &symbol), 0);
	assert_int_equal(names_stack(n, &r), 0);
	assert_int_equal(names_call_site(n, tgid, stack), stack);	/* sites are numbered in this order, too */
}

static inline void add_lock(struct names *n, uint64_t futex, const char *name)
{
	struct rec_lock r = {.tgid = LOCK_PID, .futex = futex, .base = futex};

	snprintf(r.name, sizeof(r.name), "%s", name);
	assert_int_equal(names_lock(n, &r), 0);
}

static inline struct names *lock_names(const char *lock, const char *func)
{
	struct names *n = names_new();

	assert_non_null(n);
	add_place(n, LOCK_PID, SITE_ENQUEUE, "enqueue", "/src/queue.c", 88);
	add_place(n, LOCK_PID, SITE_DRAIN, "drain", "/src/queue.c", 120);
	add_place(n, LOCK_PID, SITE_LOG, func, "/src/log.c", 31);
	add_place(n, TGID_KERNEL, SITE_FAULT, "exc_page_fault", "", 0);
	add_name(n, LOCK_PID, 0, "server");
	add_name(n, MIXER, 0, "mixer");
	add_name(n, MIXER_2, 0, "mixer");
	add_name(n, FLUSH, 0, "flush");
	add_name(n, IO, 0, "io");
	for (uint32_t i = 0; i < WORKERS; i++)
		add_name(n, WORKER + i, 0, "worker");
	add_lock(n, 0x5000, lock);
	return n;
}

/* A lock, who waited from when to when, for whom, and what that one did. */
struct lock_wait {
	uint64_t lock, space;
	uint32_t klass, tid, site, by;
	enum blame_kind kind;
	uint64_t begin_us, end_us;
	struct hold holds[3];
};

static inline struct span lock_span(const struct lock_wait *w, struct blame *blame)
{
	struct span s = span_of(METRIC_LOCK_WAIT, w->klass, w->tid, w->end_us * 1000, (w->end_us - w->begin_us) * 1000);

	*blame = (struct blame){.tid = w->by, .kind = w->kind, .ns = s.end_ns - s.begin_ns};
	s.tgid = LOCK_PID;
	s.lock = w->lock;
	s.lock_space = w->space;
	s.wait_site = w->site;
	s.blame = blame;
	s.blame_cnt = 1;
	s.holder = w->kind == BLAME_HOLDER ? w->by : 0;
	s.holds = w->holds;
	while (s.hold_cnt < 3 && w->holds[s.hold_cnt].ns)
		s.hold_cnt++;
	return s;
}

/* All workers wait for the one that flushes, which itself waits for io and is preempted; then each other's turn. */
static inline size_t lock_waits(struct lock_wait *out)
{
	size_t cnt = 0;

	for (uint32_t i = 0; i < WORKERS; i++)
		out[cnt++] = (struct lock_wait){
			.lock = 0x5000, .klass = CLASS_MUTEX, .tid = WORKER + i, .site = i % 4 ? SITE_ENQUEUE : SITE_DRAIN,
			.by = FLUSH, .kind = BLAME_HOLDER, .begin_us = 100000 + 100 * i, .end_us = 184000 + 100 * i,
			.holds = {{.doing = HOLD_PREEMPT, .ns = 61200000}, {.doing = HOLD_RUNNING, .ns = 2800000},
				  {.doing = HOLD_LOCK, .root = IO, .ns = 20000000}},
		};
	for (uint32_t i = 0; i < 40; i++)
		out[cnt++] = (struct lock_wait){
			.lock = 0x6000, .klass = CLASS_MUTEX, .tid = i % 2 ? MIXER : MIXER_2, .site = SITE_LOG,
			.by = IO, .kind = BLAME_WAKER, .begin_us = 300000 + 10000 * i,
			.end_us = 300000 + 10000 * i + 100 * (i + 1),
		};
	for (uint32_t i = 0; i < 5; i++)
		out[cnt++] = (struct lock_wait){
			.lock = 0xffff888012345678, .space = LOCK_OF_KERNEL, .klass = CLASS_KERNEL, .tid = MIXER,
			.site = SITE_FAULT, .kind = BLAME_UNKNOWN, .begin_us = 800000 + i * 1000, .end_us = 800400 + i * 1000,
		};
	return cnt;
}

static inline struct tables *lock_tables(const struct names *n, struct tables_opts opts)
{
	static struct lock_wait waits[64];
	size_t cnt = lock_waits(waits);
	struct tables *t = new_tables(opts);
	struct span_sink sink = tables_sink(t);
	bool again = true;

	tables_names(t, n);
	while (again) {
		for (size_t i = 0; i < cnt; i++) {
			struct blame blame;
			const struct span s = lock_span(&waits[i], &blame);

			sink.span(sink.ctx, &s);
		}
		sink.eagain(sink.ctx, LOCK_PID, 0x5000, 1234);
		assert_int_equal(tables_pass_done(t, &again), 0);
	}
	return t;
}

static const struct model_info lock_info = {
	.start_ns = START, .end_ns = START + 1000 * MS, .has_end = true, .end_reason = END_DURATION,
};
