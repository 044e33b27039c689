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
/* The same of the own part of the row's samples, once they were compared. */
int compare_own(struct boot *base, struct boot *now, const struct compare_opts *opts, struct compare_row *row);
void compare_unknown(struct compare_stat *s, enum compare_reason why);
/* Unknown, and no gate should pass it. */
bool compare_is_open(const struct compare_stat *s);
/* As compare_row(), to be changed. */
struct compare_row *compare_row_of(struct compare *c, size_t i);
/* Holm's correction over the rows that are gated, or over the others, and the verdicts. 0 or -ENOMEM. */
int compare_correct(struct compare_row *rows, size_t cnt, bool is_gated);
