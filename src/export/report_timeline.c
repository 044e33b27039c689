/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A Go process's scheduler, garbage collector and waits on one time line: a row of marks each, all over the
 * same columns of time, so that what happened together stands together.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "growth.h"
#include "report_parts.h"
#include "text.h"

enum { NAME = 22, NUMBERS = 9 + 9 + 9 + 9, MARKS_MIN = 8, MARKS_MAX = 80 };

struct marks {
	size_t cnt;
	uint64_t values[MARKS_MAX];
};

void report_mark(const struct report *r, unsigned int level)
{
	static const char marks[] = "_.-:=+*#";

	if (r->term.is_utf8)
		fprintf(r->out, "\xe2\x96%c", (char)(0x81 + level));	/* U+2581 to U+2588: an eighth to all of it */
	else
		putc(marks[level], r->out);
}

static struct marks marks_new(const struct report *r)
{
	size_t used = 2 + NAME + NUMBERS + 1, room = r->term.width > used ? r->term.width - used : 0;

	return (struct marks){.cnt = room < MARKS_MIN ? MARKS_MIN : room > MARKS_MAX ? MARKS_MAX : room};
}

static size_t column_of(const struct report *r, const struct marks *m, uint64_t t_ns)
{
	size_t at = r->length_ns ? (size_t)((double)t_ns / (double)r->length_ns * (double)m->cnt) : 0;

	return at < m->cnt ? at : m->cnt - 1;
}

static void put_marks(const struct report *r, const struct marks *m)
{
	uint64_t max = 1;

	for (size_t i = 0; i < m->cnt; i++)
		max = m->values[i] > max ? m->values[i] : max;
	putc(' ', r->out);
	for (size_t i = 0; i < m->cnt; i++) {
		if (m->values[i])
			report_mark(r, (unsigned int)((double)m->values[i] / (double)max * 7.0));
		else
			putc(' ', r->out);
	}
	putc('\n', r->out);
}

/* A gauge of the process: the greatest value in each column, and where there was no snapshot the one before. */
static struct marks marks_of_gauge(const struct report *r, enum gauge_id id, uint32_t tgid)
{
	struct marks m = marks_new(r);
	bool seen[MARKS_MAX] = {false};
	struct gauge_row row;

	for (size_t i = growth_row(r->t, id, tgid); tables_gauge(r->t, i, &row); i++) {
		size_t at = column_of(r, &m, row.t_ns);

		if (row.id != id || row.tgid != tgid || row.site)
			break;
		m.values[at] = row.value > m.values[at] ? row.value : m.values[at];
		seen[at] = true;
	}
	for (size_t i = 1; i < m.cnt; i++)
		if (!seen[i])
			m.values[i] = m.values[i - 1];
	return m;
}

static void put_gauge(const struct report *r, const struct growth *g)
{
	struct marks m = marks_of_gauge(r, g->id, g->tgid);

	fprintf(r->out, "  %-*s %8" PRIu64 " %8.1f %8" PRIu64 " %8" PRIu64, NAME, gauge_names[g->id], g->min, g->mean,
		g->max, g->last);
	put_marks(r, &m);
}

/* The longest sample of each column. */
static void put_metric(const struct report *r, enum metric metric)
{
	struct marks m = marks_new(r);
	uint64_t count = 0, sum = 0, max = 0;
	const struct group *g;
	char mean[32], longest[32];
	struct cell c;

	for (size_t i = 0; (g = tables_group(r->t, i)); i++) {
		if (g->metric != metric)
			continue;
		count += g->count;
		sum += g->sum;
		max = g->max > max ? g->max : max;
		for (size_t at = g->cell_from; at < g->cell_to && tables_cell(r->t, at, &c); at++) {
			size_t col = column_of(r, &m, c.t_start);

			m.values[col] = c.max > m.values[col] ? c.max : m.values[col];
		}
	}
	if (!count)
		return;
	fprintf(r->out, "  %-*s %8s %8s %8s %8s", NAME, metrics[metric].name, "", text_ns(sum / count, mean, sizeof(mean)),
		text_ns(max, longest, sizeof(longest)), "");
	put_marks(r, &m);
}

void report_timeline(const struct report *r, uint32_t tgid, bool is_only)
{
	static const enum metric waits[] = {
		METRIC_PROCESS_STW, METRIC_GOROUTINE_RUNQ, METRIC_GOROUTINE_DRIFT, METRIC_GOROUTINE_LOCK,
	};
	bool any = false;

	for (int id = 0; id < GAUGE_CNT; id++) {
		struct growth g;

		if (id == GAUGE_GOROUTINES_AT || id == GAUGE_WAITING_AT || gauge_is_total((enum gauge_id)id) ||
		    !growth_of(r->t, (enum gauge_id)id, tgid, &g) || !g.max)
			continue;
		if (!any)
			fprintf(r->out, "\n  %-*s %8s %8s %8s %8s over time\n", NAME, "", "min", "mean", "max", "last");
		any = true;
		put_gauge(r, &g);
	}
	for (size_t i = 0; any && is_only && i < sizeof(waits) / sizeof(*waits); i++)
		put_metric(r, waits[i]);
}
