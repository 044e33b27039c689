/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The table of options: parsing, help, man page and completion are made from its rows. Lists of valid
 * values come from the tables of what they name.
 */
#pragma once

#include <stddef.h>

struct cli;

enum option_group {
	OPTIONS_TARGET = 1,
	OPTIONS_RECORDING,
	OPTIONS_VIEW,
	OPTIONS_GATE,
	OPTIONS_SERVE,
	OPTIONS_DOCTOR,
	OPTIONS_TALK,
	OPTION_GROUP_CNT
};

/* Headings, by enum option_group. */
extern const char *const option_groups[OPTION_GROUP_CNT];

struct option_row {
	const char *name;
	int key;		/* a letter if it is also a short option, else from 256 on */
	const char *arg;	/* NULL: takes none */
	unsigned int in;	/* mask of enum command_bit: the commands that have it */
	enum option_group group;
	/* Sets it. NULL, or what is wrong with the value (static text; not used if there is a list). */
	const char *(*set)(struct cli *cli, const char *value);
	/* "a, b, c": the valid values; NULL: there is no list. Writes to buf, which it returns. */
	const char *(*list)(char *buf, size_t size);
	const char *initial;	/* what it is if not given, NULL: see help; "" in a list: its first */
	const char *help;
};

/* Ends with a row without a name. */
extern const struct option_row option_rows[];

/* The help with the valid values and the default, to buf, which it returns. */
const char *option_help(const struct option_row *row, char *buf, size_t size);
/* NULL: no such row. */
const struct option_row *option_by_key(int key);
