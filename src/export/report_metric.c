/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The report's section of a metric: numbers of its worst entities, its stages, who took the time. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../model/names.h"
#include "../stats/dims.h"
#include "report_parts.h"
#include "summary.h"
#include "text.h"

enum {
	SHOWN_ENTITIES = 10, SHOWN_TAKERS = 5, SHOWN_WAKERS = 3,
	INDENT = 2,
	NUMBERS = 10 + 5 * 9,		/* columns of count and quantiles */
	SUMS = 9 + 6,			/* columns of sum and share, where there is room */
	NAME_MAX = 44, NAME_ROOMY = 36,	/* sums are shown once the name has that much */
	BAR_MAX = 60,
	NAME_MIN = 26,			/* of blame: a comm of 15 and " (400 threads)", nearly */
};

/* What the columns of the number table are on this terminal. */
struct layout {
	size_t name;
	bool has_sums;
	size_t bar;
};

static size_t at_most(size_t v, size_t max)
{
	return v < max ? v : max;
}

static struct layout layout_of(const struct term *term)
{
	size_t room = term->width - INDENT - NUMBERS;
	struct layout l = {.has_sums = room >= NAME_ROOMY + SUMS};

	if (l.has_sums)
		room -= SUMS;
	l.name = at_most(room, l.has_sums ? NAME_ROOMY : NAME_MAX);
	room -= l.name;
	l.bar = room >= 12 ? at_most(room - 1, BAR_MAX) : 0;
	return l;
}

/* A bar, padded. */
static void put_bar(const struct report *r, uint64_t part, uint64_t whole, size_t width)
{
	size_t used = term_bar(&r->term, r->out, whole ? (double)part / (double)whole : 0, width);

	fprintf(r->out, "%*s", (int)(width - used), "");
}

static void put_numbers(const struct report *r, const struct layout *l, const struct hist *h, uint64_t whole)
{
	static const uint32_t ppm[] = {500000, 900000, 990000, 999000, 1000000};
	char buf[32];

	fprintf(r->out, " %9" PRIu64, h->count);
	for (size_t i = 0; i < sizeof(ppm) / sizeof(*ppm); i++)
		fprintf(r->out, " %8s", text_ns(hist_quantile(h, ppm[i]), buf, sizeof(buf)));
	if (l->has_sums) {
		fprintf(r->out, " %8s", text_ns(h->sum, buf, sizeof(buf)));
		fprintf(r->out, " %5s", percent_text(h->sum, whole, buf, sizeof(buf)));
	}
	if (l->bar) {
		putc(' ', r->out);
		term_bar(&r->term, r->out, whole ? (double)h->sum / (double)whole : 0, l->bar);
	}
	putc('\n', r->out);
}

static void put_heading(const struct report *r, const struct layout *l, enum metric metric)
{
	fprintf(r->out, "  %-*s %9s %8s %8s %8s %8s %8s", (int)l->name, tables_dim(r->t, metric)->name, "count",
		"p50", "p90", "p99", "p99.9", "max");
	if (l->has_sums)
		fprintf(r->out, " %8s %5s", "sum", "share");
	putc('\n', r->out);
}

static void put_row(const struct report *r, const struct layout *l, const struct label *who,
		    const struct hist *h, uint64_t whole)
{
	fprintf(r->out, "%*s", INDENT, "");
	report_put_long_label(r, who, INDENT, l->name);
	put_numbers(r, l, h, whole);
}

static int put_entities(const struct report *r, const struct layout *l, enum metric metric, uint64_t whole)
{
	int err = 0;

	for (size_t rank = 0; rank <= SHOWN_ENTITIES && !err; rank++) {
		bool is_rest = rank == SHOWN_ENTITIES;
		struct part part = {.metric = metric, .rank_from = rank, .rank_to = is_rest ? SIZE_MAX : rank};
		const struct group *g = part_group(r->t, &part);
		struct hist h = {0};
		struct label who;

		if (!g)
			continue;
		err = part_hist(r->t, &part, STAGE_CNT, &h);
		label_group(r->t, r->n, is_rest ? NULL : g, &who);
		if (!err)
			put_row(r, l, &who, &h, whole);
		hist_done(&h);
	}
	return err;
}

