/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is kept of goroutines between probes, by whom it is found, and their stacks. For golang.bpf.c only. */
#pragma once

#include "goroutine.bpf.h"
#include "paths.bpf.h"

/*
 * The process's slot is in the cookie, so that a hit finds it without a hash; and in the keys of goroutines,
 * above what an address or an id needs.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GO_SLOTS);
	__type(key, __u32);
	__type(value, struct go_proc);
} go_slots SEC(".maps");

/* A wait as long as that is worth looking at where it is, 12 frames for 0.3 us. */
enum { STACK_MIN_NS = 20000 };

/* A timer that was run. */
struct go_timer_run {
	__u64 when, period, fired;
	__u32 by;
	__u8 kind;	/* enum go_timer; 0: none */
	__u8 pad[3];
};

struct go_state {
	__u64 left, readied, lock;
	__u64 startpc;		/* of a birth */
	struct go_who waker;
	struct go_timer_run timer;
	__u32 waker_tid;
	__u8 cause;		/* enum go_cause */
	__u8 has_lock;		/* `lock` is of the wait that begins now */
	__u16 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 262144);
	__type(key, __u64);
	__type(value, struct go_state);
} go_states SEC(".maps");

/* Goroutines that were started and did not run yet, by id: newproc1 does not know their g. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 262144);
	__type(key, __u64);
	__type(value, struct go_state);
} go_births SEC(".maps");

/* About as many births as are kept: 0, and nobody looks. */
volatile __u32 birth_cnt;

/* A timer whose function starts a goroutine, until it did: by thread. */
struct go_func_run {
	struct go_timer_run timer;
	__u64 fn;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct go_func_run);
} go_func_runs SEC(".maps");

/* Stacks that were given, by id. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u8);
} go_stacks SEC(".maps");

/* One hit. */
struct hit {
	struct go_proc *proc;
	__u64 arg0, arg1, arg2, arg3, g;	/* g: the one in its register, which may be g0 */
	__u64 now;
	__u32 tgid, tid;
	__u64 slot;	/* as it stands in keys */
	__u64 bias;	/* of the program's addresses, see go_proc.fn */
};

static const struct go_state no_state;

/* A probe may be preempted by another on its CPU, so it has no per-CPU memory, and counts atomically. */
static __always_inline void count_here(__u32 id)
{
	__u64 *n = bpf_map_lookup_elem(&counts, &id);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* Addresses of gs are multiples of 8 (src/runtime/sizeclasses.go). */
static __always_inline __u64 key_of_g(const struct hit *h, __u64 g)
{
	return h->slot | g >> 3;
}

static __always_inline struct go_state *state_of(const struct hit *h, __u64 g)
{
	__u64 key = key_of_g(h, g);

	return bpf_map_lookup_elem(&go_states, &key);
}

/* NULL: no room, counted. */
static __always_inline struct go_state *state_make(const struct hit *h, __u64 g)
{
	__u64 key = key_of_g(h, g);
	struct go_state *s = bpf_map_lookup_elem(&go_states, &key);

	if (s)
		return s;
	bpf_map_update_elem(&go_states, &key, &no_state, BPF_NOEXIST);
	s = bpf_map_lookup_elem(&go_states, &key);
	if (!s)
		count_here(COUNT_goroutine_full);
	return s;
}

/* The goroutine that the thread runs, given the g in its register, which may be g0; 0: none. */
static __always_inline __u64 current_goroutine(const struct hit *h)
{
	__u64 m = read_user_u64(h->g + G_M);

	return m ? read_user_u64(m + h->proc->at.m_curg) : 0;
}

/*
 * The id of the stack that begins at pc, its frames by frame pointers from bp on (Go keeps them on amd64 and
 * arm64). Given as a record the first time. 0: there was no room.
 */
static __noinline __u32 take_stack(__u32 tgid, __u64 pc, __u64 bp)
{
	struct rec_stack r = {.hdr = REC_HDR(STACK, rec_stack), .tgid = tgid};
	struct {
		__u64 bp, pc;
	} frame;
	__u64 *pcs = &r.pc0;
	__u8 yes = 1;

	pcs[0] = pc;
#pragma unroll
	for (int i = 1; i < 12; i++) {
		if (!bp || bpf_probe_read_user(&frame, sizeof(frame), (void *)bp) || !frame.pc)
			break;
		pcs[i] = frame.pc;
		if (frame.bp <= bp)	/* stacks grow down: outer frames lie higher */
			break;
		bp = frame.bp;
	}
	r.id = stack_id(&r);
	if (bpf_map_lookup_elem(&go_stacks, &r.id))
		return r.id;
	if (bpf_ringbuf_output(&ring, &r, sizeof(r), BPF_RB_NO_WAKEUP)) {
		count_here(COUNT_ring_goroutine);
		return 0;
	}
	if (bpf_map_update_elem(&go_stacks, &r.id, &yes, BPF_ANY))
		count_here(COUNT_stack_full);
	return r.id;
}
