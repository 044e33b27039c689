/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/names.h"
#include "../stats/bootstrap.h"
#include "../stats/hist.h"
#include "trend.h"

#define LEVEL 0.95
#define TAIL ((1 - LEVEL) / 2)
#define TAIL_SIGMA 1.959964	/* of the normal distribution, for TAIL on either side */

enum { MEAN_SAMPLES_MIN = 30, SEED = 1 };

const char *const result_words[RESULT_CNT] = {
#define X(id, word) [RESULT_##id] = word,
	RESULTS(X)
#undef X
};

/* A verdict under way. */
struct judging {
	const struct judged *j;
	const struct budget *b;
	struct verdict *v;
	uint64_t needs;		/* samples */
	uint64_t lost;		/* of its samples, at most */
	double sure_lo, sure_hi;	/* the interval if nothing was lost */
};

static void __attribute__((format(printf, 3, 4))) decide(struct judging *g, enum result result, const char *fmt, ...)
{
	va_list ap;

	g->v->result = result;
	va_start(ap, fmt);
	vsnprintf(g->v->why, sizeof(g->v->why), fmt, ap);
	va_end(ap);
}

static bool is_within(const struct budget *b, double value)
{
	switch (b->op) {
	case OP_LESS:
		return value < b->limit;
	case OP_LESS_EQUAL:
		return value <= b->limit;
	case OP_MORE:
		return value > b->limit;
	case OP_MORE_EQUAL:
		return value >= b->limit;
	}
	return false;
}

static bool is_upper(const struct budget *b)
{
	return b->op == OP_LESS || b->op == OP_LESS_EQUAL;
}

/* What can only grow with what is missing. */
static bool only_grows(const struct budget *b)
{
	return b->stat == STAT_MAX || b->stat == STAT_COUNT;
}

uint64_t quantile_needs(double q)
{
	double high = log(TAIL) / log(q), low = log(TAIL) / log(1 - q);

	return (uint64_t)ceil(high > low ? high : low);
}

/* Why a result that looks good or bad is not to be trusted; false: it is. */
static bool is_doubtful(struct judging *g, bool is_good)
{
	const struct budget *b = g->b;
	uint64_t lost, waits, min = g->needs;
	double loss = samples_loss(g->j->samples, &lost, &waits);
	char had[32], may[32];

	if (b->source == BUDGET_METRIC && min && g->j->min_samples)
		min = g->j->min_samples;
	if (only_grows(b) && is_good != is_upper(b))
		return false;
	if (b->source == BUDGET_METRIC && is_good && loss > g->j->max_loss)
		decide(g, RESULT_INCONCLUSIVE, "%s was lost, %s is allowed", budget_value_text(UNIT_SHARE, loss, had, sizeof(had)),
		       budget_value_text(UNIT_SHARE, g->j->max_loss, may, sizeof(may)));
	else if (*g->j->early && (b->source != BUDGET_LOSS || is_good))
		decide(g, RESULT_INCONCLUSIVE, "%s", g->j->early);
	else if (g->v->n < min)
		decide(g, RESULT_INCONCLUSIVE, "too few samples: %" PRIu64 ", it takes %" PRIu64, g->v->n, min);
	else
		return false;
	return true;
}

static void judge_interval(struct judging *g)
{
	const struct budget *b = g->b;
	struct verdict *v = g->v;
	bool lo = is_within(b, v->lo), hi = is_within(b, v->hi);
	char text[32], limit[32];

	v->has_estimate = true;
	budget_value_text(v->unit, v->estimate, text, sizeof(text));
	budget_value_text(v->unit, b->limit, limit, sizeof(limit));
	if (lo == hi && is_doubtful(g, lo))
		return;
	if (lo && hi)
		decide(g, RESULT_PASS, "%s", "");
	else if (!lo && !hi)
		decide(g, RESULT_FAIL, "%.120s%s%s is %s the budget of %s", v->of, *v->of ? ": " : "", text,
		       is_upper(b) ? "over" : "below", limit);
	else if (g->v->n < g->needs)
		decide(g, RESULT_INCONCLUSIVE, "too few samples: %" PRIu64 ", it takes %" PRIu64, v->n, g->needs);
	else if (is_within(b, g->sure_lo) == is_within(b, g->sure_hi))
		decide(g, RESULT_INCONCLUSIVE, "the %" PRIu64 " samples that were lost could change it", g->lost);
	else
		decide(g, RESULT_INCONCLUSIVE, "%s, but it may be on either side of %s", text, limit);
}

