/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "units.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "../base/grow.h"
#include "../base/numbers.h"

enum {
	NESTED_MAX = 32,		/* namespaces and types in each other */
	UNIT_BYTES_MAX = 8 << 20,	/* about 50 ms; of a larger one no functions are listed: no inlined calls */
};

static bool has_too_many(Dwarf *dwarf)
{
	Dwarf_Off at = 0, next;
	size_t cnt = 0, header;

	while (!dwarf_next_unit(dwarf, at, &next, &header, NULL, NULL, NULL, NULL, NULL, NULL)) {
		if (++cnt > UNITS_MAX || next <= at)
			return true;
		at = next;
	}
	return false;
}

static bool add_range(struct units *us, uint64_t lo, uint64_t hi, uint64_t die)
{
	struct unit_range *grown;

	if (us->range_cnt == UNIT_RANGES_MAX)
		return false;
	grown = grow(us->ranges, us->range_cnt, &us->range_room, sizeof(*grown));
	if (!grown)
		return false;
	us->ranges = grown;
	grown[us->range_cnt++] = (struct unit_range){lo, hi, die};
	return true;
}

/* Code at 0 is what the linker dropped. */
static bool add_unit(struct units *us, Dwarf_Die *die)
{
	Dwarf_Addr base, lo, hi;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &lo, &hi)) > 0)
		if (lo && lo < hi && !add_range(us, lo, hi, dwarf_dieoffset(die)))
			return false;
	return true;
}

static int by_lo(const void *a, const void *b)
{
	const struct unit_range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

void units_list(struct units *us, Dwarf *dwarf)
{
	Dwarf_Off at = 0, next;
	size_t header;

	if (has_too_many(dwarf))
		return;
	while (!dwarf_nextcu(dwarf, at, &next, &header, NULL, NULL, NULL)) {
		Dwarf_Die die;

		if (dwarf_offdie(dwarf, at + header, &die) && !add_unit(us, &die)) {
			us->range_cnt = 0;
			return;
		}
		at = next;
	}
	if (us->range_cnt)
		qsort(us->ranges, us->range_cnt, sizeof(*us->ranges), by_lo);
}

static void unit_done(struct unit *u)
{
	lines_close(&u->lines);
	free(u->functions);
	*u = (struct unit){};
}

void units_done(struct units *us)
{
	for (size_t i = 0; i < UNITS_KEPT; i++)
		unit_done(&us->kept[i]);
	free(us->ranges);
	*us = (struct units){};
}

static bool add_function(struct unit *u, uint64_t lo, uint64_t hi, uint64_t die)
{
	struct function_range *grown;

	if (u->function_cnt == FUNCTIONS_MAX)
		return false;
	grown = grow(u->functions, u->function_cnt, &u->function_room, sizeof(*grown));
	if (!grown)
		return false;
	u->functions = grown;
	grown[u->function_cnt++] = (struct function_range){
		.lo = lo,
		.size = hi - lo < UINT32_MAX ? (uint32_t)(hi - lo) : UINT32_MAX,
		.die = (uint32_t)die,
	};
	return true;
}

static bool add_subprogram(struct unit *u, Dwarf_Die *die)
{
	Dwarf_Addr base, lo, hi;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &lo, &hi)) > 0)
		if (lo && lo < hi && !add_function(u, lo, hi, dwarf_dieoffset(die)))
			return false;
	return true;
}

static bool may_have_functions(int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		return true;
	default:
		return false;
	}
}

/* False: enough. */
static bool add_functions(struct unit *u, Dwarf_Die *parent, size_t depth)
{
	Dwarf_Die child;

	if (depth == NESTED_MAX || dwarf_child(parent, &child))
		return true;
	do {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_subprogram ? !add_subprogram(u, &child) :
					       may_have_functions(tag) && !add_functions(u, &child, depth + 1))
			return false;
	} while (!dwarf_siblingof(&child, &child));
	return true;
}

static int by_function(const void *a, const void *b)
{
	const struct function_range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static void list_functions(struct unit *u, Dwarf *dwarf, Dwarf_Die *die)
{
	Dwarf_Off begin = dwarf_dieoffset(die) - dwarf_cuoffset(die), next;
	size_t header;

	if (dwarf_nextcu(dwarf, begin, &next, &header, NULL, NULL, NULL) || next - begin > UNIT_BYTES_MAX)
		return;
	add_functions(u, die, 0);
	if (u->function_cnt)
		qsort(u->functions, u->function_cnt, sizeof(*u->functions), by_function);
}

static bool open_lines(struct unit *u, Dwarf_Die *die, const struct line_sections *sections)
{
	Dwarf_Attribute attr;
	Dwarf_Word offset;

	return dwarf_attr(die, DW_AT_stmt_list, &attr) && !dwarf_formudata(&attr, &offset) &&
	       lines_open(sections, offset, &u->lines);
}

static void unit_open(struct unit *u, Dwarf *dwarf, Dwarf_Die *die, const struct line_sections *sections)
{
	Dwarf_Attribute attr;

	u->die = dwarf_dieoffset(die);
	if (dwarf_attr(die, DW_AT_comp_dir, &attr))
		u->comp_dir = dwarf_formstring(&attr);
	u->has_lines = open_lines(u, die, sections);
	list_functions(u, dwarf, die);
}

/* Units that were not used for long give way, until what is kept is no more than allowed. */
static struct unit *make_room(struct units *us)
{
	for (;;) {
		struct unit *oldest = NULL, *spare = NULL;
		size_t functions = 0;

		for (size_t i = 0; i < UNITS_KEPT; i++) {
			struct unit *u = &us->kept[i];

			functions += u->function_cnt;
			if (!u->die)
				spare = u;
			else if (!oldest || u->used < oldest->used)
				oldest = u;
		}
		if (spare && functions < FUNCTIONS_MAX)
			return spare;
		unit_done(oldest);
	}
}

static const struct unit_range *range_of(const struct units *us, uint64_t addr)
{
	enum { LOOK_BACK = 16 };	/* ranges of sound files do not overlap */
	size_t until = ROWS_UNTIL(us->ranges, us->range_cnt, lo, addr);

	for (size_t i = until; i > 0 && until - i < LOOK_BACK; i--)
		if (addr < us->ranges[i - 1].hi)
			return &us->ranges[i - 1];
	return NULL;
}

struct unit *units_find(struct units *us, Dwarf *dwarf, const struct line_sections *sections, uint64_t addr)
{
	const struct unit_range *range = range_of(us, addr);
	struct unit *u = NULL;
	Dwarf_Die die;

	for (size_t i = 0; range && i < UNITS_KEPT; i++)
		if (us->kept[i].die == range->die)
			u = &us->kept[i];
	if (range && !u && dwarf_offdie(dwarf, range->die, &die)) {
		u = make_room(us);
		unit_open(u, dwarf, &die, sections);
	}
	if (u)
		u->used = ++us->uses;
	return u;
}

bool unit_function(const struct unit *u, Dwarf *dwarf, uint64_t addr, Dwarf_Die *out)
{
	size_t lo = 0, hi = u->function_cnt;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (u->functions[mid].lo <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && addr - u->functions[lo - 1].lo < u->functions[lo - 1].size &&
	       dwarf_offdie(dwarf, u->functions[lo - 1].die, out);
}
