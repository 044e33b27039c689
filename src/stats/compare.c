/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A leaf is one class of one name, in one of the two recordings or in both. Leaves are sorted by metric, name,
 * class, so that every row, be it all of a metric, all classes of a name, or one leaf, is a range of them.
 */
#include "compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../model/names.h"
#include "bootstrap.h"
#include "compare_impl.h"
#include "view.h"
#include "windows.h"

const char *const compare_stat_names[COMPARE_STAT_CNT] = {
#define X(id, name) [COMPARE_##id] = name,
	COMPARE_STATS(X)
#undef X
};

const char *const compare_verdict_names[] = {
	[COMPARE_UNKNOWN] = "unknown", [COMPARE_UNCHANGED] = "unchanged", [COMPARE_CHANGED] = "changed",
};

const char *const compare_reason_texts[COMPARE_REASON_CNT] = {
#define X(id, text) [COMPARE_WHY_##id] = text,
	COMPARE_REASONS(X)
#undef X
};

enum { BASE, NOW, SIDE_CNT };

struct leaf {
	enum metric metric;
	char *klass, *name;
	bool is_idle;
};

/* Of one recording. */
struct side {
	struct compare_side in;
	size_t *leaf_of;	/* by group */
	bool is_lossy;
};

struct compare {
	struct compare_opts opts;
	struct side sides[SIDE_CNT];
	struct leaf *leaves;
	size_t leaf_cnt;
	struct compare_row *rows;
	struct range *ranges;	/* by row: its leaves */
	size_t cnt, cap;
};

/* Waits that may be the program's own will: longer ones are nobody's fault. By metric, all classes or one. */
static const struct {
	enum metric metric;
	uint32_t klass;		/* CLASS_NONE: all */
} idle_waits[] = {
	{METRIC_THREAD_BLOCK, CLASS_NONE}, {METRIC_GOROUTINE_CHAN, CLASS_NONE},
	{METRIC_THREAD_FUTEX, CLASS_GO_IDLE}, {METRIC_THREAD_FUTEX, CLASS_OTHER},
	{METRIC_THREAD_FUTEX, CLASS_COND},
	{METRIC_GOROUTINE_LOCK, CLASS_COND}, {METRIC_GOROUTINE_LOCK, CLASS_WAITGROUP},
	{METRIC_GOROUTINE_LOCK, CLASS_SEM}, {METRIC_GOROUTINE_OFFCPU, CLASS_BLOCKED},
};

static bool is_idle(enum metric metric, uint32_t klass)
{
	for (size_t i = 0; i < sizeof(idle_waits) / sizeof(*idle_waits); i++) {
		if (idle_waits[i].metric == metric &&
		    (idle_waits[i].klass == CLASS_NONE || idle_waits[i].klass == klass))
			return true;
	}
	return false;
}

static int compare_leaves(const struct leaf *x, const struct leaf *y)
{
	int by_name;

	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	by_name = strcmp(x->name, y->name);
	return by_name ? by_name : strcmp(x->klass, y->klass);
}

static int by_leaf(const void *a, const void *b)
{
	return compare_leaves(a, b);
}

static void leaf_done(struct leaf *l)
{
	free(l->klass);
	free(l->name);
}

/* The leaf of a group, its texts to be freed; -ENOMEM. */
static int leaf_of(const struct side *s, const struct group *g, struct leaf *out)
{
	char klass[64], name[1280] = "rest";

	if (g->entity != ENTITY_REST) {
		const struct entity e = tables_entity(s->in.tables, s->in.names, g);
		const struct dim *by = tables_dim(s->in.tables, g->metric);

		by->name_of(&e, name, sizeof(name));
		if (!*name)
			by->text(&e, name, sizeof(name));
	}
	*out = (struct leaf){
		.metric = g->metric, .is_idle = is_idle(g->metric, g->klass), .name = strdup(name),
		.klass = strdup(names_class(s->in.names, g->klass, klass, sizeof(klass))),
	};
	if (out->klass && out->name)
		return 0;
	leaf_done(out);
	return -ENOMEM;
}

