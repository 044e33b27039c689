/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "compare_impl.h"

static bool is_same(const char *x, const char *y)
{
	return x && y ? !strcmp(x, y) : x == y;
}

/* The row of the same name in another comparison; NULL: it has none. */
static const struct compare_row *find(const struct compare *c, const struct compare_row *like)
{
	const struct compare_row *row;

	for (size_t i = 0; (row = compare_row(c, i)); i++) {
		if (row->metric == like->metric && row->stage == like->stage && is_same(row->name, like->name) &&
		    is_same(row->klass, like->klass))
			return row;
	}
	return NULL;
}

/* The worst last; what was not tested says nothing, the least of all. */
static int badness(const struct compare_stat *s)
{
	if (s->why == COMPARE_WHY_FEW || s->why == COMPARE_WHY_ONE_SIDE)
		return 3;
	if (s->verdict == COMPARE_CHANGED)
		return 2;
	return compare_is_open(s) ? 1 : 0;
}

static bool is_milder(const struct compare_stat *x, const struct compare_stat *y)
{
	int bad_x = badness(x), bad_y = badness(y);

	return bad_x == bad_y ? x->own_shift < y->own_shift : bad_x < bad_y;
}

void compare_narrow(struct compare *c, const struct compare *other)
{
	struct compare_row *row;

	for (size_t i = 0; (row = compare_row_of(c, i)); i++) {
		const struct compare_row *twin = row->is_gated ? find(other, row) : NULL;

		for (int id = 0; twin && id < COMPARE_STAT_CNT; id++)
			if (is_milder(&twin->stats[id], &row->stats[id]))
				row->stats[id] = twin->stats[id];
	}
}
