/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/err.h"
#include "../model/model.h"
#include "../stats/dims.h"
#include "../stats/tally.h"
#include "../stats/view.h"
#include "text.h"

enum { COLUMNS = 80, SHOWN_ENTITIES = 10, SHOWN_BLAME = 5, NAME_WIDTH = 25 };

struct report {
	const struct tables *t;
	const struct names *n;
	const struct export_opts *o;
	FILE *out;
	size_t col;	/* of the list line being written */
};

/* A list of items, wrapped and indented: "  head: item, item". */
static void list_begin(struct report *r, const char *head)
{
	r->col = (size_t)fprintf(r->out, "  %s:", head);
}

/* sep stands behind the item before this one; NULL: this is the first. */
static void list_item(struct report *r, const char *sep, const char *item)
{
	size_t width = text_width(item);

	if (sep)
		r->col += (size_t)fprintf(r->out, "%s", sep);
	if (sep && r->col + 1 + width + 1 > COLUMNS)
		r->col = (size_t)fprintf(r->out, "\n   ") - 1;
	fprintf(r->out, " %s", item);
	r->col += 1 + width;
}

static void list_end(struct report *r)
{
	putc('\n', r->out);
}

/* Facts whose names start with prefix, as one list; the prefix is not shown. */
static void put_facts(struct report *r, const char *head, const char *prefix)
{
	bool any = false;

	for (size_t i = 0; i < r->o->fact_cnt; i++) {
		const struct fact *f = &r->o->facts[i];
		char name[TEXT_SZ], value[TEXT_SZ], item[2 * TEXT_SZ + 8];

		if (strncmp(f->name, prefix, strlen(prefix)))
			continue;
		text_escape(f->name + strlen(prefix), name, sizeof(name));
		text_escape(f->value, value, sizeof(value));
		snprintf(item, sizeof(item), "%s %s", name, value);
		if (!any)
			list_begin(r, head);
		list_item(r, any ? "," : NULL, item);
		any = true;
	}
	if (any)
		list_end(r);
}

/* What is neither `absent.` nor `cost.`. */
static void put_other_facts(struct report *r)
{
	for (size_t i = 0; i < r->o->fact_cnt; i++) {
		const struct fact *f = &r->o->facts[i];
		char name[TEXT_SZ], value[TEXT_SZ];

		if (!strncmp(f->name, "absent.", 7) || !strncmp(f->name, "cost.", 5))
			continue;
		text_escape(f->name, name, sizeof(name));
		text_escape(f->value, value, sizeof(value));
		fprintf(r->out, "  %s: %s\n", name, value);
	}
}

static const char *reason_text(uint32_t reason)
{
	static const char *const texts[] = {
		[END_DURATION] = "the time was over",
		[END_SIGNAL] = "a signal ended it",
		[END_TARGET_EXIT] = "the target ended",
		[END_COMMAND_EXIT] = "the command ended",
		[END_FILE_LIMIT] = "the file reached its limit",
		[END_ERROR] = "an error ended it",
	};

	return reason < sizeof(texts) / sizeof(*texts) && texts[reason] ? texts[reason] : "unknown end";
}

static void put_info(struct report *r)
{
	const struct model_info *info = r->o->info;
	char length[32], when[64] = "";
	struct tm tm;

	if (!info)
		return;
	time_t start = (time_t)(((int64_t)info->start_ns + info->realtime_off) / 1000000000);

	if (info->has_clock && gmtime_r(&start, &tm))
		strftime(when, sizeof(when), " from %Y-%m-%d %H:%M:%S UTC", &tm);
	uint64_t ns = info->end_ns > info->start_ns ? info->end_ns - info->start_ns : 0;

	fprintf(r->out, "recorded %s%s; %s\n", text_ns(ns, length, sizeof(length)), when,
		info->has_end ? reason_text(info->end_reason) : "cut off: what came after is not there");
}

static void put_numbers(struct report *r, const struct hist *h)
{
	static const uint32_t ppm[] = {500000, 900000, 990000, 999000, 1000000};
	char buf[32];

	fprintf(r->out, " %9" PRIu64, h->count);
	for (size_t i = 0; i < sizeof(ppm) / sizeof(*ppm); i++)
		fprintf(r->out, " %8s", text_ns(hist_quantile(h, ppm[i]), buf, sizeof(buf)));
	putc('\n', r->out);
}

