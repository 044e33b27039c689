/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Talk on stderr. Who sees a failure first prints it, once; others just return the code.
 */
#pragma once

/* Exit statuses of the program (product.md, Commands). */
enum exit_status { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_OVER = 2, EXIT_INCONCLUSIVE = 3, EXIT_CMD = 4, EXIT_USAGE_ERR = 64 };

/* "ENOENT" for ENOENT or -ENOENT; "E123" for numbers without a name. */
const char *err_name(int err);

/* Prints "wakelag: <message>: ENOENT\n" (no errno part if err is 0) and returns err as given. */
int fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Prints "hint: <message>\n": what the user can do about the failure just printed. */
void hint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The hint for a file that cannot be opened, read or written, if there is one for this errno. */
void hint_file(int err);
/*
 * Draws a line that the next one, or any other talk, wipes; an empty one wipes only. Nothing where stderr
 * is no terminal, or when quiet.
 */
void talk_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints "wakelag: <message>\n" unless quiet. */
void talk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* -q silences talk(), never fail(). */
void talk_quiet(int quiet);
