/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The report's section of locks: a row each, the longest wait of the worst ones, convoys, and what is no lock. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../model/class.h"
#include "../stats/dims.h"
#include "../stats/tally.h"
#include "../stats/view.h"
#include "report_parts.h"
#include "summary.h"
#include "text.h"

enum {
	SHOWN = 10, TOLD = 5, SHOWN_CONVOYS = 5, SHOWN_CLASSES = 6,
	CONVOY = 4,		/* more who wait at once are one */
	INDENT = 2,
	CLASS = 10,
	NUMBERS = 9 + 3 * 9 + 7 + 6,	/* columns of waits to queue */
	NAME_MAX = 44,
};

/* More than a few waited at once, all that time. */
struct convoy {
	const struct lock_row *lock;
	uint64_t from_ns, to_ns;
	uint32_t peak;
};

static size_t name_width(const struct report *r)
{
	size_t room = r->term.width - INDENT - 1 - CLASS - NUMBERS;

	return room < NAME_MAX ? room : NAME_MAX;
}

static int most_first(const void *a, const void *b)
{
	const struct lock_row *x = a, *y = b;
	bool x_rest = x->group->entity == ENTITY_REST, y_rest = y->group->entity == ENTITY_REST;

	if (x_rest != y_rest)
		return x_rest ? 1 : -1;
	if (x->group->sum != y->group->sum)
		return x->group->sum > y->group->sum ? -1 : 1;
	return x->group < y->group ? -1 : 1;
}

static void put_heading(const struct report *r)
{
	putc('\n', r->out);
	term_bold(&r->term, r->out, true);
	fputs("locks", r->out);
	term_bold(&r->term, r->out, false);
	fprintf(r->out, ": share of the time that somebody waited; queue: the most at once\n"
		"  %-*s %-*s %8s %8s %8s %8s %6s %5s\n", (int)name_width(r), tables_dim(r->t, METRIC_LOCK_WAIT)->name, CLASS,
		"class", "waits", "sum", "p99", "max", "share", "queue");
}

static int put_row(const struct report *r, const struct lock_row *l)
{
	char klass[64], sum[32], p99[32], max[32], share[16];
	struct hist h = {0};
	int err = tables_add_hist(r->t, l->group, STAGE_CNT, &h);
	struct label who;

	label_group(r->t, r->n, l->group, &who);
	fprintf(r->out, "%*s", INDENT, "");
	report_put_long_label(r, &who, INDENT, name_width(r));
	fprintf(r->out, " %-*s %8" PRIu64 " %8s %8s %8s %6s %5" PRIu32 "\n", CLASS,
		names_class(r->n, l->group->klass, klass, sizeof(klass)), l->group->count,
		text_ns(l->group->sum, sum, sizeof(sum)), text_ns(hist_quantile(&h, 990000), p99, sizeof(p99)),
		text_ns(l->group->max, max, sizeof(max)), percent_text(l->contended_ns, r->length_ns, share, sizeof(share)),
		l->queue_max);
	hist_done(&h);
	return err;
}

/* What has no row of its own, as one. */
static void put_others(const struct report *r, const struct lock_row *rows, size_t cnt)
{
	uint64_t count = 0, sum = 0, max = 0;
	char sum_text[32], max_text[32];

	for (size_t i = 0; i < cnt; i++) {
		count += rows[i].group->count;
		sum += rows[i].group->sum;
		max = rows[i].group->max > max ? rows[i].group->max : max;
	}
	if (count)
		fprintf(r->out, "  %-*s %-*s %8" PRIu64 " %8s %8s %8s\n", (int)name_width(r), "the others", CLASS, "", count,
			text_ns(sum, sum_text, sizeof(sum_text)), "", text_ns(max, max_text, sizeof(max_text)));
}

/* Adds to a text of some size; what has no room is left out. */
static void add(char *text, size_t size, const char *more)
{
	size_t at = strlen(text);

	snprintf(text + at, size - at, "%s", more);
}

static void add_task(const struct report *r, char *text, size_t size, uint32_t tid)
{
	char name[TEXT_SZ + 128];
	struct label who;

	label_task(r->n, tid, &who);
	report_label(r, &who, NAME_MAX, name, sizeof(name));
	add(text, size, name);
}

