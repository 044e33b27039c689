/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A Go program's file: what it was built with, its functions and lines (pclntab), its code. Nothing here
 * needs the program to run. Addresses are the file's own (before the load bias of a PIE). Nothing in the
 * file is trusted: every length and offset is checked against the file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct go_binary;

enum { GO_WHY = 200 };	/* room for a sentence that says why not */

/*
 * Opens and maps it. 0; -ENOENT: no Go program; -ENOTSUP: a Go program that can't be read (too old, a C
 * program with Go in it, damaged), `why` says what; other -errno, `why` too. The path may be /proc/PID/exe.
 */
int go_binary_open(const char *path, struct go_binary **out, char why[GO_WHY]);
void go_binary_close(struct go_binary *b);

struct go_build {
	char version[64];	/* "go1.19.8", the whole string of the build info, "X:..." too */
	int minor;		/* 19; -1: not 1.x ("devel ...") */
	char experiments[128];	/* GOEXPERIMENT, "" if none */
	char path[200];		/* main package */
	bool pgo;		/* built with -pgo */
	bool cgo;		/* runtime/cgo is linked in */
	bool pie;
	bool has_dwarf;
};

const struct go_build *go_binary_build(const struct go_binary *b);

/* A function by its full name ("runtime.execute"); of ABI wrappers and bodies of one name, the body. False: none. */
bool go_binary_func(const struct go_binary *b, const char *name, uint64_t *addr, uint64_t *size);
/* Whether a function was inlined somewhere in the program: its name is in some inline tree. */
bool go_binary_is_inlined(const struct go_binary *b, const char *name);

struct go_frame {
	char func[200];		/* "main.(*Mixer).run" */
	char file[200];		/* as recorded in the program; its end if it is too long */
	uint32_t line;		/* 0: not known */
};

/*
 * The frames at an address, inlined calls expanded, innermost first: at most `max`, returns how many (0: no
 * code of Go is there). is_return: pc is a return address, so what is before it is meant.
 */
size_t go_binary_resolve(const struct go_binary *b, uint64_t pc, bool is_return, struct go_frame *frames, size_t max);

/* Bytes of the program at an address, valid until close; NULL if [addr, addr + len) is not in the file. */
const uint8_t *go_binary_bytes(const struct go_binary *b, uint64_t addr, size_t len);
/* Where in the file an address of the code is; UINT64_MAX: nowhere. */
uint64_t go_binary_file_offset(const struct go_binary *b, uint64_t addr);
/* The code that the Go linker made: [*lo, *hi). */
void go_binary_text(const struct go_binary *b, uint64_t *lo, uint64_t *hi);

/* The program's ELF file for readers of debug information, owned by b: its fd, and what PT_TLS says. */
int go_binary_fd(const struct go_binary *b);
/* Size and alignment of PT_TLS; false: none. */
bool go_binary_tls(const struct go_binary *b, uint64_t *memsz, uint64_t *align);
/* Value of a symbol of the ELF symbol table; false: stripped, or no such symbol. */
bool go_binary_symbol(const struct go_binary *b, const char *name, uint64_t *value);
