/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The code and data of one live process, or of the kernel, by address: what function, file and line, what object, and
 * how to unwind a piece of stack by .eh_frame (libdwfl). Files are opened as the process has them, through
 * /proc/PID/map_files and /proc/PID/root: containers, deleted files, other mount namespaces. Nothing in them is
 * trusted, and nothing is read whole that is not needed. Addresses are those of the process.
 *
 * One thread at a time. The collector does not call this itself but in a process of its own, see helper.h: what a
 * hostile file could do to a parser ends there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/ustack.h"

struct space;

enum { SPACE_WHY = 200, SPACE_PCS = 12 };	/* as many as a rec_stack has */

/* pid as /proc shows it to us. 0, -ENOMEM, -ESRCH, -EPERM or other -errno, `why` says what. Reads its maps, no file. */
int space_open(uint32_t pid, struct space **out, char why[SPACE_WHY]);
/* The kernel, by /proc/kallsyms; -EPERM: it shows no addresses. */
int space_open_kernel(struct space **out, char why[SPACE_WHY]);
void space_close(struct space *s);
/* Reads its maps again: libraries loaded or unloaded since. 0 or -errno; after an error what was known stays. */
int space_refresh(struct space *s);

/*
 * Unwinds a copy of a stack: at most `max` (up to SPACE_PCS) pcs, the innermost first; returns how many, at least 1.
 * pcs are return addresses; the first is where the thread entered the kernel, behind the instruction. Code without
 * unwind information (that of a JIT) is walked by its frame pointers while they make sense.
 */
size_t space_unwind(struct space *s, const struct stack_copy *c, uint64_t *pcs, size_t max);

struct space_frame {
	char func[200];		/* demangled; without a symbol "libfoo.so.1+0x1c40"; "" if nothing is known */
	char file[200];		/* the end of it if it is too long; "" if not known */
	char module[64];	/* base name, "[vdso]", "[kernel]", "perf-123.map"; "" if none */
	uint32_t line;		/* 0: not known */
};

/*
 * Frames at an address, inlined calls expanded, innermost first: at most max (at least 1), returns how many, 0: nothing
 * is mapped there. is_return: what is before the address is meant.
 */
size_t space_resolve(struct space *s, uint64_t pc, bool is_return, struct space_frame *frames, size_t max);
/* Whether the address is code of a Go program, which src/go/ resolves better. */
bool space_is_go(struct space *s, uint64_t pc);

/* What is at an address of data. */
struct space_object {
	char name[200];		/* symbol, demangled, with "+0x40" if its size is not known to reach the address; "" */
	char module[64];
	uint64_t base;		/* where the object begins, 0: no symbol */
	uint64_t inode, offset;	/* if it is memory shared by way of a file (or of shm, memfd, an anonymous one), else 0 */
};

/* False: nothing is mapped there, or nothing is known (heap, stack). */
bool space_object(struct space *s, uint64_t addr, struct space_object *out);

/* Where its code is, for the kernel side; see struct user_text. */
void space_text(struct space *s, struct user_text *out);
