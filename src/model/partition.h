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
 *
 * The picture is that of thread.drift, whose last sleep is in its record. Of goroutines nothing is: the
 * sleeps of Go threads are pieces of the history too, and what they count as is up to the rules.
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

enum sleep_rule {
	SLEEP_OWN,		/* struct own_sleep; sleeps of the history are not looked at */
	SLEEP_FOR_DEADLINE,	/* cut by its timer if it was for the deadline, else handoff */
	SLEEP_HANDOFF,
};

/* Where the stages of metrics differ. */
struct cut_rules {
	enum sleep_rule sleep;
	enum stage on_cpu;	/* on a CPU before the last sleep in the sample, or if there is none */
	enum stage rested;	/* on a CPU after it */
};

extern const struct cut_rules cut_drift;	/* thread.drift */
extern const struct cut_rules cut_firing;	/* goroutine.drift up to readied, on the thread that ran the timer */
extern const struct cut_rules cut_readied;	/* goroutine.* from readied on, on the thread that then ran it */

/*
 * A timer of the kernel that asked for at most so much more than the deadline was for it: less than 1 ms
 * Go makes 1 ms when it calls epoll_wait (netpoll() of runtime/netpoll_epoll.go).
 */
enum { ROUNDING_MAX_NS = 1000000 };

/* What the sample is cut with. */
struct timeline {
	const struct history *history;
	uint64_t head;		/* the thread's newest piece */
	uint64_t known_from_ns;	/* the recording saw everything of the thread from here on */
	uint64_t deadline_ns;	/* for SLEEP_FOR_DEADLINE: the Go timer's `when` */
	const struct cut_rules *rules;
};

/* More pieces than this in one sample are not gone through: it is as if they were overwritten. */
enum { PARTITION_PIECES_MAX = 4096 };

/*
 * Adds the stages of [begin_ns, end_ns) (begin <= end) to stage_ns; own is for SLEEP_OWN only, else NULL.
 * -ENODATA: the thread's history does not reach back to begin; stage_ns is undefined then.
 */
int partition(const struct timeline *t, uint64_t begin_ns, uint64_t end_ns, const struct own_sleep *own,
	      uint64_t stage_ns[STAGE_CNT]);