static size_t group_cnt(const struct tables *t)
{
	size_t cnt = 0;

	while (tables_group(t, cnt))
		cnt++;
	return cnt;
}

static void sort_leaves(struct compare *c)
{
	size_t cnt = 0;

	qsort(c->leaves, c->leaf_cnt, sizeof(*c->leaves), by_leaf);
	for (size_t i = 0; i < c->leaf_cnt; i++) {
		if (cnt && !compare_leaves(&c->leaves[cnt - 1], &c->leaves[i]))
			leaf_done(&c->leaves[i]);
		else
			c->leaves[cnt++] = c->leaves[i];
	}
	c->leaf_cnt = cnt;
}

static int index_side(struct compare *c, struct side *s)
{
	size_t cnt = group_cnt(s->in.tables);

	s->leaf_of = calloc(cnt + 1, sizeof(*s->leaf_of));
	if (!s->leaf_of)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		const struct leaf *found;
		struct leaf leaf;

		if (leaf_of(s, tables_group(s->in.tables, i), &leaf))
			return -ENOMEM;
		found = bsearch(&leaf, c->leaves, c->leaf_cnt, sizeof(leaf), by_leaf);
		leaf_done(&leaf);
		s->leaf_of[i] = (size_t)(found - c->leaves);
	}
	return 0;
}

static int find_leaves(struct compare *c)
{
	size_t cnt = group_cnt(c->sides[BASE].in.tables) + group_cnt(c->sides[NOW].in.tables);

	c->leaves = calloc(cnt + 1, sizeof(*c->leaves));
	if (!c->leaves)
		return -ENOMEM;
	for (size_t side = 0; side < SIDE_CNT; side++) {
		const struct group *g;

		for (size_t i = 0; (g = tables_group(c->sides[side].in.tables, i)); i++, c->leaf_cnt++)
			if (leaf_of(&c->sides[side], g, &c->leaves[c->leaf_cnt]))
				return -ENOMEM;
	}
	sort_leaves(c);
	return index_side(c, &c->sides[BASE]) || index_side(c, &c->sides[NOW]) ? -ENOMEM : 0;
}

static struct compare_row *add_row(struct compare *c, struct range leaves)
{
	if (c->cnt == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;
		struct compare_row *rows = realloc(c->rows, cap * sizeof(*rows));
		struct range *ranges = rows ? realloc(c->ranges, cap * sizeof(*ranges)) : NULL;

		c->rows = rows ? rows : c->rows;
		if (!ranges)
			return NULL;
		c->ranges = ranges;
		c->cap = cap;
	}
	c->ranges[c->cnt] = leaves;
	c->rows[c->cnt] = (struct compare_row){.metric = c->leaves[leaves.from].metric, .stage = STAGE_CNT};
	return &c->rows[c->cnt++];
}

/* The end of the leaves that are like the first one: of its metric, or of its name, too. */
static size_t end_of(const struct compare *c, size_t from, bool by_name)
{
	const struct leaf *first = &c->leaves[from];
	size_t to = from;

	while (to < c->leaf_cnt && c->leaves[to].metric == first->metric &&
	       (!by_name || !strcmp(c->leaves[to].name, first->name)))
		to++;
	return to;
}

/* The rows of one name: all its classes, if there are several, and each. */
static int add_name(struct compare *c, struct range leaves)
{
	bool has_all = leaves.to - leaves.from > 1 && !c->opts.only_gated;
	struct compare_row *row = has_all ? add_row(c, leaves) : NULL;

	if (has_all && !row)
		return -ENOMEM;
	if (row)
		row->name = c->leaves[leaves.from].name;
	for (size_t i = leaves.from; i < leaves.to; i++) {
		const struct leaf *l = &c->leaves[i];

		if (l->is_idle && c->opts.only_gated)
			continue;
		row = add_row(c, (struct range){i, i + 1});
		if (!row)
			return -ENOMEM;
		row->klass = l->klass;
		row->name = l->name;
		row->is_gated = !l->is_idle;
	}
	return 0;
}

