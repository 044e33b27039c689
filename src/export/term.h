/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the place can show that a text goes to: asked once, then passed as const.
 * Names, stages and numbers are the same everywhere; only drawing differs.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct term {
	size_t width;	/* columns: the terminal's, else $COLUMNS, else 80; 74 to 400 */
	bool is_utf8;	/* the locale's character set; else all is drawn in ASCII */
	bool has_color;	/* a terminal, and neither NO_COLOR nor TERM=dumb */
};

struct term term_of(FILE *out);

/* "..." as one character where there is one. */
const char *term_ellipsis(const struct term *t);
/* A raw name, escaped for this place. Returns the length. */
size_t term_escape(const struct term *t, const char *raw, char *out, size_t size);

/* Starts and ends emphasis. Nothing without colour. */
void term_bold(const struct term *t, FILE *out, bool on);

/* Draws that share of a bar of `width` columns, in eighths of a column or whole ones. Returns its columns. */
size_t term_bar(const struct term *t, FILE *out, double share, size_t width);

/* Shades for cells: level 1 is the faintest, term_shades() the densest, 0 blank. `cnt` of them. */
unsigned int term_shades(const struct term *t);
void term_shade(const struct term *t, FILE *out, unsigned int level, size_t cnt);
