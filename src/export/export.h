/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The exporters: finished tables in, a file out. Names and help of the command line come from the rows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "../stats/tables.h"

struct names;
struct model;
struct model_info;
struct term;

/* X(id, name, help) */
#define SHAPES(X) \
	X(LONG, "long", "one cell a row") \
	X(WIDE, "wide", "one row a time, one column a latency bucket, dense") \
	X(PAIRS, "pairs", "one sample a row: time and latency, separated by a space")

enum shape {
#define X(id, name, help) SHAPE_##id,
	SHAPES(X)
#undef X
	SHAPE_CNT
};

extern const char *const shape_names[SHAPE_CNT];

/* A fact of the recording (REC_FACT). */
struct fact {
	const char *name, *value;
};

struct export_opts {
	enum table table;
	bool has_table;			/* it was asked for by name */
	enum shape shape;		/* of the heatmap */
	/* for the report; NULL, 0: none */
	const struct model_info *info;
	const struct model *model;	/* for its Go processes */
	const struct fact *facts;
	size_t fact_cnt;
	const struct term *term;	/* what the report is shown on. NULL: what it is written to */
};

struct exporter {
	const char *name, *suffix, *help;
	bool is_binary;			/* nothing for a terminal */
	bool wants_stacks;		/* for tables_opts */
	/* 0; -EIO: the file could not be written (not printed); else -errno, printed. Does not close out. */
	int (*run)(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out);
	unsigned int (*needs)(const struct export_opts *o);	/* mask of TABLE_BIT, for tables_opts */
};

/* Ends with a row without a name. */
extern const struct exporter exporters[];

/* NULL: no such name. */
const struct exporter *exporter_find(const char *name);
/* The index in names, or -1: for tables, metrics, shapes. */
int table_find(const char *name);
int shape_find(const char *name);
int metric_find(const char *name);
/* The valid names, "a, b, c", to buf, which they return. */
const char *exporters_list(char *buf, size_t size);
const char *tables_list(char *buf, size_t size);
const char *shapes_list(char *buf, size_t size);
const char *metrics_list(unsigned int mask, char *buf, size_t size);
