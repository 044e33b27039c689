/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All differences between kernels, each with the change that made it. */
#pragma once

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "config.h"
#include "join.h"

#define PF_IO_WORKER 0x00000010		/* include/linux/sched.h */
#define PF_KTHREAD 0x00200000
#define TASK_DEAD 0x00000080
#define TASK_WAKING 0x00000200		/* 0x0200 from 4.14 on */
#define TS_COMPAT 0x0002		/* arch/x86/include/asm/thread_info.h */

const volatile struct bpf_config config __weak SEC(".rodata") = {};

/* Task state: `state` until 5.13, then `__state`. */
static __always_inline __u32 task_state(struct task_struct *p)
{
	if (bpf_core_field_exists(p->__state))
		return p->__state;
	return (__u32)((struct task_struct___5_13 *)p)->state;
}

static __always_inline __u32 task_cpu(struct task_struct *p)
{
	if (bpf_core_field_exists(p->thread_info.cpu))
		return p->thread_info.cpu;
	return ((struct task_struct___5_15 *)p)->cpu;
}

/*
 * The CPU quota took it off: from 6.18 each task is throttled by itself (e1fad12dcb66) and has the flag;
 * before, the run queues of its group are, counted from the top.
 */
static __always_inline bool task_throttled(struct task_struct *p)
{
	if (bpf_core_field_exists(p->throttled))
		return p->throttled;
	if (bpf_core_field_exists(p->se.cfs_rq) && bpf_core_field_exists(struct cfs_rq, throttle_count))
		return BPF_CORE_READ(p, se.cfs_rq, throttle_count) > 0;
	return false;
}

/*
 * Pointers to structs are read as plain numbers, here and below: the verifier of 6.x searches the
 * kernel's types by name for each load of a typed pointer, 1 ms a time.
 */
static __always_inline __u64 task_css_set(struct task_struct *p)
{
	__u64 set = 0;

	bpf_core_read(&set, sizeof(set), &p->cgroups);
	return set;
}

/* The task's cgroup of the CPU controller if that is on a v1 hierarchy, else the v2 one. */
static __always_inline struct cgroup *task_cgroup(struct task_struct *p)
{
	struct css_set *set = (void *)task_css_set(p);
	struct cgroup_subsys_state *css = NULL;

	if (!config.cgroup_v1)
		return BPF_CORE_READ(set, dfl_cgrp);
	bpf_core_read(&css, sizeof(css), &set->subsys[bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id)]);
	return BPF_CORE_READ(css, cgroup);
}

/*
 * Time that the hypervisor gave to others, ns, as of the run queue's last clock update (a switch or a
 * tick); 0 where it doesn't tell. `rq` is the address of the CPU's run queue.
 */
static __always_inline __u64 rq_steal(__u64 rq)
{
	if (!config.steal || !rq || !bpf_core_field_exists(struct rq, prev_steal_time_rq))
		return 0;
	return BPF_CORE_READ((struct rq *)rq, prev_steal_time_rq);
}

/* The run queue of the CPU that p is on; without group scheduling the kernel does not say. */
static __always_inline __u64 rq_of(struct task_struct *p)
{
	if (!config.steal || !bpf_core_field_exists(struct cfs_rq, rq))
		return 0;
	return (__u64)BPF_CORE_READ(p, se.cfs_rq, rq);
}

/* The registers a task entered the kernel with: its own are as good as another's that is in a call. */
struct user_regs {
	__s32 syscall;		/* number, or SYSCALL_* */
	__u64 arg0, arg1;
};

/*
 * They lie at the top of the kernel stack. bpf_task_pt_regs (5.15) says where; before, THREAD_SIZE is
 * known: 16 KiB on x86 and on arm64 with 4 KiB pages (arch/.../thread_info.h, memory.h).
 */
static __always_inline struct pt_regs *task_regs(struct task_struct *p)
{
	__u64 stack = 0;

	if (config.task_storage)
		return (struct pt_regs *)bpf_task_pt_regs(p);
	bpf_core_read(&stack, sizeof(stack), &p->stack);
	return (struct pt_regs *)(stack + 16384 - bpf_core_type_size(struct pt_regs));
}

static __always_inline void read_regs(struct task_struct *p, struct user_regs *out)
{
	struct pt_regs *regs;

	if (p->flags & (PF_KTHREAD | PF_IO_WORKER)) {
		out->syscall = SYSCALL_KERNEL;
		return;
	}
	regs = task_regs(p);
#if defined(__TARGET_ARCH_x86)
	long nr = BPF_CORE_READ(regs, orig_ax);

	if (p->thread_info.status & TS_COMPAT)
		nr = nr < 0 ? nr : SYSCALL_COMPAT;
	else if (nr < 0 || nr > 0x7fff)
		nr = SYSCALL_FAULT;
	out->syscall = nr;
	out->arg0 = BPF_CORE_READ(regs, di);
	out->arg1 = BPF_CORE_READ(regs, si);
#elif defined(__TARGET_ARCH_arm64)
	out->syscall = BPF_CORE_READ(regs, syscallno);
	if (out->syscall < 0)
		out->syscall = SYSCALL_FAULT;
	out->arg0 = BPF_CORE_READ(regs, orig_x0);
	out->arg1 = BPF_CORE_READ(regs, regs[1]);
#endif
}

#if defined(__TARGET_ARCH_x86)
enum { NR_futex = 202, NR_futex_waitv = 449, NR_futex_wait = 455 };
#else
enum { NR_futex = 98, NR_futex_waitv = 449, NR_futex_wait = 455 };
#endif

static __always_inline bool is_futex_wait(__s32 syscall)
{
	return syscall == NR_futex || syscall == NR_futex_wait || syscall == NR_futex_waitv;
}