static int make_rows(struct compare *c)
{
	for (size_t from = 0, to, end; from < c->leaf_cnt; from = end) {
		end = end_of(c, from, false);
		if (!c->opts.only_gated && !add_row(c, (struct range){from, end}))
			return -ENOMEM;
		for (size_t at = from; at < end; at = to) {
			to = end_of(c, at, true);
			if (add_name(c, (struct range){at, to}))
				return -ENOMEM;
		}
	}
	return 0;
}

/* The samples of a row, of one stage; NULL: no memory. */
static struct boot *samples(const struct side *s, struct range leaves, unsigned int stage)
{
	struct boot *b = boot_new(tables_window_cnt(s->in.tables));
	const struct group *g;

	for (size_t i = 0; b && (g = tables_group(s->in.tables, i)); i++) {
		if (s->leaf_of[i] < leaves.from || s->leaf_of[i] >= leaves.to)
			continue;
		if (tables_add_windows(s->in.tables, g, stage, b)) {
			boot_free(b);
			return NULL;
		}
	}
	return b;
}

struct pair {
	struct boot *base, *now;
};

static void pair_done(struct pair *p)
{
	boot_free(p->base);
	boot_free(p->now);
}

/* 0 or -ENOMEM. */
static int pair_make(const struct compare *c, struct range leaves, unsigned int stage, struct pair *out)
{
	*out = (struct pair){samples(&c->sides[BASE], leaves, stage), samples(&c->sides[NOW], leaves, stage)};
	if (out->base && out->now)
		return 0;
	pair_done(out);
	return -ENOMEM;
}

static bool any_changed(const struct compare_row *row)
{
	for (size_t i = 0; i < COMPARE_STAT_CNT; i++)
		if (row->stats[i].verdict == COMPARE_CHANGED)
			return true;
	return false;
}

static int fill_row(const struct compare *c, const struct range *leaves, struct compare_row *row)
{
	struct pair p;
	int err = pair_make(c, *leaves, row->stage, &p);

	if (err)
		return err;
	row->base_cnt = boot_count(p.base);
	row->now_cnt = boot_count(p.now);
	err = compare_pair(p.base, p.now, &c->opts, row->stats);
	pair_done(&p);
	if (c->sides[BASE].is_lossy || c->sides[NOW].is_lossy)
		for (size_t i = 0; i < COMPARE_STAT_CNT; i++)
			compare_unknown(&row->stats[i], COMPARE_WHY_LOST);
	return err;
}

/* What of it was the target's own. */
static int fill_own(const struct compare *c, const struct range *leaves, struct compare_row *row)
{
	struct pair p;
	int err = pair_make(c, *leaves, STAGE_OWN, &p);

	if (err)
		return err;
	err = compare_own(p.base, p.now, &c->opts, row);
	pair_done(&p);
	return err;
}

static bool has_time(const struct compare_row *row)
{
	return row->stats[COMPARE_MEAN].base > 0 || row->stats[COMPARE_MEAN].now > 0;
}

/* The rows of its stages behind a row. 0 or -ENOMEM. */
static int add_stages(struct compare *c, const struct compare_row *of, struct range leaves)
{
	unsigned int stages = metrics[of->metric].stages;

	for (unsigned int left = stages; stages & (stages - 1) && left; left &= left - 1) {
		struct compare_row *row = add_row(c, leaves);

		if (!row)
			return -ENOMEM;
		*row = (struct compare_row){.metric = of->metric, .klass = of->klass, .name = of->name,
					    .stage = (unsigned int)__builtin_ctz(left)};
		if (fill_row(c, &leaves, row))
			return -ENOMEM;
		if (!has_time(row))
			c->cnt--;
	}
	return 0;
}

/*
 * Names the stage that moved most the same way: by the same statistic, or else by the mean. It is none that
 * strangers are to blame for: the own part has nothing of those.
 */
