/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The thread model: finished waits in, spans of thread.*, goroutine.offcpu and lock.wait out. Owned by the
 * model; what it keeps is a few bytes a thread and three rings of fixed size (history.h).
 */
#pragma once

#include "../base/u64map.h"
#include "blame.h"
#include "class.h"
#include "holds.h"
#include "partition.h"
#include "span.h"

struct rec_wait;
struct rec_move;
struct rec_slice;
struct rec_task_end;
struct rec_klock;

/* Linux has no higher ids (PID_MAX_LIMIT); a hostile recording has. */
enum { TID_MAX = 1 << 22 };

static inline bool is_tid(uint32_t tid)
{
	return tid && tid <= TID_MAX;
}

struct threads {
	const struct span_sink *sink;
	struct names *names;		/* of goroutines' sites */
	struct u64map by_tid;		/* struct thread */
	struct history pieces;		/* times runnable but off the CPU, of all threads */
	struct history sleeps;		/* of all threads, for what holders of locks did */
	struct slices slices;
	struct classes classes;
	struct blame_rows blame;	/* of the sample under way */
	struct hold_rows holds;		/* the same */
	struct span span;		/* the sample under way; stage_ns is all 0 between samples */
	uint64_t known_from_ns;		/* what happened before was not recorded; 0: not known */
	size_t ended_cnt;		/* threads of by_tid that ended since they were last dropped */
};

/* *t is zeroed, sink and names outlive it; the counts are powers of two, at least 4. 0 or -ENOMEM. */
int threads_init(struct threads *t, const struct span_sink *sink, struct names *names, size_t piece_cnt,
		 size_t slice_cnt);
void threads_done(struct threads *t);

/* Each takes one record whose length was checked. 0, -EBADMSG (nonsense, no effect) or -ENOMEM. */
int threads_wait(struct threads *t, const struct rec_wait *w);
int threads_move(struct threads *t, const struct rec_move *r);
int threads_slice(struct threads *t, const struct rec_slice *r);
int threads_end(struct threads *t, const struct rec_task_end *r);
int threads_klock(struct threads *t, const struct rec_klock *r);

/* Part of a sample of a goroutine: what a thread did in [begin, end). */
struct thread_part {
	uint32_t tid;
	uint64_t begin_ns, end_ns;	/* begin <= end */
	uint64_t deadline_ns;		/* see struct timeline */
	const struct cut_rules *rules;
};

/* Adds its stages to stage_ns: 0, or -ENODATA as partition(). */
int threads_cut(const struct threads *t, const struct thread_part *p, uint64_t stage_ns[STAGE_CNT]);
/* Adds who had the CPU meanwhile to the rows of t->blame. */
void threads_blame(struct threads *t, const struct thread_part *p);
/* Sets what the span's thread was last seen with: cgroup, prio, policy. */
void threads_describe(const struct threads *t, struct span *s);
