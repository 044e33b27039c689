/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * An ELF file of a target: its mapped bytes (libelf, libdw read them), its symbols, its unwind information. Its
 * headers are checked before a library sees them. Addresses are the file's own.
 */
#pragma once

#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "symbols.h"

enum { FILE_LOADS = 16, FILE_SECTIONS = 4096, BUILD_ID_MAX = 64 };

struct file_load {
	uint64_t addr, offset, size, mem_size;	/* size: in the file */
	bool is_code;
};

struct file {
	Elf *elf;
	void *image;			/* what elf is of, if it is not a map of the file */
	const uint8_t *bytes;
	uint64_t size;
	bool is_go;
	struct file_load loads[FILE_LOADS];
	size_t load_cnt;
	struct symbols symbols[2];	/* .symtab, here or elsewhere; .dynsym if that has not all */
	size_t symbols_cnt;
	bool has_cfi;			/* is looked for: */
	Dwarf_CFI *cfi;			/* NULL: none */
	struct file *debug;		/* the separate debug file, NULL: none */
	struct file *mini;		/* .gnu_debugdata, NULL: none */
	bool has_lines;			/* is looked for: */
	struct debug_lines *lines;	/* NULL: none */
};

/* Takes over fd, which is closed. NULL: no ELF file of 64 bits, or one that is not to be trusted, or no memory. */
struct file *file_open(int fd);
/* Takes over image, which is freed. As above. */
struct file *file_from_memory(void *image, size_t size);
void file_close(struct file *f);

/* The section of that name, with its header; NULL: none. */
Elf_Scn *file_section(const struct file *f, const char *name, Elf64_Shdr *out);
/* Its bytes as they are in the file, compressed if so; NULL: none. */
const uint8_t *file_section_bytes(const struct file *f, const Elf64_Shdr *header);
/* Bytes that are loaded at an address: NULL if they are not all in the file. */
const uint8_t *file_at(const struct file *f, uint64_t addr, uint64_t len);
/* How many bytes, 0: none. */
size_t file_build_id(const struct file *f, uint8_t id[BUILD_ID_MAX]);
/* Unwind information for code, NULL: none. */
Dwarf_CFI *file_cfi(struct file *f);
/* Where the function at an address begins, by the unwind information: also in files without symbols. */
bool file_function_begin(struct file *f, uint64_t addr, uint64_t *begin);
/* The address that an offset in the file is loaded to; false: none. */
bool file_offset_addr(const struct file *f, uint64_t offset, bool is_code, uint64_t *addr);
