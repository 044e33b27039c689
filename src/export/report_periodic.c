/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The report's section of periodic timers: how far each is from its grid, and how it got there. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../stats/view.h"
#include "report_parts.h"
#include "text.h"

enum {
	SHOWN = 10,
	INDENT = 2,
	NUMBERS = 10 + 9 + 8 + 10 + 7,	/* columns of period to streak */
	NAME_MAX = 36, SPARK_MIN = 8, SPARK_MAX = 60,
};

static size_t spark_width(const struct report *r)
{
	size_t room = r->term.width - INDENT - NUMBERS - 1, spark = room > NAME_MAX ? room - NAME_MAX : 0;

	if (spark < room / 3)
		spark = room / 3;
	return spark < SPARK_MIN ? SPARK_MIN : spark > SPARK_MAX ? SPARK_MAX : spark;
}

static size_t name_width(const struct report *r)
{
	size_t width = r->term.width - INDENT - NUMBERS - 1 - spark_width(r);

	return width < NAME_MAX ? width : NAME_MAX;
}

/* Drift over time, blank before the first tick. A drift of less than a hundredth of a period is none. */
static void put_spark(const struct report *r, const struct periodic_row *row)
{
	size_t width = spark_width(r), at = 0;
	int64_t lo = 0, hi = 0;
	double range;

	for (size_t i = 0; i < row->line_cnt; i++) {
		lo = row->line[i].drift_ns < lo ? row->line[i].drift_ns : lo;
		hi = row->line[i].drift_ns > hi ? row->line[i].drift_ns : hi;
	}
	range = (double)hi - (double)lo;
	if (range < (double)row->period_ns / 100)
		range = (double)row->period_ns / 100;
	for (size_t x = 0; x < width; x++) {
		double end = (double)r->length_ns / (double)width * (double)(x + 1);

		while (at < row->line_cnt && (double)row->line[at].t_ns <= end)
			at++;
		if (at)
			report_mark(r, (unsigned int)(((double)row->line[at - 1].drift_ns - (double)lo) / range * 7.0));
		else
			putc(' ', r->out);
	}
}

static void put_row(const struct report *r, const struct label *who, const struct periodic_row *row)
{
	bool is_rest = row->entity == ENTITY_REST;
	char period[32] = "", drift[32];

	if (!is_rest)
		text_ns(row->period_ns, period, sizeof(period));
	fprintf(r->out, "%*s", INDENT, "");
	report_put_label(r, who, name_width(r));
	fprintf(r->out, " %9s %8" PRIu64 " %7" PRIu64 " %9s %6" PRIu64, period, row->ticks, row->missed,
		text_signed_ns(row->drift_ns, drift, sizeof(drift)), row->streak_max);
	if (!is_rest) {
		putc(' ', r->out);
		put_spark(r, row);
	}
	putc('\n', r->out);
}

static void put_entity(const struct report *r, const struct periodic_row *row)
{
	const struct group g = {.metric = row->metric, .entity = row->entity, .site = row->site};
	struct label who;

	label_group(r->t, r->n, &g, &who);
	put_row(r, &who, row);
}

static void add_other(struct periodic_row *sum, const struct periodic_row *row)
{
	sum->series += row->series;
	sum->ticks += row->ticks;
	sum->missed += row->missed;
	if (row->streak_max > sum->streak_max)
		sum->streak_max = row->streak_max;
	if (llabs(row->drift_ns) > llabs(sum->drift_ns))
		sum->drift_ns = row->drift_ns;
}

static void put_heading(const struct report *r)
{
	putc('\n', r->out);
	term_bold(&r->term, r->out, true);
	fputs("periodic timers", r->out);
	term_bold(&r->term, r->out, false);
	fprintf(r->out, ": drift from the grid of their period\n  %-*s %9s %8s %7s %9s %6s %s\n", (int)name_width(r),
		"timer of", "period", "ticks", "missed", "drift", "streak", "over time");
}

static void put_legend(const struct report *r)
{
	uint64_t late_ns = tables_opts(r->t)->late_ns;
	char late[32], text[128];

	snprintf(text, sizeof(text), "  streak: the most ticks in a row that were late by more than %s",
		 late_ns ? text_ns(late_ns, late, sizeof(late)) : "a tenth of the period, and 1ms");
	report_wrapped(r, 4, text);
}

void report_periodic(const struct report *r)
{
	struct periodic_row row, others = {.entity = ENTITY_REST};
	struct label who = {.name = "the others"};
	size_t shown = 0;

	for (size_t i = 0; tables_periodic(r->t, i, &row); i++) {
		if (row.entity == ENTITY_REST || shown == SHOWN) {
			add_other(&others, &row);
			continue;
		}
		if (!shown++)
			put_heading(r);
		put_entity(r, &row);
	}
	if (others.series) {
		snprintf(who.key, sizeof(who.key), "%" PRIu64, others.series);
		put_row(r, &who, &others);
	}
	if (shown)
		put_legend(r);
	if (tables_periodic_refused(r->t))
		fprintf(r->out, "  not followed: %" PRIu64 " ticks of yet other timers\n", tables_periodic_refused(r->t));
}
