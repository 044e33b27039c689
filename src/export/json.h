/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The report as one JSON object, or, if a table was asked for, that table as an array of objects with the
 * CSV's column names. Times are integers in ns, rows one a line; large tables are never whole in memory.
 */
#pragma once

#include "export.h"

/* As exporter.run of export.h; uses info and facts of the options. */
int export_json(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out);
unsigned int json_needs(const struct export_opts *o);
