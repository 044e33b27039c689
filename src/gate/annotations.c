/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Workflow commands of GitHub Actions, which shows ten of each kind a step: no more than ten in all are made. */
#include <stdio.h>

#include "../export/text.h"
#include "gate.h"
#include "report.h"

/* As GitHub's toolkit escapes: data, and in properties also the characters that end them. */
static void put_data(const char *raw, bool is_property, FILE *out)
{
	char text[TEXT_SZ];

	text_escape(raw, text, sizeof(text));
	for (const char *c = text; *c; c++) {
		if (*c == '%')
			fputs("%25", out);
		else if (is_property && *c == ':')
			fputs("%3A", out);
		else if (is_property && *c == ',')
			fputs("%2C", out);
		else
			putc(*c, out);
	}
}

static void put_annotation(const char *command, const struct verdict *v, FILE *out)
{
	fprintf(out, "::%s title=", command);
	put_data(v->text, true, out);
	fputs("::", out);
	put_data(v->why, false, out);
	putc('\n', out);
}

void gate_annotations(const struct gate *g, FILE *out)
{
	static const struct {
		enum result result;
		const char *command;
	} rows[] = {{RESULT_FAIL, "error"}, {RESULT_INCONCLUSIVE, "warning"}};
	size_t made = 0;

	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		for (size_t i = 0; i < g->cnt && made < ANNOTATIONS_MAX; i++) {
			if (g->verdicts[i].result != rows[r].result)
				continue;
			put_annotation(rows[r].command, &g->verdicts[i], out);
			made++;
		}
	}
}
