/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The accumulated drift of periodic timers, as lines over the upper plot: linear, on a scale of their own
 * that stands above the plot.
 */
#include <stdlib.h>

#include "label.h"
#include "svg_parts.h"
#include "text.h"

enum { LINES = 3, PAD = 6, NAME_CHARS = 48, LABEL_GAP = 13 };

/* Dark, as the densest cells are, on a white rim: told apart without colour by their dashes. */
static const struct {
	const char *color, *dash;
} styles[LINES] = {{"#b3001b", ""}, {"#8a4b00", "7 3"}, {"#5c5c5c", "2 3"}};

struct scale {
	int y, height;
	double lo, hi;
};

static int y_of(const struct scale *sc, int64_t drift_ns)
{
	return sc->y + sc->height - PAD -
	       (int)(((double)drift_ns - sc->lo) / (sc->hi - sc->lo) * (sc->height - 2 * PAD) + 0.5);
}

/* Zero is always in it, and a drift of less than a hundredth of a period is at its bottom. */
static struct scale scale_of(const struct periodic_row *rows, size_t cnt, int y, int height)
{
	struct scale sc = {.y = y, .height = height};

	for (size_t i = 0; i < cnt; i++) {
		for (size_t k = 0; k < rows[i].line_cnt; k++) {
			double drift = (double)rows[i].line[k].drift_ns;

			sc.lo = drift < sc.lo ? drift : sc.lo;
			sc.hi = drift > sc.hi ? drift : sc.hi;
		}
	}
	for (size_t i = 0; i < cnt; i++) {
		double least = (double)rows[i].period_ns / 100;

		if (sc.hi - sc.lo < least)
			sc.hi = sc.lo + least;
	}
	return sc;
}

static void put_path(const struct svg *s, const struct scale *sc, const struct periodic_row *row, const char *attrs)
{
	fputs("<polyline fill=\"none\" points=\"", s->out);
	for (size_t i = 0; i < row->line_cnt; i++)
		fprintf(s->out, "%s%d,%d", i ? " " : "", svg_x(s, row->line[i].t_ns), y_of(sc, row->line[i].drift_ns));
	fprintf(s->out, "\" %s/>\n", attrs);
}

/* "mixer (123): drift +3.20ms from a period of 10ms". */
static void put_label(const struct svg *s, const struct periodic_row *row, int y, const char *color)
{
	const struct group g = {.metric = row->metric, .entity = row->entity, .site = row->site};
	char raw[700], name[2 * TEXT_SZ], cut[2 * TEXT_SZ], drift[32], period[32], text[3 * TEXT_SZ], attrs[160];
	struct label who;

	label_group(s->t, s->n, &g, &who);
	snprintf(raw, sizeof(raw), "%s%s%s%s", who.name, *who.key ? " (" : "", who.key, *who.key ? ")" : "");
	text_escape(raw, name, sizeof(name));
	text_cut(name, NAME_CHARS, "\xe2\x80\xa6", cut, sizeof(cut));
	snprintf(text, sizeof(text), "%s: drift %s from a period of %s", cut,
		 text_signed_ns(row->drift_ns, drift, sizeof(drift)), text_tick(row->period_ns, period, sizeof(period)));
	snprintf(attrs, sizeof(attrs), "class=\"b\" text-anchor=\"end\" style=\"fill:%s;stroke:#fff;stroke-width:3;"
		 "paint-order:stroke\"", color);
	svg_text(s->out, SVG_LEFT + SVG_PLOT - 8, y, attrs, text);
}

static void put_heading(const struct svg *s, const struct scale *sc)
{
	char lo[32], hi[32], text[128];

	snprintf(text, sizeof(text), "lines: accumulated drift, on a linear scale from %s to %s",
		 text_signed_ns((int64_t)sc->lo, lo, sizeof(lo)), text_signed_ns((int64_t)sc->hi, hi, sizeof(hi)));
	svg_text(s->out, SVG_LEFT + SVG_PLOT, sc->y - 10, "class=\"l\" text-anchor=\"end\"", text);
}

/* A label stands above its line's end, or below at the top; those of neighbours make room for each other. */
static int label_y(const struct scale *sc, const struct periodic_row *row, const int *taken, size_t cnt)
{
	int y = y_of(sc, row->drift_ns) - 5, step;

	if (y < sc->y + LABEL_GAP)
		y = sc->y + LABEL_GAP + PAD;
	step = y < sc->y + sc->height / 2 ? 1 : -1;
	for (size_t i = 0; i < cnt;) {
		bool is_free = abs(taken[i] - y) >= LABEL_GAP;

		y += is_free ? 0 : step;
		i = is_free ? i + 1 : 0;
	}
	return y;
}

void svg_drift(const struct svg *s, int y, int height)
{
	struct periodic_row rows[LINES];
	int taken[LINES];
	size_t cnt = 0;

	for (size_t i = 0; cnt < LINES && tables_periodic(s->t, i, &rows[cnt]); i++)
		cnt += rows[cnt].metric == s->metric && rows[cnt].entity != ENTITY_REST && rows[cnt].line_cnt;
	struct scale sc = scale_of(rows, cnt, y, height);

	if (cnt)
		put_heading(s, &sc);
	for (size_t i = 0; i < cnt; i++) {
		char attrs[160];

		snprintf(attrs, sizeof(attrs), "stroke=\"%s\" stroke-width=\"1.5\" stroke-dasharray=\"%s\"",
			 styles[i].color, *styles[i].dash ? styles[i].dash : "none");
		put_path(s, &sc, &rows[i], "stroke=\"#fff\" stroke-width=\"4\" stroke-opacity=\"0.8\"");
		put_path(s, &sc, &rows[i], attrs);
	}
	for (size_t i = 0; i < cnt; i++) {
		taken[i] = label_y(&sc, &rows[i], taken, i);
		put_label(s, &rows[i], taken[i], styles[i].color);
	}
}
