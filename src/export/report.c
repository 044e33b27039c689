/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../model/model.h"
#include "../stats/dims.h"
#include "about.h"
#include "grid.h"
#include "headline.h"
#include "heatmap.h"
#include "report_parts.h"

/* Facts that have a line of their own. */
static bool has_own_line(const char *name)
{
	static const char *const names[] = {"target", "host.name", "host.boot", "host.kernel", "host.arch",
					    "host.cpus", "duration_ns"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(names[i], name))
			return true;
	}
	return !strncmp(name, "absent.", 7) || !strncmp(name, "cost.", 5);
}

/* "head name: value" for a fact, wrapped. */
static void put_fact(const struct report *r, const char *head, const char *name, const char *value)
{
	char text[2 * TEXT_SZ + 64], escaped[TEXT_SZ];
	size_t len;

	term_escape(&r->term, name, escaped, sizeof(escaped));
	len = (size_t)snprintf(text, sizeof(text), "  %s%s: ", head, escaped);
	term_escape(&r->term, value, text + len, sizeof(text) - len);
	report_wrapped(r, 4, text);
}

static void put_info(const struct report *r)
{
	const struct model_info *info = r->o->info;
	char length[32], start[64], target[600], host[600], raw[1400], text[2 * TEXT_SZ];

	if (info) {
		about_start(info, start, sizeof(start));
		text_ns(info->end_ns > info->start_ns ? r->length_ns : 0, length, sizeof(length));
		snprintf(text, sizeof(text), "recorded %s%s%s; %s", length, *start ? " from " : "", start,
			 about_end(info));
		report_wrapped(r, 2, text);
	}
	about_target(r->o, target, sizeof(target));
	about_host(r->o, host, sizeof(host));
	if (!*target && !*host)
		return;
	snprintf(text, sizeof(text), "  ");
	snprintf(raw, sizeof(raw), "%s%s%s", target, *target && *host ? ", " : "", host);
	term_escape(&r->term, raw, text + 2, sizeof(text) - 2);
	report_wrapped(r, 4, text);
}

static void put_facts(const struct report *r)
{
	put_info(r);
	for (size_t i = 0; i < r->o->fact_cnt; i++) {
		const struct fact *f = &r->o->facts[i];

		if (!has_own_line(f->name) && about_is_last(r->o, f))
			put_fact(r, "", f->name, f->value);
	}
}

static int put_headline(const struct report *r, const struct headline *h)
{
	char raw[1200], text[4 * TEXT_SZ];
	int err = headline_text(r->t, r->n, h, raw, sizeof(raw));

	if (err)
		return err;
	term_escape(&r->term, raw, text, sizeof(text));
	term_bold(&r->term, r->out, true);
	report_wrapped(r, 2, text);
	term_bold(&r->term, r->out, false);
	putc('\n', r->out);
	return 0;
}

static int put_heatmap(const struct report *r, enum metric metric)
{
	struct grid_limits limits = heatmap_limits(&r->term);
	struct grid g;
	int err = grid_make(r->t, metric, r->length_ns, &limits, &g);

	if (err)
		return err;
	putc('\n', r->out);
	term_bold(&r->term, r->out, true);
	fputs(metrics[metric].name, r->out);
	term_bold(&r->term, r->out, false);
	fputs(" over time (a row begins at its label)\n", r->out);
	heatmap_print(&r->term, &g, r->out);
	if (r->o->info && !r->o->info->has_end)
		fprintf(r->out, "%9sthe recording was cut off at the right edge\n", "");
	grid_done(&g);
	return 0;
}

/* Counters of one kind that are not 0, over all entities, as one list. */
static void put_counters(struct report *r, const char *head, bool censored)
{
	struct counter_row row, next;
	bool any = false;
	uint64_t sum = 0;

	for (size_t i = 0; tables_counter(r->t, i, &row); i++) {
		bool is_censored = !strncmp(row.name, "censored.", 9);
		char item[128];

		sum += row.count;
		if (tables_counter(r->t, i + 1, &next) && !strcmp(next.name, row.name))
			continue;
		if (sum && is_censored == censored) {
			snprintf(item, sizeof(item), "%s %" PRIu64, row.name + (is_censored ? 9 : 0), sum);
			if (!any)
				report_list_begin(r, head);
			report_list_item(r, any ? "," : NULL, item);
			any = true;
		}
		sum = 0;
	}
	if (any)
		report_list_end(r);
}

