/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What happened lately, in a ring of fixed size: memory is bounded for any number of threads, CPUs and
 * any length of recording. An entry is a piece of time on one CPU; each links to the previous piece of
 * its owner (a thread's time runnable but off the CPU, and a Go thread's sleeps; a thread's sleeps; a CPU's run
 * slices), and the oldest pieces are overwritten, whoever owns them. An owner keeps the sequence number of its newest
 * piece, 0 for none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Value of piece.by beside a tid, 0 (idle) and BY_SLICES: nobody knows. */
#define BY_UNKNOWN 0xfffffffeu

enum piece_kind {
	PIECE_OFF_CPU,		/* runnable, off the CPU; or a run slice */
	PIECE_SLEEP,		/* asleep, with no timer that we know of */
	PIECE_SLEEP_TIMER,	/* asleep until its timer */
	PIECE_SLEEP_UNTIL,	/* asleep with a timer, but something else ended it */
};

struct piece {
	uint64_t begin_ns, end_ns;	/* begin < end */
	uint32_t back;		/* how many pieces ago its owner had the previous one; 0: never */
	uint32_t by;		/* who had the CPU; who ended the sleep, 0: no thread */
	union {			/* by kind; what does not fit is the field's highest value */
		struct {
			uint32_t steal_ns, irq_ns, softirq_ns;	/* of this time; not to be trusted */
		};
		struct {
			uint32_t slack_ns, late_ns, wake_ns;	/* asked to due to fired to end_ns */
		};
		struct {
			uint32_t left_ns, over_ns;	/* end_ns to the timer's moment, or from it */
		};
		struct {
			uint32_t klass, holder;		/* of threads.sleeps: the wait's class, and who held the lock */
		};
	};
	uint16_t cpu;
	uint8_t stage;		/* enum stage of a thread's piece that is no sleep */
	uint8_t kind;		/* enum piece_kind */
};

_Static_assert(sizeof(struct piece) == 40, "the ring's size counts on it");

struct history {
	struct piece *ring;
	size_t cnt;		/* a power of two */
	uint64_t next;		/* sequence number of the next piece, from 1 */
	uint64_t gone_ns;	/* latest end of all that was overwritten */
};

/* cnt is a power of two. Pages are touched only as they fill. 0 or -ENOMEM. */
int history_init(struct history *h, size_t cnt);
void history_done(struct history *h);

/* Appends a piece (its link is set here) to the owner whose newest is *head. */
void history_push(struct history *h, uint64_t *head, const struct piece *p);

/* Goes through one owner's pieces, the newest first. */
struct history_walk {
	const struct history *h;
	uint64_t seq;
	bool gone;	/* ended since what came before was overwritten */
};

static inline struct history_walk history_from(const struct history *h, uint64_t head)
{
	return (struct history_walk){.h = h, .seq = head};
}

/* The next older piece, valid until the next push; NULL: no more. */
const struct piece *history_older(struct history_walk *w);
