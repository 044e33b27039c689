/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/grow.h"
#include "../base/numbers.h"
#include "parts.h"

static void name_module(struct module *m)
{
	static const char deleted[] = " (deleted)";
	const char *slash = strrchr(m->path, '/'), *name = slash ? slash + 1 : m->path;
	size_t len = strlen(name), tail = sizeof(deleted) - 1;

	if (len > tail && !strcmp(name + len - tail, deleted))
		len -= tail;
	snprintf(m->name, sizeof(m->name), "%.*s", (int)(len < sizeof(m->name) ? len : sizeof(m->name) - 1), name);
}

static int add_module(struct maps *m, const struct mapping *map, uint64_t dev, const char *path)
{
	struct module *grown = grow(m->modules, m->module_cnt, &m->module_room, sizeof(*grown)), *added;

	if (!grown)
		return -ENOMEM;
	m->modules = grown;
	added = &grown[m->module_cnt];
	*added = (struct module){
		.path = strdup(path),
		.lo = map->lo,
		.dev = dev,
		.inode = map->inode,
		.is_vdso = !strcmp(path, "[vdso]"),
	};
	if (!added->path)
		return -ENOMEM;
	name_module(added);
	m->module_cnt++;
	return 0;
}

/* The last module goes on if this is a later part of the same file; a file that is mapped twice is two modules. */
static bool goes_on(const struct maps *m, const struct mapping *map, uint64_t dev, const char *path)
{
	const struct module *last = m->module_cnt ? &m->modules[m->module_cnt - 1] : NULL;

	if (!last || !map->inode || last->inode != map->inode || last->dev != dev || strcmp(last->path, path))
		return false;
	for (size_t i = m->cnt; i > 0; i--)
		if (m->at[i - 1].module == m->module_cnt - 1)
			return m->at[i - 1].offset <= map->offset && map->offset;
	return false;
}

static int add_mapping(struct maps *m, struct mapping map, uint64_t dev, const char *path)
{
	struct mapping *grown = grow(m->at, m->cnt, &m->room, sizeof(*grown));
	int err = 0;

	if (!grown)
		return -ENOMEM;
	m->at = grown;
	map.module = MODULE_NONE;
	map.is_heap_or_stack = !strcmp(path, "[heap]") || !strncmp(path, "[stack", 6);
	if (map.inode || !strcmp(path, "[vdso]")) {
		if (!goes_on(m, &map, dev, path))
			err = add_module(m, &map, dev, path);
		map.module = m->module_cnt - 1;
	}
	if (!err)
		m->at[m->cnt++] = map;
	return err;
}

static int add_line(struct maps *m, char *line)
{
	struct mapping map = {};
	unsigned int major, minor;
	char flags[5];
	int path = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &map.lo, &map.hi, flags,
		   &map.offset, &major, &minor, &map.inode, &path) != 7 || !path || strlen(flags) != 4)
		return 0;
	line[strcspn(line, "\n")] = '\0';
	map.is_code = flags[2] == 'x';
	map.is_shared = flags[3] == 's';
	return add_mapping(m, map, (uint64_t)major << 32 | minor, line + path);
}

static int read_lines(FILE *f, struct maps *m)
{
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	while (!err && m->cnt < MAPPINGS_MAX && getline(&line, &size, f) > 0)
		err = add_line(m, line);
	if (!err && ferror(f))
		err = -EIO;
	free(line);
	return err;
}

int maps_read(int proc, struct maps *out)
{
	struct maps m = {};
	int fd = openat(proc, "maps", O_RDONLY | O_CLOEXEC), err;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (!f) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err == -ENOENT ? -ESRCH : err;
	}
	err = read_lines(f, &m);
	fclose(f);
	if (!err && !m.cnt)
		err = -ESRCH;	/* it has no memory any more, or is a thread of the kernel */
	if (err)
		maps_done(&m);
	else
		*out = m;
	return err;
}

const struct mapping *maps_find(const struct maps *m, uint64_t addr)
{
	size_t i = ROWS_UNTIL(m->at, m->cnt, hi, addr);

	return i < m->cnt && m->at[i].lo <= addr ? &m->at[i] : NULL;
}

bool maps_is_code(const struct maps *m, uint64_t addr)
{
	const struct mapping *map = maps_find(m, addr);

	return map && map->is_code;
}
