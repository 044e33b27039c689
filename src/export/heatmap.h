/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The heatmap on a terminal: time to the right, latency upwards on a log scale, counts as shades on a
 * log scale. No line is wider than the terminal.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct grid;
struct grid_limits;
struct term;

/* What a grid may have to fit this terminal. */
struct grid_limits heatmap_limits(const struct term *term);
void heatmap_print(const struct term *term, const struct grid *g, FILE *out);

/* Time to the right: columns of a width in ns, each some characters wide, behind an indent and a frame of one. */
struct heat_axis {
	size_t indent, cols, stretch;
	uint64_t col_ns, length_ns;
};

/* The frame of a row: what stands before its cells. */
const char *heatmap_frame(const struct term *term);
/* The cells of a row, by level. */
void heatmap_cells(const struct term *term, const unsigned char *levels, size_t cols, size_t stretch, FILE *out);
/* The axis below the rows: ticks, and their times. */
void heatmap_axis(const struct term *term, const struct heat_axis *axis, FILE *out);
