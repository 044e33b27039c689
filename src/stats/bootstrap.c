/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The samples are a sparse matrix, windows times those buckets that are used. A resample is how often each
 * window was drawn; its histogram is the sum of the rows by that.
 */
#include "bootstrap.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "tally.h"

/* Samples of a window in one bucket. */
struct part {
	uint32_t window, slot;	/* slot: which of the used buckets */
	double count, sum;
};

/* A bucket that is used, over all windows. */
struct slot {
	unsigned int bucket;
	double count, max;
};

struct boot {
	size_t window_cnt;
	struct tally cells;	/* a: window, b: bucket */
	uint64_t count, min, max;
	/* made from the cells when they are first asked for */
	struct part *parts;
	struct slot *slots;
	size_t *first;		/* of a window's parts; one more: the end */
	size_t part_cnt, slot_cnt;
	double *counts;		/* by slot, of one resample */
};

/* What of a resample the statistics are made from. */
struct sums {
	double count, sum;
};

struct boot *boot_new(size_t window_cnt)
{
	struct boot *b = calloc(1, sizeof(*b));

	if (b)
		b->window_cnt = window_cnt ? window_cnt : 1;
	return b;
}

static void forget(struct boot *b)
{
	free(b->parts);
	free(b->slots);
	free(b->counts);
	free(b->first);
	b->parts = NULL;
	b->first = NULL;
	b->slots = NULL;
	b->counts = NULL;
}

void boot_free(struct boot *b)
{
	if (!b)
		return;
	forget(b);
	tally_done(&b->cells);
	free(b);
}

int boot_add(struct boot *b, size_t window, const struct hist_part *p)
{
	struct tally_row *r;

	if (!p->count)
		return 0;
	r = tally_at(&b->cells, window < b->window_cnt ? window : b->window_cnt - 1, p->bucket);
	if (!r)
		return -ENOMEM;
	tally_add(r, p->count, p->sum, p->max);
	if (!b->count || p->min < b->min)
		b->min = p->min;
	if (!b->count || p->max > b->max)
		b->max = p->max;
	b->count += p->count;
	forget(b);
	return 0;
}

uint64_t boot_count(const struct boot *b)
{
	return b->count;
}

static int by_bucket(const void *a, const void *b)
{
	const struct tally_row *x = *(const struct tally_row *const *)a, *y = *(const struct tally_row *const *)b;

	if (x->b != y->b)
		return x->b < y->b ? -1 : 1;
	return x->a < y->a ? -1 : x->a > y->a;
}

static int by_window(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->window != y->window)
		return x->window < y->window ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static void fill(struct boot *b, const struct tally_row **rows)
{
	b->slot_cnt = 0;
	for (size_t i = 0; i < b->part_cnt; i++) {
		const struct tally_row *r = rows[i];

		if (!i || rows[i - 1]->b != r->b)
			b->slots[b->slot_cnt++] = (struct slot){.bucket = (unsigned int)r->b};
		struct slot *s = &b->slots[b->slot_cnt - 1];

		s->count += (double)r->count;
		if ((double)r->max > s->max)
			s->max = (double)r->max;
		b->parts[i] = (struct part){(uint32_t)r->a, (uint32_t)(b->slot_cnt - 1), (double)r->count,
					    (double)r->sum};
	}
	qsort(b->parts, b->part_cnt, sizeof(*b->parts), by_window);
	for (size_t i = 0; i < b->part_cnt; i++)
		b->first[b->parts[i].window + 1] = i + 1;
	for (size_t w = 1; w <= b->window_cnt; w++)
		if (!b->first[w])
			b->first[w] = b->first[w - 1];
}