static uint32_t ppm_of_rank(double rank, double n)
{
	double share = rank < 1 ? 1 / n : rank > n ? 1 : rank / n;

	return (uint32_t)(share * 1e6 + 0.5);
}

/* The value at that rank of n samples. */
static double at_rank(struct boot *boot, double rank, double n)
{
	return boot_value(boot, &(struct boot_stat){BOOT_QUANTILE, ppm_of_rank(rank, n)});
}

/*
 * The bootstrap knows that samples are alike, but not what lies beyond the greatest one; the interval by
 * order statistics (the binomial distribution's, by its normal approximation) knows that, but takes samples
 * for independent: the wider one counts on either side.
 */
static void widen(struct boot *boot, double q, double n, struct boot_estimate *e)
{
	double spread = TAIL_SIGMA * sqrt(n * q * (1 - q));

	e->lo = fmin(fmax(0, e->lo), n * log(1 - q) > log(TAIL) ? 0 : at_rank(boot, floor(n * q - spread), n));
	e->hi = fmax(e->hi, n * log(q) > log(TAIL) ? INFINITY : at_rank(boot, ceil(n * q + spread) + 1, n));
}

/* The quantile, and what it is if the lost samples were all below it, or all above. */
static int quantile(struct judging *g, const struct series *s)
{
	double q = g->b->ppm / 1e6, n = (double)s->count, lost = (double)g->lost, all = n + lost;
	double of[] = {q, (q * all - lost) / n, q * all / n};
	struct boot_estimate e[3];
	struct boot_stat stats[3];
	size_t cnt = g->lost ? 3 : 1;
	int err;

	for (size_t i = 0; i < cnt; i++)
		stats[i] = (struct boot_stat){BOOT_QUANTILE, ppm_of_rank(of[i] * n, n)};
	err = boot_estimate(s->boot, stats, cnt, LEVEL, SEED, e);
	if (err)
		return err;
	for (size_t i = 0; i < cnt; i++) {
		if (of[i] > 0 && of[i] < 1)
			widen(s->boot, of[i], n, &e[i]);
		else	/* more were lost than there are beyond it */
			e[i] = (struct boot_estimate){.lo = 0, .hi = INFINITY};
	}
	g->v->estimate = e[0].value;
	g->sure_lo = e[0].lo;
	g->sure_hi = e[0].hi;
	g->v->lo = cnt > 1 ? fmin(e[0].lo, e[1].lo) : e[0].lo;
	g->v->hi = cnt > 1 ? fmax(e[0].hi, e[2].hi) : e[0].hi;
	g->needs = quantile_needs(q);
	return 0;
}

/* A mean, or something a second: of what was lost each is taken to be as long as the longest that was seen. */
static int sum_or_mean(struct judging *g, const struct series *s)
{
	static const struct {
		enum boot_kind kind;
		bool is_per_second, has_length;	/* of each sample its length, or 1 */
	} rows[STAT_CNT] = {
		[STAT_MEAN] = {BOOT_MEAN, false, true},
		[STAT_TOTAL] = {BOOT_SUM, true, true},
		[STAT_RATE] = {BOOT_COUNT, true, false},
	};
	struct boot_stat stat = {rows[g->b->stat].kind, 0};
	double seconds = (double)g->j->samples->length_ns / 1e9, scale = 1, more;
	struct boot_estimate e;
	int err = boot_estimate(s->boot, &stat, 1, LEVEL, SEED, &e);

	if (err)
		return err;
	if (rows[g->b->stat].is_per_second)
		scale = (double)g->j->samples->window_cnt / seconds / (g->b->stat == STAT_TOTAL ? 1e9 : 1);
	more = (double)g->lost * (rows[g->b->stat].has_length ? (double)s->max : 1);
	if (g->b->stat == STAT_TOTAL)
		more /= 1e9;
	more /= rows[g->b->stat].is_per_second ? seconds : (double)(s->count + g->lost);
	g->v->estimate = e.value * scale;
	g->v->lo = g->sure_lo = fmax(0, e.lo) * scale;
	g->sure_hi = e.hi * scale;
	g->v->hi = g->sure_hi + more;
	if (g->b->stat == STAT_MEAN && g->lost)
		g->v->lo *= (double)s->count / (double)(s->count + g->lost);
	g->needs = g->b->stat == STAT_MEAN ? MEAN_SAMPLES_MIN : 0;
	return 0;
}

