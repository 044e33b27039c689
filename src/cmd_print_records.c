/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A recording's records as lines of text, the form of src/trace/text.h. */
#include "commands.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "cli.h"
#include "trace/reader.h"
#include "trace/text.h"

static int print(void *ctx, const void *rec, size_t len)
{
	char line[RECORD_TEXT_MAX];

	(void)ctx;
	if (record_print(rec, len, line, sizeof(line)) >= 0)
		puts(line);
	return ferror(stdout) ? -EIO : 0;
}

int cmd_print_records(const struct cli *cli)
{
	struct recording *r;

	if (recording_open(cli->file, &r))
		return EXIT_FAILED;
	int err = recording_read(r, print, NULL);

	recording_close(r);
	return err || fflush(stdout) ? EXIT_FAILED : EXIT_OK;
}