static const char *help_of_loss(const char *cause)
{
#define X(number, name, is_loss, help) \
	if (!strcmp(cause, #name)) \
		return help;
	COUNTS(X)
#undef X
	return "";
}

static void put_losses(const struct report *r)
{
	const char *cause;
	uint64_t count;
	bool any = false;

	for (size_t i = 0; tables_loss(r->t, i, &cause, &count); i++) {
		char text[256];

		if (!count)
			continue;
		snprintf(text, sizeof(text), "  lost: %s %" PRIu64 " (%s)", cause, count, help_of_loss(cause));
		report_wrapped(r, 4, text);
		any = true;
	}
	if (!any)
		fputs("  lost: nothing\n", r->out);
}

static void put_absent(const struct report *r)
{
	for (size_t i = 0; i < r->o->fact_cnt; i++) {
		const struct fact *f = &r->o->facts[i];

		if (!strncmp(f->name, "absent.", 7) && about_is_last(r->o, f))
			put_fact(r, "not attached: ", f->name + 7, f->value);
	}
}

static bool has_end(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

/* A cost, its name and unit as people read them: "collector_cpu_ns" is "collector cpu 152ms (3% of a CPU)". */
static void cost_text(const struct report *r, const struct fact *f, char *out, size_t size)
{
	char name[TEXT_SZ], value[TEXT_SZ], share[16];
	uint64_t number = strtoull(f->value, NULL, 10);

	term_escape(&r->term, f->name + 5, name, sizeof(name));
	term_escape(&r->term, f->value, value, sizeof(value));
	if (has_end(name, "_ns_per_s")) {
		name[strlen(name) - strlen("_ns_per_s")] = '\0';
		percent_text(number, UINT64_C(1000000000), share, sizeof(share));
		snprintf(value, sizeof(value), "%s of a CPU", share);
	} else if (has_end(name, "_ns")) {
		name[strlen(name) - 3] = '\0';
		text_ns(number, value, sizeof(value));
		percent_text(number, r->length_ns, share, sizeof(share));
		snprintf(value + strlen(value), sizeof(value) - strlen(value), " (%s of a CPU)", share);
	} else if (has_end(name, "bytes")) {
		text_bytes(number, value, sizeof(value));
	}
	for (char *c = name; *c; c++) {
		if (*c == '_')
			*c = ' ';
	}
	snprintf(out, size, "%s %s", name, value);
}

static void put_cost(struct report *r)
{
	bool any = false;

	for (size_t i = 0; i < r->o->fact_cnt; i++) {
		const struct fact *f = &r->o->facts[i];
		char item[2 * TEXT_SZ + 8];

		if (strncmp(f->name, "cost.", 5) || !about_is_last(r->o, f))
			continue;
		cost_text(r, f, item, sizeof(item));
		if (!any)
			report_list_begin(r, "cost");
		report_list_item(r, any ? "," : NULL, item);
		any = true;
	}
	if (any)
		report_list_end(r);
}

unsigned int report_needs(const struct export_opts *o)
{
	(void)o;
	return ~TABLE_BIT(EVENTS);
}

int export_report(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out)
{
	struct report r = {.t = t, .n = n, .o = o, .out = out, .term = o->term ? *o->term : term_of(out),
			   .length_ns = about_length(t, o->info)};
	struct headline h;
	int found = headline_find(t, &h), err = found < 0 ? found : 0;

	if (found > 0)
		err = put_headline(&r, &h);
	put_facts(&r);
	if (found > 0 && !err)
		err = put_heatmap(&r, h.metric);
	for (size_t m = 0; m < METRIC_CNT && !err; m++) {
		err = report_metric(&r, (enum metric)m);
		if (m == METRIC_LOCK_WAIT && !err)
			err = report_locks(&r);
	}
	if (err)
		return fail(err, "report");
	if (!found)
		fputs("\nno samples\n", out);
	report_go(&r);
	report_periodic(&r);
	putc('\n', out);
	put_counters(&r, "counted", false);
	put_counters(&r, "censored", true);
	put_losses(&r);
	put_absent(&r);
	put_cost(&r);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
