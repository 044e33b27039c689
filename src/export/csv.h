/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tables as CSV: RFC 4180 quoting with LF, one header line, plain integers in ns since the start,
 * control characters in names escaped.
 */
#pragma once

#include "export.h"

struct row_sink;

/* As exporter.run of export.h; -EINVAL: the shape does not fit the table or its metrics. */
int export_csv(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out);
/* The rows that fn gives, whatever they are of. fn's result, or -EIO. */
int csv_rows(int (*fn)(const void *ctx, const struct row_sink *sink), const void *ctx, FILE *out);
unsigned int csv_needs(const struct export_opts *o);
