/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stacks of threads that wait in a futex, taken without frame pointers: the kernel side copies a stretch of the
 * stack once for each call path that it has not seen, and user space unwinds it (src/symbol/). A copy goes from
 * the kernel side to the collector only: recordings have what became of it, a REC_STACK with the same id.
 */
#pragma once

#include "record.h"

/* Not one of enum rec_kind: no recording has it. */
#define STACK_COPY_KIND 0x8000

enum {
	STACK_COPY_BYTES = 16384,	/* perf's default for the same (8 KiB) cuts 12 frames of C++ in one of five */
	STACK_HEAD_WORDS = 64,		/* of the stack that a call path is told apart by */
	STACK_REGS = 16,
	MAX_STACK_PATHS = 16384,
	MAX_USER_TEXTS = 1024,		/* processes */
	USER_TEXT_RANGES = 2,		/* the program, and its libraries */
};

struct stack_copy {
	struct rec_hdr hdr;	/* len is of the fields before bytes, and of those of bytes that are there */
	__u32 tid, tgid;
	__u32 id;		/* of the call path: what rec_wait.stack will say. Not 0 */
	__u32 len;		/* of bytes, from the stack pointer up */
	__u32 pad;
	__u64 ip;
	__u64 regs[STACK_REGS];	/* by DWARF's numbers: on x86-64 rbx is 3, rbp 6, rsp 7, r8 to r15 8 to 15 */
	__u8 bytes[STACK_COPY_BYTES];
};

/*
 * Where the code of a process is, roughly: words of the stack outside of it are no return addresses, and do not tell
 * call paths apart. Without an entry in the map the program counts, and the libraries that it began with.
 */
struct user_text {
	__u64 lo[USER_TEXT_RANGES], hi[USER_TEXT_RANGES];	/* [lo, hi); 0, 0: none */
};
