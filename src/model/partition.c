/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "partition.h"

#include <errno.h>

#include "../base/numbers.h"

const struct cut_rules cut_drift = {.sleep = SLEEP_OWN, .on_cpu = STAGE_BUSY, .rested = STAGE_BUSY};
const struct cut_rules cut_firing = {.sleep = SLEEP_FOR_DEADLINE, .on_cpu = STAGE_BUSY, .rested = STAGE_RUNTIME};
const struct cut_rules cut_readied = {.sleep = SLEEP_HANDOFF, .on_cpu = STAGE_GRUNQ, .rested = STAGE_GRUNQ};

/* A sample under way, cut from its end to its begin. */
struct cut {
	const struct timeline *t;
	const struct own_sleep *own;
	uint64_t *stage_ns;
	uint64_t awake_ns;	/* on a CPU, and not yet known in which stage */
	bool has_slept;
};

static uint64_t sub_u64(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* [lo, hi) is asleep for the timer that matters; asked <= lo: no rounding. */
static void cut_sleep(struct cut *c, uint64_t lo, uint64_t hi, uint64_t asked_ns, uint64_t due_ns, uint64_t fired_ns)
{
	uint64_t asked = clamp_u64(asked_ns, lo, hi);
	uint64_t due = clamp_u64(due_ns, asked, hi);
	uint64_t fired = clamp_u64(fired_ns, due, hi);

	c->stage_ns[STAGE_ROUNDING] += asked - lo;
	c->stage_ns[STAGE_SLACK] += due - asked;
	c->stage_ns[STAGE_TIMER] += fired - due;
	c->stage_ns[STAGE_WAKE] += hi - fired;
}

/* [lo, hi) has no piece: on a CPU, but for what of it is the own sleep. */
static void cut_gap(struct cut *c, uint64_t lo, uint64_t hi)
{
	const struct own_sleep *own = c->own;
	uint64_t from = hi, until = hi;

	if (c->t->rules->sleep == SLEEP_OWN) {
		from = clamp_u64(own->off_ns, lo, hi);
		until = clamp_u64(own->until_ns, from, hi);
		cut_sleep(c, from, until, 0, own->due_ns, own->fired_ns ? own->fired_ns : until);
	}
	c->awake_ns += (from - lo) + (hi - until);
}

/* Whether the kernel's timer that asked for this moment was for the deadline. */
static bool is_for_deadline(const struct cut *c, uint64_t asked_ns)
{
	return sub_u64(asked_ns, c->t->deadline_ns) <= ROUNDING_MAX_NS;
}

static void cut_timer_sleep(struct cut *c, const struct piece *p, uint64_t lo, uint64_t hi)
{
	uint64_t fired = sub_u64(p->end_ns, p->wake_ns);
	uint64_t due = sub_u64(fired, p->late_ns);
	uint64_t asked = sub_u64(due, p->slack_ns);

	if (is_for_deadline(c, asked))
		cut_sleep(c, lo, hi, asked, due, fired);
	else
		c->stage_ns[STAGE_HANDOFF] += hi - lo;
}

/* Where it had its timer but something else was first, when the timer was due is not known. */
static void cut_until_sleep(struct cut *c, const struct piece *p, uint64_t lo, uint64_t hi)
{
	uint64_t until = sub_u64(p->end_ns, p->over_ns) + p->left_ns;

	if (is_for_deadline(c, until))
		cut_sleep(c, lo, hi, until, hi, hi);
	else
		c->stage_ns[STAGE_HANDOFF] += hi - lo;
}

static void cut_piece(struct cut *c, const struct piece *p, uint64_t lo, uint64_t hi)
{
	if (p->kind == PIECE_OFF_CPU) {
		c->stage_ns[p->stage] += hi - lo;
		return;
	}
	if (!c->has_slept) {
		c->stage_ns[c->t->rules->rested] += c->awake_ns;
		c->awake_ns = 0;
		c->has_slept = true;
	}
	if (c->t->rules->sleep == SLEEP_FOR_DEADLINE && p->kind == PIECE_SLEEP_TIMER)
		cut_timer_sleep(c, p, lo, hi);
	else if (c->t->rules->sleep == SLEEP_FOR_DEADLINE && p->kind == PIECE_SLEEP_UNTIL)
		cut_until_sleep(c, p, lo, hi);
	else
		c->stage_ns[STAGE_HANDOFF] += hi - lo;
}

/* Whether what the thread did from begin on is known though it has no older piece. */
static bool is_known(const struct cut *c, uint64_t begin, bool gone)
{
	/* asleep since then: also of a first wakeup all that matters was seen */
	if (c->t->rules->sleep == SLEEP_OWN && begin >= c->own->off_ns)
		return true;
	return begin >= (gone ? c->t->history->gone_ns : c->t->known_from_ns);
}

int partition(const struct timeline *t, uint64_t begin_ns, uint64_t end_ns, const struct own_sleep *own,
	      uint64_t stage_ns[STAGE_CNT])
{
	struct cut c = {.t = t, .own = own, .stage_ns = stage_ns};
	struct history_walk walk = history_from(t->history, t->head);
	uint64_t cursor = end_ns;	/* [cursor, end) is cut */
	const struct piece *p;

	for (int n = 0; cursor > begin_ns; n++) {
		p = history_older(&walk);
		if (n == PARTITION_PIECES_MAX || (!p && !is_known(&c, begin_ns, walk.gone)))
			return -ENODATA;
		if (p && p->kind != PIECE_OFF_CPU && t->rules->sleep == SLEEP_OWN)
			continue;
		if (!p || p->end_ns <= begin_ns) {
			cut_gap(&c, begin_ns, cursor);
			break;
		}
		if (p->end_ns < cursor) {
			cut_gap(&c, p->end_ns, cursor);
			cursor = p->end_ns;
		}
		if (p->begin_ns < cursor)
			cut_piece(&c, p, clamp_u64(p->begin_ns, begin_ns, cursor), cursor);
		cursor = clamp_u64(p->begin_ns, begin_ns, cursor);
	}
	stage_ns[t->rules->on_cpu] += c.awake_ns;
	return 0;
}
