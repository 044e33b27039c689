/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The report's parts that are no tables: the recording, the headline, the metrics. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../model/model.h"
#include "../stats/dims.h"
#include "about.h"
#include "headline.h"
#include "json_parts.h"
#include "label.h"

#define SECOND INT64_C(1000000000)

/* A fact's value: whole numbers are numbers. */
static json_t *value_of(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (digits && digits < 19 && !text[digits] && (digits == 1 || *text != '0'))
		return json_integer(strtoll(text, NULL, 10));
	return json_text(text);
}

/* Null where there is no such fact. */
static json_t *fact(const struct json_out *j, const char *name)
{
	const char *value = about_fact(j->o, name);

	return value ? json_text(value) : json_null();
}

/* "2026-01-31T23:59:59.123456789Z", or null. */
static json_t *time_of_day(int64_t ns)
{
	time_t seconds = (time_t)(ns / SECOND);
	char date[32], text[64];
	struct tm tm;

	if (ns < 0 || !gmtime_r(&seconds, &tm) || !strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm))
		return json_null();
	snprintf(text, sizeof(text), "%s.%09dZ", date, (int)(ns % SECOND));
	return json_string(text);
}

static void set_times(struct json_out *j, json_t *o)
{
	const struct model_info *info = j->o->info;
	int64_t start = info && info->has_clock ? (int64_t)(info->start_ns + (uint64_t)info->realtime_off) : -1;

	json_set(j, o, "start", time_of_day(start));
	json_set(j, o, "start_unix_ns", start < 0 ? json_null() : json_integer(start));
	json_set(j, o, "start_monotonic_ns", json_number(tables_start_ns(j->t)));
	json_set(j, o, "duration_ns", json_number(about_length(j->t, info)));
	json_set(j, o, "end", info ? json_text(about_end_word(info)) : json_null());
}

/* Facts whose names start with prefix, the others if it is NULL; the prefix is left out. */
static json_t *facts(struct json_out *j, const char *prefix)
{
	static const char *const prefixes[] = {"absent.", "cost.", "host."};
	json_t *o = json_object();

	for (size_t i = 0; i < j->o->fact_cnt; i++) {
		const struct fact *f = &j->o->facts[i];
		const char *its = NULL;
		char name[TEXT_SZ];

		for (size_t p = 0; p < sizeof(prefixes) / sizeof(*prefixes); p++) {
			if (!strncmp(f->name, prefixes[p], strlen(prefixes[p])))
				its = prefixes[p];
		}
		if (prefix ? !its || strcmp(its, prefix) : !!its)
			continue;
		text_escape(f->name + (its ? strlen(its) : 0), name, sizeof(name));
		json_set(j, o, name, value_of(f->value));
	}
	return o;
}

json_t *json_recording(struct json_out *j)
{
	json_t *o = json_object();

	set_times(j, o);
	json_set(j, o, "target", fact(j, "target"));
	json_set(j, o, "by", json_text(tables_opts(j->t)->by->name));
	json_set(j, o, "host", facts(j, "host."));
	json_set(j, o, "facts", facts(j, NULL));	/* the target again, options, what may come */
	json_set(j, o, "absent", facts(j, "absent."));
	json_set(j, o, "cost", facts(j, "cost."));
	return o;
}

/* The names that the columns of the same numbers have. */
static void set_numbers(struct json_out *j, json_t *o, const struct hist *h)
{
	static const struct {
		const char *name;
		uint32_t ppm;
	} quantiles[] = {{"p50_ns", 500000}, {"p90_ns", 900000}, {"p99_ns", 990000}, {"p999_ns", 999000}};

	json_set(j, o, "count", json_number(h->count));
	json_set(j, o, "sum_ns", json_number(h->sum));
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++)
		json_set(j, o, quantiles[i].name, json_number(hist_quantile(h, quantiles[i].ppm)));
	json_set(j, o, "max_ns", json_number(h->max));
}

/* The keys entity and name, and what it is called in its container; NULL: of the rest. */
static void set_entity(struct json_out *j, json_t *o, const struct group *g)
{
	uint32_t there = g ? label_inner_id(j->t, j->n, g) : 0;
	char text[640] = "rest", name[640] = "";

	if (g && g->entity != ENTITY_REST) {
		const struct entity e = tables_entity(j->t, j->n, g);
		const struct dim *by = tables_dim(j->t, g->metric);

		by->text(&e, text, sizeof(text));
		by->name_of(&e, name, sizeof(name));
	}
	json_set(j, o, "entity", json_text(text));
	json_set(j, o, "name", json_text(name));
	if (there)
		json_set(j, o, "inner_id", json_number(there));
}

