/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A series, tick by tick:
 *
 *    LEARNING -- has a period ------> FOLLOWED -- more than half of 64 ticks do not fit --> ENDED
 *    ^      |
 *    +------+ none in PERIOD_LEARN ticks: the next ones are tried, then, ever more rarely, later ones
 *
 * The grid begins at the first tick. A tick lies period_steps() behind the one before; the points between
 * are missed. What is left of the interval is drift, so drift at any tick is (asked - first asked) -
 * (ticks and missed between) * period: what a timer armed relative to now adds up, and one on a grid does not.
 * The former misses nothing by being late, however long: its steps are those from the last wakeup on.
 */
#include "periodic_impl.h"

#include <errno.h>
#include <stdlib.h>

#include "../model/names.h"

enum {
	SERIES_MAX = 4096,
	LINE_POINTS = 240, LINE_FIRST = 16,
	POINTS_MAX = 1 << 18,	/* of all lines: beyond, they get coarser instead of longer; the first are free */
	FIT_TICKS = 64,
	SKIP_MAX = 4096,	/* ticks between two tries */
	PAUSE_STEPS = 64,
	LOST_CNT = sizeof(((struct periodic *)NULL)->lost) / sizeof(struct lost_ticks),
};

#define SECOND UINT64_C(1000000000)
#define LATE_LEAST_NS UINT64_C(1000000)

static void series_done(struct series *s)
{
	free(s->first);
	free(s->line.points);
}

void periodic_done(struct periodic *p)
{
	for (size_t i = 0; i < p->ids.cnt; i++)
		series_done(&p->series[i]);
	free(p->series);
	free(p->rows);
	tally_done(&p->ids);
	*p = (struct periodic){.cap = 0};
}

bool periodic_takes(const struct span *s)
{
	return s->metric == METRIC_GOROUTINE_DRIFT || (s->metric == METRIC_THREAD_DRIFT && !s->of_scheduler);
}

/* What comes is the difference of two unsigned numbers, either way. Within bounds that a double holds. */
static int64_t add_drift(int64_t drift, uint64_t more)
{
	const int64_t max = INT64_C(1) << 61;
	int64_t sum = (int64_t)more;

	sum = sum > max ? max : sum < -max ? -max : sum;
	sum += drift;
	return sum > max ? max : sum < -max ? -max : sum;
}

/* Keeps every second point. */
static void line_thin(struct line *l)
{
	for (uint32_t i = 0; i < l->cnt; i += 2)
		l->points[i / 2] = l->points[i];
	l->cnt = (l->cnt + 1) / 2;
	l->stride *= 2;
}

static int line_grow(struct periodic *p, struct line *l)
{
	uint32_t cap = !l->cap ? LINE_FIRST : l->cap * 2 < LINE_POINTS ? l->cap * 2 : LINE_POINTS;

	if (l->cap == LINE_POINTS || (l->cap && p->points + cap - l->cap > POINTS_MAX)) {
		line_thin(l);
		return 0;
	}
	struct drift_point *points = realloc(l->points, cap * sizeof(*points));

	if (!points)
		return -ENOMEM;
	p->points += cap - l->cap;
	l->points = points;
	l->cap = cap;
	return 0;
}

/* The last point is always the last tick: one that is not at a stride is overwritten by the next. */
static int line_add(struct periodic *p, struct line *l, uint64_t t_ns, int64_t drift_ns)
{
	if (!l->stride)
		l->stride = 1;
	if (l->cnt && (l->ticks - 1) % l->stride)
		l->cnt--;
	if (l->cnt == l->cap) {
		int err = line_grow(p, l);

		if (err)
			return err;
	}
	l->points[l->cnt++] = (struct drift_point){t_ns, drift_ns};
	l->ticks++;
	return 0;
}

static bool overlap(const struct lost_ticks *a, const struct lost_ticks *b)
{
	return a->left && b->left && a->from <= b->to && b->from <= a->to;
}

/* Of `missed` ticks, those that can't have been lost by us. */
static void miss(struct periodic *p, struct series *s, uint64_t from, uint64_t to, uint64_t missed)
{
	struct lost_ticks gap = {from, to, missed}, *last = &s->gaps[0];

	for (size_t i = 0; i < LOST_CNT; i++) {
		if (overlap(&gap, &p->lost[i]))
			gap.left -= smaller(gap.left, p->lost[i].left);
	}
	s->missed += gap.left;
	if (!gap.left)
		return;
	/* Losses are told once a second, so gaps of the last two must be known. */
	if (last->left && from - last->from < SECOND) {
		last->to = to;
		last->left += gap.left;
		return;
	}
	s->gaps[1] = *last;
	*last = gap;
}

