/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How far a number of a recording can be trusted. Samples of a run are correlated (a competitor that runs
 * now and then, garbage collections), so whole blocks of neighbouring windows of time are drawn, with
 * replacement, from the circle of all windows (circular block bootstrap: Politis & Romano 1992; unlike
 * moving blocks it draws the first and last windows as often as the others, and its variance is smaller
 * than that of the stationary bootstrap, Lahiri 1999). The length of a block comes from the data: Politis &
 * White 2004, with the correction of Patton, Politis & White 2009, from the autocorrelation of what each
 * window adds to the statistic; BOOT_BLOCK_MIN windows at least.
 *
 * Nothing here is random: equal windows and an equal seed give equal numbers. See stats/windows.h for where
 * the windows come from.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "hist.h"

enum {
	BOOT_RESAMPLES = 1000,
	BOOT_BLOCK_MIN = 4,	/* windows */
};

enum boot_kind {
	BOOT_QUANTILE,	/* ns; with ppm, as hist_quantile() */
	BOOT_MEAN,	/* ns */
	BOOT_SUM,	/* ns a window: times the number of windows it is the total */
	BOOT_COUNT,	/* samples a window */
};

struct boot_stat {
	enum boot_kind kind;
	uint32_t ppm;
};

/* One number, and the interval it lies in with the asked probability. */
struct boot_estimate {
	double value, lo, hi;
};

/* Samples by window of time. */
struct boot;

/* NULL: no memory. */
struct boot *boot_new(size_t window_cnt);
void boot_free(struct boot *b);
/* Adds samples of one bucket to a window; one that there is not is the last. 0 or -ENOMEM. */
int boot_add(struct boot *b, size_t window, const struct hist_part *p);
/* Of all windows. */
uint64_t boot_count(const struct boot *b);

/* The statistic of the windows as they are; 0 if there are no samples. */
double boot_value(struct boot *b, const struct boot_stat *s);
/* The windows of a block, from 1 to a third of them all. */
size_t boot_block(struct boot *b, const struct boot_stat *stat);
/* Degrees of freedom of the resamples' variance: below about 5, intervals are a guess. At least 1. */
double boot_freedom(struct boot *b, const struct boot_stat *stat);

/* BOOT_RESAMPLES of each statistic, one statistic behind the other; 0 of a resample without samples. 0 or -ENOMEM. */
int boot_resample(struct boot *b, const struct boot_stat *stats, size_t cnt, uint64_t seed, double *ret);

/*
 * Values and two-sided intervals of that level (0.95), by percentiles of the resamples, widened by
 * Student's factor for few blocks. 0 or -ENOMEM.
 */
int boot_estimate(struct boot *b, const struct boot_stat *stats, size_t cnt, double level, uint64_t seed,
		  struct boot_estimate *out);

/* The quantile (0 to 1) of cnt values, which are sorted by it. */
double boot_percentile(double *values, size_t cnt, double q);
/* |t| of Student's distribution such that the tails beyond -t and t have probability `tails` (0 to 1) together. */
double boot_student(double tails, double freedom);
/* Both tails beyond -t and t. */
double boot_student_tails(double t, double freedom);
