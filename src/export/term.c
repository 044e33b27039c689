/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "term.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "text.h"

enum { WIDTH_DEFAULT = 80, WIDTH_MIN = 74, WIDTH_MAX = 400 };

/* The colour cube's nearest to viridis from its blue on: lightness grows with each. */
static const unsigned char ramp[] = {61, 30, 36, 77, 148, 226};
static const char *const blocks[] = {"\xe2\x96\x91", "\xe2\x96\x92", "\xe2\x96\x93", "\xe2\x96\x88"};
static const char *const marks[] = {".", ":", "*", "#"};

#define CNT(array) (sizeof(array) / sizeof(*(array)))

static size_t width_of(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	size_t width = 0;

	if (fd >= 0 && !ioctl(fd, TIOCGWINSZ, &size))
		width = size.ws_col;
	if (!width && columns)
		width = strtoul(columns, NULL, 10);
	if (!width)
		return WIDTH_DEFAULT;
	return width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
}

static bool color_wanted(int fd)
{
	const char *no = getenv("NO_COLOR"), *name = getenv("TERM");

	return fd >= 0 && isatty(fd) && !(no && *no) && !(name && !strcmp(name, "dumb"));
}

struct term term_of(FILE *out)
{
	int fd = fileno(out);

	return (struct term){
		.width = width_of(fd),
		.is_utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8"),
		.has_color = color_wanted(fd),
	};
}

const char *term_ellipsis(const struct term *t)
{
	return t->is_utf8 ? "\xe2\x80\xa6" : "..";
}

size_t term_escape(const struct term *t, const char *raw, char *out, size_t size)
{
	return t->is_utf8 ? text_escape(raw, out, size) : text_escape_ascii(raw, out, size);
}

void term_bold(const struct term *t, FILE *out, bool on)
{
	if (t->has_color)
		fputs(on ? "\x1b[1m" : "\x1b[0m", out);
}

size_t term_bar(const struct term *t, FILE *out, double share, size_t width)
{
	/* U+2588 is a full block, U+258F one eighth of it, the others between. */
	size_t steps = t->is_utf8 ? 8 : 1;
	double wanted = (share < 0 ? 0 : share > 1 ? 1 : share) * (double)(width * steps);
	size_t filled = (size_t)(wanted + 0.5), used = filled / steps;

	/* What is there at all is seen. */
	if (!filled && share > 0) {
		filled = 1;
		used = filled / steps;
	}
	for (size_t i = 0; i < used; i++)
		fputs(t->is_utf8 ? blocks[CNT(blocks) - 1] : "#", out);
	if (filled % steps) {
		fprintf(out, "\xe2\x96%c", (char)(0x90 - filled % steps));
		used++;
	}
	return used;
}

unsigned int term_shades(const struct term *t)
{
	return t->has_color ? CNT(ramp) : CNT(blocks);
}

void term_shade(const struct term *t, FILE *out, unsigned int level, size_t cnt)
{
	const char *full = t->is_utf8 ? blocks[CNT(blocks) - 1] : "#";
	const char *mark = !level ? " " : t->has_color ? full : (t->is_utf8 ? blocks : marks)[level - 1];

	if (level && t->has_color)
		fprintf(out, "\x1b[38;5;%um", ramp[level - 1]);
	while (cnt--)
		fputs(mark, out);
	if (level && t->has_color)
		fputs("\x1b[0m", out);
}
