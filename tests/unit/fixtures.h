/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fixtures: text files whose => lines are what the lines before them must cause. A test runs the other
 * lines and gives the file as it would be if the code were right. BLESS=1 writes that: read the diff.
 */
#pragma once

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(f);
	if (getdelim(&text, &size, '\0', f) < 0)
		fail_msg("%s is empty", path);
	fclose(f);
	return text;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Prints where they part, with the lines up to the next record. */
static void print_difference(const char *path, const char *want, const char *have)
{
	const char *w = want, *h = have, *start = want;
	int nr = 1;

	for (; *w && *w == *h; w++, h++) {
		if (*w == '\n') {
			nr++;
			start = w + 1;
		}
	}
	h -= w - start;
	print_error("%s:%d differs\nwant: %.*s\nhave: %.*s\n", path, nr, (int)strcspn(start, "\n"), start,
		    (int)strcspn(h, "\n"), h);
}

static int is_fixture(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && !strcmp(dot, ".txt");
}

/* Checks all fixtures of a directory; `run` gives the whole text anew, allocated. */
static void check_fixtures(const char *dir, char *(*run)(const char *text))
{
	struct dirent **files;
	int cnt = scandir(dir, &files, is_fixture, alphasort), bad = 0;

	assert_true(cnt > 0);
	for (int i = 0; i < cnt; i++) {
		char path[512], *want, *have;

		snprintf(path, sizeof(path), "%s/%s", dir, files[i]->d_name);
		want = read_file(path);
		have = run(want);
		if (strcmp(want, have) && getenv("BLESS"))
			write_file(path, have);
		else if (strcmp(want, have)) {
			print_difference(path, want, have);
			bad++;
		}
		free(want);
		free(have);
		free(files[i]);
	}
	free(files);
	assert_int_equal(bad, 0);
}
