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

/* What a metric's entity is if the user asks for nothing else (--by). */
enum entity_kind { ENTITY_THREAD, ENTITY_GOROUTINE, ENTITY_LOCK, ENTITY_PROCESS };

#define GO_WAIT_STAGES (STAGE_BIT(HANDOFF) | STAGE_BIT(RUNQ) | STAGE_BIT(PREEMPT) | STAGE_BIT(THROTTLE) | \
			STAGE_BIT(GRUNQ))

/* X(id, name, entity, stages as a mask, help) */
#define METRICS(X) \
	X(THREAD_DRIFT, "thread.drift", THREAD, \
	  STAGE_BIT(BUSY) | STAGE_BIT(SLACK) | STAGE_BIT(TIMER) | STAGE_BIT(WAKE) | STAGE_BIT(RUNQ) | \
	  STAGE_BIT(PREEMPT) | STAGE_BIT(THROTTLE), \
	  "timer-caused wakeups: ran minus asked") \
	X(THREAD_RUNQ, "thread.runq", THREAD, STAGE_BIT(RUNQ), "wakeups: waking to ran") \
	X(THREAD_PREEMPT, "thread.preempt", THREAD, 0, "off the CPU while runnable") \
	X(THREAD_THROTTLE, "thread.throttle", THREAD, 0, "off the CPU because the cgroup's quota was spent") \
	X(THREAD_FUTEX, "thread.futex", THREAD, 0, "futex waits that blocked: off to ran") \
	X(THREAD_BLOCK, "thread.block", THREAD, 0, "other blocked waits: off to ran") \
	X(GOROUTINE_DRIFT, "goroutine.drift", GOROUTINE, \
	  STAGE_BIT(BUSY) | STAGE_BIT(ROUNDING) | STAGE_BIT(SLACK) | STAGE_BIT(TIMER) | STAGE_BIT(WAKE) | \
	  STAGE_BIT(RUNTIME) | GO_WAIT_STAGES, \
	  "Go timers: the goroutine ran minus the timer's when") \
	X(GOROUTINE_RUNQ, "goroutine.runq", GOROUTINE, GO_WAIT_STAGES, "goroutines: runnable to running") \
	X(GOROUTINE_OFFCPU, "goroutine.offcpu", GOROUTINE, 0, "the goroutine was running, its thread was not") \
	X(GOROUTINE_LOCK, "goroutine.lock", GOROUTINE, 0, "waits for a lock of Go's package sync: parked to ran") \
	X(GOROUTINE_CHAN, "goroutine.chan", GOROUTINE, 0, "waits for a channel: parked to ran") \
	X(LOCK_WAIT, "lock.wait", LOCK, 0, "waits for a lock: a thread's, a goroutine's, or in the kernel") \
	X(PROCESS_STW, "process.stw", PROCESS, STAGE_BIT(STOPPING) | STAGE_BIT(STOPPED), \
	  "Go: the world was stopped")

