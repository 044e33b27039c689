/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "partition.h"

#include <errno.h>

static uint64_t clamp(uint64_t v, uint64_t lo, uint64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* [lo, hi) is asleep for the own timer. */
static void cut_sleep(const struct own_sleep *s, uint64_t lo, uint64_t hi, uint64_t *stage_ns)
{
	uint64_t due = clamp(s->due_ns, lo, hi);
	uint64_t fired = clamp(s->fired_ns ? s->fired_ns : hi, due, hi);

	stage_ns[STAGE_SLACK] += due - lo;
	stage_ns[STAGE_TIMER] += fired - due;
	stage_ns[STAGE_WAKE] += hi - fired;
}

/* [lo, hi) has no piece: on a CPU, but for what of it is the last sleep. */
static void cut_gap(const struct timeline *t, const struct own_sleep *s, uint64_t lo, uint64_t hi,
		    uint64_t *stage_ns)
{
	uint64_t from = clamp(s->off_ns, lo, hi);
	uint64_t until = clamp(s->until_ns, from, hi);

	stage_ns[t->on_cpu] += (from - lo) + (hi - until);
	cut_sleep(s, from, until, stage_ns);
}

/* Whether what the thread did from begin on is known though it has no older piece. */
static bool is_known(const struct timeline *t, const struct own_sleep *s, uint64_t begin, bool gone)
{
	/* asleep since then: also of a first wakeup all that matters was seen */
	if (begin >= s->off_ns)
		return true;
	return begin >= (gone ? t->history->gone_ns : t->known_from_ns);
}

int partition(const struct timeline *t, uint64_t begin_ns, uint64_t end_ns,
	      const struct own_sleep *sleep, uint64_t stage_ns[STAGE_CNT])
{
	struct history_walk walk = history_from(t->history, t->head);
	uint64_t cursor = end_ns;	/* [cursor, end) is cut */
	const struct piece *p;

	for (int n = 0; n < PARTITION_PIECES_MAX; n++) {
		p = history_older(&walk);
		if (!p && !is_known(t, sleep, begin_ns, walk.gone))
			return -ENODATA;
		if (!p || p->end_ns <= begin_ns) {
			cut_gap(t, sleep, begin_ns, cursor, stage_ns);
			return 0;
		}
		if (p->end_ns < cursor) {
			cut_gap(t, sleep, p->end_ns, cursor, stage_ns);
			cursor = p->end_ns;
		}
		stage_ns[p->stage] += cursor - clamp(p->begin_ns, begin_ns, cursor);
		cursor = clamp(p->begin_ns, begin_ns, cursor);
		if (cursor == begin_ns)
			return 0;
	}
	return -ENODATA;
}
