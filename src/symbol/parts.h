/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the files behind space.h share. A space is the mappings of a process, in order of their addresses; those of
 * one file that belong together are a module, which is opened when something of it is asked for the first time.
 *
 * Two kinds of addresses: a live one is the process's, a file's own ("vaddr") is a live one minus the module's bias.
 */
#pragma once

#include <elfutils/libdw.h>
#include <libelf.h>

#include "space.h"

/* No sane process has more; what is beyond is not looked at. The kernel's default for mappings is 65530. */
enum { MAPPINGS_MAX = 262144, MODULE_NONE = UINT32_MAX };

struct mapping {
	uint64_t lo, hi, offset, inode;
	uint32_t module;		/* MODULE_NONE: of no file */
	bool is_code, is_shared, is_heap_or_stack;
};

struct module {
	char *path;			/* as /proc/PID/maps has it */
	char name[64];			/* the end of it, without " (deleted)" */
	uint64_t lo;			/* where its first mapping begins */
	uint64_t dev, inode;
	bool is_vdso, is_opened;	/* opened: or tried to */
	struct file *file;		/* NULL: not opened, or no ELF file that we read */
	uint64_t bias;
};

struct maps {
	struct mapping *at;
	size_t cnt, room;
	struct module *modules;
	size_t module_cnt, module_room;
};

struct space {
	uint32_t pid;
	int proc;			/* the directory /proc/PID: of this very process, also if the id is used again */
	struct maps maps;
	uint64_t inflated;		/* bytes, see debug_lines_open() */
	struct perfmap *perfmap;	/* NULL: not looked for, or none */
	struct kernel *kernel;		/* NULL: a process */
	struct object_cache {
		uint64_t lo, hi;
		struct space_object object;
	} last_object;
};

/* maps.c: 0 or -errno; -ESRCH also for a process without memory. What is there is freed by maps_done(). */
int maps_read(int proc, struct maps *out);
void maps_done(struct maps *m);
/* The mapping that has the address, or NULL. */
const struct mapping *maps_find(const struct maps *m, uint64_t addr);
bool maps_is_code(const struct maps *m, uint64_t addr);

/* module.c: NULL if the mapping is of no ELF file that we can read. Opens it the first time. */
const struct module *module_open(struct space *s, const struct mapping *map);
/* The module that has these data: that of the mapping, or of those right before it (.bss is not of the file). */
const struct module *module_of_data(struct space *s, const struct mapping *map);
/* The bytes of code before an address, at most len: how many were read. */
size_t code_before(struct space *s, uint64_t pc, uint8_t *to, size_t len);

/* calls.c: whether the instruction before an address is a call. */
bool is_behind_call(struct space *s, uint64_t pc);
/* What it calls, if its bytes, or a slot of the dynamic linker that they name, say it; false: not known. */
bool call_target(struct space *s, uint64_t pc, uint64_t *target);
/* Where the bytes of a short function may jump to, if they are such instructions: how many. */
size_t jump_targets(struct space *s, uint64_t addr, uint64_t *targets, size_t max);

/* resolve.c: where the function begins that has the address, by its symbol or its unwind information; live. */
bool function_begin(struct space *s, uint64_t pc, uint64_t *begin);
/* Whether two addresses are of functions of the same name: parts of one. */
bool is_same_name(struct space *s, uint64_t pc, uint64_t other);

/* perfmap.c: the name of JIT code, false if there is none. */
bool perfmap_find(struct space *s, uint64_t pc, struct space_frame *out);
void perfmap_free(struct perfmap *p);

/* kernel.c */
int kernel_open(struct kernel **out, char why[SPACE_WHY]);
void kernel_free(struct kernel *k);
bool kernel_find(const struct kernel *k, uint64_t pc, struct space_frame *out);

/* demangle.c: writes the name for people to `out`, which is cut if it is too long. */
void demangle(const char *name, char *out, size_t size);
