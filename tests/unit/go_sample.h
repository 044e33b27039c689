/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A recording of a Go process as records, through the model into tables: for the tests of the exporters. */
#pragma once

#include "export_sample.h"

enum { GO_PID = 20, GO_SNAPSHOTS = 11 };

struct go_sample {
	struct model *m;
	struct tables *t;
};

static inline void give(struct go_sample *s, const void *rec, size_t len)
{
	assert_int_equal(model_feed(s->m, rec, len), 0);
}

#define GIVE(s, type, upper, ...) \
	give(s, &(struct rec_##type){.hdr = {REC_##upper##_KIND, sizeof(struct rec_##type)}, __VA_ARGS__}, \
	     sizeof(struct rec_##type))

static inline void give_symbol(struct go_sample *s, uint64_t pc, const char *func, const char *file, uint32_t line)
{
	struct rec_symbol r = {
		.hdr = {REC_SYMBOL_KIND, sizeof(r)}, .tgid = GO_PID, .pc = pc, .line = line, .last = 1,
	};

	snprintf(r.func, sizeof(r.func), "%s", func);
	snprintf(r.file, sizeof(r.file), "%s", file);
	give(s, &r, sizeof(r));
}

static inline void give_word(struct go_sample *s, uint32_t number, const char *text)
{
	struct rec_goword r = {
		.hdr = {REC_GOWORD_KIND, sizeof(r)}, .tgid = GO_PID, .word = GO_WORD_REASON, .number = number,
	};

	snprintf(r.text, sizeof(r.text), "%s", text);
	give(s, &r, sizeof(r));
}

static inline void give_task(struct go_sample *s, uint32_t tid, const char *comm)
{
	struct rec_task r = {
		.hdr = {REC_TASK_KIND, sizeof(r)}, .tid = tid, .time = START, .tgid = GO_PID, .flags = TASK_TRACKED,
	};

	memcpy(r.comm, comm, strnlen(comm, sizeof(r.comm)));
	give(s, &r, sizeof(r));
}

/* Two creation sites, a place where one of them waits, and what the process is. `worker` and `file` may bite. */
static inline void give_names(struct go_sample *s, const char *worker, const char *file)
{
	struct rec_goproc p = {
		.hdr = {REC_GOPROC_KIND, sizeof(p)}, .tgid = GO_PID, .time = START, .level = GO_LIGHT, .checked = 1,
		.version = "go1.22.3", .why = "full would cost 4% of its CPU",
	};

	GIVE(s, clock, CLOCK, .time = START);
	give_task(s, GO_PID, "server");
	give_task(s, GO_PID + 1, "server");
	give_symbol(s, 0x100, worker, file, 7);
	give_symbol(s, 0x200, "main.serve", file, 31);
	give_symbol(s, 0x300, "example.com/game/room.(*Room).run", "/src/room.go", 5);
	give_symbol(s, 0x400, "main.main", "/src/main.go", 12);
	give_symbol(s, 0x500, "main.handle", "/src/server.go", 77);
	GIVE(s, stack, STACK, .tgid = GO_PID, .id = 1, .pc0 = 0x500);
	give_word(s, 14, "chan receive");
	give_word(s, 20, "sync.Mutex.Lock");
	give(s, &p, sizeof(p));
}

/* One a second: the workers grow by ten each time, the rooms stay. */
static inline void give_snapshot(struct go_sample *s, uint32_t i)
{
	uint64_t at = START + i * 1000 * MS;

	GIVE(s, gosnap, GOSNAP, .tgid = GO_PID, .time = at, .goroutines = 8 + 10 * i, .waiting = 7 + 10 * i,
	     .running = 1, .ms = 5, .ms_idle = i % 2, .ps = 2, .ps_idle = 1, .ps_running = 1, .timers = 100,
	     .timers_max = 60, .gc_cycles = 3 + i, .sched_ticks = 1000 * i, .mutex_wait_ns = 1000000 * i);
	GIVE(s, gosite, GOSITE, .tgid = GO_PID, .time = at, .startpc = 0x300, .gopc = 0x400, .count = 5, .status = 4,
	     .reason = 20);
	if (i)
		GIVE(s, gosite, GOSITE, .tgid = GO_PID, .time = at, .startpc = 0x100, .gopc = 0x200, .count = 10 * i,
		     .status = 4, .reason = 14, .stack = 1, .oldest_ns = i * 1000 * MS);
	GIVE(s, gosite, GOSITE, .tgid = GO_PID, .time = at, .count = 3, .status = 2);
	GIVE(s, gohist, GOHIST, .tgid = GO_PID, .time = at, .which = GO_HIST_RUN, .lo_ns = 1000, .hi_ns = 2000,
	     .count = 10);
}

/* Goroutines that wait for a mutex which another one unlocks, and for threads. */
static inline void give_waits(struct go_sample *s, uint32_t i)
{
	uint64_t at = START + i * 10 * MS + 5 * MS;

	GIVE(s, go, GO, .tid = GO_PID + 1, .ran = at, .readied = at - 300000, .left = at - 2300000, .goid = 33 + i % 2,
	     .startpc = 0x100, .gopc = 0x200, .lock = 0xc000, .waker_goid = 7, .waker_startpc = 0x300, .waker_gopc = 0x400,
	     .tgid = GO_PID, .waker = GO_PID, .stack = 1, .cause = GO_READIED, .reason = 20);
	GIVE(s, go, GO, .tid = GO_PID + 1, .ran = at, .readied = at - 200000, .goid = 60, .startpc = 0x300, .gopc = 0x400,
	     .tgid = GO_PID, .sampled = 1);
}

static inline struct go_sample go_sample_of(const char *worker, const char *file, struct tables_opts opts)
{
	struct go_sample s = {.t = new_tables(opts)};
	struct span_sink sink = tables_sink(s.t);
	bool again = true;

	while (again) {
		model_free(s.m);
		s.m = model_new(&sink);
		assert_non_null(s.m);
		tables_names(s.t, model_names(s.m));
		give_names(&s, worker, file);
		for (uint32_t i = 0; i < GO_SNAPSHOTS; i++) {
			give_snapshot(&s, i);
			give_waits(&s, i);
		}
		GIVE(&s, end, END, .reason = END_DURATION, .time = START + 10000 * MS);
		model_end(s.m);
		assert_int_equal(tables_pass_done(s.t, &again), 0);
	}
	return s;
}

/* What the exporter makes of it, to be freed. */
static inline char *go_exported(const struct go_sample *s, const char *format, struct export_opts o)
{
	o.info = model_info(s->m);
	o.model = s->m;
	return exported(format, s->t, model_names(s->m), &o);
}

static inline void go_sample_done(struct go_sample *s)
{
	model_free(s->m);
	tables_free(s->t);
}