void periodic_lost(struct periodic *p, uint64_t from_ns, uint64_t to_ns, uint64_t n)
{
	const struct lost_ticks lost = {from_ns, to_ns, n};

	for (size_t i = 0; i < p->ids.cnt; i++) {
		struct series *s = &p->series[i];

		for (size_t k = 0; k < 2; k++) {
			struct lost_ticks *gap = &s->gaps[k];
			uint64_t lost_here = overlap(gap, &lost) ? smaller(gap->left, n) : 0;

			gap->left -= lost_here;
			s->missed -= lost_here;
		}
	}
	if (p->lost[0].from == from_ns && p->lost[0].to == to_ns) {
		p->lost[0].left += n;
		return;
	}
	for (size_t i = LOST_CNT - 1; i > 0; i--)
		p->lost[i] = p->lost[i - 1];
	p->lost[0] = lost;
}

static uint64_t late_ns(const struct periodic *p, uint64_t period_ns)
{
	if (p->late_ns)
		return p->late_ns;
	return period_ns / 10 > LATE_LEAST_NS ? period_ns / 10 : LATE_LEAST_NS;
}

static void count_late(const struct periodic *p, struct series *s, const struct tick *t)
{
	if (t->ran - t->asked <= late_ns(p, s->period)) {
		s->streak = 0;
		return;
	}
	if (++s->streak > s->streak_max)
		s->streak_max = s->streak;
}

/* On the grid, or armed a period after the last wakeup, however late that was. */
static bool fits(const struct series *s, const struct tick *t, uint64_t interval)
{
	uint64_t after = t->asked > s->last_tick.ran ? t->asked - s->last_tick.ran : 0, period = s->period;

	return period_off(interval, period) <= period / 10 ||
	       (after >= period - period / 10 && after <= period + period / 4);
}

static void judge(struct series *s, bool is_fit)
{
	if (is_fit)
		s->fits++;
	else
		s->misfits++;
	if (s->fits + s->misfits < FIT_TICKS)
		return;
	if (s->misfits > FIT_TICKS / 2)
		s->state = ENDED;
	s->fits = s->misfits = 0;
}

/* Nothing for long, and not because the last tick was late: the program had stopped its timer. */
static bool is_pause(const struct series *s, uint64_t interval, uint64_t steps)
{
	return steps > PAUSE_STEPS && interval > SECOND && s->last_tick.ran - s->last_tick.asked < interval / 2;
}

static uint64_t steps_of(const struct series *s, const struct tick *t, uint64_t interval)
{
	uint64_t after = t->asked > s->last_tick.ran ? t->asked - s->last_tick.ran : 0;
	uint64_t steps = period_steps(interval, s->period);

	if (!steps || !s->ticks || !s->is_rearmed)
		return steps;
	steps = period_steps(after, s->period);
	return steps ? steps : 1;
}

static int follow(struct periodic *p, struct series *s, const struct tick *t)
{
	uint64_t interval = s->ticks ? t->asked - s->last_tick.asked : s->period;
	uint64_t steps = steps_of(s, t, interval);

	judge(s, !s->ticks || fits(s, t, interval));
	if (!steps || s->state == ENDED)
		return 0;
	if (!is_pause(s, interval, steps)) {
		s->drift = add_drift(s->drift, interval - steps * s->period);
		if (steps > 1)
			miss(p, s, s->last_tick.asked, t->asked, steps - 1);
	}
	s->ticks++;
	s->last_tick = *t;
	count_late(p, s, t);
	return line_add(p, &s->line, t->ran, s->drift);
}

static bool find_period(const struct periodic *p, const struct series *s, struct period *out)
{
	if (!p->period_ns)
		return period_find(s->first, s->first_cnt, out);
	return period_fits(s->first, s->first_cnt, p->period_ns, out);
}

/* What the ticks so far tell: the period, or nothing, and others are tried. */
static int settle(struct periodic *p, struct series *s)
{
	struct tick *first = s->first;
	uint32_t cnt = s->first_cnt;
	struct period period = {.ns = 0};
	bool has_one = find_period(p, s, &period);
	int err = 0;

	s->first_cnt = 0;
	if (!has_one) {
		s->skip = s->skip_next;
		s->skip_next = s->skip ? s->skip * 2 : PERIOD_LEARN;
		if (s->skip_next > SKIP_MAX)
			s->skip_next = SKIP_MAX;
		return 0;
	}
	s->first = NULL;
	s->period = period.ns;
	s->is_rearmed = period.is_rearmed;
	s->state = FOLLOWED;
	p->learning--;
	for (uint32_t i = 0; i < cnt && !err; i++)
		err = follow(p, s, &first[i]);
	free(first);
	return err;
}

