/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "bootstrap.h"
#include "compare_impl.h"

enum {
	TAIL_MIN = 20,		/* samples beyond a quantile, on its thinner side */
	MEAN_MIN = 100,
	OWN_PART = 2,		/* of the own part, which lacks some, so many times less */
	FREEDOM_MIN = 5,
	/* Any two that differ: the same windows of two recordings must not draw alike. */
	SEED_BASE = 1, SEED_NOW = 2,
};

#define LEVEL 0.95
#define CHANCE (1 - LEVEL)
/* A bucket is at most 1/32 wide; the standard deviation of what is spread evenly over it, sqrt(1/12). */
#define BUCKET_SD (0.28867513 / HIST_SLOTS)

static const struct boot_stat stats[COMPARE_STAT_CNT] = {
	[COMPARE_P50] = {BOOT_QUANTILE, 500000},
	[COMPARE_P90] = {BOOT_QUANTILE, 900000},
	[COMPARE_P99] = {BOOT_QUANTILE, 990000},
	[COMPARE_MEAN] = {BOOT_MEAN, 0},
};

void compare_unknown(struct compare_stat *s, enum compare_reason why)
{
	s->verdict = COMPARE_UNKNOWN;
	s->why = why;
	s->tails = s->own_tails = 1;
}

static bool has_few(const struct boot *b, const struct boot_stat *s, bool is_own)
{
	double count = (double)boot_count(b) * (is_own ? OWN_PART : 1), tail = fmin(s->ppm, 1000000.0 - s->ppm) / 1e6;

	return s->kind == BOOT_MEAN ? count < MEAN_MIN : count * tail < TAIL_MIN;
}

/* One statistic's resamples of both, and what they are compared by. */
struct trial {
	const double *base, *now;
	double freedom, tolerance, floor;
	double excess[BOOT_RESAMPLES];
};

static double allowed(const struct trial *t, double base)
{
	return fmax(base * t->tolerance, t->floor);
}

/* The interval of the shift. */
static void set_interval(struct trial *t, struct compare_stat *s)
{
	double widen = boot_student(CHANCE, t->freedom) / boot_student(CHANCE, 1e6), lo, hi;

	for (size_t i = 0; i < BOOT_RESAMPLES; i++)
		t->excess[i] = t->now[i] - t->base[i];
	lo = boot_percentile(t->excess, BOOT_RESAMPLES, CHANCE / 2);
	hi = boot_percentile(t->excess, BOOT_RESAMPLES, 1 - CHANCE / 2);
	s->lo = fmin(s->shift, s->shift - (s->shift - lo) * widen);
	s->hi = fmax(s->shift, s->shift + (hi - s->shift) * widen);
}

/* The chance that a shift that way beyond the tolerance is none. */
static double chance(struct trial *t, const struct compare_stat *s, double sign)
{
	double excess = s->shift * sign - allowed(t, s->base), mean = 0, var = 0, inside = 0, tails;

	for (size_t i = 0; i < BOOT_RESAMPLES; i++) {
		t->excess[i] = (t->now[i] - t->base[i]) * sign - allowed(t, t->base[i]);
		mean += t->excess[i] / BOOT_RESAMPLES;
		inside += t->excess[i] <= 0 ? 1.0 / BOOT_RESAMPLES : 0;
	}
	for (size_t i = 0; i < BOOT_RESAMPLES; i++)
		var += (t->excess[i] - mean) * (t->excess[i] - mean) / (BOOT_RESAMPLES - 1);
	var += BUCKET_SD * BUCKET_SD * (s->base * s->base + s->now * s->now);
	if (excess <= 0 || inside > CHANCE / 2)
		return 1;
	tails = var > 0 ? boot_student_tails(excess / sqrt(var), t->freedom) : 0;
	return tails / 2;
}

static void compare_one(struct trial *t, const struct compare_opts *opts, struct compare_stat *s)
{
	double within;

	set_interval(t, s);
	s->tails = chance(t, s, 1);
	if (!opts->only_worse)
		s->tails = fmin(1, 2 * fmin(s->tails, chance(t, s, -1)));
	within = allowed(t, s->base);
	s->verdict = s->hi <= within && (opts->only_worse || s->lo >= -within) ? COMPARE_UNCHANGED : COMPARE_UNKNOWN;
	s->why = s->verdict == COMPARE_UNKNOWN ? COMPARE_WHY_STRADDLES : COMPARE_WHY_NONE;
}

/* Resamples of both, by statistic. */
struct draws {
	double base[COMPARE_STAT_CNT][BOOT_RESAMPLES], now[COMPARE_STAT_CNT][BOOT_RESAMPLES];
};

