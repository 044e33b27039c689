/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "heatmap.h"

#include <inttypes.h>
#include <string.h>

#include "axis.h"
#include "grid.h"
#include "term.h"
#include "text.h"

enum { LABEL_WIDTH = 8, TICK_WIDTH = 8, ROWS = 20, COLS_MAX = 400 };

struct frame {
	const char *row, *corner, *line, *tick;
};

static const struct frame frames[] = {
	{.row = "|", .corner = "+", .line = "-", .tick = "+"},
	{.row = "\xe2\x94\xa4", .corner = "\xe2\x94\x94", .line = "\xe2\x94\x80", .tick = "\xe2\x94\xac"},
};

struct grid_limits heatmap_limits(const struct term *term)
{
	return (struct grid_limits){.cols = term->width - LABEL_WIDTH - 2, .rows = ROWS, .cells = SIZE_MAX};
}

/* How many characters a column of the grid takes: more than one if there is room. */
static size_t stretch_of(const struct term *term, const struct grid *g)
{
	size_t stretch = heatmap_limits(term).cols / g->cols;

	return stretch ? stretch : 1;
}

const char *heatmap_frame(const struct term *term)
{
	return frames[term->is_utf8].row;
}

void heatmap_cells(const struct term *term, const unsigned char *levels, size_t cols, size_t stretch, FILE *out)
{
	unsigned int last = 0;
	size_t run = 0;

	for (size_t col = 0; col < cols; col++) {
		if (levels[col] != last) {
			term_shade(term, out, last, run);
			run = 0;
		}
		last = levels[col];
		run += stretch;
	}
	if (last)
		term_shade(term, out, last, run);
	putc('\n', out);
}

static void put_row(const struct term *term, const struct grid *g, size_t row, FILE *out)
{
	unsigned char levels[COLS_MAX];
	uint64_t lo = grid_row_lo(g, row);
	size_t cols = g->cols < COLS_MAX ? g->cols : COLS_MAX;
	char label[32];

	if (g->per_octave > 4)
		text_ns(lo, label, sizeof(label));
	else
		text_tick(axis_round(lo), label, sizeof(label));
	fprintf(out, "%*s %s", LABEL_WIDTH - 1, label, heatmap_frame(term));
	for (size_t col = 0; col < cols; col++)
		levels[col] = (unsigned char)axis_level(g->counts[row * g->cols + col], g->max, term_shades(term));
	heatmap_cells(term, levels, cols, stretch_of(term, g), out);
}

/* Ticks are no closer than their labels, and not two in a column. */
static uint64_t tick_step(const struct heat_axis *a)
{
	size_t max = a->cols * a->stretch / TICK_WIDTH + 1;

	return axis_step(a->length_ns, max < a->cols ? max : a->cols);
}

static void put_ticks(const struct term *term, const struct heat_axis *a, FILE *out)
{
	const struct frame *f = &frames[term->is_utf8];
	uint64_t step = tick_step(a), tick = 0;

	fprintf(out, "%*s%s", (int)a->indent, "", f->corner);
	for (size_t i = 0; i < a->cols * a->stretch; i++) {
		bool is_tick = i == tick / a->col_ns * a->stretch;

		fputs(is_tick ? f->tick : f->line, out);
		while (tick / a->col_ns * a->stretch <= i)
			tick += step;
	}
	putc('\n', out);
}

/* Labels begin below their ticks. */
static void put_times(const struct term *term, const struct heat_axis *a, FILE *out)
{
	size_t at = 0, room = term->width - a->indent - 2;
	uint64_t step = tick_step(a);
	char label[32];

	fprintf(out, "%*s", (int)a->indent + 1, "");
	for (uint64_t tick = 0; tick / a->col_ns * a->stretch < a->cols * a->stretch; tick += step) {
		size_t x = tick / a->col_ns * a->stretch;

		text_tick(tick, label, sizeof(label));
		if ((at && x <= at) || x + strlen(label) > room)
			continue;
		fprintf(out, "%*s%s", (int)(x - at), "", label);
		at = x + strlen(label);
	}
	putc('\n', out);
}

void heatmap_axis(const struct term *term, const struct heat_axis *axis, FILE *out)
{
	put_ticks(term, axis, out);
	put_times(term, axis, out);
}

/* One item of the legend: on the next line if this one is full. */
static size_t put_item(const struct term *term, size_t at, unsigned int level, const char *text, FILE *out)
{
	size_t width = (level ? 2 : 0) + strlen(text);

	if (at + width > term->width)
		at = (size_t)fprintf(out, "\n%*s", LABEL_WIDTH + 1, "") - 1;
	if (level)
		term_shade(term, out, level, 1);
	fprintf(out, "%s%s", level ? " " : "", text);
	return at + width;
}

/* The shades and their counts, and how wide a column is. */
static void put_legend(const struct term *term, const struct grid *g, FILE *out)
{
	unsigned int levels = term_shades(term);
	size_t at = (size_t)fprintf(out, "%*s", LABEL_WIDTH + 1, "");
	char text[64], width[32];

	for (unsigned int level = 1; level <= levels; level++) {
		uint64_t from = axis_level_from(level, g->max, levels);
		uint64_t to = level < levels ? axis_level_from(level + 1, g->max, levels) - 1 : g->max;

		if (to < from || from > g->max)
			continue;
		if (to > from)
			snprintf(text, sizeof(text), "%" PRIu64 "-%" PRIu64 "  ", from, to);
		else
			snprintf(text, sizeof(text), "%" PRIu64 "  ", from);
		at = put_item(term, at, level, text, out);
	}
	text_tick(g->col_ns, width, sizeof(width));
	snprintf(text, sizeof(text), "samples; a column is %s", width);
	put_item(term, at, 0, text, out);
	putc('\n', out);
}

void heatmap_print(const struct term *term, const struct grid *g, FILE *out)
{
	const struct heat_axis axis = {LABEL_WIDTH, g->cols, g->rows ? stretch_of(term, g) : 1, g->col_ns, g->length_ns};

	if (!g->rows)
		return;
	for (size_t row = g->rows; row-- > 0;)
		put_row(term, g, row, out);
	heatmap_axis(term, &axis, out);
	put_legend(term, g, out);
}
