/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Inside of the periodic timers: shared by their files, by nobody else. */
#pragma once

#include "period.h"
#include "periodic.h"

enum state { LEARNING, FOLLOWED, ENDED };

/* Every stride-th tick. */
struct line {
	struct drift_point *points;
	uint32_t cnt, cap;
	uint64_t stride, ticks;
};

struct series {
	enum metric metric;
	enum state state;
	uint32_t tid, site;
	uint64_t entity;
	struct tick *first;	/* while it learns; last_tick is the last of them */
	uint32_t first_cnt;
	uint32_t skip, skip_next;	/* ticks until it learns again, and after the next time */
	uint32_t fits, misfits;	/* of the last FIT_TICKS */
	struct tick last_tick;
	bool is_rearmed;
	uint64_t period, ticks, missed, streak, streak_max;
	int64_t drift;
	struct lost_ticks gaps[2];	/* the last ones in which `left` ticks were missed */
	struct line line;
};

static inline uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The end: what still learns is decided by the ticks that there are. 0 or -ENOMEM. */
int periodic_settle(struct periodic *p);
