/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What names are made of, shared by their files. */
#pragma once

#include "functions.h"
#include "names.h"
#include "texts.h"

/*
 * Beyond these they stay nameless: without a bound, days of short-lived tasks, or a hostile recording,
 * would fill the memory with names that no table shows.
 */
enum {
	NAMES_TASKS_MAX = 1 << 17,
	NAMES_CGROUPS_MAX = 1 << 14,
	NAMES_TEXTS_MAX = 3 << 16,	/* of at most some 400 bytes; a symbol has one or two */
	NAMES_SYMBOLS_MAX = 1 << 16,	/* frames, inlined ones counted */
	NAMES_STACKS_MAX = 1 << 14,
	NAMES_SITES_MAX = 1 << 14,
	NAMES_SITE_PCS_MAX = 1 << 16,	/* pairs of pcs whose site is remembered */
	NAMES_WORDS_MAX = 1 << 14,
	NAMES_LABELS_MAX = 1 << 14,
	NAMES_STW_MAX = 64,
	NAMES_LOCKS_MAX = 1 << 15,
	NAMES_ENDED_MAX = 1 << 14,	/* threads that are remembered after their end */
};

enum { STACK_PCS = 12 };	/* of a REC_STACK */

/* One function at a pc, and where in it. */
struct frame {
	const char *func, *at, *module;
	uint32_t outer;		/* number (from 1) of the frame that it is inlined in, or was */
	bool is_library;	/* by its source file: a template of the C++ library, a generic function of Rust's */
};

struct symbol {
	struct pair_key key;	/* tgid, pc */
	uint32_t first;		/* number of the innermost frame */
	uint16_t frame_cnt;
	bool is_named;		/* false: its one frame is the address */
};

struct stack {
	struct pair_key key;	/* tgid, id */
	uint64_t pc[STACK_PCS];
	uint32_t generation;	/* of the symbols that these are made of; 0: not made */
	uint32_t site, sync_class, futex_class;
	enum lock_word word;
};

struct site_pcs {
	struct pair_key key;	/* tgid, hash of startpc and gopc */
	uint32_t generation, site;
};

struct site_entry {
	struct pair_key key;	/* 0, hash of the texts */
	uint32_t site;
};

struct text_entry {
	struct pair_key key;
	const char *text;
};

struct lock_entry {
	struct pair_key key;	/* tgid, address */
	struct lock_name name;
};

/* A thread by its process and its id there. */
struct ns_thread {
	uint32_t tid;
	uint64_t born_ns, end_ns;	/* 0: before the recording; not yet */
};

struct names {
	struct u64map tasks;	/* struct task_name */
	struct u64map threads;	/* struct ns_thread */
	size_t ended_cnt;	/* of threads, since they were last dropped */
	struct u64map cgroups;	/* char * */
	struct texts texts;	/* all of what follows */
	struct pairs symbols, stacks, site_pcs, site_numbers;
	struct pairs labels, words;	/* struct text_entry */
	struct pairs locks;	/* struct lock_entry */
	struct frame *frames;
	size_t frame_cnt, frame_room;
	struct site_name *sites;	/* number - 1 */
	size_t site_cnt, site_room;
	uint32_t generation;	/* of the symbols, from 1 */
	const char *stw[NAMES_STW_MAX];
	size_t stw_cnt;
};

void names_init_sites(struct names *n);
void names_done_sites(struct names *n);

/* The symbol of a pc, its address if none was told. NULL: errno. */
struct symbol *names_symbol_of(struct names *n, uint32_t tgid, uint64_t pc);
struct frame *names_symbol_frame(const struct names *n, const struct symbol *s, uint32_t depth);
/* The number of the site of these kept texts; 0: no room. */
uint32_t names_site_of(struct names *n, const char *func, const char *at);

/* Threads by their ids in their own namespaces. 0 or -ENOMEM. */
int names_thread_begins(struct names *n, const struct rec_task *r);