static void put_stage(const struct report *r, unsigned int stage, const struct hist *h, uint64_t whole)
{
	enum { OTHERS = INDENT + 10 + 1 + 6 + 3 * 9 };
	size_t bar = at_most(r->term.width - OTHERS, BAR_MAX);
	char buf[32];

	fprintf(r->out, "%*s%-10s ", INDENT, "", stage_names[stage]);
	put_bar(r, h->sum, whole, bar);
	fprintf(r->out, " %5s", percent_text(h->sum, whole, buf, sizeof(buf)));
	fprintf(r->out, " %8s", text_ns(h->count ? h->sum / h->count : 0, buf, sizeof(buf)));
	fprintf(r->out, " %8s", text_ns(hist_quantile(h, 990000), buf, sizeof(buf)));
	fprintf(r->out, " %8s\n", text_ns(h->max, buf, sizeof(buf)));
}

static void put_stage_heading(const struct report *r)
{
	size_t bar = at_most(r->term.width - INDENT - 10 - 1 - 6 - 27, BAR_MAX);

	fprintf(r->out, "\n  %-10s %*s %5s %8s %8s %8s\n", "stage", (int)bar, "", "share", "mean", "p99", "max");
}

/* Where the time of a metric with several stages went. */
static int put_stages(const struct report *r, enum metric metric, uint64_t whole)
{
	unsigned int mask = metrics[metric].stages;
	struct part all = part_all(metric);
	bool any = false;
	int err = 0;

	if (__builtin_popcount(mask) < 2)
		return 0;
	for (unsigned int stage = 0; stage < STAGE_CNT && !err; stage++) {
		struct hist h = {0};

		if (!(mask >> stage & 1))
			continue;
		err = part_hist(r->t, &all, stage, &h);
		if (!err && h.sum) {
			if (!any)
				put_stage_heading(r);
			put_stage(r, stage, &h, whole);
			any = true;
		}
		hist_done(&h);
	}
	return err;
}

enum { KIND = 10, TAKER_OTHERS = INDENT + KIND + 1 + 1 + 6 + 9 + 9 + 9 };

/* The width of the name; what is left is the bar's. */
static size_t taker_name(const struct report *r)
{
	size_t room = r->term.width - TAKER_OTHERS, name = at_most(room * 2 / 3, NAME_ROOMY);

	return name < NAME_MIN ? NAME_MIN : name;
}

static size_t taker_bar(const struct report *r)
{
	size_t left = TAKER_OTHERS + taker_name(r);

	return r->term.width > left ? at_most(r->term.width - left, BAR_MAX) : 0;
}

static void put_taker(const struct report *r, const char *kind, const struct label *who,
		      const struct taker *k, uint64_t whole)
{
	char buf[32];

	fprintf(r->out, "%*s%-*s ", INDENT, "", KIND, kind);
	report_put_long_label(r, who, INDENT + KIND + 1, taker_name(r));
	putc(' ', r->out);
	put_bar(r, k->sum, whole, taker_bar(r));
	fprintf(r->out, " %5s", percent_text(k->sum, whole, buf, sizeof(buf)));
	fprintf(r->out, " %8s", text_ns(k->sum, buf, sizeof(buf)));
	fprintf(r->out, " %8" PRIu64, k->count);
	fprintf(r->out, " %8s\n", text_ns(k->max, buf, sizeof(buf)));
}

static void put_taker_heading(const struct report *r)
{
	fprintf(r->out, "\n  %-10s %-*s %*s %5s %8s %8s %8s\n", "blame", (int)taker_name(r), "who took it",
		(int)taker_bar(r), "", "share", "time", "waits", "max");
}

