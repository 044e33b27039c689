/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Two recordings of the same program: what got later, and in which stage. Entities are matched by name (the
 * numbers of threads differ from run to run), and those of one name are one row.
 *
 * Each statistic's shift, new minus base, has an interval from the bootstrap of both (stats/bootstrap.h). It
 * is `changed` if it surely lies beyond the tolerance, which is a share of the base and at least a floor in ns:
 * what differs from run to run of one program (caches, where its threads landed) is not seen within a run.
 * "Surely" is Student's test at 5%, corrected after Holm 1979 for all the rows that are looked at, and the
 * percentiles of the resamples agree.
 *
 * A machine that was busier in one run must not be the program's fault: the test is of what was the target's
 * own of each sample (STAGE_OWN of stats/windows.h). Where only the whole moved, strangers took the time: the
 * row is `unchanged` if the own part surely is, and else `unknown`; either way it says so. Where strangers
 * disturbed more than a quarter of the samples, what they left is no fair part: the row is `unknown`.
 *
 * What differs from run to run and not within one (which thread landed on which CPU) is seen only by comparing
 * with several runs: compare_narrow().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tables.h"

struct names;

/* X(id, name) */
#define COMPARE_STATS(X) X(P50, "p50") X(P90, "p90") X(P99, "p99") X(MEAN, "mean")

enum compare_stat_id {
#define X(id, name) COMPARE_##id,
	COMPARE_STATS(X)
#undef X
	COMPARE_STAT_CNT
};

extern const char *const compare_stat_names[COMPARE_STAT_CNT];

enum compare_verdict { COMPARE_UNKNOWN, COMPARE_UNCHANGED, COMPARE_CHANGED };
extern const char *const compare_verdict_names[];

/* X(id, text): why it is unknown. */
#define COMPARE_REASONS(X) \
	X(NONE, "") \
	X(ONE_SIDE, "only in one of the two") \
	X(FEW, "too few samples") \
	X(STRADDLES, "the interval reaches over the tolerance") \
	X(STRANGERS, "others had the CPU, or the kernel was late") \
	X(LOST, "more was lost than allowed")

enum compare_reason {
#define X(id, text) COMPARE_WHY_##id,
	COMPARE_REASONS(X)
#undef X
	COMPARE_REASON_CNT
};

extern const char *const compare_reason_texts[COMPARE_REASON_CNT];

struct compare_stat {
	double base, now;		/* ns */
	double shift, lo, hi;		/* ns, new minus base, and its 95% interval */
	double own_shift, own_lo, own_hi;	/* of the target's own part; of stages the same as of the whole */
	/* Probability of that much beyond the tolerance by chance, corrected for all tests; 1: no test. */
	double tails, own_tails;
	enum compare_verdict verdict, own_verdict;	/* own_verdict: unchanged, or unknown */
	enum compare_reason why;
	bool is_settled;		/* the own part's shift lies within the tolerance, and it is most samples */
	/* Of an unknown one: of this test alone the own part got surely worse; or strangers or losses may hide it. */
	bool is_open;
	unsigned int stage;		/* of a changed one: the stage that moved most with it; STAGE_CNT: has none */
};

struct compare_row {
	enum metric metric;
	const char *klass, *name;	/* raw; NULL: all */
	unsigned int stage;		/* STAGE_CNT: the whole */
	bool is_gated;			/* one class of one name, of lateness and not of waits that may be idle */
	uint64_t base_cnt, now_cnt;
	uint64_t base_own_cnt, now_own_cnt;	/* that no stranger disturbed: the own part; of stages 0 */
	struct compare_stat stats[COMPARE_STAT_CNT];
};

/* One recording: tables with windows and names; both outlive the comparison's making. */
struct compare_side {
	const struct tables *tables;
	const struct names *names;
};

/* What is 0 has the default that the comment says. */
struct compare_opts {
	double tolerance;	/* share of the base's value: 0.05 */
	uint64_t floor_ns;	/* shifts below are none: COMPARE_FLOOR_NS */
	double max_loss;	/* lost of all samples, in either: 0.001 */
	bool only_worse;	/* a shift to less is unchanged */
	bool only_gated;	/* no other rows, but the stages of those that changed */
};

/*
 * The default timer slack of Linux: whose timers happen to fire together differs from run to run of one
 * program, and lasts for the run. So do caches and clock rates, by less.
 */
#define COMPARE_FLOOR_NS UINT64_C(50000)

/* Of all rows that are gated. */
struct compare_sum {
	enum compare_verdict verdict;	/* changed: one is; unknown: none is, and one is open, or there was no test */
	enum compare_reason why;
	const struct compare_row *worst;	/* of the verdict, by share of the base; NULL: none */
	enum compare_stat_id stat;
	size_t tests, changed, unknown;
};

struct compare;

/* 0 or -ENOMEM. */
int compare_make(const struct compare_side *base, const struct compare_side *now, const struct compare_opts *opts,
		 struct compare **ret);
void compare_free(struct compare *c);
/*
 * Of each gated statistic what is milder: of c, or of another comparison of the same new recording, with another
 * base. Then only that is `changed` which is so against both.
 */
void compare_narrow(struct compare *c, const struct compare *other);
/* By metric, all of it first, then by name and class; a row's stages follow it. NULL: no more. */
const struct compare_row *compare_row(const struct compare *c, size_t i);
struct compare_sum compare_sum(const struct compare *c);
