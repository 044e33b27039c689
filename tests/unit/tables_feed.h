/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Spans made by hand or by chance, and tables fed with them: for the tests of the tables. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/model/names.h"
#include "src/stats/dims.h"
#include "src/stats/impl.h"

#define START UINT64_C(1000000000000)
#define MS UINT64_C(1000000)

static uint64_t seed = 1;

static inline uint64_t random_below(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed * 0x2545f4914f6cdd1dull >> 20) % n;
}

static inline struct span span_of(enum metric m, uint32_t klass, uint32_t tid, uint64_t end, uint64_t latency)
{
	return (struct span){.metric = m, .klass = klass, .tid = tid, .tgid = tid / 10 * 10,
			     .begin_ns = START + end - latency, .end_ns = START + end};
}

static inline struct tables *new_tables(struct tables_opts opts)
{
	struct tables *t = tables_new(&opts);

	assert_non_null(t);
	tables_start(t, START);
	return t;
}

/* Feeds all as often as it is asked for; returns how often that was. */
static inline int feed(struct tables *t, const struct span *spans, size_t cnt)
{
	struct span_sink sink = tables_sink(t);
	bool again = true;
	int passes = 0;

	for (; again && passes < 3; passes++) {
		for (size_t i = 0; i < cnt; i++)
			sink.span(sink.ctx, &spans[i]);
		assert_int_equal(tables_pass_done(t, &again), 0);
	}
	return passes;
}

static inline void random_spans(struct span *spans, size_t cnt, uint32_t tids, uint64_t length)
{
	for (size_t i = 0; i < cnt; i++) {
		uint32_t tid = 100 + (uint32_t)random_below(tids);
		uint64_t latency = random_below(2) ? random_below(tid * 100) : random_below(1000);

		spans[i] = span_of((enum metric)random_below(METRIC_CNT), (uint32_t)random_below(3), tid,
				   i * length / cnt + 2 * MS - random_below(2 * MS), latency);
		spans[i].cpu = (uint16_t)random_below(4);
		spans[i].stage_ns[STAGE_RUNQ] = latency / 2;
		spans[i].stage_ns[STAGE_BUSY] = latency - latency / 2;
	}
}
