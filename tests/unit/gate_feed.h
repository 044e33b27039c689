/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A gate without a recording: budgets, names and spans made by hand. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/record.h"
#include "src/gate/gate.h"
#include "src/model/model.h"
#include "src/model/names.h"

#define START UINT64_C(1000000000000)
#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

struct fed {
	struct budgets budgets;
	struct model *model;
	struct samples samples;
	struct span_sink sink;
	struct lines lines;
	struct judged judged;
};

static inline void ignore_span(void *ctx, const struct span *s)
{
	(void)ctx;
	(void)s;
}

static inline void ignore_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	(void)ctx;
	(void)id;
	(void)tid;
	(void)n;
}

static inline void ignore_total(void *ctx, unsigned int id, uint64_t value)
{
	(void)ctx;
	(void)id;
	(void)value;
}

static inline struct rec_task task_of(uint32_t tid, uint32_t tgid, const char *comm)
{
	struct rec_task t = {.hdr = {REC_TASK_KIND, sizeof(t)}, .time = START, .tid = tid, .tgid = tgid, .flags = TASK_TRACKED};

	memcpy(t.comm, comm, strnlen(comm, sizeof(t.comm)));
	return t;
}

static inline void name_task(struct model *m, uint32_t tid, uint32_t tgid, const char *comm)
{
	struct rec_task t = task_of(tid, tgid, comm);

	assert_int_equal(model_feed(m, &t, sizeof(t)), 0);
}

/* 10 s of the threads mixer (11), mixer2 (12) and other (13) of process 10. */
static inline void fed_begin(struct fed *f, const char *const *budgets, size_t cnt)
{
	const struct span_sink nowhere = {.span = ignore_span, .counter = ignore_counter, .total = ignore_total};
	struct budget_error err;

	*f = (struct fed){.model = model_new(&nowhere)};
	for (size_t i = 0; i < cnt; i++)
		assert_int_equal(budgets_add(&f->budgets, budgets[i], 0, &err), 0);
	name_task(f->model, 10, 10, "server");
	name_task(f->model, 11, 10, "mixer");
	name_task(f->model, 12, 10, "mixer2");
	name_task(f->model, 13, 10, "other");
	assert_int_equal(samples_init(&f->samples, &f->budgets, model_names(f->model), START, 10 * SECOND), 0);
	f->sink = samples_sink(&f->samples);
	lines_init(&f->lines, ~0u, START, SECOND);
	f->judged = (struct judged){
		.samples = &f->samples, .lines = &f->lines, .names = model_names(f->model), .max_loss = GATE_MAX_LOSS,
	};
}

static inline void fed_end(struct fed *f)
{
	samples_done(&f->samples);
	lines_done(&f->lines);
	model_free(f->model);
	budgets_done(&f->budgets);
}

/* A drift of a thread, all of it in one stage. */
static inline void drift(struct fed *f, uint32_t tid, uint64_t end_ns, uint64_t latency, enum stage stage)
{
	struct blame by = {.kind = BLAME_COMPETITOR, .tid = 13, .ns = latency / 2};
	struct span s = {
		.metric = METRIC_THREAD_DRIFT, .klass = CLASS_NANOSLEEP, .tid = tid, .tgid = 10, .cpu = 1,
		.begin_ns = START + end_ns - latency, .end_ns = START + end_ns, .blame = &by, .blame_cnt = 1,
	};

	s.stage_ns[stage] = latency;
	f->sink.span(f->sink.ctx, &s);
	s.metric = METRIC_THREAD_RUNQ;
	f->sink.span(f->sink.ctx, &s);
}

/* cnt drifts over the 10 s, spread evenly over [low, high), in an order that is the same each time. */
static inline void drifts(struct fed *f, uint32_t tid, size_t cnt, uint64_t low, uint64_t high)
{
	for (size_t i = 0; i < cnt; i++)
		drift(f, tid, (i + 1) * 10 * SECOND / (cnt + 1), low + i * 7919 % cnt * (high - low) / cnt, STAGE_RUNQ);
}

/* The verdict on one of the budgets; finishes what was fed. */
static inline struct verdict judged(struct fed *f, size_t budget)
{
	struct verdict v;

	assert_int_equal(samples_finish(&f->samples), 0);
	assert_int_equal(verdict_make(&f->judged, &f->budgets.rows[budget], &v), 0);
	return v;
}
