/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The compilation units of a file by their addresses; of those used last, their functions by their addresses. */
#pragma once

#include <elfutils/libdw.h>

#include "lines.h"

enum {
	UNITS_MAX = 16384,		/* libdw keeps about 1 KiB for each */
	UNIT_RANGES_MAX = 1000000,
	UNITS_KEPT = 8,
	FUNCTIONS_MAX = 500000,		/* of all units that are kept together */
};

struct unit_range {
	uint64_t lo, hi;
	uint64_t die;			/* offset of the unit's first entry */
};

struct function_range {
	uint64_t lo;
	uint32_t size, die;
};

struct unit {
	uint64_t die;			/* 0: free */
	uint64_t used;
	const char *comp_dir;
	bool has_lines;
	struct line_table lines;
	struct function_range *functions;
	size_t function_cnt, function_room;
};

struct units {
	struct unit_range *ranges;
	size_t range_cnt, range_room;
	struct unit kept[UNITS_KEPT];
	uint64_t uses;
};

/* Without memory, or beyond the bounds, the list is empty. */
void units_list(struct units *us, Dwarf *dwarf);
void units_done(struct units *us);
/* The unit of an address, until the next call. NULL: none. */
struct unit *units_find(struct units *us, Dwarf *dwarf, const struct line_sections *sections, uint64_t addr);
bool unit_function(const struct unit *u, Dwarf *dwarf, uint64_t addr, Dwarf_Die *out);
