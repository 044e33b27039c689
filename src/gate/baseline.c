/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A recording against others of the same program: the verdicts of stats/compare.h as those of a gate. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/err.h"
#include "../export/text.h"
#include "../model/model.h"
#include "../stats/compare.h"
#include "../stats/view.h"
#include "../trace/reader.h"
#include "gate.h"

/* Rows that got worse are shown one by one, up to so many; the sum counts all. */
enum { WORSE_ROWS_MAX = 20 };

static const enum result results[] = {
	[COMPARE_UNCHANGED] = RESULT_PASS, [COMPARE_CHANGED] = RESULT_FAIL, [COMPARE_UNKNOWN] = RESULT_INCONCLUSIVE,
};

static void row_text(const struct compare_row *row, enum compare_stat_id stat, char *buf, size_t size)
{
	bool has_class = row->klass && *row->klass;

	snprintf(buf, size, "%s %s%s%s%s%s", metrics[row->metric].name, compare_stat_names[stat], row->name ? " of " : "",
		 row->name ? row->name : "", has_class ? ", " : "", has_class ? row->klass : "");
}

static void shift_text(const struct compare_stat *s, char *buf, size_t size)
{
	char base[32], now[32], lo[32], hi[32];

	snprintf(buf, size, "%s, was %s (shift %s to %s)%s%s", text_ns((uint64_t)s->now, now, sizeof(now)),
		 text_ns((uint64_t)s->base, base, sizeof(base)), text_signed_ns((int64_t)s->lo, lo, sizeof(lo)),
		 text_signed_ns((int64_t)s->hi, hi, sizeof(hi)), s->stage < STAGE_CNT ? ", stage " : "",
		 s->stage < STAGE_CNT ? stage_names[s->stage] : "");
}

/* Of the row's new value; its interval is that of the shift, laid on the base. */
static void fill_row(const struct compare_row *row, enum compare_stat_id stat, struct verdict *v)
{
	const struct compare_stat *s = &row->stats[stat];
	double lo = s->base + s->lo;

	v->unit = UNIT_TIME;
	v->has_estimate = true;
	v->n = row->now_cnt;
	v->estimate = s->now;
	v->lo = lo > 0 ? lo : 0;
	v->hi = s->base + s->hi;
}

static int add_sum(struct gate *g, const struct gate_opts *opts, const struct compare *c, double tolerance)
{
	struct compare_sum sum = compare_sum(c);
	struct verdict v = {.result = results[sum.verdict]};
	char what[160], shift[140];

	if (opts->baseline_cnt == 1)
		snprintf(v.text, sizeof(v.text), "at most %g%% worse than %.200s", tolerance * 100, opts->baselines[0]);
	else
		snprintf(v.text, sizeof(v.text), "at most %g%% worse than in each of %zu baselines", tolerance * 100,
			 opts->baseline_cnt);
	if (sum.worst) {
		row_text(sum.worst, sum.stat, what, sizeof(what));
		shift_text(&sum.worst->stats[sum.stat], shift, sizeof(shift));
		fill_row(sum.worst, sum.stat, &v);
		snprintf(v.of, sizeof(v.of), "%s", what);
	}
	if (v.result == RESULT_FAIL && sum.worst)
		snprintf(v.why, sizeof(v.why), "%.100s: %.150s", what, shift);
	else if (v.result == RESULT_INCONCLUSIVE)
		snprintf(v.why, sizeof(v.why), "%s", sum.tests ? compare_reason_texts[sum.why] : "nothing that is in both");
	else if (*g->early) {
		v.result = RESULT_INCONCLUSIVE;
		snprintf(v.why, sizeof(v.why), "%s", g->early);
	}
	return gate_add(g, &v);
}

static int add_worse(struct gate *g, const struct compare *c)
{
	const struct compare_row *row;
	size_t added = 0;
	int err = 0;

	for (size_t i = 0; (row = compare_row(c, i)) && !err; i++) {
		for (unsigned int s = 0; s < COMPARE_STAT_CNT && row->is_gated && !err; s++) {
			struct verdict v = {.result = RESULT_FAIL};

			if (row->stage != STAGE_CNT || row->stats[s].verdict != COMPARE_CHANGED || added == WORSE_ROWS_MAX)
				continue;
			row_text(row, (enum compare_stat_id)s, v.text, sizeof(v.text));
			shift_text(&row->stats[s], v.why, sizeof(v.why));
			fill_row(row, (enum compare_stat_id)s, &v);
			err = gate_add(g, &v);
			added++;
		}
	}
	return err;
}

/* Compares with one recording more. */
static int narrow(struct gate *g, const char *path, const struct compare_opts *opts, struct compare **c)
{
	struct tables_opts to = *tables_opts(g->view.tables);
	struct compare *one;
	struct recording *r;
	struct view base;
	int err = recording_open(path, &r);

	if (!err)
		err = view_open(r, &to, &base);
	if (err)
		return err;
	err = compare_make(&(struct compare_side){base.tables, model_names(base.model)},
			   &(struct compare_side){g->view.tables, model_names(g->view.model)}, opts, &one);
	view_close(&base);
	if (err)
		return fail(err, "gate: cannot compare with '%s'", path);
	if (!*c) {
		*c = one;
		return 0;
	}
	compare_narrow(*c, one);
	compare_free(one);
	return 0;
}

int gate_compare(struct gate *g, const struct gate_opts *opts)
{
	double tolerance = opts->max_regress > 0 ? opts->max_regress : GATE_MAX_REGRESS;
	struct compare_opts co = {
		.tolerance = tolerance, .max_loss = opts->max_loss < 0 ? GATE_MAX_LOSS : opts->max_loss,
		.only_worse = true, .only_gated = true,
	};
	struct compare *c = NULL;
	int err = 0;

	for (size_t i = 0; !err && i < opts->baseline_cnt; i++)
		err = narrow(g, opts->baselines[i], &co, &c);
	if (!err && (add_sum(g, opts, c, tolerance) || add_worse(g, c)))
		err = fail(-ENOMEM, "gate: no memory");
	compare_free(c);
	return err;
}
