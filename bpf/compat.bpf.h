/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All differences between kernels, each with the change that made it. */
#pragma once

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "config.h"
#include "go.h"
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

/* The run queue of the CPU that p is on; 0 without group scheduling, then the kernel does not say. */
static __always_inline __u64 rq_of(struct task_struct *p)
{
	if (!config.steal || !bpf_core_field_exists(struct cfs_rq, rq))
		return 0;
	return (__u64)BPF_CORE_READ(p, se.cfs_rq, rq);
}

/*
 * The registers that a task entered the kernel with lie at the top of its kernel stack, while it is in a
 * system call. bpf_task_pt_regs (5.15) says where; before, THREAD_SIZE is known: 16 KiB on x86 and on
 * arm64 with 4 KiB pages (arch/x86/include/asm/page_64_types.h, arch/arm64/include/asm/memory.h).
 */
static __always_inline __u64 stack_regs(struct task_struct *p)
{
	__u64 stack = 0;

	bpf_core_read(&stack, sizeof(stack), &p->stack);
	return stack + 16384 - bpf_core_type_size(struct pt_regs);
}

#define TASK_REG(p, field) ({ \
	typeof(((struct pt_regs *)0)->field) value; \
	if (config.task_storage) \
		value = ((struct pt_regs *)bpf_task_pt_regs(p))->field; \
	else \
		value = BPF_CORE_READ((struct pt_regs *)stack_regs(p), field); \
	value; })

/* The registers of user code, by DWARF's numbers, into an array: arm64 needs more of them to unwind than it has room for. */
#if defined(__TARGET_ARCH_x86)
#define DWARF_REGS(X) \
	X(0, ax) X(1, dx) X(2, cx) X(3, bx) X(4, si) X(5, di) X(6, bp) X(7, sp) \
	X(8, r8) X(9, r9) X(10, r10) X(11, r11) X(12, r12) X(13, r13) X(14, r14) X(15, r15)
#define USER_REG(number, field) user_regs[number] = TASK_REG(user_task, field);
#define USER_REGS(p, to) ({ \
	struct task_struct *user_task = (p); \
	__u64 *user_regs = (to); \
	DWARF_REGS(USER_REG) })
#elif defined(__TARGET_ARCH_arm64)
#define USER_REGS(p, to) ({ })
#endif

/* The system call that the task is in: a number of the native table, or SYSCALL_*. */
static __always_inline __s16 task_syscall(struct task_struct *p)
{
	if (p->flags & (PF_KTHREAD | PF_IO_WORKER))
		return SYSCALL_KERNEL;
#if defined(__TARGET_ARCH_x86)
	long nr = TASK_REG(p, orig_ax);

	if (nr < 0 || nr > 0x7fff)
		return SYSCALL_FAULT;
	return p->thread_info.status & TS_COMPAT ? SYSCALL_COMPAT : nr;
#elif defined(__TARGET_ARCH_arm64)
	int nr = TASK_REG(p, syscallno);

	return nr < 0 ? SYSCALL_FAULT : nr;
#endif
}

#if defined(__TARGET_ARCH_x86)
#define REG_IP ip
#define REG_SP sp
#define ARG0 di
#define ARG1 si
#define ARG3 r10
enum { NR_futex = 202, NR_futex_waitv = 449, NR_futex_wait = 455, NR_epoll_wait = 232, NR_epoll_pwait = 281 };
#elif defined(__TARGET_ARCH_arm64)
#define REG_IP pc
#define REG_SP sp
#define ARG0 orig_x0
#define ARG1 regs[1]
#define ARG3 regs[3]
enum { NR_futex = 98, NR_futex_waitv = 449, NR_futex_wait = 455, NR_epoll_wait = -100, NR_epoll_pwait = 22 };
#endif

/* Go: where a thread's storage is, and the registers of its calls and of the current g (ABIInternal, 1.17). */
#if defined(__TARGET_ARCH_x86)
#define TASK_TLS(p) ((p)->thread.fsbase)
#define GO_ARG0(ctx) ((ctx)->ax)
#define GO_ARG1(ctx) ((ctx)->bx)
#define GO_ARG2(ctx) ((ctx)->cx)
#define GO_ARG3(ctx) ((ctx)->di)
#define GO_G(ctx) ((ctx)->r14)
#define GO_IP(ctx) ((ctx)->ip)
#elif defined(__TARGET_ARCH_arm64)
#define TASK_TLS(p) ((p)->thread.uw.tp_value)
#define GO_ARG0(ctx) ((ctx)->regs[0])
#define GO_ARG1(ctx) ((ctx)->regs[1])
#define GO_ARG2(ctx) ((ctx)->regs[2])
#define GO_ARG3(ctx) ((ctx)->regs[3])
#define GO_G(ctx) ((ctx)->regs[28])
#define GO_IP(ctx) ((ctx)->pc)
#endif

static __always_inline bool is_futex_wait(__s32 syscall)
{
	return syscall == NR_futex || syscall == NR_futex_wait || syscall == NR_futex_waitv;
}

/* Word and op of the futex call that the task, the current one, is in. */
static __always_inline void read_futex(struct task_struct *p, __s16 syscall, __u64 *word, __u32 *op)
{
	*word = TASK_REG(p, ARG0);
	if (syscall == NR_futex)
		*op = TASK_REG(p, ARG1);
	else if (syscall == NR_futex_waitv)	/* struct futex_waitv: val, uaddr */
		bpf_probe_read_user(word, sizeof(*word), (void *)*word + 8);
}