/* What was counted is no estimate. */
static int fact(struct judging *g, const struct series *s)
{
	struct verdict *v = g->v;

	v->estimate = g->b->stat == STAT_MAX ? (double)s->max : (double)s->count;
	v->lo = v->hi = g->sure_lo = g->sure_hi = v->estimate;
	if (g->lost)
		v->hi = g->b->stat == STAT_MAX ? INFINITY : v->estimate + (double)g->lost;
	g->needs = g->b->stat == STAT_MAX;
	return 0;
}

/* Whether anything of the metric's kind was recorded, so that no sample is an answer. Locks are those of threads. */
static bool was_looked_at(const struct samples *s, enum metric metric)
{
	enum entity_kind kind = metrics[metric].entity == ENTITY_LOCK ? ENTITY_THREAD : metrics[metric].entity;

	for (size_t m = 0; m < METRIC_CNT; m++)
		if (s->seen[m] && metrics[m].entity == kind)
			return true;
	return false;
}

static int judge_metric(struct judging *g)
{
	static int (*const estimates[STAT_CNT])(struct judging *g, const struct series *s) = {
		[STAT_QUANTILE] = quantile, [STAT_MAX] = fact, [STAT_COUNT] = fact,
		[STAT_MEAN] = sum_or_mean, [STAT_TOTAL] = sum_or_mean, [STAT_RATE] = sum_or_mean,
	};
	const struct budget *b = g->b;
	const struct series *s = samples_of(g->j->samples, (enum metric)b->id, b->name, b->stage);
	bool none_is_fine = b->stat == STAT_COUNT || b->stat == STAT_TOTAL || b->stat == STAT_RATE;
	int err;

	g->v->n = s->count;
	g->lost = samples_lost(g->j->samples, s);
	if (s->worst_cnt && s->worst[0].value)
		g->v->series = s;
	if (!s->count && *b->name) {
		decide(g, RESULT_INCONCLUSIVE, "no samples of that name");
		return 0;
	}
	if (!s->count && !was_looked_at(g->j->samples, s->metric)) {
		decide(g, RESULT_INCONCLUSIVE, "nothing of that kind was recorded");
		return 0;
	}
	if (!s->count && !none_is_fine) {
		decide(g, RESULT_INCONCLUSIVE, "no samples; to ask for none, give: %s count < 1", metrics[b->id].name);
		return 0;
	}
	err = estimates[b->stat](g, s);
	if (!err)
		judge_interval(g);
	return err;
}

static int line_trend(struct judging *g, const struct line *x, struct trend *out)
{
	size_t cnt;
	struct point *points = line_points(g->j->lines, x, &cnt);
	int err = -ENOMEM;

	if (points && g->b->stat == STAT_SLOPE)
		err = trend_slope(points, cnt, out);
	else if (points)
		err = trend_mean(points, cnt, out);
	if (!err && g->b->stat == STAT_MEAN) {	/* all snapshots, not only those kept for the interval */
		double off = line_mean(g->j->lines, x) - out->value;

		*out = (struct trend){out->value + off, out->lo + off, out->hi + off};
	}
	free(points);
	return err;
}

