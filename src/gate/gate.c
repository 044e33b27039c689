/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "gate.h"

#include <errno.h>
#include <stdlib.h>

#include "../base/err.h"
#include "../base/grow.h"
#include "../export/about.h"
#include "../export/text.h"
#include "../model/model.h"
#include "../trace/reader.h"

/* Of a recording that was to last longer: what a timer's tick may take off its end. */
#define WHOLE 0.99

/* The second pass over the recording, whose names the first one knows. */
struct pass {
	struct gate *gate;
	struct model *model;
};

static int feed(void *ctx, const void *rec, size_t len)
{
	struct pass *p = ctx;
	int err;

	lines_record(&p->gate->lines, rec);
	err = model_feed(p->model, rec, len);
	return err == -EBADMSG ? 0 : err;
}

static void on_span(void *ctx, const struct span *s)
{
	const struct span_sink sink = samples_sink(&((struct gate *)ctx)->samples);

	sink.span(sink.ctx, s);
}

static void on_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	const struct span_sink sink = samples_sink(&((struct gate *)ctx)->samples);

	sink.counter(sink.ctx, id, tid, n);
}

static void on_total(void *ctx, unsigned int count_id, uint64_t value)
{
	const struct span_sink sink = samples_sink(&((struct gate *)ctx)->samples);

	sink.total(sink.ctx, count_id, value);
}

static void on_gauge(void *ctx, const struct gauge *gauge)
{
	lines_gauge(&((struct gate *)ctx)->lines, gauge);
}

static int second_pass(struct gate *g)
{
	const struct span_sink sink = {
		.ctx = g, .span = on_span, .counter = on_counter, .total = on_total, .gauge = on_gauge,
	};
	struct recording *r = g->view.recording;
	struct pass p = {g, NULL};
	int err = recording_rewind(r);

	if (err) {
		fail(err, "gate: a pipe can't be read twice");
		hint("give a file");
		return err;
	}
	p.model = model_new(&sink);
	err = p.model ? recording_read(r, feed, &p) : -ENOMEM;
	for (uint64_t i = 0; !err && i < recording_stats(r)->bad_records; i++)
		model_feed(p.model, "", 0);	/* counted there, with those that it refuses itself */
	if (!err)
		model_end(p.model);
	model_free(p.model);
	if (!err)
		err = samples_finish(&g->samples);
	if (!err)
		err = lines_finish(&g->lines, model_info(g->view.model)->end_ns);
	return err ? fail(err, "gate: cannot replay the recording") : 0;
}

static uint32_t gauges_wanted(const struct budgets *b)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < b->cnt; i++)
		mask |= b->rows[i].source == BUDGET_GAUGE ? 1u << b->rows[i].id : 0;
	return mask;
}

/* How the recording ended before the time that it was to last; "": it did not. */
static void find_early(struct gate *g)
{
	const struct model_info *info = g->about.info;
	const char *wanted = about_fact(&g->about, "duration_ns");
	uint64_t wanted_ns = wanted ? strtoull(wanted, NULL, 10) : 0, length_ns = info->end_ns - info->start_ns;
	char had[32], of[32];

	text_ns(length_ns, had, sizeof(had));
	text_ns(wanted_ns, of, sizeof(of));
	if (!info->has_end)
		snprintf(g->early, sizeof(g->early), "the recording was cut off after %s", had);
	else if (info->end_reason == END_ERROR)
		snprintf(g->early, sizeof(g->early), "the recording ended by an error after %s", had);
	else if (info->end_reason != END_COMMAND_EXIT && (double)length_ns < WHOLE * (double)wanted_ns)
		snprintf(g->early, sizeof(g->early), "%s after %s of %s", about_end(info), had, of);
}

int gate_add(struct gate *g, const struct verdict *v)
{
	struct verdict *grown = grow(g->verdicts, g->cnt, &g->room, sizeof(*g->verdicts));

	if (!grown)
		return -ENOMEM;
	g->verdicts = grown;
	g->verdicts[g->cnt++] = *v;
	g->of[v->result]++;
	return 0;
}

static int judge(struct gate *g, const struct gate_opts *opts)
{
	struct judged j = {
		.samples = &g->samples, .lines = &g->lines, .names = model_names(g->view.model),
		.min_samples = opts->min_samples, .max_loss = opts->max_loss < 0 ? GATE_MAX_LOSS : opts->max_loss,
	};
	int err = 0;

	snprintf(j.early, sizeof(j.early), "%s", g->early);
	for (size_t i = 0; i < opts->budgets.cnt && !err; i++) {
		struct verdict v;

		err = verdict_make(&j, &opts->budgets.rows[i], &v);
		if (!err)
			err = gate_add(g, &v);
	}
	return err ? fail(err, "gate: no memory") : 0;
}

static int gather(struct gate *g, const struct gate_opts *opts)
{
	const struct model_info *info = model_info(g->view.model);
	uint64_t length_ns = info->end_ns > info->start_ns ? info->end_ns - info->start_ns : 0, waits;
	int err = samples_init(&g->samples, &opts->budgets, model_names(g->view.model), info->start_ns, length_ns);

	if (err)
		return fail(err, "gate: no memory");
	lines_init(&g->lines, gauges_wanted(&opts->budgets), info->start_ns, length_ns / g->samples.window_cnt);
	err = second_pass(g);
	g->loss = samples_loss(&g->samples, &g->lost, &waits);
	return err;
}

int gate_run(struct recording *r, const struct gate_opts *opts, struct gate *out)
{
	struct tables_opts to = {.tables = TABLE_BIT(COUNTERS) | TABLE_BIT(LOSS), .windows = opts->baseline_cnt > 0};
	int err;

	*out = (struct gate){.cnt = 0};
	if (opts->baseline_cnt)
		to.tables |= TABLE_BIT(HEATMAP) | TABLE_BIT(STAGES) | TABLE_BIT(BLAME);
	err = view_open(r, &to, &out->view);
	if (err)
		return err;
	out->about = (struct export_opts){
		.info = model_info(out->view.model), .model = out->view.model, .facts = out->view.facts,
		.fact_cnt = out->view.fact_cnt,
	};
	find_early(out);
	err = gather(out, opts);
	if (!err)
		err = judge(out, opts);
	if (!err && opts->baseline_cnt)
		err = gate_compare(out, opts);
	if (err)
		gate_done(out);
	return err;
}

void gate_done(struct gate *g)
{
	samples_done(&g->samples);
	lines_done(&g->lines);
	free(g->verdicts);
	view_close(&g->view);
	*g = (struct gate){.cnt = 0};
}

enum result gate_result(const struct gate *g)
{
	if (g->of[RESULT_FAIL])
		return RESULT_FAIL;
	return g->of[RESULT_INCONCLUSIVE] ? RESULT_INCONCLUSIVE : RESULT_PASS;
}
