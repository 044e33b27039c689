/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Setters of gate's rows in the table of options (options.h). */
#pragma once

struct cli;

const char *set_budget(struct cli *cli, const char *value);
const char *set_budgets(struct cli *cli, const char *value);
const char *set_junit(struct cli *cli, const char *value);
const char *set_markdown(struct cli *cli, const char *value);
const char *set_gate_json(struct cli *cli, const char *value);
const char *set_gate_metrics(struct cli *cli, const char *value);
const char *set_baseline(struct cli *cli, const char *value);
const char *set_max_regress(struct cli *cli, const char *value);
const char *set_max_loss(struct cli *cli, const char *value);
const char *set_min_samples(struct cli *cli, const char *value);
const char *set_annotations(struct cli *cli, const char *value);
