/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Inside of the comparison: compare.c knows the rows, compare_test.c what is shown by numbers. */
#pragma once

#include "compare.h"

struct boot;

/* Leaves of a row, `to` is not among them. */
struct range {
	size_t from, to;
};

/*
 * Compares two sets of samples: values, intervals and the chance of each statistic, not yet corrected; their
 * own part is the same. 0 or -ENOMEM.
 */
int compare_pair(struct boot *base, struct boot *now, const struct compare_opts *opts, struct compare_stat *out);
/* The same of the own part of those samples, once they were compared. The tolerance is a share of all of them. */
int compare_own(struct boot *base, struct boot *now, const struct compare_opts *opts, struct compare_stat *out);
void compare_unknown(struct compare_stat *s, enum compare_reason why);
/* Holm's correction over the rows that are gated, or over the others, and the verdicts. 0 or -ENOMEM. */
int compare_correct(struct compare_row *rows, size_t cnt, bool is_gated);
