/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Asks a Go program for everything, as memory it gives is read, too: for programs that nobody's linker made. */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/go/binary.h"

/* Opens what the fd has, under a path that is deleted. */
static inline int go_use_open(int fd, struct go_binary **out, char why[GO_WHY])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return go_binary_open(path, out, why);
}

static inline size_t go_use_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	if (len == size)
		abort();
	return len;
}

static inline size_t go_use_frames(const struct go_binary *b, uint64_t pc)
{
	static struct go_frame frames[5];
	size_t used = 0, cnt = go_binary_resolve(b, pc, pc & 1, frames, 5);
	uint64_t addr, size;

	if (cnt > 5)
		abort();
	for (size_t i = 0; i < cnt; i++) {
		used += go_use_text(frames[i].file, sizeof(frames[i].file));
		used += go_use_text(frames[i].func, sizeof(frames[i].func));
		used += go_binary_func(b, frames[i].func, &addr, &size);
		used += go_binary_is_inlined(b, frames[i].func);
	}
	return used;
}

/* A number that depends on all of it. */
static inline size_t go_use_all(const struct go_binary *b)
{
	const struct go_build *build = go_binary_build(b);
	uint64_t lo, hi, value;
	size_t used = 0;

	used += go_use_text(build->version, sizeof(build->version)) + go_use_text(build->path, sizeof(build->path));
	used += go_use_text(build->experiments, sizeof(build->experiments));
	go_binary_text(b, &lo, &hi);
	if (lo >= hi || !go_binary_bytes(b, lo, hi - lo))
		abort();
	for (uint64_t pc = lo - 1; pc <= hi && pc < lo + 0x100; pc++) {
		const uint8_t *at = go_binary_bytes(b, pc, 1);

		used += go_use_frames(b, pc) + go_binary_file_offset(b, pc) + (at ? *at : 0);
	}
	return used + go_binary_symbol(b, "main.outer", &value) + go_binary_tls(b, &lo, &hi) + (size_t)go_binary_fd(b);
}