static void name_stage(struct compare_row *row, size_t stage_cnt)
{
	for (size_t i = 0; i < COMPARE_STAT_CNT; i++) {
		struct compare_stat *s = &row->stats[i];
		double most = 0, sign = s->own_shift < 0 ? -1 : 1;

		s->stage = STAGE_CNT;
		if (s->verdict != COMPARE_CHANGED)
			continue;
		for (size_t by = i; most <= 0; by = COMPARE_MEAN) {
			for (size_t n = 1; n <= stage_cnt; n++) {
				if (STAGES_OF_STRANGERS >> row[n].stage & 1 || row[n].stats[by].shift * sign <= most)
					continue;
				most = row[n].stats[by].shift * sign;
				s->stage = row[n].stage;
			}
			if (by == COMPARE_MEAN)
				break;
		}
	}
}

/* All rows again, with stages behind those of a whole metric and those that changed. */
static int insert_stages(struct compare *c)
{
	struct compare_row *rows = c->rows;
	struct range *ranges = c->ranges;
	size_t cnt = c->cnt;
	int err = 0;

	c->rows = NULL;
	c->ranges = NULL;
	c->cnt = c->cap = 0;
	for (size_t i = 0; !err && i < cnt; i++) {
		struct compare_row *row = add_row(c, ranges[i]);
		size_t at = c->cnt;

		if (row)
			*row = rows[i];
		err = row ? 0 : -ENOMEM;
		if (!err && (!rows[i].name || any_changed(&rows[i])))
			err = add_stages(c, &rows[i], ranges[i]);
		if (!err)
			err = compare_correct(c->rows + at, c->cnt - at, false);
		if (!err)
			name_stage(&c->rows[at - 1], c->cnt - at);
	}
	free(rows);
	free(ranges);
	return err;
}

/* Losses that cost no sample, only who took the time. */
static bool is_free(const char *cause)
{
	static const char *const causes[] = {"ring_slice", "ring_move", "slice_history", "stack_full"};

	for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++)
		if (!strcmp(cause, causes[i]))
			return true;
	return false;
}

static bool lost_too_much(const struct tables *t, double max)
{
	uint64_t lost = 0, samples = 0, count;
	const struct group *g;
	const char *cause;

	for (size_t i = 0; tables_loss(t, i, &cause, &count); i++)
		lost += is_free(cause) ? 0 : count;
	for (size_t i = 0; (g = tables_group(t, i)); i++)
		samples += g->count;
	return lost && (double)lost > max * ((double)lost + (double)samples);
}

static int fill_rows(struct compare *c)
{
	for (size_t i = 0; i < c->cnt; i++)
		if (fill_row(c, &c->ranges[i], &c->rows[i]) || fill_own(c, &c->ranges[i], &c->rows[i]))
			return -ENOMEM;
	if (compare_correct(c->rows, c->cnt, true) || compare_correct(c->rows, c->cnt, false))
		return -ENOMEM;
	return insert_stages(c);
}

int compare_make(const struct compare_side *base, const struct compare_side *now, const struct compare_opts *opts,
		 struct compare **ret)
{
	struct compare *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->opts = *opts;
	c->opts.tolerance = opts->tolerance > 0 ? opts->tolerance : 0.05;
	c->opts.max_loss = opts->max_loss > 0 ? opts->max_loss : 0.001;
	c->opts.floor_ns = opts->floor_ns ? opts->floor_ns : COMPARE_FLOOR_NS;
	c->sides[BASE].in = *base;
	c->sides[NOW].in = *now;
	for (size_t i = 0; i < SIDE_CNT; i++)
		c->sides[i].is_lossy = lost_too_much(c->sides[i].in.tables, c->opts.max_loss);
	if (find_leaves(c) || make_rows(c) || fill_rows(c)) {
		compare_free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

void compare_free(struct compare *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->leaf_cnt; i++)
		leaf_done(&c->leaves[i]);
	for (size_t i = 0; i < SIDE_CNT; i++)
		free(c->sides[i].leaf_of);
	free(c->leaves);
	free(c->rows);
	free(c->ranges);
	free(c);
}

struct compare_row *compare_row_of(struct compare *c, size_t i)
{
	return i < c->cnt ? &c->rows[i] : NULL;
}

const struct compare_row *compare_row(const struct compare *c, size_t i)
{
	return i < c->cnt ? &c->rows[i] : NULL;
}
