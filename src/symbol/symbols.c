/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "symbols.h"

#include <stdlib.h>
#include <string.h>

#include "../base/numbers.h"

static Elf64_Sym symbol_at(const struct symbols *s, size_t i)
{
	Elf64_Sym sym;

	memcpy(&sym, s->table + i * sizeof(sym), sizeof(sym));
	return sym;
}

/* NULL: it has none, or its end is not where it should be. */
static const char *name_of(const struct symbols *s, const Elf64_Sym *sym)
{
	size_t room;

	if (!sym->st_name || sym->st_name >= s->names_size)
		return NULL;
	room = s->names_size - sym->st_name;
	if (room > SYMBOL_NAME_MAX)
		room = SYMBOL_NAME_MAX;
	return s->names[sym->st_name] && memchr(s->names + sym->st_name, '\0', room) ? s->names + sym->st_name : NULL;
}

static bool section_of(const struct symbols *s, const Elf64_Sym *sym, Elf64_Shdr *out)
{
	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx >= s->section_cnt)
		return false;
	memcpy(out, s->sections + sym->st_shndx * sizeof(*out), sizeof(*out));
	return true;
}

/* Labels of assembler code have no type. */
static bool is_function(const struct symbols *s, const Elf64_Sym *sym)
{
	Elf64_Shdr section;

	switch (ELF64_ST_TYPE(sym->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		return sym->st_shndx != SHN_UNDEF;
	case STT_NOTYPE:
		return section_of(s, sym, &section) && section.sh_flags & SHF_EXECINSTR;
	default:
		return false;
	}
}

static int by_addr(const void *a, const void *b)
{
	const struct symbol_place *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static bool is_sorted(const struct symbol_place *places, size_t cnt)
{
	for (size_t i = 1; i < cnt; i++)
		if (places[i - 1].addr > places[i].addr)
			return false;
	return true;
}

/* By 11 bits at a time, of which those that are the same in all are skipped: a tenth of qsort's time. */
static bool sort_places(struct symbol_place *places, size_t cnt)
{
	enum { BITS = 11, VALUES = 1 << BITS };
	struct symbol_place *from = places, *to = malloc(cnt * sizeof(*to)), *spare = to;
	uint64_t ones = 0;

	if (!to)
		return false;
	for (size_t i = 0; i < cnt; i++)
		ones |= places[i].addr ^ places[0].addr;
	for (unsigned int shift = 0; shift < 64 && ones >> shift; shift += BITS) {
		size_t begins[VALUES + 1] = {};

		for (size_t i = 0; i < cnt; i++)
			begins[(from[i].addr >> shift) % VALUES + 1]++;
		for (size_t i = 1; i < VALUES; i++)
			begins[i] += begins[i - 1];
		for (size_t i = 0; i < cnt; i++)
			to[begins[(from[i].addr >> shift) % VALUES]++] = from[i];
		struct symbol_place *swap = from;

		from = to;
		to = swap;
	}
	if (from != places)
		memcpy(places, from, cnt * sizeof(*places));
	free(spare);
	return true;
}

static size_t function_cnt(const struct symbols *s)
{
	size_t cnt = 0;

	for (size_t i = 0; i < s->cnt; i++) {
		Elf64_Sym sym = symbol_at(s, i);

		cnt += is_function(s, &sym);
	}
	return cnt;
}

static void index_functions(struct symbols *s)
{
	size_t cnt = function_cnt(s);

	s->is_indexed = true;
	if (!cnt || cnt > SYMBOLS_INDEXED)
		return;
	s->places = malloc(cnt * sizeof(*s->places));
	if (!s->places)
		return;
	for (size_t i = 0; i < s->cnt && s->place_cnt < cnt; i++) {
		Elf64_Sym sym = symbol_at(s, i);

		if (is_function(s, &sym))
			s->places[s->place_cnt++] = (struct symbol_place){
				.addr = sym.st_value,
				.size = sym.st_size < UINT32_MAX ? (uint32_t)sym.st_size : UINT32_MAX,
				.number = (uint32_t)i,
			};
	}
	if (is_sorted(s->places, s->place_cnt))
		return;
	if (!sort_places(s->places, s->place_cnt))
		qsort(s->places, s->place_cnt, sizeof(*s->places), by_addr);
}

/*
 * The name that people know has the fewest underscores before it and is global: pthread_mutex_lock, rather than
 * ___pthread_mutex_lock or __GI___pthread_mutex_lock.
 */
static unsigned int strangeness(const char *name, const Elf64_Sym *sym)
{
	unsigned int bind = ELF64_ST_BIND(sym->st_info);

	return (unsigned int)strspn(name, "_") * 4 + (bind == STB_LOCAL ? 2 : bind == STB_WEAK);
}

struct choice {
	struct symbol symbol;
	unsigned int strange;
};

/* Nearer to the address is better; at the same one, less strange. */
static void choose(struct choice *c, const struct symbols *s, const Elf64_Sym *sym)
{
	const char *name = name_of(s, sym);
	unsigned int strange;

	if (!name)
		return;
	strange = strangeness(name, sym);
	if (c->symbol.name && c->symbol.addr > sym->st_value)
		return;
	if (c->symbol.name && c->symbol.addr == sym->st_value && c->strange <= strange)
		return;
	*c = (struct choice){{name, sym->st_value, sym->st_size}, strange};
}

static bool has(const Elf64_Sym *sym, uint64_t addr)
{
	return addr >= sym->st_value && addr - sym->st_value < sym->st_size;
}

/* It may reach the address, as its size is not known: assembler code. */
static bool may_have(const struct symbols *s, const Elf64_Sym *sym, uint64_t addr)
{
	Elf64_Shdr section;

	if (s->is_exported && addr - sym->st_value >= EXPORTED_REACH)
		return false;
	return !sym->st_size && sym->st_value <= addr && section_of(s, sym, &section) &&
	       addr >= section.sh_addr && addr - section.sh_addr < section.sh_size &&
	       sym->st_value >= section.sh_addr;
}

/* The best of those that say how long they are, and of those that don't. */
struct choices {
	struct choice sized, unsized;
};

static void offer(struct choices *c, const struct symbols *s, const Elf64_Sym *sym, uint64_t addr)
{
	if (has(sym, addr))
		choose(&c->sized, s, sym);
	else if (may_have(s, sym, addr))
		choose(&c->unsized, s, sym);
}

static bool chosen(const struct choices *c, struct symbol *out)
{
	*out = c->sized.symbol.name ? c->sized.symbol : c->unsized.symbol;
	return out->name;
}

/* Symbols one by one, of those in [from, to) of the index or (to is 0) of the whole table. */
static bool choose_function(struct symbols *s, uint64_t addr, size_t from, size_t to, struct symbol *out)
{
	struct choices c = {};

	for (size_t i = to ? from : 0; i < (to ? to : s->cnt); i++) {
		Elf64_Sym sym = symbol_at(s, to ? s->places[i].number : i);

		if (is_function(s, &sym))
			offer(&c, s, &sym, addr);
	}
	return chosen(&c, out);
}

bool symbols_function(struct symbols *s, uint64_t addr, struct symbol *out)
{
	enum { LOOK_BACK = 64 };	/* places: a function may have labels inside, and many names */
	size_t until;

	if (!s->is_indexed)
		index_functions(s);
	if (!s->places)
		return choose_function(s, addr, 0, 0, out);
	until = ROWS_UNTIL(s->places, s->place_cnt, addr, addr);
	return until && choose_function(s, addr, until > LOOK_BACK ? until - LOOK_BACK : 0, until, out);
}

bool symbols_object(const struct symbols *s, uint64_t addr, struct symbol *out)
{
	struct choices c = {};

	for (size_t i = 0; i < s->cnt; i++) {
		Elf64_Sym sym = symbol_at(s, i);
		unsigned int type = ELF64_ST_TYPE(sym.st_info);

		if (type == STT_OBJECT || type == STT_COMMON)
			offer(&c, s, &sym, addr);
	}
	return chosen(&c, out);
}

void symbols_done(struct symbols *s)
{
	free(s->places);
	*s = (struct symbols){};
}