static int learn(struct periodic *p, struct series *s, const struct tick *t)
{
	uint32_t cnt = s->first_cnt;

	s->last_tick = *t;
	if (s->skip) {
		s->skip--;
		return 0;
	}
	_Static_assert(!(PERIOD_LEARN & (PERIOD_LEARN - 1)), "room doubles up to it");
	if (!(cnt & (cnt - 1))) {
		struct tick *first = realloc(s->first, (cnt ? cnt * 2 : 1) * sizeof(*first));

		if (!first)
			return -ENOMEM;
		s->first = first;
	}
	s->first[s->first_cnt++] = *t;
	return s->first_cnt == PERIOD_LEARN ? settle(p, s) : 0;
}

/* How much a series that learns has to lose: its ticks, if it is not over by the look of its pace. */
static uint32_t worth(const struct series *s, uint64_t now)
{
	uint32_t cnt = s->first_cnt;
	uint64_t idle = now > s->last_tick.asked ? now - s->last_tick.asked : 0;

	if (cnt > 1 && idle / 8 > (s->last_tick.asked - s->first[0].asked) / (cnt - 1))
		return 0;
	return cnt;
}

struct sweep {
	struct periodic *p;
	uint64_t now;
	size_t from, to;
	uint32_t worth;		/* those of less go, and every second one of just that */
	bool second;
};

static bool sweep_one(void *ctx, struct tally_row *r)
{
	struct sweep *w = ctx;
	struct series *s = &w->p->series[w->from++];
	uint32_t its = s->state == LEARNING ? worth(s, w->now) : UINT32_MAX;

	(void)r;
	w->second ^= its == w->worth;
	if (its < w->worth || (its == w->worth && w->second)) {
		series_done(s);
		w->p->learning--;
		return false;
	}
	w->p->series[w->to++] = *s;
	return true;
}

/*
 * Makes room, at the cost of series that learn: a quarter of them at least. Those with the fewest ticks go,
 * but never all of them, so that of many that come in turns some are seen often enough.
 */
static void make_room(struct periodic *p, uint64_t now)
{
	struct sweep w = {.p = p, .now = now};
	size_t cnt[PERIOD_LEARN + 1] = {0}, sum;

	for (size_t i = 0; i < p->ids.cnt; i++) {
		if (p->series[i].state == LEARNING)
			cnt[worth(&p->series[i], now)]++;
	}
	for (sum = cnt[0]; sum < p->learning / 2; sum += cnt[w.worth])
		w.worth++;
	tally_rekey(&p->ids, sweep_one, &w);
}

static int grow(struct periodic *p)
{
	size_t cap = p->cap ? p->cap * 2 : 16;
	struct series *series = realloc(p->series, cap * sizeof(*series));

	if (!series)
		return -ENOMEM;
	p->series = series;
	p->cap = cap;
	return 0;
}

/* *out is NULL if there is no room. */
static int series_of(struct periodic *p, const struct span *s, uint64_t entity, struct series **out)
{
	bool is_thread = s->metric == METRIC_THREAD_DRIFT;
	uint64_t goid = s->klass == CLASS_FUNC ? 0 : s->goid;
	uint64_t a = (uint64_t)s->metric << 56 | (s->klass & UINT64_C(0xffffff)) << 32 | (is_thread ? 0 : s->site);
	/* PIDs have 22 bits, PID_MAX_LIMIT; goroutine numbers count up from 1. */
	uint64_t b = is_thread ? s->tid : goid ^ (uint64_t)s->tgid << 42;
	struct tally_row *r = tally_find(&p->ids, a, b);
	int err = 0;

	*out = r ? &p->series[r - p->ids.rows] : NULL;
	if (r)
		return 0;
	if (p->ids.cnt == SERIES_MAX && p->learning < SERIES_MAX / 8) {
		p->refused++;
		return 0;
	}
	if (p->ids.cnt == SERIES_MAX)
		make_room(p, s->begin_ns);
	if (p->ids.cnt == p->cap)
		err = grow(p);
	if (err || !tally_at(&p->ids, a, b))
		return -ENOMEM;
	*out = &p->series[p->ids.cnt - 1];
	**out = (struct series){.metric = s->metric, .tid = s->tid, .site = s->site, .entity = entity};
	p->learning++;
	return 0;
}

int periodic_add(struct periodic *p, const struct span *s, uint64_t entity)
{
	const struct tick t = {.asked = s->begin_ns, .ran = s->end_ns > s->begin_ns ? s->end_ns : s->begin_ns};
	struct series *series;
	int err = series_of(p, s, entity, &series);

	if (err || !series || series->state == ENDED)
		return err;
	if ((series->ticks || series->first_cnt) && t.asked <= series->last_tick.asked) {
		if (series->state == FOLLOWED)
			judge(series, false);
		return 0;
	}
	return series->state == LEARNING ? learn(p, series, &t) : follow(p, series, &t);
}

int periodic_settle(struct periodic *p)
{
	int err = 0;

	for (size_t i = 0; i < p->ids.cnt && !err; i++) {
		if (p->series[i].state == LEARNING)
			err = settle(p, &p->series[i]);
	}
	return err;
}
