/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What call paths are told apart by, of user code and of the kernel. */
#pragma once

#include "common.bpf.h"

static __always_inline __u64 mix(__u64 hash, __u64 word)
{
	return (hash ^ word) * 0x9e3779b97f4a7c15ull;	/* odd: nothing is lost but at the top */
}

/* Never 0, and without the top bit, which is of snapshots of goroutines. */
static __always_inline __u32 id_of_hash(__u64 hash)
{
	__u32 id = hash >> 33;

	return id ? id : 1;
}

/* The same frames have the same id, whoever takes them. */
static __always_inline __u32 stack_id(const struct rec_stack *r)
{
	const __u64 *pc = &r->pc0;
	__u64 hash = r->tgid;

#pragma unroll
	for (int i = 0; i < 12; i++)
		hash = mix(hash, pc[i]);
	return id_of_hash(hash);
}
