/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading a Go program's memory. What is not resident can't be read here, and a read that fails costs ten
 * times one that doesn't: nothing is read that a pointer before did not promise.
 */
#pragma once

#include "common.bpf.h"

enum { G_M = 48, G_SCHED_SP = 56, G_SCHED_PC = 64 };	/* Go 1.17 to 1.27, see go.h */

static __always_inline __u64 read_user_u64(__u64 addr)
{
	__u64 v = 0;

	bpf_probe_read_user(&v, sizeof(v), (void *)addr);
	return v;
}

/* A g's id, its function, and where it was created. */
struct go_who {
	__u64 goid, startpc, gopc;
};

static __always_inline int read_creation(const struct go_proc *proc, __u64 g, struct go_who *who)
{
	struct {
		__u64 gopc, ancestors, startpc;
	} from;	/* neighbours in every version */

	if (bpf_probe_read_user(&from, sizeof(from), (void *)(g + proc->at.g_gopc)))
		return -1;
	who->startpc = from.startpc;
	who->gopc = from.gopc;
	return 0;
}

static __always_inline int read_who(const struct go_proc *proc, __u64 g, struct go_who *who)
{
	if (bpf_probe_read_user(&who->goid, sizeof(who->goid), (void *)(g + proc->at.g_status + 8)))
		return -1;
	return read_creation(proc, g, who);
}
