/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Functions of C libraries and runtimes that are known by name: what a thread waits for in them, and that a
 * program did not wait in but through them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a futex word tells of who holds the lock. */
enum lock_word {
	WORD_UNKNOWN,
	WORD_MUTEX,	/* a pthread mutex: the owner's thread id, or 2 and the owner 8 bytes behind (glibc) */
	WORD_LOW,	/* 2, and no owner: glibc's locks of its own (malloc, stdio) */
	WORD_COND,	/* a condition variable of glibc, or else its mutex, which it takes again */
	WORD_RWLOCK,	/* a pthread rwlock */
};

/* Which class of thread.futex a wait is of in a function. */
struct wait_function {
	const char *begin;	/* of the name, without leading underscores */
	const char *part;	/* must be in the name, too; NULL: no matter */
	uint16_t klass;		/* enum klass */
	uint8_t word;		/* enum lock_word */
	bool is_whole;		/* `begin` is all of the name, underscores too */
	bool is_built;		/* a lock made of others: what it waits in is not what it waits for */
};

/* NULL: none that is known. The module is "" where it is not known. */
const struct wait_function *wait_function_of(const char *func);
/* Whether that is glibc's file. */
bool is_glibc(const char *module);
/* Functions that a program waits through, in a Go program, in any, in the kernel. */
bool is_go_library(const char *func);
bool is_library(const char *func, const char *module);
/* Whether a source file, of `size` bytes or up to a NUL, is of a language's own library, inlined into the program. */
bool is_library_file(const char *file, size_t size);
bool is_kernel_library(const char *func);
/* What a thread begins with: it says nothing of what the thread is for. */
bool is_thread_start(const char *func);
