/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Stops of the world. For golang.bpf.c only. */
#pragma once

#include "go_state.bpf.h"

/* A world that is being stopped, or is. */
struct go_world {
	__u64 start, stopped;
	struct go_who last, by;
	__u32 last_tid, reason, stack, pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_GO_PROCS);
	__type(key, __u32);
	__type(value, struct go_world);
} go_worlds SEC(".maps");

/* How many worlds are being stopped: 0, and nobody looks. */
volatile __u32 stopping_cnt;

/* Who stops last while the world is being stopped. */
static __always_inline void note_stop(const struct hit *h, __u64 g)
{
	__u32 tgid = h->tgid;
	struct go_world *w;

	if (!stopping_cnt)
		return;
	w = bpf_map_lookup_elem(&go_worlds, &tgid);
	if (!w || w->stopped)
		return;
	w->last_tid = h->tid;
	read_who(h->proc, g, &w->last);
}

/*
 * The stack of a goroutine that called systemstack: that leaves where it was called from at the goroutine's
 * saved stack pointer, and its frame in the saved bp.
 */
static __always_inline __u32 take_callers_stack(const struct hit *h, __u64 g)
{
	__u64 sp = read_user_u64(g + G_SCHED_SP);

	return take_stack(h->tgid, read_user_u64(sp), read_user_u64(g + h->proc->at.g_sched_bp));
}

static __always_inline void on_stw_stop(const struct hit *h)
{
	struct go_world w = {.start = h->now};
	__u64 curg = current_goroutine(h);
	__u32 tgid = h->tgid;

	if (h->proc->at.stw_reason)
		w.reason = (__u8)h->arg0;
	if (curg) {
		read_who(h->proc, curg, &w.by);
		w.stack = take_callers_stack(h, curg);
	}
	if (!bpf_map_update_elem(&go_worlds, &tgid, &w, BPF_ANY))
		__sync_fetch_and_add(&stopping_cnt, 1);
}

static __always_inline void on_stw_stopped(const struct hit *h)
{
	__u32 tgid = h->tgid;
	struct go_world *w = bpf_map_lookup_elem(&go_worlds, &tgid);

	if (w && !w->stopped)
		w->stopped = h->now;
}

static __always_inline void on_stw_start(const struct hit *h)
{
	__u32 tgid = h->tgid;
	struct go_world *w = bpf_map_lookup_elem(&go_worlds, &tgid);
	struct rec_stw r = {
		.hdr = REC_HDR(STW, rec_stw),
		.tid = h->tid,
		.tgid = h->tgid,
		.end = h->now,
	};

	if (w) {
		r.start = w->start;
		r.stopped = w->stopped;
		r.goid = w->by.goid;
		r.last_goid = w->last.goid;
		r.last_startpc = w->last.startpc;
		r.last_gopc = w->last.gopc;
		r.last_tid = w->last_tid;
		r.reason = w->reason;
		r.stack = w->stack;
	}
	if (h->proc->at.stw_args != GO_STW_NONE) {
		r.reason = (__u8)h->arg1;
		r.start = h->arg2;
	}
	if (h->proc->at.stw_args == GO_STW_ALL)
		r.stopped = h->arg3;
	if (bpf_ringbuf_output(&ring, &r, sizeof(r), BPF_RB_NO_WAKEUP))
		count_here(COUNT_ring_goroutine);
	if (w && !bpf_map_delete_elem(&go_worlds, &tgid))
		__sync_fetch_and_sub(&stopping_cnt, 1);
}
