/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The heatmap on a terminal: time to the right, latency upwards on a log scale, counts as shades on a
 * log scale. No line is wider than the terminal.
 */
#pragma once

#include <stdio.h>

struct grid;
struct grid_limits;
struct term;

/* What a grid may have to fit this terminal. */
struct grid_limits heatmap_limits(const struct term *term);
void heatmap_print(const struct term *term, const struct grid *g, FILE *out);
