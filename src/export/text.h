/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Text for people and files: names come from the target and may hold anything.
 * All write at most size bytes to out, always NUL-terminated.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TEXT_SZ = 1280 };	/* holds any name (a cgroup's path) escaped, with quotes */

/*
 * Control characters (C0, DEL, C1), those that turn the direction of text or are invisible, and bytes
 * that are no UTF-8 become \xNN. Returns the length.
 */
size_t text_escape(const char *raw, char *out, size_t size);
/* The same, and all that is not ASCII. */
size_t text_escape_ascii(const char *raw, char *out, size_t size);
/* Writes a text that is escaped already as XML has it, in elements and in attributes. */
void text_put_xml(const char *text, FILE *out);
/* As a CSV cell: escaped, a ' before what a spreadsheet would take for a formula, quoted if need be. */
size_t text_csv(const char *raw, char *out, size_t size);

/* Three digits and a unit: 0ns, 1.23us, 45.6ms, 789s. Returns out. */
const char *text_ns(uint64_t ns, char *out, size_t size);
/* The same with a sign: +1.23us, -45.6ms, 0ns. Returns out. */
const char *text_signed_ns(int64_t ns, char *out, size_t size);
/* No more digits than needed, for axes: 0, 5us, 16us, 12.5s, 2min, 1h. Returns out. */
const char *text_tick(uint64_t ns, char *out, size_t size);
/* 512B, 50.5kB, 1.20MB: powers of 1000. Returns out. */
const char *text_bytes(uint64_t bytes, char *out, size_t size);

/* The columns of a terminal that a text without control characters takes. */
size_t text_width(const char *utf8);
/* Cut between characters to that width; what was cut ends in `end` ("..."), if there is room. */
size_t text_cut(const char *utf8, size_t width, const char *end, char *out, size_t size);
/* Bytes of the text's next line if it is wrapped at that width: up to a space, or cut between characters. */
size_t text_line(const char *utf8, size_t width);
