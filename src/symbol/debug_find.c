/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "debug.h"

#include <elfutils/libdwelf.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "file.h"
#include "target_file.h"

/* Checking a sum takes about 1 ms for each MiB. */
enum { CRC_MAX = 64 << 20 };
enum { MINI_MAX = 8 << 20, MINI_DECODER_MAX = 16 << 20, PATH_SIZE = 4096 };

static bool is_same_build(const struct file *a, const struct file *b)
{
	uint8_t x[BUILD_ID_MAX], y[BUILD_ID_MAX];
	size_t len = file_build_id(a, x);

	return len && len == file_build_id(b, y) && !memcmp(x, y, len);
}

/* A path in the target's root, else in ours: a container without debug files may be of the same build. */
static struct file *open_debug(int proc, const char *path)
{
	int fd = target_open_path(proc, path, NULL);

	if (fd < 0)
		fd = target_open_ours(path, NULL);
	return fd < 0 ? NULL : file_open(fd);
}

static struct file *find_by_id(int proc, const struct file *f)
{
	char path[64 + 2 * BUILD_ID_MAX];
	uint8_t id[BUILD_ID_MAX];
	size_t len = file_build_id(f, id);
	struct file *debug;
	int at;

	if (!len)
		return NULL;
	at = snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%02x/", id[0]);
	for (size_t i = 1; i < len; i++)
		at += snprintf(path + at, sizeof(path) - (size_t)at, "%02x", id[i]);
	snprintf(path + at, sizeof(path) - (size_t)at, ".debug");
	debug = open_debug(proc, path);
	if (debug && debug->symbols_cnt && is_same_build(f, debug))
		return debug;
	file_close(debug);
	return NULL;
}

/* CRC of the whole file, as .gnu_debuglink has it: zlib's. */
static bool is_linked(const struct file *f, const struct file *debug, uint32_t crc)
{
	uint8_t id[BUILD_ID_MAX];

	if (file_build_id(f, id))
		return is_same_build(f, debug);
	return debug->size <= CRC_MAX && crc32_z(0, debug->bytes, debug->size) == crc;
}

/* As gdb looks for them. */
static struct file *find_by_name(int proc, const struct file *f, const char *path)
{
	static const char *const BEFORE[] = {"", "", "/usr/lib/debug"}, *const BEHIND[] = {"", ".debug/", ""};
	const char *slash = strrchr(path, '/');
	GElf_Word crc;
	const char *name = dwelf_elf_gnu_debuglink(f->elf, &crc);
	char place[PATH_SIZE];

	if (!name || !*name || strchr(name, '/') || !slash)
		return NULL;
	for (size_t i = 0; i < sizeof(BEFORE) / sizeof(*BEFORE); i++) {
		struct file *debug;

		snprintf(place, sizeof(place), "%s%.*s%s%s", BEFORE[i], (int)(slash + 1 - path), path, BEHIND[i], name);
		debug = open_debug(proc, place);
		if (debug && debug->symbols_cnt && is_linked(f, debug, crc))
			return debug;
		file_close(debug);
	}
	return NULL;
}

struct file *debug_find(int proc, const struct file *f, const char *path)
{
	struct file *debug = find_by_id(proc, f);

	return debug ? debug : find_by_name(proc, f, path);
}

/* Grows as it goes: the size is known only when all is decoded. */
static uint8_t *decode(const uint8_t *from, size_t len, size_t *out)
{
	lzma_stream s = LZMA_STREAM_INIT;
	size_t room = 0, size = 0;
	uint8_t *to = NULL;
	lzma_ret ret = lzma_stream_decoder(&s, MINI_DECODER_MAX, 0);

	s.next_in = from;
	s.avail_in = len;
	while (ret == LZMA_OK && size < MINI_MAX) {
		uint8_t *grown;

		room = room ? 2 * room : 65536;
		grown = realloc(to, room);
		if (!grown)
			break;
		to = grown;
		s.next_out = to + size;
		s.avail_out = room - size;
		ret = lzma_code(&s, LZMA_FINISH);
		size = room - s.avail_out;
	}
	lzma_end(&s);
	if (ret == LZMA_STREAM_END) {
		*out = size;
		return to;
	}
	free(to);
	return NULL;
}

struct file *debug_mini(const struct file *f)
{
	Elf64_Shdr h;
	const uint8_t *at = file_section(f, ".gnu_debugdata", &h) ? file_section_bytes(f, &h) : NULL;
	size_t size;
	void *image = at ? decode(at, h.sh_size, &size) : NULL;

	return image ? file_from_memory(image, size) : NULL;
}
