/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The report as one JSON object, or, if a table was asked for, that table as an array of objects with the
 * CSV's column names. Times are integers in ns, rows one a line; large tables are never whole in memory.
 */
#pragma once

#include "export.h"

struct row_sink;

/* As exporter.run of export.h; uses info and facts of the options. */
int export_json(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out);
/* The rows that fn gives, as an array. 0, -EIO or -errno. */
int json_rows(int (*fn)(const void *ctx, const struct row_sink *sink), const void *ctx, FILE *out);
unsigned int json_needs(const struct export_opts *o);
