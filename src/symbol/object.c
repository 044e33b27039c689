/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "parts.h"

static bool symbol_in(const struct file *f, uint64_t addr, struct symbol *out)
{
	for (size_t i = 0; f && i < f->symbols_cnt; i++)
		if (symbols_object(&f->symbols[i], addr, out))
			return true;
	return false;
}

static void name_object(const struct symbol *symbol, uint64_t addr, struct space_object *out)
{
	size_t len;

	demangle(symbol->name, out->name, sizeof(out->name));
	len = strlen(out->name);
	if (addr - symbol->addr >= symbol->size && addr != symbol->addr)
		snprintf(out->name + len, sizeof(out->name) - len, "+0x%" PRIx64, addr - symbol->addr);
}

static bool object_of(struct space *s, const struct mapping *map, uint64_t addr, struct space_object *out)
{
	const struct module *m = module_of_data(s, map);
	struct symbol symbol;

	if (!m || (!symbol_in(m->file->debug, addr - m->bias, &symbol) && !symbol_in(m->file, addr - m->bias, &symbol)))
		return false;
	name_object(&symbol, addr - m->bias, out);
	out->base = symbol.addr + m->bias;
	snprintf(out->module, sizeof(out->module), "%s", m->name);
	s->last_object = (struct object_cache){out->base, out->base + symbol.size, *out};
	return true;
}

bool space_object(struct space *s, uint64_t addr, struct space_object *out)
{
	const struct mapping *map = s->kernel ? NULL : maps_find(&s->maps, addr);

	if (!map)
		return false;
	*out = (struct space_object){};
	if (map->is_shared) {
		out->inode = map->inode;
		out->offset = addr - map->lo + map->offset;
		if (map->module != MODULE_NONE)
			snprintf(out->module, sizeof(out->module), "%s", s->maps.modules[map->module].name);
		return true;
	}
	/* Objects are large and have many locks: a table of them, say. */
	if (addr >= s->last_object.lo && addr < s->last_object.hi) {
		*out = s->last_object.object;
		return true;
	}
	return object_of(s, map, addr, out);
}
