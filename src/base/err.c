/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int quiet;
static bool line_drawn;	/* by talk_progress(): the cursor stands behind it */

static void wipe_line(void)
{
	if (line_drawn)
		fputs("\r\033[K", stderr);
	line_drawn = false;
}

const char *err_name(int err)
{
	static char buf[16];
	const char *name = strerrorname_np(abs(err));

	if (name)
		return name;
	snprintf(buf, sizeof(buf), "E%d", abs(err));
	return buf;
}

int fail(int err, const char *fmt, ...)
{
	va_list ap;

	wipe_line();
	fputs("wakelag: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (err)
		fprintf(stderr, ": %s", err_name(err));
	fputc('\n', stderr);
	return err;
}

void hint(const char *fmt, ...)
{
	va_list ap;

	wipe_line();
	fputs("hint: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void hint_file(int err)
{
	static const struct {
		int err;
		const char *text;
	} rows[] = {
		{ENOENT, "no such file or directory; see that the path is right"},
		{EACCES, "needs permission: run as its owner (recordings are mode 0600), or with sudo"},
		{EPERM, "needs permission; run with sudo"},
		{EISDIR, "this is a directory; give a file"},
		{ENOTDIR, "a part of the path is a file, not a directory"},
		{ENOSPC, "the disk is full: make room, or write elsewhere with -o"},
		{EDQUOT, "the disk quota is used up: make room, or write elsewhere with -o"},
		{EFBIG, "the file would be too large (ulimit -f)"},
		{EROFS, "the file system is read-only; write elsewhere with -o"},
		{EMFILE, "too many open files (ulimit -n)"},
		{EIO, "a device failed; the kernel's log (dmesg) may say more"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].err == abs(err))
			hint("%s", rows[i].text);
}

void talk_progress(const char *fmt, ...)
{
	struct winsize size = {};
	char text[256];
	va_list ap;

	if (quiet || ioctl(STDERR_FILENO, TIOCGWINSZ, &size))	/* no terminal */
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	wipe_line();
	line_drawn = *text;
	/* One column stays free: a line that wraps cannot be wiped. */
	fprintf(stderr, "%.*s", size.ws_col > 1 ? size.ws_col - 1 : 79, text);
	fflush(stderr);
}

void talk(const char *fmt, ...)
{
	va_list ap;

	if (quiet)
		return;
	wipe_line();
	fputs("wakelag: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void talk_quiet(int q)
{
	quiet = q;
}
