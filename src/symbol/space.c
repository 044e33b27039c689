/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "parts.h"

/* Libraries that are farther from the C library than this are not of the range of the others. */
static const uint64_t LIBRARIES_SPAN = (uint64_t)4 << 30;

int space_open(uint32_t pid, struct space **out, char why[SPACE_WHY])
{
	struct space *s = calloc(1, sizeof(*s));
	char path[32];
	int err;

	if (!s)
		return -ENOMEM;
	s->pid = pid;
	snprintf(path, sizeof(path), "/proc/%u", pid);
	s->proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	err = s->proc >= 0 ? maps_read(s->proc, &s->maps) : errno == ENOENT ? -ESRCH : -errno;
	if (err) {
		snprintf(why, SPACE_WHY, "%s/maps: %s", path, strerror(-err));
		space_close(s);
		return err;
	}
	*out = s;
	return 0;
}

int space_open_kernel(struct space **out, char why[SPACE_WHY])
{
	struct space *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->proc = -1;
	err = kernel_open(&s->kernel, why);
	if (err)
		space_close(s);
	else
		*out = s;
	return err;
}

void space_close(struct space *s)
{
	if (!s)
		return;
	maps_done(&s->maps);
	perfmap_free(s->perfmap);
	kernel_free(s->kernel);
	if (s->proc >= 0)
		close(s->proc);
	free(s);
}

/* What was opened stays, if the same file is still where it was. */
static void keep_opened(struct maps *from, struct maps *to)
{
	size_t k = 0;

	for (size_t i = 0; i < to->module_cnt; i++) {
		struct module *m = &to->modules[i];

		while (k < from->module_cnt && from->modules[k].lo < m->lo)
			k++;
		if (k == from->module_cnt)
			return;
		if (from->modules[k].lo != m->lo || from->modules[k].inode != m->inode ||
		    from->modules[k].dev != m->dev || strcmp(from->modules[k].path, m->path))
			continue;
		m->is_opened = from->modules[k].is_opened;
		m->file = from->modules[k].file;
		m->bias = from->modules[k].bias;
		from->modules[k].file = NULL;
	}
}

int space_refresh(struct space *s)
{
	struct maps fresh;
	int err;

	if (s->kernel)
		return 0;
	err = maps_read(s->proc, &fresh);
	if (err)
		return err;
	keep_opened(&s->maps, &fresh);
	maps_done(&s->maps);
	s->maps = fresh;
	s->last_object = (struct object_cache){};
	return 0;
}

static void extend(struct user_text *t, size_t range, const struct mapping *map)
{
	if (!t->hi[range])
		t->lo[range] = map->lo;
	t->hi[range] = map->hi;
}

static bool is_libc(const struct module *m)
{
	static const char *const NAMES[] = {"libc.so", "libc-", "ld-musl-", "libc.musl-"};

	for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++)
		if (!strncmp(m->name, NAMES[i], strlen(NAMES[i])))
			return true;
	return false;
}

/* The program's module: it is not always the one at the lowest address. */
static uint32_t program_of(const struct space *s)
{
	struct stat exe;
	bool has_exe = !fstatat(s->proc, "exe", &exe, 0);
	uint32_t first = MODULE_NONE;

	for (size_t i = 0; i < s->maps.cnt; i++) {
		const struct mapping *map = &s->maps.at[i];

		if (!map->is_code || map->module == MODULE_NONE || s->maps.modules[map->module].is_vdso)
			continue;
		if (has_exe && map->inode == exe.st_ino)
			return map->module;
		if (first == MODULE_NONE)
			first = map->module;
	}
	return first;
}

static uint64_t libc_of(const struct maps *m)
{
	for (size_t i = 0; i < m->cnt; i++)
		if (m->at[i].is_code && m->at[i].module != MODULE_NONE && is_libc(&m->modules[m->at[i].module]))
			return m->at[i].lo;
	return 0;
}

void space_text(struct space *s, struct user_text *out)
{
	const struct maps *m = &s->maps;
	uint32_t program = program_of(s);
	uint64_t libc = libc_of(m);

	*out = (struct user_text){};
	for (size_t i = 0; i < m->cnt; i++) {
		const struct mapping *map = &m->at[i];

		if (!map->is_code || map->module == MODULE_NONE || m->modules[map->module].is_vdso)
			continue;
		if (map->module == program)
			extend(out, 0, map);
		else if (libc && map->lo + LIBRARIES_SPAN > libc && map->lo < libc + LIBRARIES_SPAN)
			extend(out, 1, map);
	}
}