static void compare_stat(struct boot *base, struct boot *now, enum compare_stat_id id, const struct draws *draws,
			 const struct compare_opts *opts, bool is_own, struct compare_stat *out)
{
	const struct boot_stat *stat = &stats[id];
	struct trial t = {
		.base = draws->base[id], .now = draws->now[id],
		.freedom = fmin(boot_freedom(base, stat), boot_freedom(now, stat)),
		.tolerance = opts->tolerance, .floor = (double)opts->floor_ns,
	};

	*out = (struct compare_stat){.base = boot_value(base, stat), .now = boot_value(now, stat), .stage = STAGE_CNT};
	out->lo = out->hi = out->shift = out->now - out->base;
	compare_unknown(out, COMPARE_WHY_ONE_SIDE);
	if (!boot_count(base) || !boot_count(now))
		return;
	compare_one(&t, opts, out);
	if (t.freedom < FREEDOM_MIN || has_few(base, stat, is_own) || has_few(now, stat, is_own))
		compare_unknown(out, COMPARE_WHY_FEW);
}

/* All statistics. 0 or -ENOMEM. */
static int compare_samples(struct boot *base, struct boot *now, const struct compare_opts *opts, bool is_own,
			   struct compare_stat *out)
{
	struct draws *draws = malloc(sizeof(*draws));
	int err = draws ? boot_resample(base, stats, COMPARE_STAT_CNT, SEED_BASE, draws->base[0]) : -ENOMEM;

	if (!err)
		err = boot_resample(now, stats, COMPARE_STAT_CNT, SEED_NOW, draws->now[0]);
	for (int id = 0; !err && id < COMPARE_STAT_CNT; id++)
		compare_stat(base, now, (enum compare_stat_id)id, draws, opts, is_own, &out[id]);
	free(draws);
	return err;
}

int compare_pair(struct boot *base, struct boot *now, const struct compare_opts *opts, struct compare_stat *out)
{
	int err = compare_samples(base, now, opts, false, out);

	for (size_t i = 0; !err && i < COMPARE_STAT_CNT; i++) {
		struct compare_stat *s = &out[i];

		s->own_shift = s->shift;
		s->own_lo = s->lo;
		s->own_hi = s->hi;
		s->own_tails = s->tails;
		s->own_verdict = s->verdict;
	}
	return err;
}

/*
 * What the own part says where the whole moved. It must not have become less late either: then what is left out
 * was the program's own lateness, too.
 */
static void set_own(const struct compare_opts *opts, const struct compare_stat *own, bool are_most,
		    struct compare_stat *out)
{
	double within = fmax(opts->tolerance * own->base, (double)opts->floor_ns);
	bool is_sure = are_most && own->verdict == COMPARE_UNCHANGED && own->lo >= -within;

	out->own_shift = own->shift;
	out->own_lo = own->lo;
	out->own_hi = own->hi;
	out->own_tails = are_most ? own->tails : 1;
	out->own_verdict = is_sure ? COMPARE_UNCHANGED : COMPARE_UNKNOWN;
	out->is_settled = are_most && fabs(own->shift) <= within;
	out->is_open = own->tails <= CHANCE;
}

/* Where more is disturbed, also threads of the program compete more: the CPUs they would have had were taken. */
static bool is_most(uint64_t own, uint64_t all)
{
	return own >= all / 4 * 3;
}

/* What strangers left says nothing, or might say what they did. */
static bool says_nothing(const struct compare_stat *own, bool are_most)
{
	if (own->why == COMPARE_WHY_FEW || own->why == COMPARE_WHY_ONE_SIDE)
		return true;
	return !are_most && own->tails <= CHANCE;
}

int compare_own(struct boot *base, struct boot *now, const struct compare_opts *opts, struct compare_row *row)
{
	bool are_most;
	struct compare_stat of_own[COMPARE_STAT_CNT];
	int err = compare_samples(base, now, opts, true, of_own);

	row->base_own_cnt = boot_count(base);
	row->now_own_cnt = boot_count(now);
	are_most = is_most(row->base_own_cnt, row->base_cnt) && is_most(row->now_own_cnt, row->now_cnt);
	for (size_t i = 0; !err && i < COMPARE_STAT_CNT; i++) {
		struct compare_stat *out = &row->stats[i];
		const struct compare_stat *own = &of_own[i];

		if (out->why == COMPARE_WHY_FEW || out->why == COMPARE_WHY_ONE_SIDE)
			continue;
		set_own(opts, own, are_most, out);
		if (out->why == COMPARE_WHY_STRADDLES && says_nothing(own, are_most)) {
			compare_unknown(out, COMPARE_WHY_STRANGERS);
			out->is_open = true;
		}
	}
	return err;
}

