/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The mean and the slope of a line of points, with intervals. Points that follow each other are alike, so
 * blocks of them are drawn, not points: Kunsch 1989; for a slope the blocks are of what is left beside the
 * straight line (least squares), which is then added to it again (Efron & Tibshirani 1993, 9.4). Blocks have
 * the cube root of the number of points (Hall, Horowitz & Jing 1995), 3 at least.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lines.h"

struct trend {
	double value, lo, hi;
};

/* Fewer points give no interval worth having. */
enum { TREND_POINTS_MIN = 8 };

/* The mean, or the slope per second: 95% intervals. 0 or -ENOMEM. */
int trend_mean(const struct point *points, size_t cnt, struct trend *out);
int trend_slope(const struct point *points, size_t cnt, struct trend *out);
