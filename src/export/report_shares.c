/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Of which classes a metric's time was, and for which locks: a list each, the most first. */
#include <inttypes.h>
#include <stdlib.h>

#include "../model/names.h"
#include "../stats/tally.h"
#include "../stats/view.h"
#include "report_parts.h"
#include "text.h"

enum { SHOWN = 6 };

static int biggest_first(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->sum != y->sum)
		return x->sum > y->sum ? -1 : 1;
	return x->a < y->a ? -1 : x->a > y->a;
}

static void put_share(struct report *r, const char *head, bool is_first, const char *raw, const struct tally_row *row)
{
	char name[TEXT_SZ], item[TEXT_SZ + 64], time[32];

	term_escape(&r->term, raw, name, sizeof(name));
	snprintf(item, sizeof(item), "%s %" PRIu64 "x %s", name, row->count, text_ns(row->sum, time, sizeof(time)));
	if (is_first)
		report_list_begin(r, head);
	report_list_item(r, is_first ? NULL : ",", item);
}

static void add(struct tally *t, uint64_t key, uint64_t count, uint64_t sum)
{
	struct tally_row *row = tally_at(t, key, 0);

	if (row)	/* else a list is shorter, no more */
		tally_add(row, count, sum, 0);
}

static void put_classes(struct report *r, enum metric metric)
{
	struct tally classes = {0};
	const struct group *g;

	for (size_t i = 0; (g = tables_group(r->t, i)); i++)
		if (g->metric == metric && g->klass != CLASS_NONE)
			add(&classes, g->klass, g->count, g->sum);
	tally_sort(&classes, biggest_first);
	for (size_t i = 0; i < classes.cnt && i < SHOWN; i++) {
		char raw[TEXT_SZ];

		names_class(r->n, (uint32_t)classes.rows[i].a, raw, sizeof(raw));
		put_share(r, "of class", !i, raw, &classes.rows[i]);
	}
	if (classes.cnt)
		report_list_end(r);
	tally_done(&classes);
}

/* Locks by the place in the code that waits for them, where that is known: futex words alone say nothing. */
static void put_locks(struct report *r, enum metric metric)
{
	struct tally locks = {0};
	struct blame_row b;
	bool any = false;

	for (size_t i = 0; tables_blame(r->t, i, &b); i++)
		if (b.waiter->metric == metric && b.lock)
			add(&locks, b.lock, b.count, b.sum);
	tally_sort(&locks, biggest_first);
	for (size_t i = 0, shown = 0; i < locks.cnt && shown < SHOWN; i++) {
		char raw[TEXT_SZ];

		tables_lock_name(r->t, r->n, (uint32_t)locks.rows[i].a, raw, sizeof(raw));
		if (!*raw)
			continue;
		put_share(r, "waited at", !any, raw, &locks.rows[i]);
		any = true;
		shown++;
	}
	if (any)
		report_list_end(r);
	tally_done(&locks);
}

void report_shares(struct report *r, enum metric metric)
{
	putc('\n', r->out);
	put_classes(r, metric);
	if (metrics[metric].entity != ENTITY_LOCK)	/* its entities are the locks */
		put_locks(r, metric);
}
