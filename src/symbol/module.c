/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "debug.h"
#include "file.h"
#include "parts.h"
#include "target_file.h"

enum { VDSO_MAX = 65536 };	/* it has two to four pages */

static struct file *open_vdso(const struct space *s, const struct mapping *map)
{
	uint64_t size = map->hi - map->lo;
	void *image = size <= VDSO_MAX ? malloc(size) : NULL;

	if (!image)
		return NULL;
	if (target_read(s->proc, map->lo, image, size) != size) {
		free(image);
		return NULL;
	}
	return file_from_memory(image, size);
}

static struct file *open_mapped(const struct space *s, const struct mapping *map, const struct module *m)
{
	int fd = target_open_mapped(s->proc, map->lo, map->hi, m->path, m->inode);

	return fd < 0 ? NULL : file_open(fd);
}

static void add_debug(const struct space *s, struct module *m)
{
	if (m->is_vdso || m->file->is_go)
		return;
	m->file->debug = debug_find(s->proc, m->file, m->path);
	m->file->mini = debug_mini(m->file);
}

/* By its code: of its data, two segments may be of the same page of the file. */
static const struct mapping *code_of(const struct maps *maps, const struct mapping *map)
{
	for (size_t i = 0; i < maps->cnt; i++)
		if (maps->at[i].module == map->module && maps->at[i].is_code)
			return &maps->at[i];
	return map;
}

static bool find_bias(const struct maps *maps, const struct mapping *map, struct module *m)
{
	const struct mapping *code = code_of(maps, map);
	uint64_t addr;

	if (!file_offset_addr(m->file, code->offset, code->is_code, &addr))
		return false;
	m->bias = code->lo - addr;
	return true;
}

const struct module *module_open(struct space *s, const struct mapping *map)
{
	struct module *m;

	if (map->module == MODULE_NONE)
		return NULL;
	m = &s->maps.modules[map->module];
	if (m->is_opened)
		return m->file ? m : NULL;
	m->is_opened = true;
	m->file = m->is_vdso ? open_vdso(s, map) : open_mapped(s, map, m);
	if (!m->file)
		return NULL;
	if (!find_bias(&s->maps, map, m)) {
		file_close(m->file);
		m->file = NULL;
		return NULL;
	}
	add_debug(s, m);
	return m;
}

const struct module *module_of_data(struct space *s, const struct mapping *map)
{
	if (map->is_heap_or_stack)
		return NULL;
	for (const struct mapping *at = map; ; at--) {
		if (at->module != MODULE_NONE)
			return module_open(s, at);
		if (at == s->maps.at || at[-1].hi != at->lo)
			return NULL;
	}
}

size_t code_before(struct space *s, uint64_t pc, uint8_t *to, size_t len)
{
	const struct mapping *map = maps_find(&s->maps, pc - 1);
	const struct module *m;
	const uint8_t *at;

	if (!map || !map->is_code)
		return 0;
	if (pc - map->lo < len)
		len = pc - map->lo;
	m = module_open(s, map);
	if (!m)
		return target_read(s->proc, pc - len, to, len) == len ? len : 0;
	at = file_at(m->file, pc - len - m->bias, len);
	if (!at)
		return 0;
	memcpy(to, at, len);
	return len;
}

void maps_done(struct maps *m)
{
	for (size_t i = 0; i < m->module_cnt; i++) {
		file_close(m->modules[i].file);
		free(m->modules[i].path);
	}
	free(m->modules);
	free(m->at);
	*m = (struct maps){};
}
