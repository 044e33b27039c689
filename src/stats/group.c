/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Groups: one per (metric, class, entity), and the ranking of entities. Who is among the top N by summed
 * latency is only known at the end. So a first pass collects all until a metric has more than N entities;
 * from there on it only sums, and a second pass collects, knowing whom to show.
 */
#include "impl.h"

#include <errno.h>
#include <stdlib.h>

#include "../model/names.h"

static bool drop(void *ctx, struct tally_row *r)
{
	(void)ctx;
	(void)r;
	return false;
}

static void add_to_entity(struct tables *t, enum metric m, uint64_t entity, uint64_t count, uint64_t sum)
{
	struct tally *e = &t->entities[m];

	if (entity == ENTITY_REST)
		return;
	struct tally_row *r = tally_at(e, 0, entity);

	if (!r) {
		tables_failed(t, -ENOMEM);
		return;
	}
	tally_add(r, count, sum, 0);
	/* So many that the small half can't matter: their time stays in `rest`. */
	if (e->cnt > ENTITIES_MAX && tally_fold(e, ENTITIES_MAX / 2, drop, NULL))
		tables_failed(t, -ENOMEM);
}

static void sum_entities(struct tables *t)
{
	for (size_t i = 0; i < t->group_cnt; i++) {
		const struct group *g = &t->groups[i];

		add_to_entity(t, g->metric, g->entity, g->count, g->sum);
	}
}

static struct hist *new_stages(struct tables *t, enum metric m)
{
	unsigned int cnt = (unsigned int)__builtin_popcount(metrics[m].stages);

	/* A single stage is the sample itself. */
	if (!(t->opts.tables & TABLE_BIT(STAGES)) || cnt < 2)
		return NULL;
	struct hist *stages = calloc(cnt, sizeof(*stages));

	if (!stages)
		tables_failed(t, -ENOMEM);
	return stages;
}

static uint64_t group_key(enum metric m, uint32_t klass)
{
	return (uint64_t)m << 32 | klass;
}

static struct group *make_group(struct tables *t, enum metric m, uint32_t klass, uint64_t entity)
{
	if (t->group_cnt == t->group_cap) {
		size_t cap = t->group_cap ? t->group_cap * 2 : 64;
		struct group *groups = realloc(t->groups, cap * sizeof(*groups));

		if (!groups) {
			tables_failed(t, -ENOMEM);
			return NULL;
		}
		t->groups = groups;
		t->group_cap = cap;
	}
	if (!tally_at(&t->group_ids, group_key(m, klass), entity)) {
		tables_failed(t, -ENOMEM);
		return NULL;
	}
	struct group *g = &t->groups[t->group_cnt++];

	*g = (struct group){.metric = m, .klass = klass, .entity = entity, .min = UINT64_MAX};
	g->stages = new_stages(t, m);
	return g;
}

static struct group *find_group(struct tables *t, enum metric m, uint32_t klass, uint64_t entity)
{
	const struct tally_row *r = tally_find(&t->group_ids, group_key(m, klass), entity);

	return r ? &t->groups[r - t->group_ids.rows] : NULL;
}

/* True if the entity is one more than the first pass may collect: from now on it sums. */
static bool is_too_many(struct tables *t, enum metric m, uint64_t entity)
{
	if (t->pass != PASS_ALL || entity == ENTITY_REST)
		return false;
	if (!tally_at(&t->entities[m], 0, entity)) {
		tables_failed(t, -ENOMEM);
		return false;
	}
	if (t->entities[m].cnt <= t->opts.top)
		return false;
	sum_entities(t);
	groups_clear(t);
	t->pass = PASS_SUMS;
	return true;
}

static struct group *new_group(struct tables *t, const struct span *s, uint64_t entity, uint64_t latency)
{
	uint32_t klass = s->klass;

	if (is_too_many(t, s->metric, entity)) {
		add_to_entity(t, s->metric, entity, 1, latency);
		return NULL;
	}
	if (t->group_cnt >= GROUPS_MAX) {
		klass = CLASS_UNKNOWN;
		entity = ENTITY_REST;
		struct group *g = find_group(t, s->metric, klass, entity);

		if (g)
			return g;
	}
	return make_group(t, s->metric, klass, entity);
}

struct group *group_of(struct tables *t, const struct span *s, uint64_t latency)
{
	uint64_t entity = t->by[s->metric]->key(t, s);

	if (t->pass == PASS_SUMS) {
		add_to_entity(t, s->metric, entity, 1, latency);
		return NULL;
	}
	if (t->pass == PASS_TOP && !tally_find(&t->entities[s->metric], 0, entity))
		entity = ENTITY_REST;
	struct group *g = find_group(t, s->metric, s->klass, entity);

	return g ? g : new_group(t, s, entity, latency);
}

void group_add(struct tables *t, struct group *g, const struct span *s, uint64_t latency)
{
	g->count++;
	g->sum += latency;
	g->site = s->site;
	if (latency < g->min)
		g->min = latency;
	if (latency > g->max)
		g->max = latency;
	if (!g->stages)
		return;
	struct hist *h = g->stages;

	/* Most stages of most samples are 0: those are counted by what is missing. */
	for (unsigned int left = metrics[g->metric].stages; left; left &= left - 1, h++) {
		uint64_t ns = s->stage_ns[__builtin_ctz(left)];

		if (ns && hist_record(h, ns))
			tables_failed(t, -ENOMEM);
	}
}

