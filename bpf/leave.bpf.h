/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a task was in as it left its CPU: the lock that it waits for, the goroutine that it runs. For sched.bpf.c only. */
#pragma once

#include "goroutine.bpf.h"

static __always_inline void clear_futex(struct join *j)
{
	j->futex = 0;
	j->futex_op = 0;
	j->futex_val = 0;
	j->futex_owner = 0;
	j->stack = 0;
}

/* What the lock says of its state and, two words on, of its holder. */
static __always_inline void read_word(struct join *j)
{
	struct {
		__u32 val, between, owner;
	} at;

	if (!bpf_probe_read_user(&at, sizeof(at), (void *)j->futex)) {
		j->futex_val = at.val;
		j->futex_owner = at.owner;
	} else {	/* the last word of its memory */
		bpf_probe_read_user(&j->futex_val, sizeof(j->futex_val), (void *)j->futex);
	}
}

/* Once per thread: what is taken for its m knows the thread's id, as the thread itself sees it. */
static __always_inline bool is_own_m(const struct go_proc *proc, struct task_struct *p, struct join *j, __u64 m)
{
	__u32 id;

	if (j->go_gen == proc->gen)
		return true;
	id = id_inside(p);
	if (read_user_u64(m + proc->at.m_procid) != (id ? id : p->pid))
		return false;	/* a thread that the runtime just sets up: looked at again next time */
	j->go_gen = proc->gen;
	return true;
}

/*
 * Which goroutine the task, the current one, runs, without a probe: from the thread's storage to its g, m,
 * and the m's curg. Not inlined: it stands in a large program.
 */
static __noinline int read_goroutine(struct task_struct *p, struct join *j)
{
	__u32 tgid = p->tgid;
	struct go_proc *proc = bpf_map_lookup_elem(&go_procs, &tgid);
	struct go_who who = {};
	__u64 g, m, curg;

	if (!proc)
		return 0;
	g = read_user_u64(TASK_TLS(p) + proc->tls);
	m = g ? read_user_u64(g + G_M) : 0;
	if (!m || !is_own_m(proc, p, j, m))
		return 0;
	curg = read_user_u64(m + proc->at.m_curg);
	if (curg) {
		if (!read_who(proc, curg, &who)) {
			j->goid = who.goid;
			j->startpc = who.startpc;
			j->gopc = who.gopc;
		}
		return 0;
	}
	j->goid = j->futex && j->futex == m + proc->at.m_park ? GOID_PARKED : GOID_SCHEDULER;
	if (j->why == WAIT_BLOCKED && (j->syscall == NR_epoll_pwait || j->syscall == NR_epoll_wait)) {
		int ms = TASK_REG(p, ARG3);

		if (ms > 0)
			j->until = j->off + ms * 1000000ull;
	}
	return 0;
}
