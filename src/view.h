/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From a recording to finished tables, and from those to a file. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "export/export.h"
#include "stats/tables.h"

struct merge;
struct model;
struct recording;

struct view {
	struct recording *recording;	/* NULL: of another source */
	struct merge *merge;	/* NULL: of one recording, or of another source */
	bool was_read;		/* once through */
	struct model *model;	/* of the last pass: names, facts */
	struct tables *tables;
	struct fact *facts;
	size_t fact_cnt;
};

/*
 * Reads the recording, twice if there are more entities than the top N. Takes the recording, also on
 * failure. 0 or -errno, told on stderr; a cut or damaged recording is told and is no failure.
 */
int view_open(struct recording *r, const struct tables_opts *opts, struct view *out);
/* The same of one recording or several (soak/merge.h), by their paths. */
int view_open_files(char *const *paths, size_t cnt, const struct tables_opts *opts, struct view *out);
/* The same from anything that can give its records again and again; without a word about damage. */
int view_open_source(int (*replay)(void *ctx, int (*feed)(void *, const void *, size_t), void *feed_ctx), void *ctx,
		     const struct tables_opts *opts, struct view *out);
void view_close(struct view *v);

/* Writes through an exporter to an open file. 0; -EIO: it could not be written, not told; else told. */
int view_write(const struct view *v, const struct exporter *e, const struct export_opts *opts, FILE *out);
/*
 * Writes to path (NULL: stdout). A file is written under another name and renamed when whole. What `write`
 * returns: 0, -EIO (not told by it) or -errno (told). 0 or -errno, told on stderr.
 */
int view_write_file(int (*write)(const void *ctx, FILE *out), const void *ctx, const char *path);
/* The same through an exporter. */
int view_export(const struct view *v, const struct exporter *e, const struct export_opts *opts, const char *path);
