/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Text for people and files: names come from the target and may hold anything.
 * All write at most size bytes to out, always NUL-terminated.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { TEXT_SZ = 1280 };	/* holds any name (a cgroup's path) escaped, with quotes */

/* Control characters (C0, DEL, C1) and bytes that are no UTF-8 become \xNN. Returns the length. */
size_t text_escape(const char *raw, char *out, size_t size);
/* As a CSV cell: escaped, a ' before what a spreadsheet would take for a formula, quoted if need be. */
size_t text_csv(const char *raw, char *out, size_t size);
/* Three digits and a unit: 0ns, 1.23us, 45.6ms, 789s. Returns out. */
const char *text_ns(uint64_t ns, char *out, size_t size);
/* Characters (not bytes) of a UTF-8 text. */
size_t text_width(const char *utf8);
