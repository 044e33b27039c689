/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "folded.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../base/grow.h"
#include "profile.h"
#include "strings.h"

enum { FRAMES_MAX = 128, LINE_SZ = 16384 };

/* Lines by number. */
struct folded {
	struct strings lines;
	uint64_t *sums;
	size_t room;
};

struct line {
	const char *text;
	uint64_t sum;
};

/* Adds a name to the line: what separates frames may be in it. */
static size_t put_name(char *line, size_t at, const char *name)
{
	if (at && at + 1 < LINE_SZ)
		line[at++] = ';';
	for (; *name && at + 1 < LINE_SZ; name++)
		line[at++] = *name == ';' ? ':' : *name;
	line[at] = '\0';
	return at;
}

static void make_line(const struct names *n, const struct stack_row *r, char line[LINE_SZ])
{
	struct profile_frame f;
	size_t cnt = 0, at;

	while (cnt < FRAMES_MAX && profile_frame(n, r, cnt, &f))
		cnt++;
	at = put_name(line, 0, profile_whose(n, r, f.func, sizeof(f.func)));
	while (cnt-- > 0 && profile_frame(n, r, cnt, &f))
		at = put_name(line, at, f.func);
}

static int add_row(struct folded *f, const struct names *n, const struct stack_row *r)
{
	size_t cnt = f->lines.cnt;
	char line[LINE_SZ];
	uint64_t *sums;
	int64_t at;

	make_line(n, r, line);
	sums = grow(f->sums, cnt, &f->room, sizeof(*sums));
	if (!sums)
		return -ENOMEM;
	f->sums = sums;
	at = strings_add(&f->lines, line);
	if (at < 0)
		return -ENOMEM;
	if (f->lines.cnt > cnt)
		sums[at] = 0;
	sums[at] += r->sum;
	return 0;
}

static int by_text(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static int write_lines(const struct folded *f, FILE *out)
{
	size_t cnt = f->lines.cnt;
	struct line *order = calloc(cnt + 1, sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++)
		order[i] = (struct line){f->lines.texts[i], f->sums[i]};
	qsort(order, cnt, sizeof(*order), by_text);
	for (size_t i = 0; i < cnt; i++) {
		if (order[i].sum)
			fprintf(out, "%s %" PRIu64 "\n", order[i].text, order[i].sum);
	}
	free(order);
	return 0;
}

unsigned int folded_needs(const struct export_opts *o)
{
	(void)o;
	return TABLE_BIT(LOSS);
}

int export_folded(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out)
{
	unsigned int mask = profile_metrics(t, "folded");
	struct folded f = {.room = 0};
	struct stack_row r;
	int err = 0;

	(void)o;
	for (size_t i = 0; !err && tables_stack(t, i, &r); i++)
		err = mask >> r.metric & 1 ? add_row(&f, n, &r) : 0;
	if (!err)
		err = write_lines(&f, out);
	strings_done(&f.lines);
	free(f.sums);
	if (err)
		return fail(err, "folded");
	return fflush(out) || ferror(out) ? -EIO : 0;
}
