/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where the new recording has more samples than the base (red) and where fewer (blue), as if both had
 * as many. Blue and red are told apart by the colour-blind, too, and what did not change stays white.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "../base/err.h"
#include "about.h"
#include "diff_parts.h"
#include "../model/model.h"
#include "svg_parts.h"
#include "text.h"

enum { MARGIN = 24, LINE = 16, LINES_MAX = 8, STEPS = 24, LINE_CHARS = 150, ROWS_MAX = 80, CELLS_MAX = 3500 };

/* Light to dark; ColorBrewer's RdBu, its ends. */
static const unsigned char fewer[2][3] = {{0xd1, 0xe5, 0xf0}, {0x05, 0x30, 0x61}};
static const unsigned char more[2][3] = {{0xfd, 0xdb, 0xc7}, {0x67, 0x00, 0x1f}};

/* `share` of the greatest difference, from -1 to 1; buf holds 8. Returns buf. */
static const char *color_of(double share, char *buf)
{
	const unsigned char(*ends)[3] = share < 0 ? fewer : more;
	double at = sqrt(fmin(1, fabs(share)));	/* small differences are many, and must be seen */
	unsigned int rgb[3];

	for (int i = 0; i < 3; i++)
		rgb[i] = (unsigned int)(ends[0][i] + (ends[1][i] - ends[0][i]) * at) & 255;
	snprintf(buf, 8, "#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
	return buf;
}

static double greatest(const struct diff_grid *g)
{
	double most = 0;

	for (size_t i = 0; i < g->g.rows * g->g.cols; i++)
		most = fmax(most, fabs(diff_grid_at(g, i)));
	return most;
}

static void put_cell(const struct svg *s, const struct diff_grid *d, int y, size_t row, size_t col, double most)
{
	const struct grid *g = &d->g;
	size_t cell = row * g->cols + col;
	uint64_t t_lo = col * g->col_ns, t_hi = t_lo + g->col_ns;
	int x = svg_x(s, t_lo), top = svg_row_y(g, y, row + 1);
	double diff = diff_grid_at(d, cell);
	char t[2][32], lat[2][32], color[8];

	if (fabs(diff) < most / (STEPS * STEPS))
		return;
	if (t_hi > g->length_ns && g->length_ns > t_lo)
		t_hi = g->length_ns;
	fprintf(s->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"><title>%s to %s, %s to %s late: base %"
		PRIu64 ", new %" PRIu64 "</title></rect>\n", x, top, svg_x(s, t_hi) - x, svg_row_y(g, y, row) - top,
		color_of(diff / most, color), text_ns(t_lo, t[0], sizeof(t[0])), text_ns(t_hi, t[1], sizeof(t[1])),
		text_ns(grid_row_lo(g, row), lat[0], sizeof(lat[0])),
		text_ns(grid_row_lo(g, row + 1), lat[1], sizeof(lat[1])), g->counts[cell], d->now[cell]);
}

static void put_scale(const struct svg *s, int y, double most)
{
	int x = SVG_LEFT + SVG_PLOT + 24;
	char color[8], label[64];

	svg_text(s->out, x, y + 9, "class=\"l\"", "samples");
	for (int step = 0; step < 2 * STEPS; step++)
		fprintf(s->out, "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"3\" fill=\"%s\"/>\n", x, y + 18 + step * 3,
			color_of((STEPS - step - 0.5) / STEPS, color));
	snprintf(label, sizeof(label), "%.0f more", most);
	svg_text(s->out, x + 18, y + 26, "class=\"l\"", label);
	svg_text(s->out, x + 18, y + 22 + STEPS * 3, "class=\"l\"", "as many");
	snprintf(label, sizeof(label), "%.0f fewer", most);
	svg_text(s->out, x + 18, y + 18 + 2 * STEPS * 3, "class=\"l\"", label);
}

static int put_plot(struct svg *s, const struct diff *d, int y)
{
	const struct grid_limits limits = {.cols = SVG_PLOT / 3, .rows = ROWS_MAX, .cells = CELLS_MAX};
	struct diff_grid g;
	int err = diff_grid_make(d, s->metric, &limits, &g);
	double most;

	if (err)
		return err;
	s->length_ns = g.g.length_ns;
	most = greatest(&g);
	svg_frame(s, y, SVG_HEATMAP);
	svg_latency_axis(s, &g.g, y);
	fputs("<g shape-rendering=\"crispEdges\">\n", s->out);
	for (size_t row = 0; row < g.g.rows; row++)
		for (size_t col = 0; most > 0 && col < g.g.cols; col++)
			put_cell(s, &g, y, row, col, most);
	fputs("</g>\n", s->out);
	svg_time_axis(s, y, SVG_HEATMAP);
	put_scale(s, y, most);
	diff_grid_done(&g);
	return 0;
}

static int put_line(const struct svg *s, int y, const char *attrs, const char *raw)
{
	char text[TEXT_SZ], cut[TEXT_SZ];

	text_escape(raw, text, sizeof(text));
	text_cut(text, LINE_CHARS, "\xe2\x80\xa6", cut, sizeof(cut));
	svg_text(s->out, MARGIN, y, attrs, cut);
	return y + LINE;
}

/* What changed, the picture's metric first. */
static int put_changes(const struct svg *s, const struct diff *d, int y)
{
	const struct compare_row *row;
	size_t cnt = 0;
	char raw[800];

	for (size_t i = 0; (row = compare_row(d->compare, i)); i++) {
		for (int id = 0; row->is_gated && id < COMPARE_STAT_CNT; id++) {
			if (row->metric != s->metric || row->stats[id].verdict != COMPARE_CHANGED || cnt++ >= LINES_MAX)
				continue;
			y = put_line(s, y, "class=\"b\"", diff_line(row, (enum compare_stat_id)id, raw, sizeof(raw)));
		}
	}
	if (!cnt)
		return put_line(s, y, "class=\"l\"", "nothing changed beyond the tolerance and the noise");
	if (cnt <= LINES_MAX)
		return y;
	snprintf(raw, sizeof(raw), "and %zu more", cnt - LINES_MAX);
	return put_line(s, y, "class=\"l\"", raw);
}

/* The metric that changed most; else the first one with samples. */
static enum metric metric_of(const struct diff *d)
{
	struct compare_sum sum = compare_sum(d->compare);
	const struct compare_row *first = compare_row(d->compare, 0);

	if (sum.worst)
		return sum.worst->metric;
	return first ? first->metric : METRIC_THREAD_DRIFT;
}

static int put_body(struct svg *s, const struct diff *d, int *ret_height)
{
	char raw[1400];
	int y = MARGIN + 14, err;

	snprintf(raw, sizeof(raw), "%s: new against base", metrics[s->metric].name);
	svg_text(s->out, MARGIN, y, "class=\"t\"", raw);
	y = put_changes(s, d, y + 22);
	snprintf(raw, sizeof(raw), "base %s, new %s; %s", d->base.file, d->now.file, metrics[s->metric].help);
	y = put_line(s, y, "class=\"l\"", raw) + LINE / 2;
	err = compare_row(d->compare, 0) ? put_plot(s, d, y) : 0;
	*ret_height = y + SVG_HEATMAP + SVG_AXIS + MARGIN;
	return err;
}

int diff_svg(const struct diff *d, FILE *out)
{
	struct svg s = {.t = d->now.tables, .n = d->now.names, .o = &d->now.about, .metric = metric_of(d),
			.is_cut = d->now.about.info && !d->now.about.info->has_end};
	char *text = NULL;
	size_t size = 0;
	int height = 0, err;

	s.out = open_memstream(&text, &size);
	err = s.out ? put_body(&s, d, &height) : -ENOMEM;
	if (s.out && fclose(s.out) && !err)
		err = -ENOMEM;
	if (!err) {
		svg_head(out, height);
		fwrite(text, 1, size, out);
		fputs("</svg>\n", out);
	}
	free(text);
	if (err)
		return fail(err, "svg");
	return fflush(out) || ferror(out) ? -EIO : 0;
}
