/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The span: one sample of one metric, the waist between records and tables. Models make spans and
 * know no statistics; statistics and exporters take spans and know no records.
 * The tables METRICS and STAGES are the only place where metrics and stages are listed: CLI, CSV,
 * report and docs take names from here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(id, name): the order is that of the columns of table `events`. */
#define STAGES(X) \
	X(BUSY, "busy") X(HANDOFF, "handoff") X(ROUNDING, "rounding") X(SLACK, "slack") X(TIMER, "timer") \
	X(WAKE, "wake") X(RUNQ, "runq") X(PREEMPT, "preempt") X(THROTTLE, "throttle") X(RUNTIME, "runtime") \
	X(GRUNQ, "grunq") X(STOPPING, "stopping") X(STOPPED, "stopped")

enum stage {
#define X(id, name) STAGE_##id,
	STAGES(X)
#undef X
	STAGE_CNT
};

#define STAGE_BIT(id) (1u << STAGE_##id)

/* X(id, name, stages as a mask, help) */
#define METRICS(X) \
	X(THREAD_DRIFT, "thread.drift", \
	  STAGE_BIT(BUSY) | STAGE_BIT(SLACK) | STAGE_BIT(TIMER) | STAGE_BIT(WAKE) | STAGE_BIT(RUNQ) | \
	  STAGE_BIT(PREEMPT) | STAGE_BIT(THROTTLE), \
	  "timer-caused wakeups: ran minus asked") \
	X(THREAD_RUNQ, "thread.runq", STAGE_BIT(RUNQ), "wakeups: waking to ran") \
	X(THREAD_PREEMPT, "thread.preempt", 0, "off the CPU while runnable") \
	X(THREAD_THROTTLE, "thread.throttle", 0, "off the CPU because the cgroup's quota was spent") \
	X(THREAD_FUTEX, "thread.futex", 0, "futex waits that blocked: off to ran") \
	X(THREAD_BLOCK, "thread.block", 0, "other blocked waits: off to ran")

enum metric {
#define X(id, name, stages, help) METRIC_##id,
	METRICS(X)
#undef X
	METRIC_CNT
};

/* X(id, name): who is blamed for a wait; the values of column by_kind. */
#define BLAME_KINDS(X) \
	X(HOLDER, "holder") X(WAKER, "waker") X(COMPETITOR, "competitor") X(IRQ, "irq") \
	X(SOFTIRQ, "softirq") X(STEAL, "steal") X(IDLE, "idle") X(UNKNOWN, "unknown")

enum blame_kind {
#define X(id, name) BLAME_##id,
	BLAME_KINDS(X)
#undef X
	BLAME_CNT
};

struct metric_info {
	const char *name;
	unsigned int stages;	/* mask of STAGE_BIT */
	const char *help;
};

extern const struct metric_info metrics[METRIC_CNT];
extern const char *const stage_names[STAGE_CNT];
extern const char *const blame_names[BLAME_CNT];

/* One blamed party of one sample. `count` is 1 for the waker of a run-queue wait, whose ns is 0. */
struct blame {
	uint32_t tid;		/* 0 unless kind is a holder, waker or competitor */
	enum blame_kind kind;
	uint64_t ns;
};

struct span {
	enum metric metric;
	uint32_t klass;		/* class_name() of names.h gives its text */
	uint64_t begin_ns, end_ns;	/* CLOCK_MONOTONIC; latency is end - begin */
	uint64_t stage_ns[STAGE_CNT];	/* sum over the metric's stages is end - begin if it has stages */
	uint32_t tid, tgid;
	uint64_t cgroup;
	uint64_t lock;		/* futex word, 0 if none */
	uint16_t cpu;		/* where it ran */
	uint8_t prio, policy;
	size_t blame_cnt;
	const struct blame *blame;	/* valid during the call */
};

/*
 * Counters of the table `counters` that belong to an entity (a thread or a process), in the sense of
 * X(id, name). Values given to sink->counter are increments.
 */
#define ENTITY_COUNTERS(X) \
	X(WAKING, "waking") X(WAKING_AGAIN, "waking_again") X(WAKING_PREEMPTED, "waking_preempted") \
	X(LOST_WAKING, "lost_waking") \
	X(CENSORED_DRIFT, "censored.thread.drift") X(CENSORED_RUNQ, "censored.thread.runq") \
	X(CENSORED_PREEMPT, "censored.thread.preempt") X(CENSORED_THROTTLE, "censored.thread.throttle") \
	X(CENSORED_FUTEX, "censored.thread.futex") X(CENSORED_BLOCK, "censored.thread.block") \
	X(JIFFIES, "jiffies") X(OVERRUN, "overrun") X(FUTEX_EAGAIN, "futex_eagain") X(CLOCK_STEP, "clock_step")

enum entity_counter {
#define X(id, name) ECOUNT_##id,
	ENTITY_COUNTERS(X)
#undef X
	ECOUNT_CNT
};

extern const char *const entity_counter_names[ECOUNT_CNT];

/*
 * What takes the model's output. Calls come in the order of the records; ctx is passed back.
 * `total` gives the last seen value of a whole-recording counter (enum count_id of bpf/record.h).
 */
struct span_sink {
	void *ctx;
	void (*span)(void *ctx, const struct span *s);
	void (*counter)(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n);
	void (*total)(void *ctx, unsigned int count_id, uint64_t value);
};
