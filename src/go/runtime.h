/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The Go runtime of a program: the layout of its structs, where its variables are, where probes go, and
 * what its numbers mean. All knowledge of Go versions is here; what this gives is one description, and
 * nobody behind it compares versions. Go 1.17 to 1.27, amd64.
 */
#pragma once

#include "../../bpf/go.h"
#include "../../bpf/record.h"
#include "binary.h"

/* Addresses of the runtime's variables, as the file has them; 0: not found. */
struct go_globals {
	uint64_t allgs;		/* a slice: pointer, length, capacity */
	uint64_t allp;		/* a slice */
	uint64_t allm;		/* a pointer to the first m */
	uint64_t sched;
	uint64_t gc_cycles;	/* work.cycles, a uint32 */
};

enum { GO_INSN_MAX = 15 };

/* A place for a probe: an instruction that the kernel emulates, where the arguments still live. */
struct go_site {
	enum go_site_id id;
	uint64_t addr, file_offset;
	uint8_t bytes[GO_INSN_MAX];	/* of the instruction, to be found there when attaching */
	uint8_t len;
	char symbol[64];	/* the function's name */
};

struct go_runtime {
	struct go_layout layout;
	struct go_functions functions;	/* addresses as the file has them */
	struct go_globals globals;
	int32_t tls;
	const char *layout_from;	/* "table" or "DWARF", for people */
	size_t site_cnt;
	struct go_site sites[GO_SITE_CNT];	/* those that were found */
	char missing[GO_WHY];	/* which of the sites of level full were not found or are inlined, "" if none */
	enum go_level max_level;	/* what can be probed at most: GO_FULL, GO_LIGHT, GO_SNAPSHOT, GO_OFF */
};

/* Resolves it all. 0, or -ENOTSUP with the reason in `why`: layouts that disagree, unknown versions. */
int go_runtime_resolve(const struct go_binary *b, struct go_runtime *out, char why[GO_WHY]);

/* Text of a wait reason or of a reason to stop the world in the program's version; NULL: no such number. */
const char *go_runtime_word(const struct go_binary *b, enum go_word word, uint32_t number);

/* A bucket of runtime.timeHistogram as this layout has it; false: no such bucket. hist_cnt buckets in all. */
bool go_runtime_hist_bucket(const struct go_layout *l, uint32_t index, uint64_t *lo_ns, uint64_t *hi_ns);
uint32_t go_runtime_hist_cnt(const struct go_layout *l);

/*
 * What a goroutine whose function begins at `entry` really runs, if that is only the compiler's wrapper of
 * `go f(x)`: f. False: the function is what it is.
 */
bool go_runtime_started(const struct go_binary *b, uint64_t entry, struct go_frame *out);
