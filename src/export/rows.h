/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tables as rows of cells, whatever the format: a format gives a sink, and columns and their order are
 * here alone. Columns per product.md; times are ns since the start.
 */
#pragma once

#include "export.h"

struct row_sink {
	void *ctx;
	void (*columns)(void *ctx, const char *const *names, size_t cnt);	/* once, first */
	void (*text)(void *ctx, const char *raw);	/* "": empty */
	void (*number)(void *ctx, uint64_t v);
	void (*signed_number)(void *ctx, int64_t v);
	void (*none)(void *ctx);			/* a number that there is not */
	int (*end)(void *ctx);				/* of a row: 0, or -errno, which ends the table */
};

/* Gives all rows of a table to the sink. 0 or -errno. */
int rows_write(const struct tables *t, const struct names *n, enum table table, const struct row_sink *sink);
