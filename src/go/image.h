/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * An ELF program, mapped: its bytes by address, its sections and symbols. Addresses are the file's own, and
 * pointers in the data are as the dynamic loader makes them without a load bias.
 *
 * The map shows the file as it is now: who shortens it while it is mapped gives us SIGBUS. The kernel refuses
 * to write to a program that runs (ETXTBSY; Linux 6.11 and 6.12.0 did not), so this is about files that do not run.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "binary.h"

enum { IMAGE_SEGMENTS = 32 };	/* that are loaded; linkers make 3 to 9 */

struct image_segment {
	uint64_t addr, offset, size;	/* size: in the file, all of it is there */
	bool writable, code;
};

struct image {
	int fd;
	const uint8_t *map;
	uint64_t size;
	uint16_t type, machine;	/* ET_EXEC or ET_DYN; EM_... */
	size_t segment_cnt;
	struct image_segment segments[IMAGE_SEGMENTS];
	uint64_t section_offset, section_names;	/* section_names: number of that section */
	size_t section_cnt;
	bool has_interp, has_tls;
	uint64_t tls_size, tls_align;
	uint64_t dynamic_offset, dynamic_size;
};

/* Bytes of the program: `at` has `len` of them. None: NULL and 0. */
struct image_bytes {
	uint64_t addr;
	const uint8_t *at;
	uint64_t len;
};

/* Opens and maps. Errors are go_binary_open()'s, -ENOENT if it is no ELF file of 64 bits; after one nothing is open. */
int image_open(const char *path, struct image *out, char why[GO_WHY]);
void image_close(struct image *im);

/* All bytes from an address on to the end of its segment. */
struct image_bytes image_from(const struct image *im, uint64_t addr);
/* NULL if they are not all in one segment of the file. */
const uint8_t *image_at(const struct image *im, uint64_t addr, uint64_t len);
/* A section that is loaded and in the file. */
struct image_bytes image_section(const struct image *im, const char *name);
/* Whether there is such a section, loaded or not. */
bool image_has_section(const struct image *im, const char *name);
bool image_symbol(const struct image *im, const char *name, uint64_t *value);
/* A shared library, rather than a program that may be loaded anywhere. */
bool image_is_library(const struct image *im);
/* Where pointers wait for the dynamic loader, writes them to our copy. 0 or -errno. */
int image_relocate(struct image *im);

/* Writes the sentence to why and returns err. */
int image_refuse(char why[GO_WHY], int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Little-endian numbers anywhere. */
static inline uint64_t image_number(const uint8_t *at, unsigned int size)
{
	uint64_t v = 0;

	__builtin_memcpy(&v, at, size);
	return v;
}
