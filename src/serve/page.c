/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../export/svg_parts.h"
#include "../export/text.h"
#include "live.h"

static int make_page(const char *type, void (*write)(struct live *l, FILE *out), struct live *l,
		     struct http_page *out)
{
	FILE *f = open_memstream(&out->body, &out->len);

	if (!f)
		return -ENOMEM;
	out->type = type;
	write(l, f);
	if (!fclose(f))
		return 0;
	free(out->body);
	return -ENOMEM;
}

static void write_new(struct live *l, FILE *out)
{
	live_metrics(l, true, out);
}

static void write_classic(struct live *l, FILE *out)
{
	live_metrics(l, false, out);
}

static int metrics_page(void *ctx, bool new_form, struct http_page *out)
{
	if (new_form)
		return make_page("application/openmetrics-text; version=1.0.0; charset=utf-8", write_new, ctx, out);
	return make_page("text/plain; version=0.0.4; charset=utf-8", write_classic, ctx, out);
}

static const char no_picture[] =
	"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"400\" height=\"40\"><text x=\"8\" y=\"24\" "
	"font-family=\"sans-serif\" font-size=\"14\">one moment: the picture is being drawn</text></svg>\n";

static void write_svg(struct live *l, FILE *out)
{
	uint64_t from, to;
	char *picture = live_picture(l, &from, &to);

	fputs(picture ? picture : no_picture, out);
	free(picture);
}

static int svg_page(void *ctx, bool new_form, struct http_page *out)
{
	(void)new_form;
	return make_page("image/svg+xml", write_svg, ctx, out);
}

/* No scripts: the browser asks again by itself, soon while there is no picture yet. */
static void write_index(struct live *l, FILE *out)
{
	uint64_t from, to;
	char *picture = live_picture(l, &from, &to), raw[256], target[TEXT_SZ], span[32];

	text_escape(live_target(l, raw, sizeof(raw)), target, sizeof(target));
	fprintf(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta http-equiv=\"refresh\" content=\"%d\"><title>wakelag: ", picture ? 5 : 1);
	svg_put_escaped(out, target);
	fputs("</title><style>body{font-family:sans-serif;margin:1em}svg{max-width:100%;height:auto}</style></head>"
	      "<body>\n<p>", out);
	svg_put_escaped(out, target);
	if (picture)
		fprintf(out, ": the last %s", text_ns(to > from ? to - from : 0, span, sizeof(span)));
	fputs(" &middot; <a href=\"/metrics\">metrics</a> &middot; <a href=\"/healthz\">health</a></p>\n", out);
	fputs(picture ? picture : no_picture, out);
	fputs("</body></html>\n", out);
	free(picture);
}

static int index_page(void *ctx, bool new_form, struct http_page *out)
{
	(void)new_form;
	return make_page("text/html; charset=utf-8", write_index, ctx, out);
}

static int health_page(void *ctx, bool new_form, struct http_page *out)
{
	bool is_well = live_is_well(ctx);

	(void)new_form;
	out->status = is_well ? 200 : 503;
	out->type = "text/plain; charset=utf-8";
	out->body = strdup(is_well ? "ok\n" : "not recording\n");
	out->len = out->body ? strlen(out->body) : 0;
	return out->body ? 0 : -ENOMEM;
}

const struct http_route page_routes[] = {
	{"/metrics", metrics_page},
	{"/", index_page},
	{"/heatmap.svg", svg_page},
	{"/healthz", health_page},
	{NULL, NULL},
};
