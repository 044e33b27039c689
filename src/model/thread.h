/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The thread model: finished waits in, spans of the thread.* metrics out. Owned by the model; what it
 * keeps is a few bytes a thread and two rings of fixed size (history.h).
 */
#pragma once

#include "../base/u64map.h"
#include "blame.h"
#include "class.h"
#include "partition.h"
#include "span.h"

struct rec_wait;
struct rec_move;
struct rec_slice;
struct rec_task_end;

struct threads {
	const struct span_sink *sink;
	struct u64map by_tid;		/* struct thread */
	struct history pieces;		/* times runnable but off the CPU, of all threads */
	struct slices slices;
	struct classes classes;
	struct blame_rows blame;	/* of the sample under way */
	struct span span;		/* the sample under way; stage_ns is all 0 between samples */
	uint64_t known_from_ns;		/* what happened before was not recorded; 0: not known */
	size_t ended_cnt;		/* threads of by_tid that ended since they were last dropped */
};

/* *t is zeroed, sink outlives it; the counts are powers of two. 0 or -ENOMEM. */
int threads_init(struct threads *t, const struct span_sink *sink, size_t piece_cnt, size_t slice_cnt);
void threads_done(struct threads *t);

/* Each takes one record whose length was checked. 0, -EBADMSG (nonsense, no effect) or -ENOMEM. */
int threads_wait(struct threads *t, const struct rec_wait *w);
int threads_move(struct threads *t, const struct rec_move *r);
int threads_slice(struct threads *t, const struct rec_slice *r);
int threads_end(struct threads *t, const struct rec_task_end *r);