/* Makes the matrix. 0 or -ENOMEM. */
static int prepare(struct boot *b)
{
	size_t cnt = b->cells.cnt;
	const struct tally_row **rows;

	if (b->parts)
		return 0;
	rows = malloc((cnt + 1) * sizeof(*rows));
	b->part_cnt = cnt;
	b->parts = calloc(cnt + 1, sizeof(*b->parts));
	b->slots = calloc(cnt + 1, sizeof(*b->slots));
	b->counts = calloc(cnt + 1, sizeof(*b->counts));
	b->first = calloc(b->window_cnt + 1, sizeof(*b->first));
	if (!rows || !b->parts || !b->slots || !b->counts || !b->first) {
		free(rows);
		forget(b);
		return -ENOMEM;
	}
	for (size_t i = 0; i < cnt; i++)
		rows[i] = &b->cells.rows[i];
	qsort(rows, cnt, sizeof(*rows), by_bucket);
	fill(b, rows);
	free(rows);
	return 0;
}

/* Inside its bucket as hist_quantile() has it. */
static double quantile(const struct boot *b, double count, uint32_t ppm)
{
	double rank = ceil(count * ppm / 1e6 - 1e-9), seen = 0;

	for (size_t i = 0; i < b->slot_cnt; i++) {
		const struct slot *s = &b->slots[i];
		double lo = (double)hist_lo(s->bucket), hi = (double)hist_hi(s->bucket), v;

		if (seen + b->counts[i] < rank || !b->counts[i]) {
			seen += b->counts[i];
			continue;
		}
		rank = rank > seen ? rank : seen + 1;
		if (rank >= count)
			return s->max;
		v = lo + (hi - lo) * (2 * (rank - seen) - 1) / (2 * b->counts[i]);
		/* Above 64 ns a bucket is wider than 1: stay below what was seen. */
		v = floor(v);
		if (v > s->max)
			v = s->max;
		return v < (double)b->min ? (double)b->min : v;
	}
	return (double)b->max;
}

static double value_of(const struct boot *b, const struct sums *s, const struct boot_stat *stat)
{
	switch (stat->kind) {
	case BOOT_QUANTILE:
		return s->count > 0 ? quantile(b, s->count, stat->ppm) : 0;
	case BOOT_MEAN:
		return s->count > 0 ? s->sum / s->count : 0;
	case BOOT_SUM:
		return s->sum / (double)b->window_cnt;
	case BOOT_COUNT:
		return s->count / (double)b->window_cnt;
	}
	return 0;
}

/* Adds up the windows by weight (NULL: each once). */
static struct sums add_up(struct boot *b, const uint32_t *weights)
{
	struct sums sums = {0};

	for (size_t i = 0; i < b->slot_cnt; i++)
		b->counts[i] = 0;
	for (size_t w = 0; w < b->window_cnt; w++) {
		double weight = weights ? weights[w] : 1;

		for (size_t i = b->first[w]; weight > 0 && i < b->first[w + 1]; i++) {
			const struct part *p = &b->parts[i];

			b->counts[p->slot] += weight * p->count;
			sums.count += weight * p->count;
			sums.sum += weight * p->sum;
		}
	}
	return sums;
}

double boot_value(struct boot *b, const struct boot_stat *s)
{
	struct sums sums;

	if (prepare(b))
		return 0;
	sums = add_up(b, NULL);
	return value_of(b, &sums, s);
}

/*
 * What each window adds to the statistic, less its expectation (the influence function, up to a factor):
 * of a quantile how many of its samples lie above it, of a mean by how much they do.
 */
static void influence(struct boot *b, const struct boot_stat *stat, double *out)
{
	const struct sums all = add_up(b, NULL);
	double value = value_of(b, &all, stat), share = 0, mean = 0;

	if (stat->kind == BOOT_QUANTILE) {
		for (size_t i = 0; i < b->slot_cnt; i++)
			share += (double)hist_lo(b->slots[i].bucket) > value ? b->slots[i].count : 0;
		share /= all.count;
	}
	for (size_t i = 0; i < b->window_cnt; i++)
		out[i] = 0;
	for (size_t i = 0; i < b->part_cnt; i++) {
		const struct part *p = &b->parts[i];
		bool above = (double)hist_lo(b->slots[p->slot].bucket) > value;

		if (stat->kind == BOOT_QUANTILE)
			out[p->window] += p->count * ((above ? 1 : 0) - share);
		else if (stat->kind == BOOT_MEAN)
			out[p->window] += p->sum - p->count * value;
		else
			out[p->window] += stat->kind == BOOT_SUM ? p->sum : p->count;
	}
	for (size_t i = 0; i < b->window_cnt; i++)
		mean += out[i] / (double)b->window_cnt;
	for (size_t i = 0; i < b->window_cnt; i++)
		out[i] -= mean;
}

