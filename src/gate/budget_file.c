/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A file of budgets, as it is reviewed with the code: one a line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "budget.h"

enum { LINE_SZ = 1024 };

static int add_line(struct budgets *b, const char *path, const char *text, unsigned int line)
{
	struct budget_error why;
	size_t blank = strspn(text, " \t\r\n");
	int err;

	if (!text[blank] || text[blank] == '#')
		return 0;
	err = budgets_add(b, text, line, &why);
	if (err == -ENOMEM)
		return fail(err, "%s", path);
	if (err)
		fail(0, "%s:%u:%u: %s", path, line, why.column, why.text);
	return err ? -EINVAL : 0;
}

int budgets_read(struct budgets *b, const char *path)
{
	FILE *f = fopen(path, "re");
	char text[LINE_SZ];
	unsigned int line = 0;
	int err = 0;

	if (!f) {
		err = fail(-errno, "'%s': cannot open", path);
		hint_file(err);
		return err;
	}
	while (!err && fgets(text, sizeof(text), f)) {
		line++;
		if (strlen(text) == sizeof(text) - 1 && text[sizeof(text) - 2] != '\n') {
			fail(0, "%s:%u: a line of more than %d characters", path, line, LINE_SZ - 2);
			err = -EINVAL;
		} else {
			err = add_line(b, path, text, line);
		}
	}
	if (!err && ferror(f))
		err = fail(-EIO, "'%s': cannot read", path);
	fclose(f);
	return err;
}
