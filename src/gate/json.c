/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <jansson.h>
#include <math.h>

#include "../export/about.h"
#include "../export/text.h"
#include "../model/model.h"
#include "../model/names.h"
#include "evidence.h"
#include "gate.h"
#include "report.h"

static const char *const unit_names[UNIT_CNT] = {
	[UNIT_TIME] = "ns", [UNIT_NUMBER] = "", [UNIT_SHARE] = "ratio", [UNIT_RATE] = "1/s",
};

struct json_gate {
	const struct gate *g;
	const struct names *n;
	bool is_short;		/* of memory */
};

static void set(struct json_gate *j, json_t *o, const char *key, json_t *value)
{
	j->is_short |= json_object_set_new(o, key, value) != 0;
}

static void append(struct json_gate *j, json_t *array, json_t *value)
{
	j->is_short |= json_array_append_new(array, value) != 0;
}

/* A raw text: escaped as in CSV. */
static void set_text(struct json_gate *j, json_t *o, const char *key, const char *raw)
{
	char text[TEXT_SZ];

	text_escape(raw, text, sizeof(text));
	set(j, o, key, json_string(text));
}

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *count(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *stages_of(struct json_gate *j, const struct series *s, const struct worst *w)
{
	json_t *o = json_object();

	for (unsigned int i = 0; i < STAGE_CNT; i++)
		if (metrics[s->metric].stages >> i & 1)
			set(j, o, stage_names[i], count(w->stage_ns[i]));
	return o;
}

static json_t *worst_of(struct json_gate *j, const struct verdict *v, const struct worst *w)
{
	char text[EVIDENCE_SZ], klass[128];
	json_t *o = json_object();

	set(j, o, "value_ns", count(w->value));
	set(j, o, "latency_ns", count(w->latency));
	set(j, o, "t_ns", count(w->t_ns));
	set(j, o, "cpu", count(w->cpu));
	set(j, o, "tid", count(w->tid));
	set(j, o, "pid", count(w->tgid));
	if (w->goid)
		set(j, o, "goid", count(w->goid));
	set(j, o, "who", json_string(evidence_who(v, w, j->n, text, sizeof(text))));
	set_text(j, o, "class", names_class(j->n, w->klass, klass, sizeof(klass)));
	set(j, o, "stages", stages_of(j, v->series, w));
	if (!w->has_blame)
		return o;
	set(j, o, "by_kind", json_string(blame_names[w->by.kind]));
	set(j, o, "by", json_string(evidence_blame(w, j->n, text, sizeof(text))));
	set(j, o, "by_ns", count(w->by.ns));
	return o;
}

static json_t *verdict_of(struct json_gate *j, const struct verdict *v)
{
	json_t *o = json_object(), *worst = json_array();

	set_text(j, o, "budget", v->text);
	set(j, o, "verdict", json_string(result_words[v->result]));
	set_text(j, o, "why", v->why);
	set_text(j, o, "of", v->of);
	set(j, o, "n", count(v->n));
	set(j, o, "unit", json_string(unit_names[v->unit]));
	set(j, o, "estimate", v->has_estimate ? number(v->estimate) : json_null());
	set(j, o, "lo", v->has_estimate ? number(v->lo) : json_null());
	set(j, o, "hi", v->has_estimate ? number(v->hi) : json_null());
	for (size_t i = 0; v->series && i < v->series->worst_cnt; i++)
		append(j, worst, worst_of(j, v, &v->series->worst[i]));
	set(j, o, "worst", worst);
	return o;
}

static json_t *recording_of(struct json_gate *j)
{
	const struct gate *g = j->g;
	json_t *o = json_object(), *facts = json_object();
	char text[64];

	set(j, o, "length_ns", count(g->samples.length_ns));
	set(j, o, "end", json_string(about_end_word(g->about.info)));
	set(j, o, "start", json_string(about_start(g->about.info, text, sizeof(text))));
	set_text(j, o, "early", g->early);
	set(j, o, "lost", count(g->lost));
	set(j, o, "loss", number(g->loss));
	for (size_t i = 0; i < g->about.fact_cnt; i++) {
		char name[TEXT_SZ];

		text_escape(g->about.facts[i].name, name, sizeof(name));
		if (about_is_last(&g->about, &g->about.facts[i]))
			set_text(j, facts, name, g->about.facts[i].value);
	}
	set(j, o, "facts", facts);
	return o;
}

int gate_json(const struct gate *g, FILE *out)
{
	struct json_gate j = {g, model_names(g->view.model), false};
	json_t *o = json_object(), *all = json_array();
	int err = 0;

	set(&j, o, "verdict", json_string(result_words[gate_result(g)]));
	set(&j, o, "recording", recording_of(&j));
	for (size_t i = 0; i < g->cnt; i++)
		append(&j, all, verdict_of(&j, &g->verdicts[i]));
	set(&j, o, "budgets", all);
	if (j.is_short)
		err = -ENOMEM;
	else if (json_dumpf(o, out, JSON_INDENT(1)))
		err = ferror(out) ? -EIO : -ENOMEM;
	putc('\n', out);
	json_decref(o);
	return err;
}
