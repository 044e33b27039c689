/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * OpenMetrics text for GitLab's metrics report, which compares the values of a branch with those of its
 * target: few, and with the same names in every run. Base units: seconds, ratios.
 */
#include <string.h>

#include "../export/text.h"
#include "gate.h"
#include "report.h"

static const struct {
	const char *name, *unit, *help;
	double scale;
} rows[UNIT_CNT] = {
	[UNIT_TIME] = {"wakelag_gate_seconds", "seconds", "estimate of a budget that is a time", 1e-9},
	[UNIT_NUMBER] = {"wakelag_gate_number", NULL, "estimate of a budget that is a number", 1},
	[UNIT_SHARE] = {"wakelag_gate_ratio", "ratio", "estimate of a budget that is a share", 1},
	[UNIT_RATE] = {"wakelag_gate_per_second", NULL, "estimate of a budget that is a rate", 1},
};

static void put_label(const char *raw, FILE *out)
{
	char text[TEXT_SZ];

	text_escape(raw, text, sizeof(text));
	for (const char *c = text; *c; c++) {
		if (*c == '\\' || *c == '"')
			putc('\\', out);
		putc(*c, out);
	}
}

/* The same budget given twice is one sample. */
static bool is_first(const struct gate *g, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(g->verdicts[j].text, g->verdicts[i].text))
			return false;
	return true;
}

static void put_family(const struct gate *g, enum budget_unit unit, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < g->cnt; i++) {
		const struct verdict *v = &g->verdicts[i];

		if (!v->has_estimate || v->unit != unit || !is_first(g, i))
			continue;
		if (!any) {
			fprintf(out, "# TYPE %s gauge\n", rows[unit].name);
			if (rows[unit].unit)
				fprintf(out, "# UNIT %s %s\n", rows[unit].name, rows[unit].unit);
			fprintf(out, "# HELP %s %s\n", rows[unit].name, rows[unit].help);
		}
		any = true;
		fprintf(out, "%s{budget=\"", rows[unit].name);
		put_label(v->text, out);
		fprintf(out, "\"} %.9g\n", v->estimate * rows[unit].scale);
	}
}

int gate_metrics(const struct gate *g, FILE *out)
{
	for (unsigned int u = 0; u < UNIT_CNT; u++)
		put_family(g, (enum budget_unit)u, out);
	fputs("# TYPE wakelag_gate_budgets gauge\n# HELP wakelag_gate_budgets budgets by verdict\n", out);
	for (unsigned int r = 0; r < RESULT_CNT; r++)
		fprintf(out, "wakelag_gate_budgets{verdict=\"%s\"} %zu\n", result_words[r], g->of[r]);
	fputs("# EOF\n", out);
	return 0;
}