enum metric {
#define X(id, name, entity, stages, help) METRIC_##id,
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

/* X(id, name, help): what the holder of a lock did while somebody waited for it. */
#define HOLD_DOINGS(X) \
	X(RUNNING, "running", "it was on a CPU") \
	X(RUNQ, "runq", "it was woken, and waited for a CPU") \
	X(PREEMPT, "preempt", "it had been pushed off the CPU") \
	X(THROTTLE, "throttle", "its cgroup's quota was spent") \
	X(LOCK, "lock", "it waited for a lock itself") \
	X(BLOCKED, "blocked", "it was asleep in something else") \
	X(WOKEN, "woken", "no matter: the waiter was woken, by it or by a timeout, and waited for a CPU") \
	X(UNKNOWN, "unknown", "not seen")

enum hold_doing {
#define X(id, name, help) HOLD_##id,
	HOLD_DOINGS(X)
#undef X
	HOLD_CNT
};

extern const char *const hold_names[HOLD_CNT], *const hold_helps[HOLD_CNT];

/* What the holder did in a part of a wait; the parts of one wait add up to its latency. */
struct hold {
	enum hold_doing doing;
	uint32_t klass;		/* BLOCKED: class_name() of the wait (that of thread.block or thread.futex); else 0 */
	uint32_t root;		/* LOCK: who held it all up in the end, the last known of the chain; else 0 */
	uint64_t ns;
};

struct metric_info {
	const char *name;
	enum entity_kind entity;
	unsigned int stages;	/* mask of STAGE_BIT */
	const char *help;
};

extern const struct metric_info metrics[METRIC_CNT];
extern const char *const stage_names[STAGE_CNT], *const stage_helps[STAGE_CNT];
extern const char *const blame_names[BLAME_CNT], *const blame_helps[BLAME_CNT];

/* One blamed party of one sample. `count` is 1 for the waker of a run-queue wait, whose ns is 0. */
struct blame {
	uint32_t tid;		/* 0 unless kind is a holder, waker or competitor that is a thread */
	enum blame_kind kind;
	uint64_t ns;
	uint32_t site;		/* of a goroutine that is blamed, see names_site(); 0: a thread, or nobody */
	uint64_t goid;		/* the same goroutine */
};

struct span {
	enum metric metric;
	uint32_t klass;		/* class_name() of names.h gives its text */
	uint64_t begin_ns, end_ns;	/* CLOCK_MONOTONIC; latency is end - begin */
	uint64_t stage_ns[STAGE_CNT];	/* sum over the metric's stages is end - begin if it has stages */
	uint32_t tid, tgid;
	uint64_t cgroup;
	/*
	 * What was waited for: the address of a lock in memory (the begin of a named object or of a rwlock rather than the
	 * futex word), or of a Go semaphore; where lock_space is an inode, the offset in that file; 0 if none.
	 */
	uint64_t lock;
	uint64_t lock_space;	/* the inode of shared memory, LOCK_OF_KERNEL, or 0: of the process tgid */
	uint64_t goid;		/* of goroutine metrics, else 0 */
	uint64_t label;		/* address of the goroutine's pprof labels, see names_label(); 0: none */
	uint32_t site;		/* the goroutine's creation site, see names_site(); 0: none or not known */
	uint32_t wait_site;	/* where in the code it waited, see names_call_site(); 0: not known */
	uint32_t stack;		/* the same, whole: id of a stack of stack_tgid, see names_frame(); 0: not known */
	uint32_t stack_tgid;	/* tgid, or TGID_KERNEL */
	uint32_t holder;	/* the thread that held the lock when the wait began; 0: not known */
	uint16_t cpu;		/* where it ran */
	uint8_t prio, policy;
	bool of_scheduler;	/* a Go runtime's own sleep: what is timed is its goroutines' */
	size_t blame_cnt;
	const struct blame *blame;	/* valid during the call */
	size_t hold_cnt;		/* lock.wait only: what the holder did; 0 if there is none that is known */
	const struct hold *holds;	/* valid during the call */
};

/* Value of span.lock_space: an address in the kernel. */
#define LOCK_OF_KERNEL UINT64_MAX

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
	X(CENSORED_GO_DRIFT, "censored.goroutine.drift", "samples whose begin or end was not seen") \
	X(CENSORED_GO_RUNQ, "censored.goroutine.runq", "samples whose begin or end was not seen") \
	X(CENSORED_GO_LOCK, "censored.goroutine.lock", "samples whose begin or end was not seen") \
	X(CENSORED_GO_CHAN, "censored.goroutine.chan", "samples whose begin or end was not seen") \
	X(CENSORED_LOCK, "censored.lock.wait", "samples whose begin or end was not seen") \
	X(CENSORED_STW, "censored.process.stw", "samples whose begin or end was not seen") \
	X(JIFFIES, "jiffies", "wakeups by timeouts of the timer wheel, which have no asked in ns") \
	X(OVERRUN, "overrun", "timers that fired with nobody waiting") \
	X(MISSED_TICK, "missed_tick", "points of a periodic timer's grid without a wakeup; found by the tables") \
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
 * Gauges: values at one moment, from snapshots of Go processes. X(id, name, help). GOROUTINES_AT is of a
 * creation site, the others are of a process.
 */
#define GAUGES(X) \
	X(GOROUTINES, "goroutines", "goroutines that live") \
	X(GOROUTINES_RUNNABLE, "goroutines_runnable", "of them runnable") \
	X(GOROUTINES_RUNNING, "goroutines_running", "of them running") \
	X(GOROUTINES_SYSCALL, "goroutines_syscall", "of them in system calls or C code") \
	X(GOROUTINES_WAITING, "goroutines_waiting", "of them waiting") \
	X(GOROUTINES_AT, "goroutines_at", "goroutines by creation site") \
	X(WAITING_AT, "waiting_at", "waiting goroutines by creation site") \
	X(THREADS, "threads", "threads of the Go runtime (Ms)") \
	X(THREADS_IDLE, "threads_idle", "of them parked") \
	X(THREADS_SPINNING, "threads_spinning", "of them looking for work") \
	X(THREADS_SYSCALL, "threads_syscall", "of them in system calls or C code") \
	X(THREADS_LOCKED, "threads_locked", "of them locked to a goroutine (LockOSThread)") \
	X(PROCS, "procs", "Ps: GOMAXPROCS") \
	X(PROCS_IDLE, "procs_idle", "of them idle") \
	X(PROCS_RUNNING, "procs_running", "of them running") \
	X(PROCS_SYSCALL, "procs_syscall", "of them held by system calls") \
	X(PROCS_STOPPED, "procs_stopped", "of them stopped for the garbage collector") \
	X(RUNQ_GLOBAL, "runq_global", "goroutines in the global run queue") \
	X(RUNQ_LOCAL, "runq_local", "goroutines in the run queues of the Ps") \
	X(TIMERS, "timers", "timers in all heaps") \
	X(TIMERS_MAX, "timers_max", "timers in the fullest heap") \
	X(GC_CYCLES, "gc_cycles", "garbage collections so far") \
	X(SCHED_TICKS, "sched_ticks", "goroutines scheduled so far") \
	X(MUTEX_WAIT, "mutex_wait_ns", "the runtime's own estimate of time waited for mutexes so far, ns")

enum gauge_id {
#define X(id, name, help) GAUGE_##id,
	GAUGES(X)
#undef X
	GAUGE_CNT
};

extern const char *const gauge_names[GAUGE_CNT], *const gauge_helps[GAUGE_CNT];

struct gauge {
	enum gauge_id id;
	uint32_t tgid;
	uint32_t site;		/* GAUGE_*_AT: see names_site(); else 0 */
	uint64_t time_ns, value;
};

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
	void (*gauge)(void *ctx, const struct gauge *g);	/* may be NULL; in order of time */
	/* n futex calls of the word did not wait, those of ECOUNT_FUTEX_EAGAIN; may be NULL */
	void (*eagain)(void *ctx, uint32_t tgid, uint64_t futex, uint64_t n);
};
