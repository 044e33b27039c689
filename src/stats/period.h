/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The period of a timer, found from its first wakeups. Two kinds of timers are periodic: those on a grid
 * (a ticker, a loop that sleeps until start + n * period), whose moments asked for lie whole periods apart;
 * and those armed again relative to now, whose next moment lies a period after the last wakeup: their
 * intervals are longer than the period by what they were late. What varies less says which it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nobody's idea of a frame lies outside of these: 100 us to 10 min. */
#define PERIOD_MIN_NS UINT64_C(100000)
#define PERIOD_MAX_NS UINT64_C(600000000000)

enum {
	PERIOD_LEARN = 64,	/* ticks that a period is found from */
	PERIOD_FOUND_MIN = 16,	/* the fewest for that */
	PERIOD_GIVEN_MIN = 3,	/* the fewest where the period is given */
};

/* One wakeup: asked for and come, CLOCK_MONOTONIC. */
struct tick {
	uint64_t asked, ran;
};

struct period {
	uint64_t ns;
	bool is_rearmed;	/* relative to now; else on a grid */
};

/*
 * The period of ticks whose asked grow, at most PERIOD_LEARN of them; false: they have none. Four of five
 * must lie within a tenth of it. What was armed relative to now is a bit longer than what the program
 * means, so the roundest number not more than 2% below is taken: 10 ms, not 10.037 ms.
 */
bool period_find(const struct tick *ticks, size_t cnt, struct period *out);
/* The same if the period is given. True if the ticks can be of it: few of them follow another one sooner. */
bool period_fits(const struct tick *ticks, size_t cnt, uint64_t period_ns, struct period *out);

/*
 * How many points of the grid a tick lies behind the one before: intervals up to a tenth short of k periods
 * count as k. 0: not half a period has passed, so it is a wakeup of another kind.
 */
uint64_t period_steps(uint64_t interval, uint64_t period);
/* How far an interval is from the nearest whole number of periods, at least one. */
uint64_t period_off(uint64_t interval, uint64_t period);
