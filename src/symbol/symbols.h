/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One symbol table of an ELF file. Functions are found by a sorted index of 16 bytes a symbol, made when the first
 * one is asked for; a table with more than SYMBOLS_INDEXED functions has none and is walked each time.
 */
#pragma once

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SYMBOLS_INDEXED = 500000,
	SYMBOL_NAME_MAX = 4096,
	EXPORTED_REACH = 256,		/* bytes that one of .dynsym without a size is taken to have: then others may follow */
};

struct symbol_place {
	uint64_t addr;
	uint32_t size, number;
};

struct symbols {
	const uint8_t *table;		/* of Elf64_Sym, perhaps not aligned */
	size_t cnt;
	const char *names;
	size_t names_size;
	const uint8_t *sections;	/* of Elf64_Shdr: of the file with the table */
	size_t section_cnt;
	bool is_exported;		/* .dynsym: has not all functions */
	bool is_indexed;		/* tried to */
	struct symbol_place *places;
	size_t place_cnt;
};

struct symbol {
	const char *name;		/* in the file; its end is checked */
	uint64_t addr, size;
};

void symbols_done(struct symbols *s);
/* The function at an address; of several names the one that people know. */
bool symbols_function(struct symbols *s, uint64_t addr, struct symbol *out);
/* The object that has the address, or that is the last one before it and has no size. */
bool symbols_object(const struct symbols *s, uint64_t addr, struct symbol *out);
