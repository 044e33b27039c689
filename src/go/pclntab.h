/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Go's table of functions, lines and inlined calls. It is there in stripped programs, too: the runtime itself
 * reads it for tracebacks. Its form is that of src/runtime/symtab.go, by version (pclntab.c: FORMS).
 */
#pragma once

#include "image.h"

struct pclntab_form;

struct pclntab {
	const struct image *im;
	const struct pclntab_form *form;
	struct image_bytes names, units, files, tables, funcs;	/* funcs begins with the list of entries */
	uint64_t func_cnt;
	uint64_t text, etext;	/* the code, [text, etext) */
	uint64_t funcdata;	/* address of go:func.*, what funcdata is relative to; 0: absolute (1.17) */
};

struct pclntab_func {
	uint64_t entry, size;	/* size: up to the next function, with what fills the gap */
	uint32_t name, stack, file, line;	/* offsets: of the name, of tables by pc */
	uint32_t unit;		/* where its files begin in the table of compilation units */
	uint32_t pcdata_cnt, funcdata_cnt;
	const uint8_t *pcdata, *funcdata;
};

/* A function inlined into another: which, and the offset of an instruction of the line that calls it. */
struct pclntab_inlined {
	uint32_t name, parent_pc;
};

/* A table of values by pc, walked: `value` holds from the last step's `end` up to this one's. */
struct pclntab_walk {
	const uint8_t *at, *stop;
	uint64_t end, limit;	/* offsets from the function's entry */
	int64_t value;
	bool begun;
};

/* Finds and checks it. minor: of the Go version, -1: not known. -ENOTSUP, why. */
int pclntab_open(const struct image *im, int minor, struct pclntab *out, char why[GO_WHY]);

/* By number, from 0 to func_cnt - 1. False: damaged. */
bool pclntab_func(const struct pclntab *t, uint64_t i, struct pclntab_func *out);
/* The one that the address is in. */
bool pclntab_find(const struct pclntab *t, uint64_t pc, struct pclntab_func *out);
/* The function's bytes without those that fill the gap, where the table tells. */
uint64_t pclntab_code_size(const struct pclntab *t, const struct pclntab_func *f);
/* Where a name is; false: the program has no function of that name, be it inlined or not. */
bool pclntab_find_name(const struct pclntab *t, const char *name, uint32_t *out);
/* NULL: damaged. */
const char *pclntab_name(const struct pclntab *t, uint32_t name);
/* "" if not known. pc is the offset from the function's entry, here and below. */
const char *pclntab_file(const struct pclntab *t, const struct pclntab_func *f, uint64_t pc);
/* 0 if not known. */
uint32_t pclntab_line(const struct pclntab *t, const struct pclntab_func *f, uint64_t pc);

/* The inlined call that an instruction is of: its number; below 0: of none. */
int64_t pclntab_inline_index(const struct pclntab *t, const struct pclntab_func *f, uint64_t pc);
bool pclntab_inlined(const struct pclntab *t, const struct pclntab_func *f, int64_t index, struct pclntab_inlined *out);
/* Walks the numbers of a function's inlined calls. */
struct pclntab_walk pclntab_inline_walk(const struct pclntab *t, const struct pclntab_func *f);
bool pclntab_next(struct pclntab_walk *w);
