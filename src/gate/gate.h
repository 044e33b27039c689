/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A gate: a recording, what it may show, and the verdicts. One owner, see gate_done(). */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "../export/export.h"
#include "../view.h"
#include "budget.h"
#include "lines.h"
#include "opts.h"
#include "samples.h"
#include "verdict.h"

struct gate {
	struct view view;	/* names, facts, how it ended */
	struct export_opts about;	/* the same, for export/about.h */
	struct samples samples;
	struct lines lines;
	struct verdict *verdicts;
	size_t cnt, room;
	size_t of[RESULT_CNT];	/* how many there are */
	uint64_t lost;
	double loss;		/* share */
	char early[160];
};

/* Judges the recording, which it takes, also on failure. 0 or -errno, told on stderr. */
int gate_run(struct recording *r, const struct gate_opts *opts, struct gate *out);
void gate_done(struct gate *g);

/* Adds a verdict. 0 or -ENOMEM. */
int gate_add(struct gate *g, const struct verdict *v);
/* Of all verdicts: one that failed fails, else one that is inconclusive is. */
enum result gate_result(const struct gate *g);

/*
 * Adds what the comparison with the baselines says: one verdict for all, and one for each row that got worse
 * than in any of them. 0 or -errno, told on stderr.
 */
int gate_compare(struct gate *g, const struct gate_opts *opts);
