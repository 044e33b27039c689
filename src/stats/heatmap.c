/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The heatmap: columns of time, 10 ms wide until the run outgrows their number or the cells their memory;
 * then neighbours merge and all are twice as wide. A sample is in the column of its end.
 *
 * Samples come nearly sorted, so those of the last column are collected in a small table of its own,
 * which stays in the caches, and are added to the cells once the next column begins.
 */
#include "impl.h"

#include <errno.h>

#define FIRST_WIDTH_NS 10000000u

void heatmap_clear(struct tables *t)
{
	tally_done(&t->cells);
	tally_done(&t->hot);
	t->width_ns = FIRST_WIDTH_NS;
	t->col_ns = 0;
	t->col = 0;
}

static bool shift_column(void *ctx, struct tally_row *r)
{
	const unsigned int *shift = ctx;

	r->a = (r->a & ~(uint64_t)UINT32_MAX) | (uint32_t)r->a >> *shift;
	return true;
}

/* Makes 2^shift columns one. What is in the hot table stays in the last column. */
static void widen(struct tables *t, unsigned int shift)
{
	unsigned int col_shift = shift < 31 ? shift : 31;	/* more is undefined, and 0 by then anyway */

	tally_rekey(&t->cells, shift_column, &col_shift);
	t->width_ns <<= shift;
	t->col >>= col_shift;
	t->col_ns = t->col * t->width_ns;
}

static struct tally_row *cell_at(struct tables *t, uint64_t group, uint32_t col, uint64_t bucket)
{
	/* With one column left, groups times buckets is the bound. */
	if (t->cells.cnt >= t->opts.max_cells && t->col) {
		while (t->cells.cnt > t->opts.max_cells / 4 * 3 && t->col) {
			widen(t, 1);
			col >>= 1;
		}
	}
	return tally_at(&t->cells, group << 32 | col, bucket);
}

void heatmap_flush(struct tables *t)
{
	for (size_t i = 0; i < t->hot.cnt; i++) {
		const struct tally_row *from = &t->hot.rows[i];
		struct tally_row *to = cell_at(t, from->a, t->col, from->b);

		if (!to) {
			tables_failed(t, -ENOMEM);
			return;
		}
		tally_add(to, from->count, from->sum, from->max);
	}
	tally_clear(&t->hot);
}

static void next_column(struct tables *t, uint64_t at)
{
	unsigned int shift = 0;

	heatmap_flush(t);
	while ((at >> shift) / t->width_ns >= t->opts.max_cols)
		shift++;
	if (shift)
		widen(t, shift);
	t->col = (uint32_t)(at / t->width_ns);
	t->col_ns = t->col * t->width_ns;
}

void heatmap_add(struct tables *t, size_t group, uint64_t end_ns, uint64_t latency)
{
	uint64_t at = end_ns > t->start_ns ? end_ns - t->start_ns : 0;
	unsigned int bucket = hist_bucket(latency);
	struct tally_row *r;

	if (at < t->col_ns) {
		r = cell_at(t, group, (uint32_t)(at / t->width_ns), bucket);
	} else {
		if (at - t->col_ns >= t->width_ns)
			next_column(t, at);
		r = tally_at(&t->hot, group, bucket);
	}
	if (r)
		tally_add(r, 1, latency, latency);
	else
		tables_failed(t, -ENOMEM);
}

void heatmap_finish(struct tables *t)
{
	tally_sort(&t->cells, NULL);
	for (size_t i = 0; i < t->cells.cnt; i++) {
		struct group *g = &t->groups[t->cells.rows[i].a >> 32];

		if (!g->cell_to)
			g->cell_from = i;
		g->cell_to = i + 1;
	}
}

bool tables_cell(const struct tables *t, size_t i, struct cell *out)
{
	if (i >= t->cells.cnt)
		return false;
	const struct tally_row *r = &t->cells.rows[i];
	uint32_t col = (uint32_t)r->a;
	unsigned int bucket = (unsigned int)r->b;

	*out = (struct cell){
		.col = col,
		.bucket = bucket,
		.t_start = col * t->width_ns,
		.t_end = (col + UINT64_C(1)) * t->width_ns,
		.lat_lo = hist_lo(bucket),
		.lat_hi = hist_hi(bucket),
		.count = r->count,
		.sum = r->sum,
		.max = r->max,
	};
	return true;
}
