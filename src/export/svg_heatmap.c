/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The upper plot: samples by time and latency, all entities together. */
#include <inttypes.h>
#include <stdlib.h>

#include "grid.h"
#include "palette.h"
#include "svg_parts.h"
#include "text.h"

/* A cell takes about 150 bytes: both plots together stay below 1 MB. */
enum {
	HEIGHT = SVG_HEATMAP, PAD = 6, INNER = HEIGHT - 2 * PAD,
	ROWS_MAX = 100, CELLS_MAX = 3500,
	TICK_GAP = 16, TICKS_MAX = 64,
};

/* The y of a latency: rows are equally high, linear inside a bucket. */
static int y_of(const struct grid *g, int y, uint64_t ns)
{
	unsigned int bucket = hist_bucket(ns);
	double width = (double)(hist_hi(bucket) - hist_lo(bucket));
	double at = bucket + (double)(ns - hist_lo(bucket)) / width;
	double row = at * g->per_octave / HIST_SLOTS - g->low;

	return y + HEIGHT - PAD - (int)(row * INNER / (double)g->rows + 0.5);
}

int svg_row_y(const struct grid *g, int y, size_t row)
{
	return y + HEIGHT - PAD - (int)(row * INNER / g->rows);
}

struct ticks {
	int y[TICKS_MAX];
	size_t cnt;
};

static bool has_room(const struct ticks *t, int y)
{
	for (size_t i = 0; i < t->cnt; i++) {
		if (abs(t->y[i] - y) < TICK_GAP)
			return false;
	}
	return t->cnt < TICKS_MAX;
}

static void put_tick(const struct svg *s, const struct grid *g, int y, uint64_t ns, struct ticks *ticks)
{
	int at = y_of(g, y, ns);
	char label[32];

	if (at < y || at > y + HEIGHT || !has_room(ticks, at))
		return;
	ticks->y[ticks->cnt++] = at;
	fprintf(s->out, "<path d=\"M%d %d.5h%d\" class=\"grid\"/>\n", SVG_LEFT - 5, at, SVG_PLOT + 5);
	svg_text(s->out, SVG_LEFT - 9, at + 4, "class=\"l\" text-anchor=\"end\"", text_tick(ns, label, sizeof(label)));
}

/* Powers of ten first, then as many of their multiples as there is room for. */
void svg_latency_axis(const struct svg *s, const struct grid *g, int y)
{
	static const uint64_t digits[] = {1, 5, 2, 3, 7, 4};
	uint64_t end = grid_row_lo(g, g->rows);
	struct ticks ticks = {.cnt = 0};

	put_tick(s, g, y, 0, &ticks);
	for (size_t i = 0; i < sizeof(digits) / sizeof(*digits) && (i < 3 || ticks.cnt < 4); i++) {
		for (uint64_t unit = 1; unit <= end && unit < UINT64_MAX / 100; unit *= 10)
			put_tick(s, g, y, unit * digits[i], &ticks);
	}
}

static void put_cell(const struct svg *s, const struct grid *g, int y, size_t row, size_t col)
{
	uint64_t count = g->counts[row * g->cols + col], t_lo = col * g->col_ns, t_hi = t_lo + g->col_ns;
	int x = svg_x(s, t_lo), top = svg_row_y(g, y, row + 1);
	char t[2][32], lat[2][32], color[8];

	if (t_hi > g->length_ns && g->length_ns > t_lo)
		t_hi = g->length_ns;
	fprintf(s->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"><title>", x, top,
		svg_x(s, t_hi) - x, svg_row_y(g, y, row) - top, palette_hex(palette_step(count, 1, g->max), color));
	fprintf(s->out, "%s to %s, %s to %s late: %" PRIu64 " of %" PRIu64 " samples (%.2g%%)</title></rect>\n",
		text_ns(t_lo, t[0], sizeof(t[0])), text_ns(t_hi, t[1], sizeof(t[1])),
		text_ns(grid_row_lo(g, row), lat[0], sizeof(lat[0])),
		text_ns(grid_row_lo(g, row + 1), lat[1], sizeof(lat[1])), count, g->total,
		(double)count * 100 / (double)g->total);
}

static const char *count_text(uint64_t v, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64, v);
	return buf;
}

int svg_heatmap(const struct svg *s, int y)
{
	const struct grid_limits limits = {.cols = SVG_PLOT / 2, .rows = ROWS_MAX, .cells = CELLS_MAX};
	struct grid g;
	int err = grid_make(s->t, s->metric, s->length_ns, &limits, &g);

	if (err)
		return err;
	svg_text(s->out, SVG_LEFT, y + 10, "class=\"h\"", "Samples by time and latency");
	y += 20;
	svg_frame(s, y, HEIGHT);
	svg_latency_axis(s, &g, y);
	fprintf(s->out, "<text transform=\"translate(%d %d) rotate(-90)\" class=\"l\" text-anchor=\"middle\">"
		"latency</text>\n", SVG_LEFT - 66, y + HEIGHT / 2);
	fputs("<g shape-rendering=\"crispEdges\">\n", s->out);
	for (size_t row = 0; row < g.rows; row++) {
		for (size_t col = 0; col < g.cols; col++) {
			if (g.counts[row * g.cols + col])
				put_cell(s, &g, y, row, col);
		}
	}
	fputs("</g>\n", s->out);
	svg_drift(s, y, HEIGHT);
	svg_time_axis(s, y, HEIGHT);
	svg_scale(s, y, "samples per cell", 1, g.max, count_text, count_text);
	grid_done(&g);
	return 20 + HEIGHT + SVG_AXIS;
}
