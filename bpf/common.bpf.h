/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps and helpers that the programs share: who is tracked, counters, emitting. */
#pragma once

#include "compat.bpf.h"

/* 0 until everything is attached, and again when the recording ends: all start and stop as one. */
volatile __u32 active __weak SEC(".bss");

/* Set once the futex exits are attached: futex waits are held for their call's result. */
volatile __u32 hold_futex __weak SEC(".bss");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring __weak SEC(".maps");

/* A task is tracked if and only if it has one of these. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct join);
} joins __weak SEC(".maps");

/* The same before task storage (5.11), keyed by the task's address. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct join);
} joins_by_task __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNT_CNT);
	__type(key, __u32);
	__type(value, __u64);
} counts __weak SEC(".maps");

/* Ids that the user listed, in the ids of the collector's PID namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u8);
} wanted __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct overrun_key);
	__type(value, __u64);
} overruns __weak SEC(".maps");

/* The Go processes that are traced, by their ids in the initial PID namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_GO_PROCS);
	__type(key, __u32);
	__type(value, struct go_proc);
} go_procs __weak SEC(".maps");

/* 0: go_procs is empty, and nobody looks into it. */
volatile __u32 go_cnt __weak SEC(".bss");

/*
 * The context we run in, told by the programs of irq.bpf.c: the kernel's own count is out of reach where
 * per-CPU variables have no symbols (CONFIG_KALLSYMS_ALL).
 */
enum irq_context { IN_TASK, IN_SOFTIRQ, IN_HARDIRQ, IN_CONTEXT_CNT };

/* A timer's expiry handler that runs on this CPU, per context: contexts nest, each runs one at a time. */
struct timer_slot {
	__u64 asked, due, fired;
	__u64 task;		/* who sleeps for it; 0: the kind alone tells */
	__u8 timer;		/* enum timer_kind, TIMER_NONE: no handler runs */
	__u8 woke;
};

/* From `start` on this task had the CPU, until the next entry's start. */
struct slice {
	__u64 start;
	struct cpu_load load;	/* at start */
	__u64 tid;
};

struct cpu_state {
	struct timer_slot timers[IN_CONTEXT_CNT];
	struct cpu_load load;	/* steal is not kept here */
	__u64 irq_since, softirq_since;
	__u64 rq;		/* address of its run queue */
	__u32 irq_depth;
	__u32 emits;
	__s32 waiting;		/* tracked tasks that are runnable here and do not run, the running slices' readers */
	__u32 pad;
	__u64 head;		/* slices seen; the last one is slices[(head - 1) % HIST_SLICES] */
	__u64 flushed;		/* of them emitted or not needed */
	struct slice slices[HIST_SLICES];
};

/* Not per-CPU in the kernel's sense: a waker reads the load of the CPU that it wakes on. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS);
	__type(key, __u32);
	__type(value, struct cpu_state);
} cpus __weak SEC(".maps");

static __always_inline void count_add(__u32 id, __u64 add)
{
	__u64 *n = bpf_map_lookup_elem(&counts, &id);

	if (n)
		*n += add;
}

static __always_inline void count(__u32 id)
{
	count_add(id, 1);
}

static __always_inline struct cpu_state *cpu_state(__u32 cpu)
{
	return bpf_map_lookup_elem(&cpus, &cpu);
}

/* A tracked task begins (+1) or ends (-1) to wait on a CPU. */
static __always_inline void add_waiting(__u32 cpu, __s32 n)
{
	struct cpu_state *cs = cpu_state(cpu);

	if (cs)
		__sync_fetch_and_add(&cs->waiting, n);
}

static __always_inline enum irq_context irq_context(const struct cpu_state *cs)
{
	return cs->irq_depth ? IN_HARDIRQ : cs->softirq_since ? IN_SOFTIRQ : IN_TASK;
}

static __always_inline struct join *join_of(struct task_struct *p)
{
	__u64 key = (__u64)p;

	if (config.task_storage)
		return bpf_task_storage_get(&joins, p, 0, 0);
	return bpf_map_lookup_elem(&joins_by_task, &key);
}

