/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What both plots are drawn with. */
#include <inttypes.h>
#include <stdlib.h>

#include "axis.h"
#include "label.h"
#include "palette.h"
#include "svg_parts.h"
#include "text.h"

void svg_put_escaped(FILE *out, const char *raw)
{
	char text[2 * TEXT_SZ];

	text_escape(raw, text, sizeof(text));
	text_put_xml(text, out);
}

void svg_put_label(FILE *out, const struct label *who)
{
	svg_put_escaped(out, who->name);
	fputs(*who->key ? " " : "", out);
	svg_put_escaped(out, who->key);
}

void svg_text(FILE *out, int x, int y, const char *attrs, const char *raw)
{
	fprintf(out, "<text x=\"%d\" y=\"%d\" %s>", x, y, attrs);
	svg_put_escaped(out, raw);
	fputs("</text>\n", out);
}

static int plot_width(const struct svg *s)
{
	return s->is_cut ? SVG_PLOT - SVG_CUT : SVG_PLOT;
}

int svg_x(const struct svg *s, uint64_t ns)
{
	double share = s->length_ns ? (double)ns / (double)s->length_ns : 0;

	return SVG_LEFT + (int)((share > 1 ? 1 : share) * plot_width(s) + 0.5);
}

static void put_loss_times(const struct svg *s, int y)
{
	struct loss_time l;
	char from[32], to[32];

	for (size_t i = 0; tables_loss_time(s->t, i, &l); i++) {
		int left = svg_x(s, l.from), right = svg_x(s, l.to);

		fprintf(s->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"url(#wakelag-hatch)\">"
			"<title>%" PRIu64 " lost between %s and %s</title></rect>\n",
			left, y, right > left ? right - left : 1, SVG_LOSS, l.n, text_ns(l.from, from, sizeof(from)),
			text_ns(l.to, to, sizeof(to)));
	}
}

void svg_frame(const struct svg *s, int y, int height)
{
	fprintf(s->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"frame\"/>\n", SVG_LEFT, y, SVG_PLOT,
		height);
	if (!s->is_cut)
		return;
	fprintf(s->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"url(#wakelag-hatch)\">"
		"<title>not recorded: the recording was cut off here</title></rect>\n",
		SVG_LEFT + plot_width(s), y, SVG_CUT, height);
}

void svg_time_axis(const struct svg *s, int y, int height)
{
	uint64_t step = axis_step(s->length_ns, 10);
	char label[32];

	put_loss_times(s, y);
	for (uint64_t tick = 0; step && tick <= s->length_ns; tick += step) {
		int x = svg_x(s, tick);

		fprintf(s->out, "<path d=\"M%d.5 %dv5\" class=\"tick\"/>\n", x, y + height);
		svg_text(s->out, x, y + height + 17, "class=\"l\" text-anchor=\"middle\"",
			 text_tick(tick, label, sizeof(label)));
	}
	svg_text(s->out, SVG_LEFT + SVG_PLOT / 2, y + height + 32, "class=\"l\" text-anchor=\"middle\"",
		 "time since the start");
}

/* The values of a log scale that are labelled: its ends, and the powers of ten that stand clear of them. */
static void put_scale_labels(const struct svg *s, int y, int height, uint64_t lo, uint64_t hi,
			     svg_text_of *end, svg_text_of *tick)
{
	int x = SVG_LEFT + SVG_PLOT + 42, last = y + height;
	char label[32];

	svg_text(s->out, x, y + height + 4, "class=\"l\"", end(lo, label, sizeof(label)));
	for (uint64_t v = 1; v < hi && v <= UINT64_MAX / 10; v *= 10) {
		int at = y + height - (int)palette_step(v, lo, hi) * height / (PALETTE_STEPS - 1);

		if (v <= lo || last - at < 14 || at - y < 14)
			continue;
		svg_text(s->out, x, at + 4, "class=\"l\"", tick(v, label, sizeof(label)));
		last = at;
	}
	if (hi > lo)
		svg_text(s->out, x, y + 4, "class=\"l\"", end(hi, label, sizeof(label)));
}

void svg_scale(const struct svg *s, int y, const char *title, uint64_t lo, uint64_t hi, svg_text_of *end,
	       svg_text_of *tick)
{
	enum { STEP = 5 };
	int x = SVG_LEFT + SVG_PLOT + 24, height = hi > lo ? PALETTE_STEPS * STEP : 2 * STEP;
	char color[8];

	svg_text(s->out, x, y + 9, "class=\"l\"", title);
	y += 22;
	for (int step = 0; step * STEP < height; step++)
		fprintf(s->out, "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"%d\" fill=\"%s\"/>\n", x,
			y + height - (step + 1) * STEP, STEP,
			palette_hex(hi > lo ? (unsigned int)step : PALETTE_STEPS - 1, color));
	put_scale_labels(s, y, height, lo, hi, end, tick);
}
