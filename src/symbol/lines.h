/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A line number program of DWARF 2 to 5, run again for each question rather than kept as a table: a large file has
 * millions of rows. Marks on the way, one for each LINES_MARK rows, say where to begin. The bytes stay the caller's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINES_MARK = 2048, LINES_MARKS_MAX = 16384 };

struct line_bytes {
	const uint8_t *at;
	size_t len;
};

struct line_sections {
	struct line_bytes line, line_str, str;
};

/* A row: what is at addr and behind, until the next one. */
struct line_row {
	uint64_t addr;
	uint32_t file, line;
	bool is_valid;			/* false before a sequence */
};

struct line_mark {
	uint64_t lo, hi;		/* all addresses of its rows */
	size_t at;			/* of the program */
	struct line_row row;
};

struct line_table {
	struct line_sections sections;
	struct line_bytes program, dirs, files;	/* dirs and files: the tables in the header, from their formats on */
	uint16_t version;
	uint8_t offset_size, min_length, line_range, opcode_base;
	int8_t line_base;
	const uint8_t *lengths;		/* of the operands of standard opcodes */
	struct line_mark *marks;
	size_t mark_cnt, mark_room;
};

/* The program at an offset of .debug_line, and its marks. False: it is not sound; nothing is to be freed. */
bool lines_open(const struct line_sections *sections, uint64_t offset, struct line_table *out);
void lines_close(struct line_table *t);
/* file: a number for lines_file(). */
bool lines_find(const struct line_table *t, uint64_t addr, uint32_t *file, uint32_t *line);
/* The path, with comp_dir (may be NULL) before it if it is relative; the end of it if it is too long. */
bool lines_file(const struct line_table *t, uint32_t file, const char *comp_dir, char *out, size_t size);