/* NULL: no room, counted. Not on a hot path: tasks are made tracked at the start, at fork and the like. */
static __always_inline struct join *join_make(struct task_struct *p)
{
	struct join *j;

	if (config.task_storage) {
		j = bpf_task_storage_get(&joins, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	} else {
		static const struct join zero;
		__u64 key = (__u64)p;

		bpf_map_update_elem(&joins_by_task, &key, &zero, BPF_NOEXIST);
		j = bpf_map_lookup_elem(&joins_by_task, &key);
	}
	if (!j)
		count(COUNT_task_state_full);
	return j;
}

static __always_inline void join_drop(struct task_struct *p)
{
	__u64 key = (__u64)p;

	if (config.task_storage)
		bpf_task_storage_delete(&joins, p);
	else
		bpf_map_delete_elem(&joins_by_task, &key);
}

static __always_inline void end_preempted(struct join *j)
{
	if (!j->at)
		return;
	add_waiting(j->at - 1, -1);
	j->at = 0;
}

/* It is no longer ours: nothing of it waits any more. */
static __always_inline void end_waiting(struct join *j)
{
	__u32 first = join_holds(j->state) ? j->held : j->taken;

	end_preempted(j);
	for (__u32 i = 0; i < WAKE_SLOTS; i++)
		if (i < j->seq - first)
			add_waiting(j->wakes[(first + i) & (WAKE_SLOTS - 1)].at, -1);
}

/*
 * No wakeup of the collector for a record (a submit that wakes costs 50 times one that doesn't): it
 * drains on a timer. Only a ring that fills up wakes it, looked at every 64 records of a CPU.
 */
static __always_inline __u64 ring_flags(struct cpu_state *cs)
{
	if (cs && (++cs->emits & 63) == 0 && bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= config.wake_bytes)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

/* Id of p in its own namespace; 0 in the initial one. */
static __always_inline __u32 id_inside(struct task_struct *p)
{
	struct pid *pid = BPF_CORE_READ(p, thread_pid);
	struct upid its = {};
	__u32 level;

	if (!pid)
		return 0;
	level = BPF_CORE_READ(pid, level);
	if (!level || level > 32)
		return 0;
	bpf_probe_read_kernel(&its, sizeof(its), &pid->numbers[0] + level);
	return its.nr;
}

static __always_inline void lost_wait(struct join *j, bool had_waking)
{
	count(had_waking ? COUNT_ring_waking : COUNT_ring_preempt);
	if (had_waking)
		__sync_fetch_and_add(&j->lost_waking, 1);
}

/* A wait that was held for its futex call's result goes out. */
static __always_inline void release_late(struct cpu_state *cs, struct join *j, __s32 ret)
{
	j->late_held = 0;
	j->late.futex_ret = ret;
	if (bpf_ringbuf_output(&ring, &j->late, sizeof(j->late), ring_flags(cs)))
		lost_wait(j, j->late.waking);
}

#define REC_HDR(upper, type) {.kind = REC_##upper##_KIND, .len = sizeof(struct type)}

/* The wakings that nothing accounts for yet, and the wait that is open; see join.h. */
static __always_inline void fill_open(struct rec_task_end *r, struct join *j)
{
	__u32 pending = j->seq - j->taken, state = j->state;

	r->open_wakings = pending + (join_holds(state) ? 1 : 0);
	if (state == JOIN_PREEMPTED) {
		r->open = j->why == WAIT_THROTTLED ? OPEN_THROTTLED : OPEN_PREEMPTED;
		r->open_off = j->off;
	} else if (state == JOIN_BLOCKED || state == JOIN_WOKEN || state == JOIN_WOKEN_OUT) {
		r->open = state == JOIN_BLOCKED && !pending ? OPEN_BLOCKED : OPEN_WOKEN;
		r->open_off = j->off;
	} else if (r->open_wakings) {
		r->open = OPEN_WOKEN;
	}
}

static __always_inline void fill_end(struct rec_task_end *r, struct task_struct *p, struct join *j, __u64 now)
{
	*r = (struct rec_task_end){
		.hdr = REC_HDR(TASK_END, rec_task_end),
		.tid = p->pid,
		.tgid = p->tgid,
		.time = now,
		.waking = j->waking + j->seq,
		.waking_again = j->waking_again,
		.waking_preempted = j->waking_preempted,
		.lost_waking = j->lost_waking,
		.syscall = j->syscall,
	};
	fill_open(r, j);
}
