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

/* X(id, name, help): the order is that of the columns of table `events`. */
#define STAGES(X) \
	X(BUSY, "busy", "on a CPU, or waiting for something else: it was not yet there to be woken") \
	X(HANDOFF, "handoff", "Go: the thread was parked, or polled with a later timeout") \
	X(ROUNDING, "rounding", "Go: the runtime asked the kernel for a later moment") \
	X(SLACK, "slack", "lateness that was agreed to: asked to due") \
	X(TIMER, "timer", "the kernel's timer was late: due to fired") \
	X(WAKE, "wake", "from the timer's handler to the wakeup: fired to waking") \
	X(RUNQ, "runq", "woken, waited for a CPU") \
	X(PREEMPT, "preempt", "pushed off the CPU while it still had work") \
	X(THROTTLE, "throttle", "off the CPU because the cgroup's quota was spent") \
	X(RUNTIME, "runtime", "Go: on a CPU, the runtime getting to the timer") \
	X(GRUNQ, "grunq", "Go: the goroutine was runnable and no thread ran it") \
	X(STOPPING, "stopping", "Go: the world was being stopped") \
	X(STOPPED, "stopped", "Go: the world was stopped")

enum stage {
#define X(id, name, help) STAGE_##id,
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

/* X(id, name, help): who is blamed for a wait; the values of column by_kind. */
#define BLAME_KINDS(X) \
	X(HOLDER, "holder", "held the lock when the wait began") \
	X(WAKER, "waker", "did the waking; of a run-queue wait it has a count and no time") \
	X(COMPETITOR, "competitor", "a task that had the CPU meanwhile") \
	X(IRQ, "irq", "hardware interrupts of that CPU") \
	X(SOFTIRQ, "softirq", "softirqs of that CPU") \
	X(STEAL, "steal", "the hypervisor ran somebody else") \
	X(IDLE, "idle", "the CPU was waking up") \
	X(UNKNOWN, "unknown", "not seen: never a guess")

enum blame_kind {
#define X(id, name, help) BLAME_##id,
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
extern const char *const stage_names[STAGE_CNT], *const stage_helps[STAGE_CNT];
extern const char *const blame_names[BLAME_CNT], *const blame_helps[BLAME_CNT];

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
 * X(id, name, help). Values given to sink->counter are increments.
 */
#define ENTITY_COUNTERS(X) \
	X(WAKING, "waking", "wakings") \
	X(WAKING_AGAIN, "waking_again", "wakings before it had run since the last one: no samples") \
	X(WAKING_PREEMPTED, "waking_preempted", "wakings while it was preempted: no samples") \
	X(LOST_WAKING, "lost_waking", "wakings whose samples were lost, see the table loss") \
	X(CENSORED_DRIFT, "censored.thread.drift", "samples whose begin or end was not seen") \
	X(CENSORED_RUNQ, "censored.thread.runq", "samples whose begin or end was not seen") \
	X(CENSORED_PREEMPT, "censored.thread.preempt", "samples whose begin or end was not seen") \
	X(CENSORED_THROTTLE, "censored.thread.throttle", "samples whose begin or end was not seen") \
	X(CENSORED_FUTEX, "censored.thread.futex", "samples whose begin or end was not seen") \
	X(CENSORED_BLOCK, "censored.thread.block", "samples whose begin or end was not seen") \
	X(JIFFIES, "jiffies", "wakeups by timeouts of the timer wheel, which have no asked in ns") \
	X(OVERRUN, "overrun", "timers that fired with nobody waiting") \
	X(FUTEX_EAGAIN, "futex_eagain", "futex calls that did not wait: the word had changed") \
	X(CLOCK_STEP, "clock_step", "timer wakeups whose clock was set while they slept: no samples")

enum entity_counter {
#define X(id, name, help) ECOUNT_##id,
	ENTITY_COUNTERS(X)
#undef X
	ECOUNT_CNT
};

extern const char *const entity_counter_names[ECOUNT_CNT], *const entity_counter_helps[ECOUNT_CNT];

/*
 * What takes the model's output. Calls come in the order of the records; ctx is passed back.
 * `total` gives the last seen value of a whole-recording counter (enum count_id of bpf/record.h).
 */
struct span_sink {
	void *ctx;
	void (*span)(void *ctx, const struct span *s);
	void (*counter)(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n);
	void (*total)(void *ctx, unsigned int count_id, uint64_t value);
	/* n things were lost some time between from and to (0: the start); may be NULL. In order of time. */
	void (*loss)(void *ctx, uint64_t from_ns, uint64_t to_ns, uint64_t n);
};