/* "was preempted 61.2ms, ran 22.8ms": the longest first, what is less than a hundredth left out. */
static void add_doings(const struct report *r, char *text, size_t size, const struct lock_worst *w)
{
	static const char *const words[HOLD_CNT] = {
		[HOLD_RUNNING] = "ran", [HOLD_RUNQ] = "waited for a CPU", [HOLD_PREEMPT] = "was preempted",
		[HOLD_THROTTLE] = "was out of CPU quota", [HOLD_LOCK] = "waited for a lock itself",
		[HOLD_BLOCKED] = "slept", [HOLD_WOKEN] = "had let go of it",
		[HOLD_UNKNOWN] = "was not seen",
	};
	bool done[HOLD_CNT] = {false};

	for (size_t n = 0;; n++) {
		size_t most = HOLD_CNT;
		char part[64], time[32];

		for (size_t i = 0; i < HOLD_CNT; i++)
			if (!done[i] && w->doing_ns[i] > (most == HOLD_CNT ? w->ns / 100 : w->doing_ns[most]))
				most = i;
		if (most == HOLD_CNT)
			return;
		done[most] = true;
		snprintf(part, sizeof(part), "%s%s %s", n ? ", " : ", which meanwhile ", words[most],
			 text_ns(w->doing_ns[most], time, sizeof(time)));
		add(text, size, part);
		if (most == HOLD_LOCK && w->root) {
			add(text, size, " (in the end for ");
			add_task(r, text, size, w->root);
			add(text, size, ")");
		}
	}
}

static void add_worst(const struct report *r, char *text, size_t size, const struct lock_worst *w)
{
	char part[96], ns[32], at[32], name[TEXT_SZ + 128];
	struct label who;

	snprintf(part, sizeof(part), "; the longest, %s until %s: ", text_ns(w->ns, ns, sizeof(ns)),
		 text_ns(w->end_ns, at, sizeof(at)));
	add(text, size, part);
	if (w->site)
		label_site(r->n, w->site, &who);
	else
		label_task(r->n, w->tid, &who);
	report_label(r, &who, NAME_MAX, name, sizeof(name));
	add(text, size, name);
	add(text, size, " waited for ");
	add_task(r, text, size, w->holder);
	add_doings(r, text, size, w);
}

/* Where a lock was waited for, and its longest wait for a known holder. */
static void put_told(const struct report *r, const struct lock_row *l)
{
	char text[4 * TEXT_SZ] = "  ", raw[TEXT_SZ], part[TEXT_SZ + 64], share[16];
	struct label who;

	label_group(r->t, r->n, l->group, &who);
	tables_place_text(r->n, l->site, raw, sizeof(raw));
	if (l->site_cnt < 2 && !l->worst.ns && (!*raw || !strcmp(raw, who.name)))
		return;
	term_escape(&r->term, who.name, part, sizeof(part));
	add(text, sizeof(text), part);
	add(text, sizeof(text), ":");
	if (*raw) {
		term_escape(&r->term, raw, part, sizeof(part));
		add(text, sizeof(text), " waited for at ");
		add(text, sizeof(text), part);
	}
	if (l->site_cnt > 1) {
		snprintf(part, sizeof(part), " (%s) and %" PRIu32 " more place%s",
			 percent_text(l->site_ns, l->group->sum, share, sizeof(share)), l->site_cnt - 1,
			 l->site_cnt > 2 ? "s" : "");
		add(text, sizeof(text), part);
	}
	if (l->worst.ns)
		add_worst(r, text, sizeof(text), &l->worst);
	report_wrapped(r, 4, text);
}

static int biggest_convoy(const void *a, const void *b)
{
	const struct convoy *x = a, *y = b;

	if (x->peak != y->peak)
		return x->peak > y->peak ? -1 : 1;
	return x->from_ns < y->from_ns ? -1 : x->from_ns > y->from_ns;
}

static void put_convoy(const struct report *r, const struct convoy *c)
{
	char text[TEXT_SZ + 128], name[TEXT_SZ], from[32], to[32];
	struct label who;

	label_group(r->t, r->n, c->lock->group, &who);
	term_escape(&r->term, who.name, name, sizeof(name));
	snprintf(text, sizeof(text), "  convoy: up to %" PRIu32 " waited at once for %s, from %s to %s", c->peak, name,
		 text_tick(c->from_ns, from, sizeof(from)), text_tick(c->to_ns, to, sizeof(to)));
	report_wrapped(r, 4, text);
}

