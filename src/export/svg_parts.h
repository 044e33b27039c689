/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Inside of the picture: shared by its files, by nobody else. Lengths are pixels. */
#pragma once

#include "export.h"
#include "summary.h"

enum {
	SVG_WIDTH = 1000,
	SVG_LEFT = 190,		/* of the plots: names and latencies stand left of it */
	SVG_PLOT = 690,		/* the plots' width; legends stand right of it */
	SVG_LOSS = 6,		/* the strip at the top that is hatched where something was lost */
	SVG_CUT = 24,		/* of that, what is hatched if the recording was cut off */
	SVG_AXIS = 38, SVG_SCALE = 160,
	SVG_CHAR = 6,		/* an 11 px character, on average */
};

struct grid;
struct label;

struct svg {
	const struct tables *t;
	const struct names *n;
	const struct export_opts *o;
	FILE *out;
	enum metric metric;
	uint64_t length_ns;
	bool is_cut;
};

/* Begins a picture: the element, its styles and patterns. */
void svg_head(FILE *out, int height);
/* Text with markup characters made harmless; raw may be a name. */
void svg_put_escaped(FILE *out, const char *raw);
/* A text; attrs is `class="..."` and the like. */
void svg_text(FILE *out, int x, int y, const char *attrs, const char *raw);

/* A label as text without its end: escaped, in that many characters, the key before the name. Returns buf. */
const char *svg_label_text(const struct label *who, size_t room, char *buf, size_t size);
/* The same left of a plot's row; and whole, in a tooltip. */
void svg_row_name(const struct svg *s, const struct label *who, int y);
void svg_entity_name(const struct svg *s, enum metric m, const struct label *who, int y);
void svg_put_label(FILE *out, const struct label *who);

/* The x of a time; the end of the recording is the end of the plot, or of what is not hatched. */
int svg_x(const struct svg *s, uint64_t ns);

/*
 * A plot's frame, hatched where nothing was recorded; and when it is filled, its time axis below, SVG_AXIS
 * high, with a hatched strip along its top edge where something was lost: what was seen then stays in sight.
 */
void svg_frame(const struct svg *s, int y, int height);
void svg_time_axis(const struct svg *s, int y, int height);

typedef const char *svg_text_of(uint64_t v, char *buf, size_t size);
/* A scale of colours right of a plot, SVG_SCALE high; texts of its ends and of powers of ten between. */
void svg_scale(const struct svg *s, int y, const char *title, uint64_t lo, uint64_t hi, svg_text_of *end,
	       svg_text_of *tick);

enum { SVG_HEATMAP = 312 };	/* the height of a plot of latencies */

/* Its axis, and the y of a row's lower edge. */
void svg_latency_axis(const struct svg *s, const struct grid *g, int y);
int svg_row_y(const struct grid *g, int y, size_t row);

/* Lines of drift over a plot of latencies, for the metric's periodic timers that drifted most. */
void svg_drift(const struct svg *s, int y, int height);

/* The plots: return their height with axis, or -ENOMEM. */
int svg_heatmap(const struct svg *s, int y);
int svg_entities(const struct svg *s, int y);
/* Of lock.wait, whatever the metric of the others: 0 where it has no samples. */
int svg_locks(const struct svg *s, int y);
int svg_matrix(const struct svg *s, int y);
