/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lines of the report: wrapped, cut and padded so that none is wider than the terminal. */
#include <string.h>

#include "report_parts.h"

enum { KEY_OTHERS = 4 + 3 };	/* a name of four, and " ()" */

void report_wrapped(const struct report *r, size_t indent, const char *text)
{
	size_t at = 0;

	while (*text) {
		size_t len = text_line(text, r->term.width - at);

		fprintf(r->out, "%*s%.*s\n", (int)at, "", (int)len, text);
		text += len;
		text += strspn(text, " ");
		at = indent;
	}
}

void report_list_begin(struct report *r, const char *head)
{
	r->col = (size_t)fprintf(r->out, "  %s:", head);
}

/* An item that is longer than a line is wrapped itself. */
void report_list_item(struct report *r, const char *sep, const char *item)
{
	size_t width = text_width(item), len;

	if (sep)
		r->col += (size_t)fprintf(r->out, "%s", sep);
	if (sep && r->col + 1 + width + 1 > r->term.width)
		r->col = (size_t)fprintf(r->out, "\n   ") - 1;
	while (r->col + 1 + text_width(item) + 1 > r->term.width) {
		len = text_line(item, r->term.width - r->col - 2);
		fprintf(r->out, " %.*s\n   ", (int)len, item);
		item += len + strspn(item + len, " ");
		r->col = 3;
	}
	fprintf(r->out, " %s", item);
	r->col += 1 + text_width(item);
}

void report_list_end(struct report *r)
{
	putc('\n', r->out);
}

/* A function's name says more than where it was called: that gets what room is left, if it is not too little. */
static void put_place(const struct report *r, const char *name, const char *key, size_t width, char *out, size_t size)
{
	char cut[TEXT_SZ], where[TEXT_SZ] = "";
	size_t left;

	text_cut(name, width, term_ellipsis(&r->term), cut, sizeof(cut));
	left = width - text_width(cut);
	if (*key && left >= KEY_OTHERS + 1)
		text_cut(key, left - 3, term_ellipsis(&r->term), where, sizeof(where));
	snprintf(out, size, *where ? "%s (%s)" : "%s", cut, where);
}

void report_label(const struct report *r, const struct label *l, size_t width, char *out, size_t size)
{
	char name[TEXT_SZ], cut[TEXT_SZ], escaped[TEXT_SZ], key[TEXT_SZ + 4] = "";

	term_escape(&r->term, l->name, name, sizeof(name));
	term_escape(&r->term, l->key, escaped, sizeof(escaped));
	if (l->is_place) {
		put_place(r, name, escaped, width, out, size);
		return;
	}
	text_cut(escaped, width > KEY_OTHERS ? width - KEY_OTHERS : 1, term_ellipsis(&r->term), cut, sizeof(cut));
	if (*cut)
		snprintf(key, sizeof(key), " (%s)", cut);
	size_t key_width = text_width(key);

	text_cut(name, width > key_width ? width - key_width : 1, term_ellipsis(&r->term), cut, sizeof(cut));
	snprintf(out, size, "%s%s", cut, key);
}

void report_put_label(const struct report *r, const struct label *l, size_t width)
{
	char text[2 * TEXT_SZ], cut[2 * TEXT_SZ];

	report_label(r, l, width, text, sizeof(text));
	text_cut(text, width, "", cut, sizeof(cut));	/* a key that is too long by itself */
	fprintf(r->out, "%s%*s", cut, (int)(width - text_width(cut)), "");
}

void report_put_long_label(const struct report *r, const struct label *l, size_t indent, size_t width)
{
	char text[2 * TEXT_SZ];

	report_label(r, l, r->term.width - indent, text, sizeof(text));
	if (text_width(text) <= width || !l->is_place) {
		report_put_label(r, l, width);
		return;
	}
	fprintf(r->out, "%s\n%*s", text, (int)(indent + width), "");
}