static int biggest_first(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->sum != y->sum)
		return x->sum > y->sum ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

void entities_rank(struct tables *t)
{
	if (t->pass == PASS_ALL)
		sum_entities(t);
	for (size_t m = 0; m < METRIC_CNT; m++) {
		struct tally ranked = {0};

		tally_sort(&t->entities[m], biggest_first);
		for (size_t i = 0; i < t->entities[m].cnt && i < t->opts.top; i++) {
			struct tally_row *r = tally_at(&ranked, 0, t->entities[m].rows[i].b);

			if (r)
				r->count = i;
			else
				tables_failed(t, -ENOMEM);
		}
		tally_done(&t->entities[m]);
		t->entities[m] = ranked;
	}
}

static int shown_before(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	if (x->klass != y->klass)
		return x->klass < y->klass ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void renumber(struct tally *rows, const uint32_t *new_id)
{
	for (size_t i = 0; i < rows->cnt; i++) {
		struct tally_row *r = &rows->rows[i];

		r->a = (uint64_t)new_id[r->a >> 32] << 32 | (uint32_t)r->a;
	}
}

void groups_finish(struct tables *t)
{
	if (!t->group_cnt)
		return;
	uint32_t *new_id = malloc(t->group_cnt * sizeof(*new_id));

	if (!new_id) {
		tables_failed(t, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < t->group_cnt; i++) {
		struct group *g = &t->groups[i];
		const struct tally_row *r = tally_find(&t->entities[g->metric], 0, g->entity);

		g->rank = r && g->entity != ENTITY_REST ? r->count : SIZE_MAX;
		g->cell_from = i;	/* the old id, until heatmap_finish */
	}
	qsort(t->groups, t->group_cnt, sizeof(*t->groups), shown_before);
	for (size_t i = 0; i < t->group_cnt; i++) {
		new_id[t->groups[i].cell_from] = (uint32_t)i;
		t->groups[i].cell_from = 0;
	}
	renumber(&t->cells, new_id);
	renumber(&t->blame, new_id);
	renumber(&t->windows.cells, new_id);
	renumber(&t->locks.sites, new_id);
	renumber(&t->locks.pairs, new_id);
	renumber(&t->locks.holds, new_id);
	if (locks_renumber(t, new_id))
		tables_failed(t, -ENOMEM);
	free(new_id);
	tally_done(&t->group_ids);
}

void groups_clear(struct tables *t)
{
	for (size_t i = 0; i < t->group_cnt; i++) {
		struct group *g = &t->groups[i];
		int cnt = g->stages ? __builtin_popcount(metrics[g->metric].stages) : 0;

		while (cnt-- > 0)
			hist_done(&g->stages[cnt]);
		free(g->stages);
	}
	free(t->groups);
	t->groups = NULL;
	t->group_cnt = t->group_cap = 0;
	tally_done(&t->group_ids);
	heatmap_clear(t);
	blame_clear(t);
	windows_clear(t);
	locks_clear(t);
}

void groups_done(struct tables *t)
{
	groups_clear(t);
	for (size_t m = 0; m < METRIC_CNT; m++)
		tally_done(&t->entities[m]);
}

const struct group *tables_group(const struct tables *t, size_t i)
{
	return i < t->group_cnt ? &t->groups[i] : NULL;
}

const struct dim *tables_dim(const struct tables *t, enum metric metric)
{
	return t->by[metric];
}

struct entity tables_entity(const struct tables *t, const struct names *n, const struct group *g)
{
	return (struct entity){.t = t, .n = n, .metric = g->metric, .site = g->site, .key = g->entity};
}

static int add_whole(const struct tables *t, const struct group *g, struct hist *h)
{
	for (size_t i = g->cell_from; i < g->cell_to; i++) {
		const struct tally_row *r = &t->cells.rows[i];
		uint64_t lo = hist_lo((unsigned int)r->b);
		struct hist_part part = {
			.bucket = (unsigned int)r->b,
			.count = r->count,
			.sum = r->sum,
			.min = lo > g->min ? lo : g->min,	/* the group's min lies in its first bucket */
			.max = r->max,
		};

		if (hist_add(h, &part))
			return -ENOMEM;
	}
	return 0;
}

int tables_add_hist(const struct tables *t, const struct group *g, unsigned int stage, struct hist *h)
{
	unsigned int mask = metrics[g->metric].stages;

	if (stage >= STAGE_CNT || __builtin_popcount(mask) < 2)
		return add_whole(t, g, h);
	if (!g->stages || !(mask >> stage & 1))
		return 0;
	const struct hist *from = &g->stages[__builtin_popcount(mask & ((1u << stage) - 1))];
	struct hist_part zeros = {.count = g->count - from->count};

	if (hist_merge(h, from) || hist_add(h, &zeros))
		return -ENOMEM;
	return 0;
}