/* A name padded to the column, or cut if it is too long, between characters. */
static void put_name(struct report *r, const char *text)
{
	size_t width = 0, len = 0;

	while (text[len]) {
		size_t next = len + 1;

		while ((text[next] & 0xc0) == 0x80)
			next++;
		if (width == NAME_WIDTH - 2)
			break;
		len = next;
		width++;
	}
	fprintf(r->out, "  %.*s%*s", (int)len, text, (int)(NAME_WIDTH - 2 - width), "");
}

static void put_entity_name(struct report *r, const struct group *g)
{
	const struct dim *by = tables_opts(r->t)->by;
	char raw[300] = "", key[64], name[TEXT_SZ], text[TEXT_SZ + 80];

	by->text(r->t, g->entity, key, sizeof(key));
	by->name_of(r->n, g->entity, raw, sizeof(raw));
	text_escape(raw, name, sizeof(name));
	/* The key is what tells them apart: it is cut last. */
	if (*name)
		snprintf(text, sizeof(text), "%s %s", key, name);
	else
		snprintf(text, sizeof(text), "%s", *key ? key : "-");
	put_name(r, text);
}

/* Which of a metric's groups a row is about. */
struct which {
	enum metric metric;
	size_t rank_from, rank_to;	/* ranks of entities, rank_to included */
};

/* A group that the row is about (the last one), or NULL; adds all of them to h. */
static const struct group *collect(const struct report *r, const struct which *w, unsigned int stage,
				   struct hist *h, int *err)
{
	const struct group *g, *found = NULL;

	for (size_t i = 0; (g = tables_group(r->t, i)) && !*err; i++) {
		if (g->metric != w->metric || g->rank < w->rank_from || g->rank > w->rank_to)
			continue;
		*err = tables_add_hist(r->t, g, stage, h);
		found = g;
	}
	return found;
}

static int put_entities(struct report *r, enum metric metric)
{
	int err = 0;

	for (size_t rank = 0; rank <= SHOWN_ENTITIES && !err; rank++) {
		bool is_rest = rank == SHOWN_ENTITIES;
		struct which w = {.metric = metric, .rank_from = rank, .rank_to = is_rest ? SIZE_MAX : rank};
		struct hist h = {0};
		const struct group *g = collect(r, &w, STAGE_CNT, &h, &err);

		if (g && !err) {
			if (is_rest)
				put_name(r, "rest");
			else
				put_entity_name(r, g);
			put_numbers(r, &h);
		}
		hist_done(&h);
	}
	return err;
}

static unsigned int percent(uint64_t part, uint64_t whole)
{
	return whole ? (unsigned int)((unsigned __int128)part * 100 / whole) : 0;
}

/* Where the time of a metric with several stages went: mean and share of each. */
static int put_stages(struct report *r, enum metric metric, uint64_t total)
{
	unsigned int mask = metrics[metric].stages;
	struct which all = {.metric = metric, .rank_to = SIZE_MAX};
	bool any = false;
	int err = 0;

	if (__builtin_popcount(mask) < 2)
		return 0;
	for (unsigned int stage = 0; stage < STAGE_CNT && !err; stage++) {
		struct hist h = {0};
		char item[64], ns[32];

		if (!(mask >> stage & 1))
			continue;
		collect(r, &all, stage, &h, &err);
		if (h.sum && !err) {
			snprintf(item, sizeof(item), "%s %s/%u%%", stage_names[stage],
				 text_ns(h.sum / h.count, ns, sizeof(ns)), percent(h.sum, total));
			if (!any)
				list_begin(r, "stages (mean/share)");
			list_item(r, any ? "," : NULL, item);
			any = true;
		}
		hist_done(&h);
	}
	if (any)
		list_end(r);
	return err;
}

static int most_time_first(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->sum != y->sum)
		return x->sum > y->sum ? -1 : 1;
	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

static void put_taker(struct report *r, const struct tally_row *row, uint64_t total, const char *sep)
{
	const char *kind = blame_names[row->a];
	bool is_task = row->b && row->b != BY_REST;
	const struct task_name *task = is_task ? names_of_task(r->n, (uint32_t)row->b) : NULL;
	char name[TEXT_SZ] = "", who[TEXT_SZ + 64], item[TEXT_SZ + 160], ns[32];

	if (task)
		text_escape(task->comm, name, sizeof(name));
	if (row->b == BY_REST)
		snprintf(who, sizeof(who), "%ss beyond", kind);
	else if (row->b)
		snprintf(who, sizeof(who), "%s %" PRIu64 "%s%s", kind, row->b, *name ? " " : "", name);
	else
		snprintf(who, sizeof(who), "%s", kind);
	snprintf(item, sizeof(item), "%s %s/%u%%", who, text_ns(row->sum, ns, sizeof(ns)),
		 percent(row->sum, total));
	list_item(r, sep, item);
}

