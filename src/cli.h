/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The command line: a table of commands (cli.c) and one of options (options.h). Parsing prints nothing
 * but help and usage errors; it fills a struct and starts nothing.
 */
#pragma once

#include <stdbool.h>

#include "collect/session.h"
#include "export/diff.h"
#include "export/export.h"
#include "gate/opts.h"
#include "soak/opts.h"
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
	const char *file;	/* the recording to read, the first of them */
	char **files;		/* all of them if they are several, else NULL; the array is ours */
	size_t file_cnt;
	struct soak_opts soak;
	struct gate_opts gate;
	struct compare_opts compare;
	const struct diff_format *diff_format;
	const char *listen;	/* of serve, see serve/listen.h */
	bool quiet;
	bool verify;
};

/* One for each command, for the rows of both tables. */
enum command_bit {
	IN_MAIN = 1, IN_RECORD = 2, IN_REPORT = 4, IN_EXPORT = 8, IN_TOP = 16, IN_DOCTOR = 32, IN_HIDDEN = 64,
	IN_DIFF = 1024,
	IN_GATE = 4096,
	IN_SERVE = 2048,
	RECORDING = IN_MAIN | IN_RECORD | IN_TOP | IN_SERVE | IN_GATE,
	VIEWING = IN_MAIN | IN_REPORT | IN_EXPORT | IN_TOP,
};

enum command_args {
	ARGS_NONE,
	ARGS_TARGET = 1,	/* something to trace */
	ARGS_CMD = 2,		/* which may be a command, after -- */
	ARGS_FILE = 4,
	ARGS_FILES = 8,		/* with ARGS_FILE: several */
};

struct command {
	const char *name;	/* NULL: the main job, without a verb */
	const char *usage;	/* the arguments, for usage */
	const char *help;	/* NULL: not shown */
	enum command_bit bit;
	unsigned int args;	/* mask of enum command_args */
	int (*run)(const struct cli *cli);	/* an exit status */
};

extern const struct command commands[];	/* ends with a row without a run */

/* Fills out from argv, or exits: 0 after --help and --version, 64 after a usage error, told on stderr. */
void cli_parse(int argc, char **argv, struct cli *out);
void cli_done(struct cli *cli);
