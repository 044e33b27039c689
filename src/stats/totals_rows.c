/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reading the totals, and the gauges, of which only the last snapshot counts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "totals_impl.h"

/* Of a process without a newer snapshot: it is gone. Snapshots are taken every second. */
static const uint64_t stale_ns = UINT64_C(10000000000);

static void name_place(struct totals *t, enum metric m, size_t place, struct totals_row *out)
{
	const struct totals_metric *of = &t->metrics[m];
	struct entity e = {.t = t->ids, .n = t->names, .metric = m, .site = of->owners[place].site};

	out->metric = m;
	out->entity = t->text[0];
	out->name = t->text[1];
	snprintf(t->text[0], sizeof(t->text[0]), "rest");
	*t->text[1] = '\0';
	if (place == of->top.cnt)
		return;
	e.key = of->top.places[place].key;
	of->by->text(&e, t->text[0], sizeof(t->text[0]));
	of->by->name_of(&e, t->text[1], sizeof(t->text[1]));
}

bool totals_series(struct totals *t, enum metric m, size_t *i, struct totals_row *out)
{
	const struct totals_metric *of = &t->metrics[m];

	for (; *i < t->set_cnt; (*i)++) {
		const struct totals_set *set = &t->set[*i];

		if (set->metric != m || !set->used)
			continue;
		name_place(t, m, set->place, out);
		out->klass = set->klass == CLASSES_MAX ? "rest" :
			names_class(t->names, of->classes[set->klass], t->klass, sizeof(t->klass));
		out->hist = &set->hist;
		(*i)++;
		return true;
	}
	return false;
}

static bool is_taken(const struct totals_metric *m, size_t place)
{
	if (place < m->top.cnt)
		return m->top.places[place].used;
	for (size_t i = 0; i < STAGE_CNT; i++) {
		if (m->owners[place].stage_ns[i])
			return true;
	}
	return false;
}

bool totals_entity(struct totals *t, enum metric m, size_t *i, struct totals_row *out)
{
	const struct totals_metric *of = &t->metrics[m];

	while (*i <= of->top.cnt && !is_taken(of, *i))
		(*i)++;
	if (*i > of->top.cnt)
		return false;
	name_place(t, m, *i, out);
	out->stage_ns = of->owners[(*i)++].stage_ns;
	return true;
}

const struct totals_hist *totals_of_cpu(const struct totals *t, enum metric m, size_t cpu)
{
	return cpu <= TOTALS_CPUS ? t->metrics[m].cpus[cpu] : NULL;
}

uint64_t totals_blame(const struct totals *t, enum metric m, enum blame_kind kind)
{
	return t->metrics[m].blame_ns[kind];
}

bool totals_competitor(struct totals *t, size_t *i, const char **name, uint64_t *ns)
{
	while (*i <= COMPETITORS && !t->competitors[*i].ns)
		(*i)++;
	if (*i > COMPETITORS)
		return false;
	*name = t->competitors[*i].name;
	*ns = t->competitors[(*i)++].ns;
	return true;
}

bool totals_has(const struct totals *t, enum metric m)
{
	return t->metrics[m].seen;
}

uint64_t totals_counter(const struct totals *t, enum entity_counter id)
{
	return t->counters[id];
}

uint64_t totals_count_of(const struct totals *t, uint32_t count_id)
{
	return count_id < COUNT_CNT ? t->counts[count_id] : 0;
}

static bool is_of_site(enum gauge_id id)
{
	return id == GAUGE_GOROUTINES_AT || id == GAUGE_WAITING_AT;
}

/*
 * Values of one snapshot have one time: an older one of that process is over. Those of its sites come a second
 * after the others.
 */
static void drop_old(struct totals *t, const struct gauge *g)
{
	size_t cnt = 0;

	for (size_t i = 0; i < t->value_cnt; i++) {
		const struct totals_value *v = &t->values[i];
		bool is_same = v->tgid == g->tgid && is_of_site(v->id) == is_of_site(g->id);
		bool is_old = is_same ? v->time_ns != g->time_ns : v->time_ns + stale_ns < g->time_ns;

		if (!is_old)
			t->values[cnt++] = *v;
	}
	t->value_cnt = cnt;
}

void totals_gauge_add(struct totals *t, const struct gauge *g)
{
	const struct totals_value *last = &t->last_value;

	if (g->time_ns != last->time_ns || g->tgid != last->tgid || is_of_site(g->id) != is_of_site(last->id))
		drop_old(t, g);
	t->last_value = (struct totals_value){g->time_ns, g->value, g->tgid, g->site, g->id};
	t->newest_value_ns = g->time_ns > t->newest_value_ns ? g->time_ns : t->newest_value_ns;
	t->values_sorted = false;
	if (t->value_cnt == t->value_cap && t->value_cap < GAUGES_MAX) {
		size_t cap = t->value_cap ? t->value_cap * 2 : 256;
		struct totals_value *values = realloc(t->values, cap * sizeof(*values));

		if (!values)
			return;
		t->values = values;
		t->value_cap = cap;
	}
	if (t->value_cnt < t->value_cap)
		t->values[t->value_cnt++] = t->last_value;
}

static void name_gauge(struct totals *t, uint32_t tgid, uint32_t site, struct totals_gauge *out)
{
	const struct task_name *task = t->names ? names_of_task(t->names, tgid) : NULL;
	const struct site_name *at = t->names && site ? names_of_site(t->names, site) : NULL;

	snprintf(t->process, sizeof(t->process), "%s", task ? task->comm : "");
	snprintf(t->text[0], sizeof(t->text[0]), "%s", at ? at->at : "rest");
	snprintf(t->text[1], sizeof(t->text[1]), "%s", at ? at->func : "");
	out->tgid = tgid;
	out->process = t->process;
	out->entity = t->text[0];
	out->name = t->text[1];
}

static int biggest_first(const void *a, const void *b)
{
	const struct totals_value *x = a, *y = b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->value != y->value)
		return x->value > y->value ? -1 : 1;
	return x->site < y->site ? -1 : x->site > y->site;
}

/* Whether the process has `top` sites before this one, of those that are sorted by value. */
static bool is_beyond(const struct totals *t, size_t i, size_t top)
{
	const struct totals_value *v = &t->values[i], *before = i >= top ? v - top : NULL;

	return before && before->tgid == v->tgid && before->id == v->id;
}

bool totals_gauge(struct totals *t, enum gauge_id id, size_t *i, struct totals_gauge *out)
{
	bool of_sites = is_of_site(id);

	if (!*i && !t->values_sorted && t->value_cnt)
		qsort(t->values, t->value_cnt, sizeof(*t->values), biggest_first);
	t->values_sorted = true;
	for (; *i < t->value_cnt; (*i)++) {
		const struct totals_value *v = &t->values[*i];

		if (v->id != id || v->time_ns + stale_ns < t->newest_value_ns)
			continue;
		if (of_sites && (!v->site || is_beyond(t, *i, t->metrics[0].top.cnt)))
			continue;
		name_gauge(t, v->tgid, v->site, out);
		if (!of_sites)
			out->entity = out->name = "";
		out->value = v->value;
		(*i)++;
		return true;
	}
	return false;
}
