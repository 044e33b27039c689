/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The comparison of two recordings, as text, tables and a picture. Names of formats come from the rows. */
#pragma once

#include <stdio.h>

#include "../stats/compare.h"
#include "export.h"

/* One recording; all is borrowed. */
struct diff_side {
	const char *file;
	const struct tables *tables;	/* with heatmap */
	const struct names *names;
	struct export_opts about;	/* info and facts */
};

struct diff {
	struct diff_side base, now;
	const struct compare *compare;
	enum table table;	/* of CSV and JSON: TABLE_STAGES is the shifts, TABLE_HEATMAP the difference of both */
};

struct diff_format {
	const char *name, *help;
	/* 0; -EIO: could not be written (not printed); else -errno, printed. Does not close out. */
	int (*run)(const struct diff *d, FILE *out);
};

/* The first is the default. Ends with a row without a name. */
extern const struct diff_format diff_formats[];

/* NULL: no such name. */
const struct diff_format *diff_format_find(const char *name);
/* "text, csv, ..." to buf, which it returns. */
const char *diff_formats_list(char *buf, size_t size);