/* The blamed with the most time over all waiters of the metric. */
static int put_takers(struct report *r, enum metric metric)
{
	struct tally takers = {0};
	struct blame_row b;
	uint64_t total = 0;

	for (size_t i = 0; tables_blame(r->t, i, &b); i++) {
		if (b.waiter->metric != metric || !b.sum)
			continue;
		struct tally_row *row = tally_at(&takers, b.kind, b.by);

		if (!row) {
			tally_done(&takers);
			return -ENOMEM;
		}
		tally_add(row, b.count, b.sum, b.max);
		total += b.sum;
	}
	tally_sort(&takers, most_time_first);
	for (size_t i = 0; i < takers.cnt && i < SHOWN_BLAME; i++) {
		if (!i)
			list_begin(r, "who took it");
		put_taker(r, &takers.rows[i], total, i ? "," : NULL);
	}
	if (takers.cnt)
		list_end(r);
	tally_done(&takers);
	return 0;
}

static int put_metric(struct report *r, enum metric metric)
{
	struct which all = {.metric = metric, .rank_to = SIZE_MAX};
	struct hist h = {0};
	int err = 0;

	collect(r, &all, STAGE_CNT, &h, &err);
	uint64_t sum = h.sum;

	if (!err && h.count) {
		fprintf(r->out, "\n%s: %s\n", metrics[metric].name, metrics[metric].help);
		fprintf(r->out, "  %-*s %9s %8s %8s %8s %8s %8s\n", NAME_WIDTH - 2,
			tables_opts(r->t)->by->name, "count", "p50", "p90", "p99", "p99.9", "max");
		put_name(r, "*");
		put_numbers(r, &h);
		err = put_entities(r, metric);
		if (!err)
			err = put_stages(r, metric, sum);
		if (!err)
			err = put_takers(r, metric);
	}
	hist_done(&h);
	return err;
}

/* Counters that are not 0, over all entities. */
static void put_counters(struct report *r)
{
	struct counter_row row, next;
	bool any = false;
	uint64_t sum = 0;

	for (size_t i = 0; tables_counter(r->t, i, &row); i++) {
		char item[128];

		sum += row.count;
		if (tables_counter(r->t, i + 1, &next) && !strcmp(next.name, row.name))
			continue;
		if (sum) {
			snprintf(item, sizeof(item), "%s %" PRIu64, row.name, sum);
			if (!any)
				list_begin(r, "counted");
			list_item(r, any ? "," : NULL, item);
			any = true;
		}
		sum = 0;
	}
	if (any)
		list_end(r);
}

static void put_losses(struct report *r)
{
	const char *cause;
	uint64_t count;
	bool any = false;

	list_begin(r, "lost");
	for (size_t i = 0; tables_loss(r->t, i, &cause, &count); i++) {
		char item[128];

		if (!count)
			continue;
		snprintf(item, sizeof(item), "%s %" PRIu64, cause, count);
		list_item(r, any ? "," : NULL, item);
		any = true;
	}
	if (!any)
		list_item(r, NULL, "nothing");
	list_end(r);
}

unsigned int report_needs(const struct export_opts *o)
{
	(void)o;
	return TABLE_BIT(STAGES) | TABLE_BIT(BLAME) | TABLE_BIT(COUNTERS) | TABLE_BIT(LOSS);
}

int export_report(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out)
{
	struct report r = {.t = t, .n = n, .o = o, .out = out};
	int err = 0;

	put_info(&r);
	put_other_facts(&r);
	for (size_t m = 0; m < METRIC_CNT && !err; m++)
		err = put_metric(&r, (enum metric)m);
	if (err)
		return fail(err, "report");
	if (!tables_group(t, 0))
		fputs("\nno samples\n", out);
	putc('\n', out);
	put_counters(&r);
	put_losses(&r);
	put_facts(&r, "not attached", "absent.");
	put_facts(&r, "cost", "cost.");
	return fflush(out) || ferror(out) ? -EIO : 0;
}
