/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Debug information of a file: where it is kept, and the places in the source that an address is of. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct debug_lines;
struct file;

/* debug_find.c */

/* The separate debug file of `f`, whose path is `path` in the root of the target: by build id, or by name. NULL: none. */
struct file *debug_find(int proc, const struct file *f, const char *path);
/* .gnu_debugdata: a compressed ELF file with the symbols of functions that are not exported. NULL: none. */
struct file *debug_mini(const struct file *f);

/* debug_lines.c */

struct debug_place {
	const char *func;		/* as in the file, mangled; NULL: it has no name. Valid as long as the file */
	char file[200];			/* "" if it is not known */
	uint32_t line;
	bool is_inlined;		/* a call in the function; false: the function itself */
};

/*
 * DWARF of a file; NULL: it has none, or more than we want in memory. *inflated is how many bytes all files together
 * took for compressed sections; it grows by those of this one.
 */
struct debug_lines *debug_lines_open(const struct file *f, uint64_t *inflated);
void debug_lines_free(struct debug_lines *l);
/* Inlined calls at an address, the innermost first, and last the function itself. How many; 0: nothing is known. */
size_t debug_lines_at(struct debug_lines *l, uint64_t addr, struct debug_place *places, size_t max);
