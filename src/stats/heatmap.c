/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The heatmap: columns of time, 10 ms wide until the run outgrows their number or the cells their memory;
 * then neighbours merge and all are twice as wide. A sample is in the column of its end.
 *
 * Samples come nearly sorted, so those of the last column are collected in a small table of its own,
 * which stays in the caches. Once the next column begins its cells are appended to the log of all cells;
 * the few samples of earlier columns are appended one by one. Only when the log is full, cells of equal
 * keys are added up.
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
	t->cells_full = t->opts.max_cells;
}

/* Makes 2^shift columns one. What is in the hot table stays in the last column. */
static void widen(struct tables *t, unsigned int shift)
{
	unsigned int col_shift = shift < 31 ? shift : 31;	/* more is undefined, and 0 by then anyway */

	for (size_t i = 0; i < t->cells.cnt; i++) {
		struct tally_row *r = &t->cells.rows[i];

		r->a = (r->a & ~(uint64_t)UINT32_MAX) | (uint32_t)r->a >> col_shift;
	}
	t->width_ns <<= shift;
	t->col >>= col_shift;
	t->col_ns = t->col * t->width_ns;
}

/* Moves the cells of one column (and late ones among them) back to the log, behind its first `cnt`. */
static size_t put_back(struct tables *t, struct tally *column, size_t cnt)
{
	for (size_t i = 0; i < column->cnt; i++)
		t->cells.rows[cnt++] = column->rows[i];
	tally_clear(column);
	return cnt;
}

/*
 * Adds up cells of equal keys. The log is nearly in order of columns, so one column at a time is enough:
 * that stays in the caches. Late cells may miss theirs; they meet once the columns merge.
 */
static void merge_cells(struct tables *t)
{
	struct tally column = {0};
	uint32_t col = 0;
	size_t cnt = 0;

	for (size_t i = 0; i < t->cells.cnt; i++) {
		const struct tally_row *from = &t->cells.rows[i];

		if ((uint32_t)from->a > col) {
			col = (uint32_t)from->a;
			cnt = put_back(t, &column, cnt);
		}
		struct tally_row *to = tally_at(&column, from->a, from->b);

		if (!to) {
			tables_failed(t, -ENOMEM);
			break;
		}
		tally_add(to, from->count, from->sum, from->max);
	}
	t->cells.cnt = put_back(t, &column, cnt);
	tally_done(&column);
}

/* Makes room for a quarter of the cells at least. With one column left, groups times buckets is the bound. */
static void compact(struct tables *t)
{
	merge_cells(t);
	while (t->cells.cnt > t->opts.max_cells / 4 * 3 && t->col) {
		widen(t, 1);
		merge_cells(t);
	}
	t->cells_full = t->cells.cnt > t->opts.max_cells / 4 * 3 ? t->cells.cnt * 2 : t->opts.max_cells;
}

/* Appends a cell whose b and sums are given; its column is that of `at`, or the last one. */
static void append(struct tables *t, struct tally_row cell, uint64_t group, const uint64_t *at)
{
	if (t->cells.cnt >= t->cells_full)
		compact(t);
	cell.a = group << 32 | (at ? *at / t->width_ns : t->col);
	if (tally_append(&t->cells, &cell))
		tables_failed(t, -ENOMEM);
}

void heatmap_flush(struct tables *t)
{
	for (size_t i = 0; i < t->hot.cnt; i++)
		append(t, t->hot.rows[i], t->hot.rows[i].a, NULL);
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

	if (at < t->col_ns) {
		struct tally_row cell = {.b = bucket, .count = 1, .sum = latency, .max = latency};

		append(t, cell, group, &at);
		return;
	}
	if (at - t->col_ns >= t->width_ns)
		next_column(t, at);
	struct tally_row *r = tally_at(&t->hot, group, bucket);

	if (r)
		tally_add(r, 1, latency, latency);
	else
		tables_failed(t, -ENOMEM);
}

void heatmap_finish(struct tables *t)
{
	tally_compact(&t->cells);
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
