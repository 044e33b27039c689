/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the command line says about verdicts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "budget.h"

enum { GATE_BASELINES_MAX = 16 };

/* What is 0 or NULL was not asked for, but for max_loss: see GATE_MAX_LOSS. */
struct gate_opts {
	struct budgets budgets;
	const char *files[8];	/* of the reports, by enum gate_report of report.h; "-" is stdout */
	const char *baselines[GATE_BASELINES_MAX];	/* recordings */
	size_t baseline_cnt;
	double max_regress;	/* share; 0: GATE_MAX_REGRESS */
	double max_loss;	/* share; negative: GATE_MAX_LOSS */
	uint64_t min_samples;
	bool annotations;
};

#define GATE_MAX_LOSS 0.001	/* product.md: losses beyond make a result inconclusive */
#define GATE_MAX_REGRESS 0.1
