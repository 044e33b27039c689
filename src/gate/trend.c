/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "trend.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "../stats/bootstrap.h"

/* Of doubles that were added up: what is less is no slope. */
#define ROUNDING 1e-9

/* A straight line through points: value at the mean time, and slope. */
struct fit {
	double t, value, slope;
};

static struct fit fit_of(const struct point *p, size_t cnt)
{
	struct fit f = {0};
	double tt = 0, tv = 0;

	for (size_t i = 0; i < cnt; i++) {
		f.t += p[i].t_s / (double)cnt;
		f.value += p[i].value / (double)cnt;
	}
	for (size_t i = 0; i < cnt; i++) {
		tt += (p[i].t_s - f.t) * (p[i].t_s - f.t);
		tv += (p[i].t_s - f.t) * (p[i].value - f.value);
	}
	f.slope = tt > 0 ? tv / tt : 0;
	if (fabs(f.slope) * sqrt(tt) < ROUNDING * (1 + fabs(f.value)))
		f.slope = 0;
	return f;
}

/* Marsaglia's xorshift64: good enough to draw blocks by, and the same everywhere. */
static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* What is left beside the line, in blocks from anywhere, on the line again. */
static void resample(const struct point *p, size_t cnt, const struct fit *f, uint64_t *state, struct point *out)
{
	size_t block = (size_t)cbrt((double)cnt), from = 0;

	if (block < 3)
		block = 3;
	for (size_t i = 0; i < cnt; i++) {
		if (i % block == 0)
			from = draw(state) % cnt;
		const struct point *of = &p[(from + i % block) % cnt];

		out[i].t_s = p[i].t_s;
		out[i].value = of->value - f->slope * (of->t_s - p[i].t_s);
	}
}

/* Widens by Student's factor for so few blocks, as stats/bootstrap.h does. */
static void widen(size_t cnt, struct trend *t)
{
	double blocks = (double)cnt / fmax(3, floor(cbrt((double)cnt)));
	double factor = boot_student(0.05, fmax(1, blocks - 2)) / 1.96;

	t->lo = t->value - (t->value - t->lo) * factor;
	t->hi = t->value + (t->hi - t->value) * factor;
}

static int estimate(const struct point *p, size_t cnt, const struct fit *f, double (*of)(const struct fit *f),
		    double value, struct trend *out)
{
	struct point *copy = calloc(cnt, sizeof(*copy));
	double *values = calloc(BOOT_RESAMPLES, sizeof(*values));
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	int err = copy && values ? 0 : -ENOMEM;

	for (size_t r = 0; !err && r < BOOT_RESAMPLES; r++) {
		resample(p, cnt, f, &state, copy);
		struct fit again = fit_of(copy, cnt);

		values[r] = of(&again);
	}
	if (!err) {
		*out = (struct trend){
			value, fmin(value, boot_percentile(values, BOOT_RESAMPLES, 0.025)),
			fmax(value, boot_percentile(values, BOOT_RESAMPLES, 0.975)),
		};
		widen(cnt, out);
	}
	free(copy);
	free(values);
	return err;
}

static double value_of(const struct fit *f)
{
	return f->value;
}

static double slope_of(const struct fit *f)
{
	return f->slope;
}

int trend_mean(const struct point *points, size_t cnt, struct trend *out)
{
	struct fit f = fit_of(points, cnt);

	f.slope = 0;	/* a trend is part of how the mean is spread */
	return estimate(points, cnt, &f, value_of, f.value, out);
}

int trend_slope(const struct point *points, size_t cnt, struct trend *out)
{
	struct fit f = fit_of(points, cnt);

	return estimate(points, cnt, &f, slope_of, f.slope, out);
}
