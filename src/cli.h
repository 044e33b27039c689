/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The command line: one table of commands, one of options (cli.c). Parsing prints nothing but usage
 * errors; it fills a struct and starts nothing.
 */
#pragma once

#include "collect/session.h"
#include "export/export.h"
#include "stats/dims.h"
#include "stats/tables.h"

struct cli {
	const struct command *command;
	struct session_opts session;
	struct tables_opts tables;
	struct export_opts export;
	const struct exporter *format;
	const char *output;	/* -o */
	const char *csv;
	const char *file;	/* the recording to read */
	bool quiet;
};

struct command {
	const char *name;	/* NULL: the main job, without a verb */
	const char *args;	/* for usage */
	const char *help;
	unsigned int bit;	/* in option rows */
	int (*run)(const struct cli *cli);	/* an exit status */
};

extern const struct command commands[];	/* ends with a row without a run */

/* Fills out from argv, or exits: 0 after --help and --version, 64 after a usage error, told on stderr. */
void cli_parse(int argc, char **argv, struct cli *out);
void cli_done(struct cli *cli);
