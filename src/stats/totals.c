/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "totals_impl.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)

const uint64_t totals_bounds[TOTALS_BOUND_CNT] = {
	1 * US, 2 * US, 5 * US, 10 * US, 20 * US, 50 * US, 100 * US, 200 * US, 500 * US,
	1 * MS, 2 * MS, 5 * MS, 10 * MS, 20 * MS, 50 * MS, 100 * MS, 200 * MS, 500 * MS,
	1 * S, 2 * S, 5 * S, 10 * S,
};

size_t totals_bucket(uint64_t ns)
{
	size_t lo = 0, hi = TOTALS_BOUND_CNT;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (totals_bounds[mid] < ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int init_metric(struct totals_metric *m, const struct dim *by, size_t top)
{
	m->by = by;
	m->owners = calloc(top + 1, sizeof(*m->owners));
	return toplist_init(&m->top, top) || !m->owners ? -1 : 0;
}

struct totals *totals_alloc(const struct dim *by, size_t top)
{
	struct totals *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return NULL;
	t->set_max = SERIES_MAX;
	u64map_init(&t->sets, sizeof(size_t));
	err = toplist_init(&t->takers, COMPETITORS);
	for (size_t m = 0; m < METRIC_CNT; m++)
		err |= init_metric(&t->metrics[m], dim_of(by, (enum metric)m), top);
	if (!err)
		return t;
	totals_free(t);
	return NULL;
}

struct totals *totals_new(const struct totals_opts *opts)
{
	const struct dim *by = opts->by ? opts->by : &dims[0];
	struct totals *t = totals_alloc(by, opts->top ? opts->top : 16);

	if (!t)
		return NULL;
	/* an address is another one in the next start of a program, and what was waited for there last names it */
	if (!by->key)
		t->metrics[METRIC_LOCK_WAIT].by = dim_find("site");
	t->metrics_wanted = opts->metrics ? opts->metrics : ~0u;
	t->ids = t->own_ids = tables_new(&(struct tables_opts){.by = by});
	if (t->ids)
		return t;
	totals_free(t);
	return NULL;
}

void totals_free(struct totals *t)
{
	if (!t)
		return;
	for (size_t m = 0; m < METRIC_CNT; m++) {
		toplist_done(&t->metrics[m].top);
		free(t->metrics[m].owners);
		for (size_t cpu = 0; cpu <= TOTALS_CPUS; cpu++)
			free(t->metrics[m].cpus[cpu]);
	}
	toplist_done(&t->takers);
	u64map_done(&t->sets);
	free(t->set);
	free(t->values);
	tables_free(t->own_ids);
	free(t);
}

void totals_names(struct totals *t, const struct names *n)
{
	t->names = n;
	tables_names(t->own_ids, n);
}

/* The class's place in its metric, or CLASSES_MAX: the rest. */
static uint32_t class_place(struct totals_metric *m, uint32_t klass)
{
	for (size_t i = 0; i < m->class_cnt; i++) {
		if (m->classes[i] == klass)
			return (uint32_t)i;
	}
	if (m->class_cnt == CLASSES_MAX)
		return CLASSES_MAX;
	m->classes[m->class_cnt] = klass;
	return (uint32_t)m->class_cnt++;
}

static uint64_t set_key(uint32_t metric, uint32_t klass, size_t place)
{
	return (uint64_t)metric << 56 | (uint64_t)klass << 40 | place;
}

static struct totals_set *new_set(struct totals *t, uint32_t metric, uint32_t klass, size_t place)
{
	size_t *at;

	if (t->set_cnt == t->set_cap) {
		size_t cap = t->set_cap ? t->set_cap * 2 : 64;
		struct totals_set *set = realloc(t->set, cap * sizeof(*set));

		if (!set)
			return NULL;
		t->set = set;
		t->set_cap = cap;
	}
	at = u64map_get(&t->sets, set_key(metric, klass, place));
	if (!at)
		return NULL;
	*at = t->set_cnt;
	t->set[t->set_cnt] = (struct totals_set){.klass = klass, .place = (uint32_t)place, .metric = (uint8_t)metric};
	return &t->set[t->set_cnt++];
}

/* Without memory, or beyond the bound, a sample counts for the rest; the rest's own sets are few. */
static struct totals_set *set_at(struct totals *t, uint32_t metric, uint32_t klass, size_t place)
{
	size_t rest = t->metrics[metric].top.cnt, *at = u64map_find(&t->sets, set_key(metric, klass, place));

	if (at)
		return &t->set[*at];
	if (place != rest && t->set_cnt >= t->set_max)
		return set_at(t, metric, klass, rest);
	return new_set(t, metric, klass, place);
}

struct totals_set *totals_set_of(struct totals *t, enum metric m, uint32_t klass, size_t place)
{
	struct totals_set *set = set_at(t, m, class_place(&t->metrics[m], klass), place);

	t->metrics[m].seen = true;
	if (set)
		set->used = true;
	return set;
}

static void add(struct totals_hist *h, uint64_t ns)
{
	h->buckets[totals_bucket(ns)]++;
	h->sum_ns += ns;
}

static void add_of_cpu(struct totals_metric *m, uint16_t cpu, uint64_t ns)
{
	struct totals_hist **h = &m->cpus[cpu < TOTALS_CPUS ? cpu : TOTALS_CPUS];

	if (!*h)
		*h = calloc(1, sizeof(**h));
	if (*h)
		add(*h, ns);
}

static uint64_t hash_of(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;	/* FNV-1a */

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	return h;
}

void totals_competitor_add(struct totals *t, uint32_t tid, uint64_t ns)
{
	const struct task_name *task = t->names ? names_of_task(t->names, tid) : NULL;
	const char *name = task ? task->comm : "";
	size_t place = toplist_place(&t->takers, hash_of(name), ns);
	struct totals_competitor *c = &t->competitors[place];

	c->ns += ns;
	snprintf(c->name, sizeof(c->name), "%s", place == COMPETITORS ? "rest" : name);
}

static void add_blame(struct totals *t, const struct span *s)
{
	bool for_cpu = s->metric == METRIC_THREAD_RUNQ || s->metric == METRIC_THREAD_PREEMPT;

	for (size_t i = 0; i < s->blame_cnt; i++) {
		const struct blame *b = &s->blame[i];

		t->metrics[s->metric].blame_ns[b->kind] += b->ns;
		if (for_cpu && b->kind == BLAME_COMPETITOR)
			totals_competitor_add(t, b->tid, b->ns);
	}
}

static void on_span(void *ctx, const struct span *s)
{
	uint64_t latency = s->end_ns > s->begin_ns ? s->end_ns - s->begin_ns : 0;
	struct totals *t = ctx;
	struct totals_metric *m = &t->metrics[s->metric];
	struct totals_set *set;
	size_t place;

	if (!(t->metrics_wanted >> s->metric & 1))
		return;
	place = toplist_place(&m->top, m->by->key(t->own_ids, s), latency);
	set = totals_set_of(t, s->metric, s->klass, place);
	if (set)
		add(&set->hist, latency);
	m->owners[place].site = s->site;
	for (size_t i = 0; i < STAGE_CNT; i++)
		m->owners[place].stage_ns[i] += s->stage_ns[i];
	add_of_cpu(m, s->cpu, latency);
	add_blame(t, s);
}

static void on_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	struct totals *t = ctx;

	(void)tid;
	t->counters[id] += n;
}

void totals_count(struct totals *t, uint32_t id, uint64_t value)
{
	if (id < COUNT_CNT && value > t->counts[id])
		t->counts[id] = value;
}

static void on_total(void *ctx, unsigned int id, uint64_t value)
{
	totals_count(ctx, id, value);
}

static void on_gauge(void *ctx, const struct gauge *g)
{
	totals_gauge_add(ctx, g);
}

struct span_sink totals_sink(struct totals *t)
{
	return (struct span_sink){
		.ctx = t, .span = on_span, .counter = on_counter, .total = on_total, .gauge = on_gauge,
	};
}

static void place_lost(void *ctx, size_t place)
{
	struct totals *t = ctx;

	t->metrics[t->turn_metric].owners[place] = (struct totals_owner){};
	for (size_t i = 0; i < t->set_cnt; i++) {
		struct totals_set *set = &t->set[i];

		if (set->metric != t->turn_metric || set->place != place)
			continue;
		set->hist = (struct totals_hist){};
		set->used = false;
	}
}

static void competitor_lost(void *ctx, size_t place)
{
	struct totals *t = ctx;

	t->competitors[place] = (struct totals_competitor){};
}

void totals_turn(struct totals *t)
{
	for (t->turn_metric = 0; t->turn_metric < METRIC_CNT; t->turn_metric++)
		toplist_turn(&t->metrics[t->turn_metric].top, place_lost, t);
	toplist_turn(&t->takers, competitor_lost, t);
}
