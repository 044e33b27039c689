/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who had a CPU, and what was taken from it: a history of run slices for each CPU, of which those are
 * emitted that a tracked task's wait may need. Included by sched.bpf.c only: has functions that are
 * programs' own.
 */
#pragma once

#include "common.bpf.h"

/* What interrupts and steal took of a CPU up to now, the one under way included. */
static __always_inline struct cpu_load load_now(const struct cpu_state *cs, __u64 now)
{
	struct cpu_load load = cs->load;

	if (cs->irq_depth && now > cs->irq_since)
		load.irq += now - cs->irq_since;
	else if (cs->softirq_since && now > cs->softirq_since)
		load.softirq += now - cs->softirq_since;
	load.steal = rq_steal(cs->rq);
	return load;
}

static __always_inline __u32 since_u32(__u64 to, __u64 from)
{
	__u64 d = to > from ? to - from : 0;

	return d > 0xffffffff ? 0xffffffff : d;
}

#define SET_LOADS(rec, to, from) ({ \
	(rec)->irq_ns = since_u32((to)->irq, (from)->irq); \
	(rec)->softirq_ns = since_u32((to)->softirq, (from)->softirq); \
	/* 0: that CPU had not told yet */ \
	(rec)->steal_ns = (from)->steal ? since_u32((to)->steal, (from)->steal) : 0; })

/* From now on `tid` has the CPU. Serialised by the run queue's lock. */
static __always_inline void push_slice(struct cpu_state *cs, __u64 now, __u32 tid, const struct cpu_load *load)
{
	struct slice *s = &cs->slices[cs->head & (HIST_SLICES - 1)];

	s->start = now;
	s->tid = tid;
	s->load = *load;
	cs->head++;
}

/* Emits one slice of a CPU; 1 if the ring is full. Not static, as the next two: verified once, alone. */
__noinline int emit_slice(__u32 cpu, __u64 i)
{
	struct cpu_state *cs = cpu_state(cpu);
	struct rec_slice r = {.hdr = REC_HDR(SLICE, rec_slice), .cpu = cpu};
	struct slice *s, *e;

	if (!cs)
		return 0;
	s = &cs->slices[i & (HIST_SLICES - 1)];
	e = &cs->slices[(i + 1) & (HIST_SLICES - 1)];
	r.tid = s->tid;
	r.start = s->start;
	r.end = e->start;
	SET_LOADS(&r, &e->load, &s->load);
	return bpf_ringbuf_output(&ring, &r, sizeof(r), ring_flags(cs)) != 0;
}

/* Emits slices first..last-1, at most 8: a loop of HIST_SLICES in one piece is slow to verify. */
__noinline int emit_slices(__u32 cpu, __u64 first, __u64 last)
{
	int lost = 0;

	for (int n = 0; n < 8 && first + n < last; n++)
		lost += emit_slice(cpu, first + n);
	return lost;
}

/*
 * Emits what ran on the CPU and may be needed, up to the start of the last slice; `since` is when the
 * wait began that needs it. All of it, also what this wait does not need: others may wait longer, and a
 * CPU's slices must come in order. Serialised by the run queue's lock.
 */
__noinline int flush_slices(__u32 cpu, __u64 since)
{
	struct cpu_state *cs = cpu_state(cpu);
	__u64 last, i;
	int lost = 0;

	if (!cs || cs->head < 2)
		return 0;
	last = cs->head - 1;
	i = cs->flushed;
	if (last - i > HIST_SLICES - 1) {
		i = last - (HIST_SLICES - 1);
		if (cs->slices[i & (HIST_SLICES - 1)].start > since)
			count(COUNT_slice_history);
	}
	for (int n = 0; n < HIST_SLICES / 8 && i < last; n++, i += 8)
		lost += emit_slices(cpu, i, last);
	cs->flushed = last;
	if (lost)
		count_add(COUNT_ring_slice, lost);
	return 0;
}

/* Slices before a moment when no tracked task waits here will never be needed. */
static __always_inline void keep_slices(struct cpu_state *cs, __u32 cpu)
{
	if (cs->waiting <= 0)
		cs->flushed = cs->head - 2;	/* the last one stays: a waking may be under way */
	else if (cs->head - cs->flushed > HIST_SLICES / 2)
		flush_slices(cpu, 0);
}

/*
 * Who had the CPU from `since` to the start of its last slice: the one task that did, else BY_SLICES
 * with the slices emitted. Call after push_slice().
 */
static __always_inline __u32 ran_since(struct cpu_state *cs, __u32 cpu, __u64 since)
{
	struct slice *before = &cs->slices[(cs->head - 2) & (HIST_SLICES - 1)];

	if (cs->head >= 2 && before->start <= since)
		return before->tid;
	flush_slices(cpu, since);
	return BY_SLICES;
}
