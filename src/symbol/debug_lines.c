/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * libdw reads the entries (DIEs) of DWARF; lines.h its line programs. What would take time or memory by the size of
 * the file is bounded: the units of a file are listed once, by their addresses; of the units asked about last, the
 * functions and the marks of their line programs are kept.
 */
#include "debug.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <stdlib.h>
#include <string.h>

#include "../base/grow.h"
#include "../base/numbers.h"
#include "file.h"
#include "units.h"

enum {
	INFLATED_MAX = 4 << 20,		/* bytes of compressed sections, which libdw inflates: 30 ms or so */
	INLINE_DEPTH = 64,		/* of blocks and inlined calls in each other */
};

struct debug_lines {
	Dwarf *dwarf;
	struct units units;
	struct line_sections sections;
};

/* False: more is to be inflated than we want. *has_info: there is DWARF at all. */
static bool is_affordable(const struct file *f, uint64_t *inflated, bool *has_info)
{
	Elf_Scn *scn = NULL;
	uint64_t sum = 0;
	size_t names;

	*has_info = false;
	if (elf_getshdrstrndx(f->elf, &names))
		return false;
	while ((scn = elf_nextscn(f->elf, scn))) {
		Elf64_Shdr *h = elf64_getshdr(scn);
		const char *name = h ? elf_strptr(f->elf, names, h->sh_name) : NULL;
		Elf64_Chdr *packed;

		if (!name || (!begins_with(name, ".debug_") && !begins_with(name, ".zdebug_")))
			continue;
		if (begins_with(name, ".zdebug_"))
			return false;	/* the way of before 2015 */
		if (!strcmp(name, ".debug_info") && h->sh_type != SHT_NOBITS)
			*has_info = true;
		if (!(h->sh_flags & SHF_COMPRESSED))
			continue;
		packed = elf64_getchdr(scn);
		if (!packed || packed->ch_size > INFLATED_MAX)
			return false;
		sum += packed->ch_size;
	}
	if (sum + *inflated > INFLATED_MAX)
		return false;
	*inflated += sum;
	return true;
}

/* libdw would look for the other file that dwz made by a path in this one: a hostile one could name anything. */
static bool needs_other_file(Dwarf *dwarf)
{
	const char *name;
	const void *id;

	return dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id) > 0;
}

/* As libdw has it, after it inflated it. */
static struct line_bytes bytes_of(const struct file *f, const char *name)
{
	Elf64_Shdr h;
	Elf_Scn *scn = file_section(f, name, &h);
	Elf_Data *data = scn && h.sh_type != SHT_NOBITS ? elf_rawdata(scn, NULL) : NULL;

	if (!data || !data->d_buf)
		return (struct line_bytes){};
	return (struct line_bytes){data->d_buf, data->d_size};
}

struct debug_lines *debug_lines_open(const struct file *f, uint64_t *inflated)
{
	struct debug_lines *l;
	bool has_info;

	if (!is_affordable(f, inflated, &has_info) || !has_info)
		return NULL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->dwarf = dwarf_begin_elf(f->elf, DWARF_C_READ, NULL);
	if (!l->dwarf || needs_other_file(l->dwarf)) {
		debug_lines_free(l);
		return NULL;
	}
	l->sections = (struct line_sections){
		bytes_of(f, ".debug_line"), bytes_of(f, ".debug_line_str"), bytes_of(f, ".debug_str"),
	};
	units_list(&l->units, l->dwarf);
	return l;
}

void debug_lines_free(struct debug_lines *l)
{
	if (!l)
		return;
	units_done(&l->units);
	dwarf_end(l->dwarf);
	free(l);
}

static const char *name_of(Dwarf_Die *die)
{
	Dwarf_Attribute attr;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attr) || dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr))
		return dwarf_formstring(&attr);
	return dwarf_diename(die);
}

static uint32_t number_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attr) || dwarf_formudata(&attr, &value) || value > UINT32_MAX)
		return 0;
	return (uint32_t)value;
}

/* What code is inside of: blocks, and calls that were inlined. */
static bool is_scope(Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_inlined_subroutine:
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
		return true;
	default:
		return false;
	}
}

static bool inner_scope(Dwarf_Die *die, uint64_t addr, Dwarf_Die *out)
{
	Dwarf_Die child;

	if (dwarf_child(die, &child))
		return false;
	do {
		if (!is_scope(&child) || dwarf_haspc(&child, addr) <= 0)
			continue;
		*out = child;
		return true;
	} while (!dwarf_siblingof(&child, &child));
	return false;
}

/* The function and the inlined calls in it, the outermost first; how many. */
static size_t calls_at(Dwarf_Die *func, uint64_t addr, Dwarf_Die *calls, size_t max)
{
	Dwarf_Die at = *func;
	size_t cnt = 0;

	calls[cnt++] = at;
	for (size_t depth = 0; depth < INLINE_DEPTH && cnt < max && inner_scope(&at, addr, &at); depth++)
		if (dwarf_tag(&at) == DW_TAG_inlined_subroutine)
			calls[cnt++] = at;
	return cnt;
}

static void put_place(const struct unit *u, uint32_t file, uint32_t line, struct debug_place *out)
{
	out->line = line;
	if (!file && !line)
		return;
	if (!lines_file(&u->lines, file, u->comp_dir, out->file, sizeof(out->file)))
		out->file[0] = '\0';
}

size_t debug_lines_at(struct debug_lines *l, uint64_t addr, struct debug_place *places, size_t max)
{
	struct unit *u = units_find(&l->units, l->dwarf, &l->sections, addr);
	Dwarf_Die func, calls[INLINE_DEPTH];
	uint32_t file = 0, line = 0;
	size_t cnt = 1, given = 0;
	bool has_func, has_line;

	if (!u || !max)
		return 0;
	has_line = u->has_lines && lines_find(&u->lines, addr, &file, &line);
	has_func = unit_function(u, l->dwarf, addr, &func);
	if (!has_line && !has_func)
		return 0;
	if (has_func)
		cnt = calls_at(&func, addr, calls, INLINE_DEPTH);
	for (size_t i = cnt; i > 0 && given < max; i--) {
		struct debug_place *p = &places[given++];

		*p = (struct debug_place){.func = has_func ? name_of(&calls[i - 1]) : NULL, .is_inlined = i > 1};
		if (u->has_lines)
			put_place(u, file, line, p);
		if (i == 1)
			break;
		file = number_of(&calls[i - 1], DW_AT_call_file);
		line = number_of(&calls[i - 1], DW_AT_call_line);
	}
	return given;
}
