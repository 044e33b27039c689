/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * go-layouts PROGRAM...
 *
 * Prints the rows of go_at_rows[] (src/go/layouts.c), the columns of the versions that the Go programs were
 * built with taken from their debug information; later versions become new columns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/go/layouts.h"

enum { MINORS = 64 };

struct column {
	bool is_there;
	struct go_layout layout;
};

static bool read_column(const char *path, struct column columns[MINORS])
{
	char why[GO_WHY] = "no Go program, or no debug information";
	struct go_binary *b;
	int minor, err;

	if (go_binary_open(path, &b, why)) {
		fprintf(stderr, "go-layouts: '%s': %s\n", path, why);
		return false;
	}
	minor = go_binary_build(b)->minor;
	err = minor < 0 || minor >= MINORS ? -1 : go_layout_of_dwarf(b, &columns[minor].layout, why);
	go_binary_close(b);
	if (err) {
		fprintf(stderr, "go-layouts: '%s': %s\n", path, why);
		return false;
	}
	columns[minor].is_there = true;
	return true;
}

static void print_row(size_t at, const struct column columns[MINORS])
{
	const struct go_at_row *row = &go_at_rows[at];
	const char *comma = " ";

	printf("\tAT(%s,%*s", row->id, (int)(26 - strlen(row->id)), "");
	for (int minor = GO_MINOR_FIRST; minor < MINORS; minor++) {
		uint16_t value = GO_NO_OFFSET;

		if (!columns[minor].is_there)
			continue;
		value = go_layout_get(&columns[minor].layout, at);
		if (value == GO_NO_OFFSET)
			printf("%s  NO", comma);
		else
			printf("%s%4u", comma, value);
		comma = ", ";
	}
	printf(")\n");
}

int main(int argc, char **argv)
{
	static struct column columns[MINORS];

	for (int minor = GO_MINOR_FIRST; minor <= GO_MINOR_LAST; minor++) {
		go_layout_of_table(minor, &columns[minor].layout);
		columns[minor].is_there = true;
	}
	for (int i = 1; i < argc; i++)
		if (!read_column(argv[i], columns))
			return EXIT_FAILURE;
	for (size_t at = 0; at < GO_AT_CNT; at++)
		print_row(at, columns);
	return EXIT_SUCCESS;
}
