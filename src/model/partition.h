/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The one function that cuts a sample into stages, by what its thread was doing at each instant:
 *
 *	  begin                                                             end
 *	    |  on a CPU  |  piece  |  on a CPU  |     last sleep     |  piece |
 *	    |            |  its    |            | due  fired         |  its   |
 *	    |  on_cpu    |  stage  |  on_cpu    |slack|timer|  wake  |  stage |
 *
 * Pieces are the times that the thread was runnable but off the CPU, from its history. Every ns goes to
 * exactly one stage whatever the order of the stamps, so the sum is end - begin by construction.
 */
#pragma once

#include "history.h"
#include "span.h"

/* The sleep that the sample's timer ended: [off, until). Sleeps before it count as on_cpu. */
struct own_sleep {
	uint64_t off_ns;	/* 0: it began before anything was seen; until_ns if there was no sleep */
	uint64_t until_ns;	/* the waking */
	uint64_t due_ns;	/* 0: no slack */
	uint64_t fired_ns;	/* 0: not seen: all is `timer` up to the waking */
};

/* What the sample is cut with. Rules beside the picture: where a metric's stages differ, they stand here. */
struct timeline {
	const struct history *history;
	uint64_t head;		/* the thread's newest piece */
	uint64_t known_from_ns;	/* the recording saw everything of the thread from here on */
	enum stage on_cpu;
};

/* More pieces than this in one sample are not gone through: it is as if they were overwritten. */
enum { PARTITION_PIECES_MAX = 4096 };

/*
 * Writes the stages of [begin_ns, end_ns) (begin <= end) to stage_ns, which is zeroed.
 * -ENODATA: the thread's history does not reach back to begin; stage_ns is undefined then.
 */
int partition(const struct timeline *t, uint64_t begin_ns, uint64_t end_ns,
	      const struct own_sleep *sleep, uint64_t stage_ns[STAGE_CNT]);