static int line_estimate(struct judging *g, const struct line *x, struct trend *out)
{
	double value = 0;

	switch (g->b->stat) {
	case STAT_MEAN:
	case STAT_SLOPE:
		return line_trend(g, x, out);
	case STAT_MAX:
		value = (double)x->max;
		break;
	case STAT_LAST:
		value = (double)line_last(g->j->lines, x);
		break;
	case STAT_QUANTILE:
	case STAT_COUNT:
	case STAT_TOTAL:
	case STAT_RATE:
	case STAT_SHARE:
	case STAT_CNT:
		break;
	}
	*out = (struct trend){value, value, value};
	return 0;
}

/* The process's or creation site's name. */
static const char *line_name(const struct judging *g, const struct line *x)
{
	const struct site_name *site = x->site ? names_of_site(g->j->names, x->site) : NULL;
	const struct task_name *task = names_of_task(g->j->names, x->tgid);

	if (x->site)
		return site ? site->func : "";
	return task ? task->comm : "";
}

static void judge_line(struct judging *g, const struct line *x, const struct trend *t)
{
	struct verdict *v = g->v;

	v->n = line_snapshots(g->j->lines, x);
	v->estimate = t->value;
	v->lo = g->sure_lo = t->lo;
	v->hi = g->sure_hi = t->hi;
	g->needs = g->b->stat == STAT_MEAN || g->b->stat == STAT_SLOPE ? TREND_POINTS_MIN : 1;
	snprintf(v->of, sizeof(v->of), "%s (%" PRIu32 ")", line_name(g, x), x->tgid);
	judge_interval(g);
}

/* Worse verdicts first; of equal ones that which is nearer to the limit, or further beyond it. */
static bool is_worse(const struct budget *b, const struct verdict *x, const struct verdict *than)
{
	static const int badness[RESULT_CNT] = {[RESULT_PASS] = 0, [RESULT_INCONCLUSIVE] = 1, [RESULT_FAIL] = 2};

	if (badness[x->result] != badness[than->result])
		return badness[x->result] > badness[than->result];
	return is_upper(b) ? x->estimate > than->estimate : x->estimate < than->estimate;
}

/* Each process, or creation site, has to keep it: the worst one is shown. */
static int judge_gauge(struct judging *g)
{
	const struct lines *l = g->j->lines;
	struct verdict empty = *g->v, worst = *g->v;
	bool any = false;

	for (size_t i = 0; i < l->cnt; i++) {
		const struct line *x = l->rows[i];
		struct trend t;

		if (x->id != (enum gauge_id)g->b->id || !line_counts(l, x))
			continue;
		if (*g->b->name && !name_is_meant(g->b->name, line_name(g, x)))
			continue;
		if (line_estimate(g, x, &t))
			return -ENOMEM;
		*g->v = empty;
		judge_line(g, x, &t);
		if (!any || is_worse(g->b, g->v, &worst))
			worst = *g->v;
		any = true;
	}
	*g->v = worst;
	if (!any)
		decide(g, RESULT_INCONCLUSIVE, "%s", *g->b->name ? "nothing of that name" : "nothing of that kind was recorded");
	else if (l->is_full && g->v->result == RESULT_PASS)
		decide(g, RESULT_INCONCLUSIVE, "there were more processes or creation sites than could be followed");
	return 0;
}

static int judge_loss(struct judging *g)
{
	uint64_t lost;
	double share = samples_loss(g->j->samples, &lost, &g->v->n);

	g->v->estimate = g->v->lo = g->v->hi = g->sure_lo = g->sure_hi = share;
	g->needs = 1;
	judge_interval(g);
	return 0;
}

int verdict_make(const struct judged *j, const struct budget *b, struct verdict *out)
{
	static int (*const judges[BUDGET_SOURCE_CNT])(struct judging *g) = {
		[BUDGET_METRIC] = judge_metric, [BUDGET_GAUGE] = judge_gauge, [BUDGET_LOSS] = judge_loss,
	};
	struct verdict v = {.unit = budget_unit(b->stat, b->source)};
	struct judging g = {.j = j, .b = b, .v = &v};
	int err;

	memcpy(v.text, b->text, sizeof(v.text));
	err = judges[b->source](&g);
	if (!err)
		*out = v;
	return err;
}