static double covariance(const double *x, size_t cnt, size_t lag)
{
	double sum = 0;

	for (size_t i = lag; i < cnt; i++)
		sum += x[i] * x[i - lag];
	return sum / (double)cnt;
}

/* From where on autocorrelations are nothing but noise: the first of so many lags in a row. */
static size_t last_lag(const double *x, size_t cnt)
{
	double noise = 2 * sqrt(log10((double)cnt) / (double)cnt), var = covariance(x, cnt, 0);
	size_t row = (size_t)fmax(5, sqrt(log10((double)cnt))), calm = 0, lag = 1;

	for (; lag < cnt / 2 && calm < row; lag++)
		calm = fabs(covariance(x, cnt, lag)) < noise * var ? calm + 1 : 0;
	return lag > calm + 1 ? lag - 1 - calm : 1;
}

/* Politis & White: the optimal length for the circular bootstrap of a mean of x, which has mean 0. */
static double best_length(const double *x, size_t cnt)
{
	size_t lags = 2 * last_lag(x, cnt);
	double zero = covariance(x, cnt, 0), slope = 0;

	if (zero <= 0)
		return 1;
	for (size_t k = 1; k <= lags && k < cnt; k++) {
		double at = (double)k / (double)lags, r = covariance(x, cnt, k);
		double window = at <= 0.5 ? 1 : 2 * (1 - at);	/* flat, then down to 0 */

		slope += 2 * window * (double)k * r;
		zero += 2 * window * r;
	}
	if (zero <= 0)
		return 1;
	return cbrt(2 * slope * slope / (4.0 / 3 * zero * zero) * (double)cnt);
}

size_t boot_block(struct boot *b, const struct boot_stat *stat)
{
	size_t n = b->window_cnt;
	double longest = BOOT_BLOCK_MIN, most = fmin(ceil(3 * sqrt((double)n)), (double)n / 3);
	double *x = prepare(b) ? NULL : malloc(n * sizeof(*x));

	if (x && b->count) {
		influence(b, stat, x);
		longest = fmax(longest, best_length(x, n));
	}
	free(x);
	longest = fmin(ceil(longest), floor(most));
	return longest < 1 ? 1 : (size_t)longest;
}

/*
 * The variance of this bootstrap is that of Bartlett's window as long as a block, of which Priestley 1981
 * (6.2.4) has the equivalent freedom at frequency 0.
 */
double boot_freedom(struct boot *b, const struct boot_stat *stat)
{
	return fmax(1, 1.5 * (double)b->window_cnt / (double)boot_block(b, stat));
}

/* splitmix64 (Steele, Lea & Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Draws blocks until there are as many windows as there were; the last one is cut. */
static void draw(size_t cnt, size_t block, uint64_t *state, uint32_t *weights)
{
	for (size_t i = 0; i < cnt; i++)
		weights[i] = 0;
	for (size_t drawn = 0; drawn < cnt;) {
		size_t at = (size_t)((unsigned __int128)next_random(state) * cnt >> 64);

		for (size_t i = 0; i < block && drawn < cnt; i++, drawn++)
			weights[(at + i) % cnt]++;
	}
}