json_t *json_headline(struct json_out *j)
{
	struct headline h;
	int found = headline_find(j->t, &h), err = found < 0 ? found : 0;
	char text[1200];

	if (found > 0)
		err = headline_text(j->t, j->n, &h, text, sizeof(text));
	if (err && !j->err)
		j->err = err;
	if (err || found <= 0)
		return json_null();
	json_t *o = json_object();

	json_set(j, o, "text", json_text(text));
	json_set(j, o, "metric", json_text(metrics[h.metric].name));
	set_entity(j, o, h.group);
	json_set(j, o, "count", json_number(h.count));
	json_set(j, o, "p99_ns", json_number(h.p99));
	json_set(j, o, "max_ns", json_number(h.max));
	json_set(j, o, "stage", h.stage == STAGE_CNT ? json_null() : json_text(stage_names[h.stage]));
	return o;
}

/* The numbers of a part as an object; its sum to *ret_sum. */
static json_t *numbers_of(struct json_out *j, const struct part *p, unsigned int stage, uint64_t *ret_sum)
{
	json_t *o = json_object();
	struct hist h = {0};
	int err = part_hist(j->t, p, stage, &h);

	if (err && !j->err)
		j->err = err;
	set_numbers(j, o, &h);
	*ret_sum = h.sum;
	hist_done(&h);
	return o;
}

static json_t *stages_of(struct json_out *j, enum metric metric, uint64_t whole)
{
	struct part all = part_all(metric);
	json_t *o = json_object();
	uint64_t sum;

	for (unsigned int stage = 0; stage < STAGE_CNT; stage++) {
		if (!(metrics[metric].stages >> stage & 1) || __builtin_popcount(metrics[metric].stages) < 2)
			continue;
		json_t *numbers = numbers_of(j, &all, stage, &sum);

		json_set(j, numbers, "share", json_real(whole ? (double)sum / (double)whole : 0));
		json_set(j, o, stage_names[stage], numbers);
	}
	return o;
}

static void add_entity(struct json_out *j, json_t *list, const struct part *p, const struct group *g)
{
	json_t *o = json_object(), *numbers;
	uint64_t sum;

	set_entity(j, o, g);
	numbers = numbers_of(j, p, STAGE_CNT, &sum);
	if ((json_object_update(o, numbers) || json_array_append_new(list, o)) && !j->err)
		j->err = -ENOMEM;
	json_decref(numbers);
}

/* All that are not in the rest, then the rest. */
static json_t *entities_of(struct json_out *j, enum metric metric)
{
	struct part part = {.metric = metric};
	json_t *list = json_array();
	const struct group *g;

	while ((g = part_group(j->t, &part))) {
		add_entity(j, list, &part, g);
		part.rank_from = ++part.rank_to;
	}
	part.rank_from = part.rank_to = SIZE_MAX;
	if (part_group(j->t, &part))
		add_entity(j, list, &part, NULL);
	return list;
}

static json_t *metric_of(struct json_out *j, enum metric metric)
{
	struct part all = part_all(metric);
	json_t *o = json_object();
	uint64_t whole;

	json_set(j, o, "metric", json_text(metrics[metric].name));
	json_set(j, o, "help", json_text(metrics[metric].help));
	json_set(j, o, "censored", json_number(censored_of(j->t, metric)));
	json_set(j, o, "total", numbers_of(j, &all, STAGE_CNT, &whole));
	json_set(j, o, "stages", stages_of(j, metric, whole));
	json_set(j, o, "entities", entities_of(j, metric));
	return o;
}

void json_metrics(struct json_out *j)
{
	bool any = false;

	putc('[', j->out);
	for (int m = 0; m < METRIC_CNT && !j->err; m++) {
		struct part all = part_all((enum metric)m);

		if (!part_group(j->t, &all) && !censored_of(j->t, (enum metric)m))
			continue;
		fputs(any ? ",\n" : "\n", j->out);
		json_put(j, metric_of(j, (enum metric)m));
		any = true;
	}
	fputs("\n]", j->out);
}
