/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel types that our BPF programs read, and of each just the fields they read. Kept by hand:
 * CO-RE relocates every access by name, so order and gaps do not matter. Names with ___suffix are the
 * same type as other kernel versions have it; bpf/compat.bpf.h chooses.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef _Bool bool;
typedef s64 ktime_t;
typedef int pid_t;
enum { false, true };

/* include/uapi/linux/bpf.h: user API, the numbers are fixed */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum { BPF_ANY, BPF_NOEXIST, BPF_EXIST };
enum { BPF_F_NO_PREALLOC = 1 };
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0, BPF_RB_RING_SIZE = 1 };

/*
 * arch/<arch>/include/uapi/asm/ptrace.h: what a program at a uprobe is given, as user API has it. Nothing to
 * relocate: an object that has only such programs needs no BTF of the kernel, which takes 20 ms to read.
 */
struct uprobe_regs {
#if defined(__TARGET_ARCH_x86)
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
#elif defined(__TARGET_ARCH_arm64)
	u64 regs[31], sp, pc, pstate;
#endif
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

enum bpf_func_id___present {
	BPF_FUNC_task_pt_regs___present,
	BPF_FUNC_task_storage_get___present,
	BPF_FUNC_get_current_task_btf___present,
	BPF_FUNC_snprintf___present,
};

enum cgroup_subsys_id { cpu_cgrp_id = 1 };

struct pt_regs {
#if defined(__TARGET_ARCH_x86)
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, sp;
#elif defined(__TARGET_ARCH_arm64)
	u64 regs[31], sp, pc;
	u64 orig_x0;
	int syscallno;
#endif
};

struct thread_info {
	u32 status;
	u32 cpu;
};

struct thread_struct {
#if defined(__TARGET_ARCH_x86)
	unsigned long fsbase;
#elif defined(__TARGET_ARCH_arm64)
	struct {
		unsigned long tp_value;
	} uw;
#endif
};

struct pid_namespace;
struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct hlist_node {
	struct hlist_node *next;
};
struct hlist_head {
	struct hlist_node *first;
};
struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct kernfs_node {
	u64 id;
};
struct cgroup;
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};
struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};
struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
};

struct rq {
	u64 prev_steal_time_rq;
};
struct cfs_rq {
	struct rq *rq;
	int throttle_count;
};
struct sched_entity {
	struct cfs_rq *cfs_rq;
};

struct mm_struct {
	unsigned long mmap_base, start_code, end_code;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	unsigned int flags;
	int prio;
	unsigned int policy;
	int pid, tgid;
	bool throttled;
	struct sched_entity se;
	struct task_struct *group_leader, *real_parent;
	struct pid *thread_pid;
	struct css_set *cgroups;
	struct mm_struct *mm;
	void *stack;
	char comm[16];
	struct thread_struct thread;
};
struct task_struct___5_13 {
	volatile long state;	/* until 5.13; then unsigned int __state (2f064a59a11f) */
};
struct task_struct___5_15 {
	unsigned int cpu;	/* until 5.15; then thread_info.cpu (bcf9033e5449) */
};

/* include/linux/hrtimer_types.h */
struct timerqueue_node {
	ktime_t expires;
};
struct hrtimer_clock_base {
	ktime_t offset;
};
struct hrtimer {
	struct timerqueue_node node;
	ktime_t _softexpires;
	void *function;
	struct hrtimer_clock_base *base;
};
struct hrtimer_sleeper {
	struct hrtimer timer;
	struct task_struct *task;
};
struct timer_list {
	void *function;
};
struct process_timer {		/* kernel/time/timer.c (sleep_timeout.c) */
	struct timer_list timer;
	struct task_struct *task;
};
struct signal_struct {
	struct pid *pids[4];
	struct hrtimer real_timer;
};
struct k_itimer {
	int it_sigev_notify;
	struct pid *it_pid;
	union {
		struct {
			struct hrtimer timer;
		} real;
	} it;
};

struct trace_event_raw_sys_exit {
	long id;
	long ret;
};

/* kernel/bpf/ringbuf.c */
struct bpf_ringbuf {
	u64 mask;
};
struct bpf_ringbuf_map {
	struct bpf_ringbuf *rb;
};

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#endif
