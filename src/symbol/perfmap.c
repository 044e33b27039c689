/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * /tmp/perf-PID.map, by which JITs tell perf the names of their code: lines of "START SIZE NAME", in hexadecimal, and
 * appended to as code is made. Later lines replace earlier ones that they overlap.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/grow.h"
#include "../base/numbers.h"
#include "parts.h"
#include "target_file.h"

enum { FILE_SIZE_MAX = 64 << 20, LINES_MAX = 500000 };

struct perfmap_line {
	uint64_t addr;
	uint32_t size, name;		/* name: where in names */
	uint32_t number;
};

struct perfmap {
	char file[32];			/* base name */
	int64_t size;			/* of the file, when it was read */
	struct perfmap_line *at;
	size_t cnt, room;
	char *names;
};

/* The process's id in its own namespace: the last one. 0: not known. */
static unsigned int own_pid(const struct space *s)
{
	int fd = openat(s->proc, "status", O_RDONLY | O_CLOEXEC);
	char text[4096], *line;
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	unsigned int pid = 0;

	if (fd >= 0)
		close(fd);
	if (got <= 0)
		return 0;
	text[got] = '\0';
	line = strstr(text, "\nNStgid:");
	if (!line)
		return s->pid;
	line += strlen("\nNStgid:");
	line[strcspn(line, "\n")] = '\0';
	for (char *word = strtok(line, " \t"); word; word = strtok(NULL, " \t"))
		pid = (unsigned int)strtoul(word, NULL, 10);
	return pid;
}

/* Anybody may write to /tmp: only a map of the process's own user, or of root, is believed. */
static int open_own(const struct space *s, const char *file, struct stat *is)
{
	struct stat proc;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/%s", file);
	fd = target_open_path(s->proc, path, is);
	if (fd < 0)
		return fd;
	if (!fstat(s->proc, &proc) && (is->st_uid == proc.st_uid || !is->st_uid) && is->st_size <= FILE_SIZE_MAX)
		return fd;
	close(fd);
	return -1;
}

static int by_addr(const void *a, const void *b)
{
	const struct perfmap_line *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static bool add_line(struct perfmap *p, char *line)
{
	struct perfmap_line *grown;
	char *end;
	uint64_t addr = strtoull(line, &end, 16), size;

	if (end == line || *end != ' ')
		return true;
	line = end;
	size = strtoull(line, &end, 16);
	if (end == line || *end != ' ' || !end[1] || !size || size > UINT32_MAX)
		return true;
	grown = p->cnt < LINES_MAX ? grow(p->at, p->cnt, &p->room, sizeof(*grown)) : NULL;
	if (!grown)
		return false;
	p->at = grown;
	grown[p->cnt] = (struct perfmap_line){addr, (uint32_t)size, (uint32_t)(end + 1 - p->names), (uint32_t)p->cnt};
	p->cnt++;
	return true;
}

/* A last line without an end is still being written. */
static void cut_lines(struct perfmap *p, size_t len)
{
	char *line = p->names, *end;

	p->names[len] = '\0';
	while ((end = memchr(line, '\n', len - (size_t)(line - p->names)))) {
		*end = '\0';
		if (!add_line(p, line))
			break;
		line = end + 1;
	}
	if (p->cnt)
		qsort(p->at, p->cnt, sizeof(*p->at), by_addr);
}

static void read_all(struct perfmap *p, int fd, size_t size)
{
	size_t len = 0;
	ssize_t got = 0;

	p->names = malloc(size + 1);
	if (!p->names)
		return;
	while (len < size && (got = read(fd, p->names + len, size - len)) > 0)
		len += (size_t)got;
	cut_lines(p, len);
}

void perfmap_free(struct perfmap *p)
{
	if (!p)
		return;
	free(p->at);
	free(p->names);
	free(p);
}

/* Reads it, or again if it is longer than it was. */
static void update(struct space *s)
{
	struct perfmap *p;
	struct stat is;
	char file[32];
	int fd;

	snprintf(file, sizeof(file), "perf-%u.map", own_pid(s));
	fd = open_own(s, file, &is);
	if (fd < 0)
		return;
	if (s->perfmap && s->perfmap->size == is.st_size) {
		close(fd);
		return;
	}
	p = calloc(1, sizeof(*p));
	if (p) {
		memcpy(p->file, file, sizeof(file));
		p->size = is.st_size;
		read_all(p, fd, (size_t)is.st_size);
		perfmap_free(s->perfmap);
		s->perfmap = p;
	}
	close(fd);
}

static const struct perfmap_line *find(const struct perfmap *p, uint64_t pc)
{
	enum { LOOK_BACK = 16 };	/* older code at overlapping addresses */
	const struct perfmap_line *best = NULL;
	size_t until = ROWS_UNTIL(p->at, p->cnt, addr, pc);

	for (size_t i = until; i > 0 && until - i < LOOK_BACK; i--)
		if (pc - p->at[i - 1].addr < p->at[i - 1].size && (!best || p->at[i - 1].number > best->number))
			best = &p->at[i - 1];
	return best;
}

bool perfmap_find(struct space *s, uint64_t pc, struct space_frame *out)
{
	const struct perfmap_line *line;

	update(s);
	line = s->perfmap ? find(s->perfmap, pc) : NULL;
	if (!line)
		return false;
	snprintf(out->func, sizeof(out->func), "%s", s->perfmap->names + line->name);
	snprintf(out->module, sizeof(out->module), "%s", s->perfmap->file);
	return true;
}
