/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Verdicts: does a recording keep a budget? Each number is an estimate with a 95% interval, widened by what
 * was lost. A budget fails only if all of the interval is over it, passes only if none is, and everything
 * else is inconclusive. A recording that is not whole (it ended early, more was lost than allowed, too few
 * samples) passes nothing; what no missing part could undo (a maximum or a count over the budget) fails all
 * the same.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "budget.h"
#include "lines.h"
#include "samples.h"

/* X(id, word) */
#define RESULTS(X) X(PASS, "pass") X(FAIL, "fail") X(INCONCLUSIVE, "inconclusive")

enum result {
#define X(id, word) RESULT_##id,
	RESULTS(X)
#undef X
	RESULT_CNT
};

extern const char *const result_words[RESULT_CNT];

struct verdict {
	enum result result;
	char text[BUDGET_TEXT_SZ];	/* the budget; raw: it may name anything */
	char why[256];		/* "" of a pass; raw */
	enum budget_unit unit;
	bool has_estimate;
	uint64_t n;		/* samples, or snapshots */
	double estimate, lo, hi;	/* hi may be INFINITY: not known */
	char of[BUDGET_TEXT_SZ];	/* of several processes or places the one that is shown; raw */
	const struct series *series;	/* with the worst samples, NULL: there are none */
};

/* What is the same for all budgets of a recording. */
struct judged {
	const struct samples *samples;
	const struct lines *lines;
	const struct names *names;
	uint64_t min_samples;	/* 0: what the statistic needs */
	double max_loss;	/* share */
	char early[160];	/* how it ended before its time; "": it did not */
};

/* 0 or -ENOMEM. */
int verdict_make(const struct judged *j, const struct budget *b, struct verdict *out);

/* Samples that a quantile needs for its interval to end: Wilks 1941, for 97.5% on either side. */
uint64_t quantile_needs(double q);
