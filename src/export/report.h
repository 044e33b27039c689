/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The report: what was recorded and what came out, as text that fits the terminal it goes to. Headline,
 * heatmap of the headline's metric, a section per metric, then what was counted, lost, absent, and the cost.
 */
#pragma once

#include "export.h"

/* As exporter.run of export.h; uses info and facts of the options. */
int export_report(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out);
unsigned int report_needs(const struct export_opts *o);