/* The biggest of a lock's convoys come first. */
static void find_convoys(const struct report *r, const struct lock_row *l, struct convoy *out, size_t *cnt)
{
	uint64_t width = tables_lock_width(r->t);

	for (size_t from = 0, to; from < l->col_cnt; from = to + 1) {
		struct convoy c = {.lock = l, .from_ns = from * width};

		for (to = from; to < l->col_cnt && l->cols[to].queue_max > CONVOY; to++)
			c.peak = l->cols[to].queue_max > c.peak ? l->cols[to].queue_max : c.peak;
		if (!c.peak)
			continue;
		c.to_ns = to * width < r->length_ns ? to * width : r->length_ns;
		out[(*cnt)++] = c;
		qsort(out, *cnt, sizeof(*out), biggest_convoy);
		*cnt = *cnt > SHOWN_CONVOYS ? SHOWN_CONVOYS : *cnt;
	}
}

static void put_convoys(const struct report *r, const struct lock_row *rows, size_t cnt)
{
	struct convoy convoys[SHOWN_CONVOYS + 1];
	size_t found = 0;

	for (size_t i = 0; i < cnt; i++)
		find_convoys(r, &rows[i], convoys, &found);
	for (size_t i = 0; i < found; i++)
		put_convoy(r, &convoys[i]);
}

static int biggest_first(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->sum != y->sum)
		return x->sum > y->sum ? -1 : 1;
	return x->a < y->a ? -1 : x->a > y->a;
}

/* Futex waits that a program enters to wait for something: no contention. */
static void put_other_classes(struct report *r)
{
	struct tally classes = {0};
	const struct group *g;

	for (size_t i = 0; (g = tables_group(r->t, i)); i++) {
		struct tally_row *row = NULL;

		if (g->metric == METRIC_THREAD_FUTEX && !is_lock_class(g->klass))
			row = tally_at(&classes, g->klass, 0);
		if (row)	/* else a list is shorter, no more */
			tally_add(row, g->count, g->sum, 0);
	}
	tally_sort(&classes, biggest_first);
	for (size_t i = 0; i < classes.cnt && i < SHOWN_CLASSES; i++) {
		const struct tally_row *row = &classes.rows[i];
		char item[160], klass[64], time[32];

		names_class(r->n, (uint32_t)row->a, klass, sizeof(klass));
		snprintf(item, sizeof(item), "%s %" PRIu64 "x %s", klass, row->count, text_ns(row->sum, time, sizeof(time)));
		if (!i) {
			putc('\n', r->out);
			report_list_begin(r, "other futex waits, not for locks");
		}
		report_list_item(r, i ? "," : NULL, item);
	}
	if (classes.cnt)
		report_list_end(r);
	tally_done(&classes);
}

static int put_locks(struct report *r, const struct lock_row *rows, size_t cnt, size_t shown)
{
	struct lane lanes[SHOWN];
	int err = 0;

	put_heading(r);
	for (size_t i = 0; i < shown && !err; i++)
		err = put_row(r, &rows[i]);
	if (err)
		return err;
	put_others(r, rows + shown, cnt - shown);
	putc('\n', r->out);
	for (size_t i = 0; i < shown && i < TOLD; i++)
		put_told(r, &rows[i]);
	put_convoys(r, rows, shown);
	for (size_t i = 0; i < shown; i++) {
		lanes[i] = (struct lane){.cols = rows[i].cols, .col_cnt = rows[i].col_cnt};
		label_group(r->t, r->n, rows[i].group, &lanes[i].who);
	}
	report_lanes(r, lanes, shown);
	return report_pairs(r);
}

int report_locks(struct report *r)
{
	struct lock_row *rows, row;
	size_t cnt = 0, shown = 0;
	int err;

	while (tables_lock(r->t, cnt, &row))
		cnt++;
	if (!cnt)
		return 0;
	rows = calloc(cnt, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++)
		tables_lock(r->t, i, &rows[i]);
	qsort(rows, cnt, sizeof(*rows), most_first);
	while (shown < cnt && shown < SHOWN && rows[shown].group->entity != ENTITY_REST)
		shown++;
	err = put_locks(r, rows, cnt, shown);
	if (!err)
		put_other_classes(r);
	free(rows);
	return err;
}
