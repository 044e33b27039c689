/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debug.h"
#include "file.h"
#include "parts.h"

enum { PLACES_MAX = 16 };	/* inlined calls in each other; what is farther out is cut */

static bool symbol_in(struct file *f, uint64_t addr, struct symbol *out)
{
	for (size_t i = 0; f && i < f->symbols_cnt; i++)
		if (symbols_function(&f->symbols[i], addr, out))
			return true;
	return false;
}

/* The tables that have most come first. */
static bool symbol_of(const struct module *m, uint64_t addr, struct symbol *out)
{
	return symbol_in(m->file->debug, addr, out) || symbol_in(m->file->mini, addr, out) ||
	       symbol_in(m->file, addr, out);
}

static const struct module *module_at(struct space *s, uint64_t pc)
{
	const struct mapping *map = maps_find(&s->maps, pc);

	return map && map->is_code ? module_open(s, map) : NULL;
}

bool function_begin(struct space *s, uint64_t pc, uint64_t *begin)
{
	const struct module *m = module_at(s, pc);
	struct symbol symbol;

	if (!m)
		return false;
	if (!symbol_of(m, pc - m->bias, &symbol) && !file_function_begin(m->file, pc - m->bias, &symbol.addr))
		return false;
	*begin = symbol.addr + m->bias;
	return true;
}

bool is_same_name(struct space *s, uint64_t pc, uint64_t other)
{
	const struct module *m = module_at(s, pc), *n = module_at(s, other);
	char names[2][sizeof(((struct space_frame *)NULL)->func)];
	struct symbol a, b;

	if (!m || m != n || !symbol_of(m, pc - m->bias, &a) || !symbol_of(m, other - m->bias, &b))
		return false;
	demangle(a.name, names[0], sizeof(names[0]));
	demangle(b.name, names[1], sizeof(names[1]));
	return !strcmp(names[0], names[1]);
}

/* DWARF of the file itself, or of its debug file. */
static struct debug_lines *lines_of(struct space *s, struct file *f)
{
	if (f->has_lines)
		return f->lines;
	f->has_lines = true;
	if (f->debug)
		f->lines = debug_lines_open(f->debug, &s->inflated);
	if (!f->lines && !f->is_go)
		f->lines = debug_lines_open(f, &s->inflated);
	return f->lines;
}

static size_t places_at(struct space *s, const struct module *m, uint64_t addr, struct space_frame *frames, size_t max,
			bool *has_function)
{
	struct debug_lines *lines = lines_of(s, m->file);
	struct debug_place places[PLACES_MAX];
	size_t cnt = lines ? debug_lines_at(lines, addr, places, max < PLACES_MAX ? max : PLACES_MAX) : 0;

	for (size_t i = 0; i < cnt; i++) {
		frames[i] = (struct space_frame){.line = places[i].line};
		memcpy(frames[i].file, places[i].file, sizeof(frames[i].file));
		if (places[i].func)
			demangle(places[i].func, frames[i].func, sizeof(frames[i].func));
	}
	*has_function = cnt && !places[cnt - 1].is_inlined;
	return cnt;
}

/* The symbol table knows names of functions that the debug information lacks, and others' own: aliases. */
static void name_function(const struct module *m, uint64_t addr, struct space_frame *out)
{
	struct symbol symbol;
	uint64_t begin;

	if (symbol_of(m, addr, &symbol)) {
		demangle(symbol.name, out->func, sizeof(out->func));
		return;
	}
	if (*out->func)
		return;
	/* So that all addresses of a function have one name. */
	if (!file_function_begin(m->file, addr, &begin))
		begin = addr;
	snprintf(out->func, sizeof(out->func), "%s+0x%" PRIx64, m->name, begin);
}

static size_t resolve_mapped(struct space *s, const struct mapping *map, uint64_t pc, bool is_return,
			     struct space_frame *frames, size_t max)
{
	const struct module *m = module_open(s, map);
	const char *module = s->maps.modules[map->module].name;
	bool has_function;
	size_t cnt;

	if (!m) {
		frames[0] = (struct space_frame){};
		snprintf(frames[0].module, sizeof(frames[0].module), "%s", module);
		snprintf(frames[0].func, sizeof(frames[0].func), "%s+0x%" PRIx64, module, pc - map->lo + map->offset);
		return 1;
	}
	cnt = places_at(s, m, pc - is_return - m->bias, frames, max, &has_function);
	if (!cnt) {
		frames[cnt++] = (struct space_frame){};
		has_function = true;
	}
	if (has_function)
		name_function(m, pc - is_return - m->bias, &frames[cnt - 1]);
	for (size_t i = 0; i < cnt; i++)
		snprintf(frames[i].module, sizeof(frames[i].module), "%s", module);
	return cnt;
}

size_t space_resolve(struct space *s, uint64_t pc, bool is_return, struct space_frame *frames, size_t max)
{
	const struct mapping *map;

	if (!max)
		return 0;
	if (s->kernel)
		return kernel_find(s->kernel, pc - is_return, &frames[0]);
	map = maps_find(&s->maps, pc - is_return);
	if (!map)
		return 0;
	if (map->module == MODULE_NONE) {
		frames[0] = (struct space_frame){};
		return perfmap_find(s, pc - is_return, &frames[0]) || map->is_code;
	}
	return resolve_mapped(s, map, pc, is_return, frames, max);
}

/* C code of a Go program has CFI, Go's own has none. */
bool space_is_go(struct space *s, uint64_t pc)
{
	const struct mapping *map = s->kernel ? NULL : maps_find(&s->maps, pc);
	const struct module *m = map && map->is_code ? module_open(s, map) : NULL;
	Dwarf_Frame *frame;

	if (!m || !m->file->is_go)
		return false;
	if (!file_cfi(m->file) || dwarf_cfi_addrframe(m->file->cfi, pc - m->bias, &frame))
		return true;
	free(frame);
	return false;
}