/* Of the statistics whose blocks have that length. */
static void resample(struct boot *b, const struct boot_stat *stats, const size_t *blocks, size_t cnt, size_t block,
		     uint64_t seed, uint32_t *weights, double *ret)
{
	for (size_t r = 0; r < BOOT_RESAMPLES; r++) {
		struct sums sums;

		draw(b->window_cnt, block, &seed, weights);
		sums = add_up(b, weights);
		for (size_t i = 0; i < cnt; i++)
			if (blocks[i] == block)
				ret[i * BOOT_RESAMPLES + r] = value_of(b, &sums, &stats[i]);
	}
}

static bool is_first(const size_t *blocks, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (blocks[k] == blocks[i])
			return false;
	return true;
}

int boot_resample(struct boot *b, const struct boot_stat *stats, size_t cnt, uint64_t seed, double *ret)
{
	uint32_t *weights = malloc(b->window_cnt * sizeof(*weights));
	size_t *blocks = calloc(cnt + 1, sizeof(*blocks));
	int err = weights && blocks ? prepare(b) : -ENOMEM;

	for (size_t i = 0; !err && i < cnt; i++)
		blocks[i] = boot_block(b, &stats[i]);
	for (size_t i = 0; !err && i < cnt; i++)
		if (is_first(blocks, i))
			resample(b, stats, blocks, cnt, blocks[i], seed, weights, ret);
	free(weights);
	free(blocks);
	return err;
}

static int up(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double boot_percentile(double *values, size_t cnt, double q)
{
	double at = q * (double)(cnt - 1);
	size_t i = (size_t)at;

	qsort(values, cnt, sizeof(*values), up);
	if (i + 1 >= cnt)
		return values[cnt - 1];
	return values[i] + (values[i + 1] - values[i]) * (at - (double)i);
}

/* The normal distribution's |z| whose tails together are that: bisection, erfc falls steadily. */
static double normal(double tails)
{
	double lo = 0, hi = 40;

	for (int i = 0; i < 60; i++) {
		double middle = (lo + hi) / 2;

		if (erfc(middle / sqrt(2)) > tails)
			lo = middle;
		else
			hi = middle;
	}
	return (lo + hi) / 2;
}

/* Wallace 1959: t of that freedom as the z of equal tails, good to three digits from 3 on. */
static double z_of(double t, double freedom)
{
	double shrink = (8 * freedom + 1) / (8 * freedom + 3);

	return shrink * sqrt(freedom * log1p(t * t / freedom));
}

double boot_student(double tails, double freedom)
{
	double f = fmax(freedom, 1), z = normal(tails) / ((8 * f + 1) / (8 * f + 3));

	return sqrt(f * expm1(z * z / f));
}

double boot_student_tails(double t, double freedom)
{
	return erfc(z_of(fabs(t), fmax(freedom, 1)) / sqrt(2));
}

static void estimate(struct boot *b, const struct boot_stat *stat, double level, double *resamples,
		     struct boot_estimate *out)
{
	double tails = 1 - level, value = boot_value(b, stat);
	double widen = boot_student(tails, boot_freedom(b, stat)) / normal(tails);
	double lo = boot_percentile(resamples, BOOT_RESAMPLES, tails / 2);
	double hi = boot_percentile(resamples, BOOT_RESAMPLES, 1 - tails / 2);

	*out = (struct boot_estimate){
		.value = value,
		.lo = fmax(0, fmin(value, value - (value - lo) * widen)),
		.hi = fmax(value, value + (hi - value) * widen),
	};
}

int boot_estimate(struct boot *b, const struct boot_stat *stats, size_t cnt, double level, uint64_t seed,
		  struct boot_estimate *out)
{
	double *resamples = calloc(cnt + 1, BOOT_RESAMPLES * sizeof(*resamples));
	int err = resamples ? boot_resample(b, stats, cnt, seed, resamples) : -ENOMEM;

	for (size_t i = 0; !err && i < cnt; i++)
		estimate(b, &stats[i], level, &resamples[i * BOOT_RESAMPLES], &out[i]);
	free(resamples);
	return err;
}