static int up(const void *a, const void *b)
{
	double x = **(double *const *)a, y = **(double *const *)b;

	return x < y ? -1 : x > y;
}

/* Holm 1979: the least chance is multiplied by the number of tests, the next one by one less, and so on. */
static void correct(double **tails, size_t cnt)
{
	double least = 0;

	qsort(tails, cnt, sizeof(*tails), up);
	for (size_t i = 0; i < cnt; i++) {
		least = fmax(least, fmin(1, *tails[i] * (double)(cnt - i)));
		*tails[i] = least;
	}
}

static bool was_tested(const struct compare_stat *s)
{
	return s->why == COMPARE_WHY_NONE || s->why == COMPARE_WHY_STRADDLES;
}

/* The own part lacks what strangers disturbed, late samples first: that it became less must be seen in all. */
static void decide(struct compare_stat *s)
{
	bool is_own = s->own_tails <= CHANCE && (s->own_shift > 0 || s->shift < 0), is_whole = s->tails <= CHANCE;

	if (!was_tested(s) || (!is_own && !is_whole))
		return;
	s->verdict = is_own ? COMPARE_CHANGED : s->own_verdict;
	s->why = is_own ? COMPARE_WHY_NONE : COMPARE_WHY_STRANGERS;
	s->is_open = s->is_open || !s->is_settled;
}

/* What could not be tested costs the others nothing. */
int compare_correct(struct compare_row *rows, size_t cnt, bool is_gated)
{
	double **tails = malloc((2 * cnt * COMPARE_STAT_CNT + 1) * sizeof(*tails)), **own;
	size_t tests = 0;

	if (!tails)
		return -ENOMEM;
	own = tails + cnt * COMPARE_STAT_CNT;
	for (size_t i = 0; i < cnt; i++) {
		for (size_t id = 0; rows[i].is_gated == is_gated && id < COMPARE_STAT_CNT; id++) {
			if (!was_tested(&rows[i].stats[id]))
				continue;
			tails[tests] = &rows[i].stats[id].tails;
			own[tests++] = &rows[i].stats[id].own_tails;
		}
	}
	correct(tails, tests);
	correct(own, tests);
	free(tails);
	for (size_t i = 0; i < cnt; i++)
		for (size_t id = 0; rows[i].is_gated == is_gated && id < COMPARE_STAT_CNT; id++)
			decide(&rows[i].stats[id]);
	return 0;
}

/* How bad it is, to name the worst: by share of the base. */
static double badness(const struct compare_stat *s)
{
	double shift = s->verdict == COMPARE_CHANGED ? s->own_shift : s->shift;

	return fabs(shift) / fmax(s->base, COMPARE_FLOOR_NS);
}

static bool is_worse(const struct compare_sum *sum, const struct compare_stat *s)
{
	const struct compare_stat *had = sum->worst ? &sum->worst->stats[sum->stat] : NULL;

	if (!had || s->verdict != had->verdict)
		return !had || s->verdict == COMPARE_CHANGED;
	return badness(s) > badness(had);
}

bool compare_is_open(const struct compare_stat *s)
{
	return s->verdict == COMPARE_UNKNOWN && (s->is_open || s->why == COMPARE_WHY_LOST);
}

static void add_stat(struct compare_sum *sum, const struct compare_row *row, enum compare_stat_id id)
{
	const struct compare_stat *s = &row->stats[id];

	sum->tests += s->why != COMPARE_WHY_FEW && s->why != COMPARE_WHY_ONE_SIDE;
	sum->changed += s->verdict == COMPARE_CHANGED;
	sum->unknown += s->verdict == COMPARE_UNKNOWN;
	if (s->verdict != COMPARE_CHANGED && !compare_is_open(s))
		return;
	if (!is_worse(sum, s))
		return;
	sum->worst = row;
	sum->stat = id;
	sum->verdict = s->verdict;
	sum->why = s->why;
}

struct compare_sum compare_sum(const struct compare *c)
{
	struct compare_sum sum = {.verdict = COMPARE_UNCHANGED};
	const struct compare_row *row;

	for (size_t i = 0; (row = compare_row(c, i)); i++) {
		for (int id = 0; row->is_gated && id < COMPARE_STAT_CNT; id++)
			add_stat(&sum, row, (enum compare_stat_id)id);
	}
	if (sum.tests)
		return sum;
	sum.verdict = COMPARE_UNKNOWN;
	sum.why = sum.worst ? sum.why : COMPARE_WHY_FEW;
	return sum;
}
