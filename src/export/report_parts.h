/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Inside of the report: shared by its files, by nobody else. */
#pragma once

#include "export.h"
#include "../stats/view.h"
#include "label.h"
#include "term.h"

struct report {
	const struct tables *t;
	const struct names *n;
	const struct export_opts *o;
	FILE *out;
	struct term term;
	uint64_t length_ns;
	size_t col;	/* of the list line being written */
};

/* A text, escaped already, wrapped at the width; its lines but the first are indented. */
void report_wrapped(const struct report *r, size_t indent, const char *text);
/* A list of items, wrapped: "  head: item, item". */
void report_list_begin(struct report *r, const char *head);
/* sep stands behind the item before this one; NULL: this is the first. */
void report_list_item(struct report *r, const char *sep, const char *item);
void report_list_end(struct report *r);

/*
 * A label as one text, escaped for this terminal; if it is too long for the width, its name is cut, and a key
 * that leaves too little for a name.
 */
void report_label(const struct report *r, const struct label *l, size_t width, char *out, size_t size);
/* The same, padded to the width. */
void report_put_label(const struct report *r, const struct label *l, size_t width);

/*
 * The same at an indent. A function and its place are longer than a thread's name: what has no room in the column has a
 * line of its own.
 */
void report_put_long_label(const struct report *r, const struct label *l, size_t indent, size_t width);

/* The periodic timers' section. Nothing if there are none. */
void report_periodic(const struct report *r);

/* A metric's section: numbers, stages, blame. Nothing if it has no samples. 0 or -ENOMEM. */
int report_metric(struct report *r, enum metric metric);
/* Of which classes and for which locks a metric's time was. */
void report_shares(struct report *r, enum metric metric);
/* The locks behind lock.wait: a row each, the longest waits, over time, who for whom. 0 or -ENOMEM. */
int report_locks(struct report *r);
/* The locks' rows over time; of what a row is called and has in a column. */
struct lane {
	struct label who;
	const struct lock_col *cols;
	size_t col_cnt;
};
void report_lanes(const struct report *r, const struct lane *lanes, size_t cnt);
/* Who waited for whom, as a matrix. 0 or -ENOMEM. */
int report_pairs(struct report *r);
/* A section of each Go process. */
void report_go(struct report *r);
/* Its gauges over time, and if no other Go process's are among them the waits of its goroutines. */
void report_timeline(const struct report *r, uint32_t tgid, bool is_only);
/* A counter of the runtime, whose level says nothing. */
bool gauge_is_total(enum gauge_id id);
/* A mark of a row over time, as high as its level of 0 to 7. */
void report_mark(const struct report *r, unsigned int level);
