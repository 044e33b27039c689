/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A summary for $GITHUB_STEP_SUMMARY and merge requests: the worst verdicts first, and not too long. */
#include <stdlib.h>
#include <string.h>

#include "../export/text.h"
#include "../model/model.h"
#include "evidence.h"
#include "gate.h"
#include "report.h"

/* Names may hold anything: no character of text makes a link, a heading, HTML or another cell. */
static void put_md(const char *text, FILE *out)
{
	for (const char *c = text; *c; c++) {
		if (*c == '<')
			fputs("&lt;", out);
		else if (*c == '>')
			fputs("&gt;", out);
		else if (*c == '&')
			fputs("&amp;", out);
		else if (*c == '@')
			fputs("&#64;", out);	/* would tell people of that name */
		else if (strchr("\\`*_{}[]()#+!|~:", *c))
			fprintf(out, "\\%c", *c);
		else
			putc(*c, out);
	}
}

static void put_raw(const char *raw, FILE *out)
{
	char text[TEXT_SZ];

	text_escape(raw, text, sizeof(text));
	put_md(text, out);
}

static void put_row(const struct verdict *v, FILE *out)
{
	static const char *const marks[RESULT_CNT] = {
		[RESULT_PASS] = "pass", [RESULT_FAIL] = "**FAIL**", [RESULT_INCONCLUSIVE] = "*inconclusive*",
	};
	char text[EVIDENCE_SZ] = "";

	fprintf(out, "| %s | ", marks[v->result]);
	put_raw(v->text, out);
	fputs(" | ", out);
	if (v->has_estimate)
		put_md(budget_value_text(v->unit, v->estimate, text, sizeof(text)), out);
	fputs(" | ", out);
	put_md(evidence_interval(v, text, sizeof(text)), out);
	fprintf(out, " | %llu | ", (unsigned long long)v->n);
	put_raw(v->why, out);
	fputs(" |\n", out);
}

static void put_worst(const struct gate *g, const struct verdict *v, FILE *out)
{
	char text[EVIDENCE_SZ];

	if (!v->series || v->result == RESULT_PASS)
		return;
	fputs("\n<details><summary>Worst samples: ", out);
	put_raw(v->text, out);
	fputs("</summary>\n\n", out);
	for (size_t i = 0; i < v->series->worst_cnt; i++) {
		fputs("- ", out);
		put_md(evidence_worst(v, &v->series->worst[i], model_names(g->view.model), text, sizeof(text)), out);
		putc('\n', out);
	}
	fputs("\n</details>\n", out);
}

static void put_head(const struct gate *g, FILE *out)
{
	static const char *const heads[RESULT_CNT] = {
		[RESULT_PASS] = "within budget", [RESULT_FAIL] = "over budget", [RESULT_INCONCLUSIVE] = "inconclusive",
	};
	char text[TEXT_SZ];

	fprintf(out, "### wakelag: %s\n\n", heads[gate_result(g)]);
	put_raw(gate_what(g, text, sizeof(text)), out);
	fprintf(out, "; %s\n\n", gate_counts(g, text, sizeof(text)));
	fputs("| verdict | budget | estimate | 95% interval | n | why |\n|---|---|--:|---|--:|---|\n", out);
}

/* One verdict's part of the summary, to be freed. */
static char *part_of(const struct gate *g, const struct verdict *v, bool is_row)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	if (is_row)
		put_row(v, f);
	else
		put_worst(g, v, f);
	fclose(f);
	return text;
}

/* Those of one result, as long as there is room; the number of those left out. */
static size_t put_parts(const struct gate *g, enum result result, bool are_rows, size_t *room, FILE *out)
{
	size_t left_out = 0;

	for (size_t i = 0; i < g->cnt; i++) {
		char *text = g->verdicts[i].result == result ? part_of(g, &g->verdicts[i], are_rows) : NULL;
		size_t len = text ? strlen(text) : 0;

		if (len > *room)
			left_out++;
		else if (text)
			fputs(text, out);
		*room -= len > *room ? 0 : len;
		free(text);
	}
	return left_out;
}

int gate_markdown(const struct gate *g, FILE *out)
{
	static const enum result order[] = {RESULT_FAIL, RESULT_INCONCLUSIVE, RESULT_PASS};
	size_t room = MARKDOWN_MAX - 8192, left_out = 0;	/* the head and the last line have room */

	put_head(g, out);
	for (size_t i = 0; i < RESULT_CNT; i++)
		left_out += put_parts(g, order[i], true, &room, out);
	for (size_t i = 0; i < RESULT_CNT; i++)
		left_out += put_parts(g, order[i], false, &room, out);
	if (left_out)
		fprintf(out, "\n%zu more are in the other reports: there is no room for them here.\n", left_out);
	return 0;
}
