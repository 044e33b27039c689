/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Periodic timers: drift against the ideal grid, ticks that were missed, and how many in a row were late.
 * Takes the spans of thread.drift and goroutine.drift. A series is a thread, or a goroutine, in one class;
 * of AfterFunc, whose every tick is a goroutine of its own, all of one creation site (several that run at
 * once are no series). A series is followed from its first ticks on, if they have a period; as soon as more
 * than half of its last 64 ticks fit it no longer, it ends there.
 *
 * A series takes memory of a fixed size (its first ticks, then counters and a line of at most 240 points),
 * and there are at most 4,096: beyond, some of those go that have no period yet, few ticks first.
 * A zeroed struct is empty.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../model/span.h"
#include "tally.h"
#include "view.h"

struct series;

/* Some of `left` were lost between these times. */
struct lost_ticks {
	uint64_t from, to, left;
};

struct periodic {
	uint64_t period_ns;	/* 0: to be found */
	uint64_t late_ns;	/* 0: a tenth of the period, at least 1 ms */
	struct tally ids;	/* the row is the series' index */
	struct series *series;
	size_t cap, learning;
	size_t points;		/* room of all lines */
	uint64_t refused;	/* ticks of series that there was no room for */
	struct lost_ticks lost[4];
	struct periodic_row *rows;
	size_t row_cnt;
};

void periodic_done(struct periodic *p);

/* Whether the span may have a period: a timer's, and not one that a Go runtime set for whichever comes next. */
bool periodic_takes(const struct span *s);
/* `entity` is whose the span is in the tables. 0 or -ENOMEM. */
int periodic_add(struct periodic *p, const struct span *s, uint64_t entity);
/* Things were lost then: ticks that are missing may be among them, and do not count as missed. */
void periodic_lost(struct periodic *p, uint64_t from_ns, uint64_t to_ns, uint64_t n);
/*
 * The end: makes the rows, of each metric the `top` entities that drifted most and then one of the rest.
 * Series of an entity whose periods differ by at most 1% are one row. 0 or -ENOMEM.
 */
int periodic_finish(struct periodic *p, uint64_t start_ns, size_t top);
/* One after the other, after periodic_finish(): ticks missed by a thread (0: goroutines). False: no more. */
bool periodic_missed(const struct periodic *p, size_t i, uint32_t *ret_tid, uint64_t *ret_n);
