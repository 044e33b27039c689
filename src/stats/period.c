/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "period.h"

#include <stdlib.h>

enum {
	MISSES_MAX = 8,		/* intervals of more periods than that say nothing about the period */
	EXACT_NS = 1000,	/* a grid whose intervals vary by less was computed, not measured */
	GRID_PPM = 1000,	/* how far the mean of measured intervals may be from what is meant */
};

/* Intervals, and what they are multiples of. */
struct guess {
	uint64_t v[PERIOD_LEARN];	/* sorted */
	size_t cnt;
	uint64_t base;		/* a tenth of them is shorter */
	uint64_t off;		/* four of five are no further from a multiple */
};

static int smallest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

uint64_t period_off(uint64_t interval, uint64_t period)
{
	uint64_t rest = interval % period;

	if (interval < period)
		return period - interval;
	return rest < period - rest ? rest : period - rest;
}

uint64_t period_steps(uint64_t interval, uint64_t period)
{
	uint64_t steps = interval / period + (interval % period >= period - period / 10);

	if (interval < period / 2)
		return 0;
	return steps ? steps : 1;
}

/* Of what was armed relative to now, a longer interval is no multiple: nothing was missed. */
static void guess_finish(struct guess *g, bool multiples)
{
	uint64_t off[PERIOD_LEARN];

	qsort(g->v, g->cnt, sizeof(*g->v), smallest_first);
	g->base = g->v[g->cnt / 10];
	g->off = UINT64_MAX;
	if (g->base < PERIOD_MIN_NS || g->base > PERIOD_MAX_NS)
		return;
	for (size_t i = 0; i < g->cnt; i++) {
		uint64_t v = g->v[i];

		if (v / g->base > MISSES_MAX)
			off[i] = UINT64_MAX;
		else if (multiples)
			off[i] = period_off(v, g->base);
		else
			off[i] = v > g->base ? v - g->base : g->base - v;
	}
	qsort(off, g->cnt, sizeof(*off), smallest_first);
	g->off = off[(g->cnt * 4 + 4) / 5 - 1];
}

/* The mean of the four of five that fit best. */
static uint64_t mean_period(const struct guess *g)
{
	uint64_t sum = 0, steps = 0;

	for (size_t i = 0; i < g->cnt; i++) {
		if (g->v[i] / g->base > MISSES_MAX || period_off(g->v[i], g->base) > g->off)
			continue;
		sum += g->v[i];
		steps += period_steps(g->v[i], g->base);
	}
	return (sum + steps / 2) / steps;
}

/* Numbers that people and devices choose: the rounder, the further a measured one may be from it. */
static const struct round {
	unsigned int parts;	/* of a power of ten: whole numbers of such a part; 0: frames a second */
	unsigned int ppm;
} rounds[] = {{1, 20000}, {2, 20000}, {4, 5000}, {0, 2000}, {10, 5000}, {100, 1000}};

static uint64_t nearest_frame(uint64_t v)
{
	static const uint64_t hertz[] = {24, 30, 48, 60, 72, 75, 90, 120, 144, 240};
	uint64_t best = 0;

	for (size_t i = 0; i < sizeof(hertz) / sizeof(*hertz); i++) {
		uint64_t frame = UINT64_C(1000000000) / hertz[i];

		if (!best || llabs((int64_t)(frame - v)) < llabs((int64_t)(best - v)))
			best = frame;
	}
	return best;
}

/* The roundest number near v: of what is measured too long (is_late), not above it. v if there is none. */
static uint64_t round_period(uint64_t v, bool is_late)
{
	uint64_t unit = 1;

	while (v / unit >= 10)
		unit *= 10;
	for (size_t i = 0; i < sizeof(rounds) / sizeof(*rounds); i++) {
		const struct round *r = &rounds[i];
		uint64_t part = r->parts ? unit / r->parts : 0;
		uint64_t near = part ? (v + (is_late ? 0 : part / 2)) / part * part : nearest_frame(v);
		uint64_t ppm = is_late || r->ppm < GRID_PPM ? r->ppm : GRID_PPM;
		uint64_t off = near > v ? near - v : v - near;

		if (off <= v * ppm / 1000000 && !(is_late && near > v))
			return near;
	}
	return v;
}

static void guess_both(const struct tick *ticks, size_t cnt, struct guess *grid, struct guess *rearmed)
{
	grid->cnt = rearmed->cnt = 0;
	for (size_t i = 1; i < cnt; i++) {
		uint64_t asked = ticks[i].asked, ran = ticks[i - 1].ran;

		grid->v[grid->cnt++] = asked - ticks[i - 1].asked;
		rearmed->v[rearmed->cnt++] = asked > ran ? asked - ran : 0;
	}
	guess_finish(grid, true);
	guess_finish(rearmed, false);
}

/* Work between wakeup and arming varies, too, and is in both: only what is clearly steadier is a grid. */
static bool is_grid(const struct guess *grid, const struct guess *rearmed)
{
	return rearmed->off > rearmed->base / 10 || grid->off <= rearmed->off / 2;
}

bool period_find(const struct tick *ticks, size_t cnt, struct period *out)
{
	struct guess grid, rearmed;

	if (cnt < PERIOD_FOUND_MIN || cnt > PERIOD_LEARN)
		return false;
	guess_both(ticks, cnt, &grid, &rearmed);
	if (!is_grid(&grid, &rearmed)) {
		*out = (struct period){round_period(rearmed.base, true), true};
		return true;
	}
	if (grid.off > grid.base / 10)
		return false;
	out->ns = grid.off <= EXACT_NS ? mean_period(&grid) : round_period(mean_period(&grid), false);
	out->is_rearmed = false;
	return true;
}

bool period_fits(const struct tick *ticks, size_t cnt, uint64_t period_ns, struct period *out)
{
	struct guess grid, rearmed;

	if (cnt < PERIOD_GIVEN_MIN || cnt > PERIOD_LEARN)
		return false;
	guess_both(ticks, cnt, &grid, &rearmed);
	if (grid.base < period_ns / 4 * 3 || grid.base > period_ns / 2 * 3)
		return false;
	*out = (struct period){period_ns, !is_grid(&grid, &rearmed)};
	return true;
}