/* What is not shown by name, as one row. */
static void put_other_takers(const struct report *r, const struct takers *k)
{
	struct taker sum = {.kind = BLAME_UNKNOWN};
	struct label who = {.name = "the others"};

	for (size_t i = SHOWN_TAKERS; i < k->timed; i++) {
		const struct taker *row = &k->rows[i];

		sum.tasks += row->tasks;
		sum.count += row->count;
		sum.sum += row->sum;
		if (row->max > sum.max)
			sum.max = row->max;
	}
	if (!sum.tasks)
		return;
	snprintf(who.key, sizeof(who.key), "%zu", sum.tasks);
	put_taker(r, "", &who, &sum, k->sum);
}

/* Who woke the waiters, by count: a run-queue wait's waker took no time. */
static void put_wakers(struct report *r, const struct takers *k)
{
	uint64_t others = 0;
	bool any = false;

	for (size_t i = k->timed; i < k->cnt; i++) {
		char name[TEXT_SZ + 128], item[TEXT_SZ + 192];
		struct label who;

		if (i - k->timed >= SHOWN_WAKERS) {
			others += k->rows[i].count;
			continue;
		}
		label_taker(r->t, r->n, &k->rows[i], &who);
		report_label(r, &who, NAME_MAX, name, sizeof(name));
		snprintf(item, sizeof(item), "%s %" PRIu64 "x", name, k->rows[i].count);
		if (!any) {
			putc('\n', r->out);
			report_list_begin(r, "woken by");
		}
		report_list_item(r, any ? "," : NULL, item);
		any = true;
	}
	if (others) {
		char item[64];

		snprintf(item, sizeof(item), "others %" PRIu64 "x", others);
		report_list_item(r, ",", item);
	}
	if (any)
		report_list_end(r);
}

static int put_blame(struct report *r, enum metric metric)
{
	struct part all = part_all(metric);
	struct takers k;
	int err = takers_make(r->t, r->n, &all, &k);

	if (err)
		return err;
	if (k.timed)
		put_taker_heading(r);
	for (size_t i = 0; i < k.timed && i < SHOWN_TAKERS; i++) {
		struct label who;

		label_taker(r->t, r->n, &k.rows[i], &who);
		put_taker(r, blame_names[k.rows[i].kind], &who, &k.rows[i], k.sum);
	}
	put_other_takers(r, &k);
	put_wakers(r, &k);
	takers_done(&k);
	return 0;
}

static bool has_sampled(const struct report *r, enum metric metric)
{
	const struct group *g;

	for (size_t i = 0; (g = tables_group(r->t, i)); i++) {
		if (g->metric == metric && g->klass == CLASS_SAMPLED)
			return true;
	}
	return false;
}

int report_metric(struct report *r, enum metric metric)
{
	struct layout l = layout_of(&r->term);
	struct part all = part_all(metric);
	const struct label every = {.name = "all"};
	struct hist h = {0};
	int err = part_hist(r->t, &all, STAGE_CNT, &h);
	uint64_t whole = h.sum;

	if (!err && h.count) {
		putc('\n', r->out);
		term_bold(&r->term, r->out, true);
		fputs(metrics[metric].name, r->out);
		term_bold(&r->term, r->out, false);
		fprintf(r->out, ": %s\n", metrics[metric].help);
		if (has_sampled(r, metric))
			fputs("  class sampled: one in eight, by the runtime's own stamps; not scaled\n", r->out);
		put_heading(r, &l, metric);
		put_row(r, &l, &every, &h, whole);
		err = put_entities(r, &l, metric, whole);
		if (!err)
			err = put_stages(r, metric, whole);
		if (!err)
			err = put_blame(r, metric);
		if (!err && metrics[metric].entity != ENTITY_THREAD)
			report_shares(r, metric);
	}
	hist_done(&h);
	return err;
}
