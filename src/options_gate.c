/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "options_gate.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/units.h"
#include "cli.h"
#include "gate/report.h"

const char *set_budget(struct cli *cli, const char *value)
{
	static char text[sizeof(((struct budget_error *)0)->text) + 32];
	struct budget_error why;
	int err = budgets_add(&cli->gate.budgets, value, 0, &why);

	if (err == -ENOMEM)
		return "cannot be kept: no memory";
	snprintf(text, sizeof(text), "is no budget, column %u: %s", why.column, err ? why.text : "");
	return err ? text : NULL;
}

/* What is wrong in the file was told with its line and column. */
const char *set_budgets(struct cli *cli, const char *value)
{
	int err = budgets_read(&cli->gate.budgets, value);

	if (err)
		exit(err == -EINVAL ? EXIT_USAGE_ERR : EXIT_FAILED);
	return NULL;
}

static const char *set_report(struct cli *cli, enum gate_report report, const char *value)
{
	cli->gate.files[report] = value;
	return *value ? NULL : "is empty";
}

const char *set_junit(struct cli *cli, const char *value)
{
	return set_report(cli, REPORT_JUNIT, value);
}

const char *set_markdown(struct cli *cli, const char *value)
{
	return set_report(cli, REPORT_MARKDOWN, value);
}

const char *set_gate_json(struct cli *cli, const char *value)
{
	return set_report(cli, REPORT_JSON, value);
}

const char *set_gate_metrics(struct cli *cli, const char *value)
{
	return set_report(cli, REPORT_METRICS, value);
}

const char *set_baseline(struct cli *cli, const char *value)
{
	if (cli->gate.baseline_cnt == GATE_BASELINES_MAX)
		return "is one too many: there may be 16";
	cli->gate.baselines[cli->gate.baseline_cnt++] = value;
	return *value ? NULL : "is empty";
}

/* "0.1%" is 0.001. */
static bool parse_percent(const char *text, double max, double *out)
{
	char *end;
	double value = strtod(text, &end);

	if (!isdigit((unsigned char)*text) || strpbrk(text, "xX") || strcmp(end, "%") || value > max)
		return false;
	*out = value / 100;
	return true;
}

const char *set_max_regress(struct cli *cli, const char *value)
{
	double *share = &cli->gate.max_regress;

	return parse_percent(value, 10000, share) && *share > 0 ? NULL : "is no percentage above 0%, as 10%";
}

const char *set_max_loss(struct cli *cli, const char *value)
{
	return parse_percent(value, 100, &cli->gate.max_loss) ? NULL : "is no percentage from 0% to 100%, as 0.1%";
}

const char *set_min_samples(struct cli *cli, const char *value)
{
	return parse_number(value, 1, 1000000000, &cli->gate.min_samples) ? "is no number from 1 to 1000000000" : NULL;
}

const char *set_annotations(struct cli *cli, const char *value)
{
	(void)value;
	cli->gate.annotations = true;
	return NULL;
}
