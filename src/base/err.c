/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int quiet;

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

	fputs("hint: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void talk(const char *fmt, ...)
{
	va_list ap;

	if (quiet)
		return;
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
