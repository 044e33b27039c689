/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The report: what was recorded and what came out, as plain text for a terminal of 80 columns.
 */
#pragma once

#include "export.h"

/* As exporter.run of export.h; uses info and facts of the options. */
int export_report(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out);
unsigned int report_needs(const struct export_opts *o);
