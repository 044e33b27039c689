/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "svg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../model/model.h"
#include "about.h"
#include "headline.h"
#include "svg_parts.h"
#include "text.h"

enum {
	MARGIN = 24, LINE = 16,
	LINE_CHARS = (SVG_WIDTH - 2 * MARGIN) * 10 / 58,	/* 5.8 px each, in the smaller font */
	TITLE_CHARS = LINE_CHARS * 6 / 10, BOLD_CHARS = LINE_CHARS * 3 / 4,
};

/* Where the next line goes; the whole height is only known at the end. */
struct page {
	FILE *body;
	char *text;
	size_t size;
	int y;
};

void svg_head(FILE *out, int height)
{
	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		"font-family=\"DejaVu Sans, Verdana, Helvetica, Arial, sans-serif\">\n", SVG_WIDTH, height,
		SVG_WIDTH, height);
	fputs("<style>text{font-size:11px;fill:#222}.t{font-size:17px;font-weight:bold}.h{font-size:12px;"
	      "font-weight:bold}.l{font-size:10.5px;fill:#444}.b{font-weight:bold}.frame{fill:none;stroke:#999}"
	      ".grid{stroke:#ddd}.tick{stroke:#999}</style>\n"
	      "<defs><pattern id=\"wakelag-hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
	      "patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"#f4f4f4\"/>"
	      "<path d=\"M0 0v6\" stroke=\"#aaa\" stroke-width=\"2\"/></pattern></defs>\n"
	      "<title>wakelag</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", out);
}

/* A text in as many lines as it takes. */
static void put_lines(struct page *p, size_t chars, const char *attrs, const char *raw)
{
	char escaped[2 * TEXT_SZ], line[LINE_CHARS * 4 + 1];
	const char *text = escaped;

	text_escape(raw, escaped, sizeof(escaped));
	while (*text) {
		size_t len = text_line(text, chars);

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		svg_text(p->body, MARGIN, p->y, attrs, line);
		p->y += LINE;
		text += len;
		text += strspn(text, " ");
	}
}

static void put_title(const struct svg *s, struct page *p)
{
	char target[600], raw[800], cut[TEXT_SZ], text[TEXT_SZ];

	about_target(s->o, target, sizeof(target));
	snprintf(raw, sizeof(raw), "%s%s%s", metrics[s->metric].name, *target ? " of " : "", target);
	text_escape(raw, text, sizeof(text));
	text_cut(text, TITLE_CHARS, "\xe2\x80\xa6", cut, sizeof(cut));
	p->y += MARGIN + 14;
	svg_text(p->body, MARGIN, p->y, "class=\"t\"", cut);
	p->y += 22;
}

static void put_about(const struct svg *s, struct page *p)
{
	const struct model_info *info = s->o->info;
	char length[32], start[64] = "", raw[1200], host[600];

	if (info)
		about_start(info, start, sizeof(start));
	about_host(s->o, host, sizeof(host));
	snprintf(raw, sizeof(raw), "%s; recorded %s%s%s%s%s%s%s", metrics[s->metric].help,
		 text_ns(s->length_ns, length, sizeof(length)), *start ? " from " : "", start,
		 info ? "; " : "", info ? about_end(info) : "", *host ? "; " : "", host);
	put_lines(p, LINE_CHARS, "class=\"l\"", raw);
}

/* What was lost, by cause; when is hatched at the plots' top edge. What was censored has no length to show. */
static void put_losses(const struct svg *s, struct page *p)
{
	char raw[1200] = "lost:";
	const char *cause;
	uint64_t count;
	size_t at = strlen(raw), none = at;

	for (size_t i = 0; tables_loss(s->t, i, &cause, &count) && at < sizeof(raw); i++) {
		if (count && strcmp(cause, "file_cut"))
			at += (size_t)snprintf(raw + at, sizeof(raw) - at, "%s %s %" PRIu64, at == none ? "" : ",",
					       cause, count);
	}
	bool any = at != none;

	if (any && at < sizeof(raw))
		at += (size_t)snprintf(raw + at, sizeof(raw) - at, " (when: hatched at the top)");
	if (s->is_cut && at < sizeof(raw))
		snprintf(raw + at, sizeof(raw) - at, "%s what came after the cut", any ? "," : "");
	else if (!any)
		snprintf(raw + at, sizeof(raw) - at, " nothing");
	if (any || s->is_cut)
		put_lines(p, BOLD_CHARS, "class=\"b\"", raw);
	else
		put_lines(p, LINE_CHARS, "class=\"l\"", raw);
}

static void put_footer(const struct svg *s, struct page *p)
{
	uint64_t censored = censored_of(s->t, s->metric);
	char raw[256];

	put_losses(s, p);
	snprintf(raw, sizeof(raw), "white: no samples%s; a sample stands where it ended; censored, so in no cell: %"
		 PRIu64 " (begin or end not seen)", s->is_cut ? "; hatched: not recorded" : "", censored);
	put_lines(p, LINE_CHARS, "class=\"l\"", raw);
}

static int put_plots(const struct svg *s, const struct headline *h, struct page *p)
{
	char raw[1200];
	int err = headline_text(s->t, s->n, h, raw, sizeof(raw)), height;

	if (err)
		return err;
	put_lines(p, BOLD_CHARS, "class=\"b\"", raw);
	put_about(s, p);
	p->y += 8;
	height = svg_heatmap(s, p->y);
	if (height < 0)
		return height;
	p->y += height + 20;
	height = svg_entities(s, p->y);
	if (height < 0)
		return height;
	p->y += height + 16;
	return 0;
}

/* What is only there where threads waited for locks. */
static int put_locks(const struct svg *s, struct page *p)
{
	static int (*const plots[])(const struct svg *s, int y) = {svg_locks, svg_matrix};

	for (size_t i = 0; i < sizeof(plots) / sizeof(*plots); i++) {
		int height = plots[i](s, p->y);

		if (height < 0)
			return height;
		p->y += height ? height + 16 : 0;
	}
	return 0;
}

static int put_body(struct svg *s, struct page *p)
{
	struct headline h;
	int found = headline_find(s->t, &h), err = 0;

	if (found < 0)
		return found;
	if (!found) {
		svg_text(p->body, MARGIN, MARGIN + 14, "class=\"t\"", "no samples");
		p->y = MARGIN + 36;
		put_lines(p, LINE_CHARS, "class=\"l\"", "nothing that was asked for happened in the recording");
		return 0;
	}
	s->metric = h.metric;
	put_title(s, p);
	err = put_plots(s, &h, p);
	if (!err)
		err = put_locks(s, p);
	if (!err)
		put_footer(s, p);
	return err;
}

unsigned int svg_needs(const struct export_opts *o)
{
	(void)o;
	return ~TABLE_BIT(EVENTS);
}

int export_svg(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out)
{
	struct page p = {.y = 0};
	struct svg s = {.t = t, .n = n, .o = o, .length_ns = about_length(t, o->info),
			.is_cut = o->info && !o->info->has_end};
	int err;

	p.body = s.out = open_memstream(&p.text, &p.size);
	err = p.body ? put_body(&s, &p) : -ENOMEM;
	if (p.body && fclose(p.body) && !err)
		err = -ENOMEM;
	if (!err) {
		svg_head(out, p.y + MARGIN - LINE / 2);
		fwrite(p.text, 1, p.size, out);
		fputs("</svg>\n", out);
	}
	free(p.text);
	if (err)
		return fail(err, "svg");
	return fflush(out) || ferror(out) ? -EIO : 0;
}
