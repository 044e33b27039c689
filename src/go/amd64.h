/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Machine code of Go on amd64, as the instructions of a function: all that is true for one machine only is
 * here. What reads code (sites.c, globals.c, runtime.c) knows neither registers nor encodings.
 */
#pragma once

#include "binary.h"

/* GO_INSN_TRAP: ends the program. */
enum go_insn_kind { GO_INSN_OTHER, GO_INSN_JUMP, GO_INSN_BRANCH, GO_INSN_CALL, GO_INSN_RETURN, GO_INSN_TRAP };

struct go_insn {
	uint64_t addr;
	uint64_t target;	/* of a jump, branch or call where it is in the instruction, else 0 */
	uint64_t global;	/* address of its memory operand if that is relative to the instruction, else 0 */
	int64_t field;		/* displacement of its memory operand behind a register that is not the stack's */
	int32_t lowers;		/* bytes by which it lowers the stack pointer */
	uint8_t len;
	uint8_t kind;		/* enum go_insn_kind */
	bool has_field;
	bool loads, stores;	/* its memory operand */
	bool takes_address;	/* of its memory operand: lea */
	bool is_cas;		/* lock cmpxchg */
	bool is_emulated;	/* by the kernel, if a uprobe is on it: not single-stepped */
	bool is_push;		/* of the frame pointer */
	bool checks_stack;	/* compares with g.stackguard0 or 1: what follows branches off to grow the stack */
	bool writes_arg;	/* a register that arguments are passed in */
	bool moves_stack;	/* sets the stack pointer to what can't be told */
};

/* A function. */
struct go_code {
	char name[64];
	struct go_insn *insns;
	size_t cnt;
};

/* Whether the program is for this machine, and code can be read here; else why not. */
bool go_code_is_known(const struct go_binary *b, char why[GO_WHY]);
/*
 * Reads a function by its name, of alternatives ("a|b") the first that is there. 0; -ENOENT: no such
 * function; -EBADMSG: not decodable; -ENOMEM. *out is the caller's to free, also on failure.
 */
int go_code_read(const struct go_binary *b, const char *names, struct go_code *out);
void go_code_free(struct go_code *c);

/* Where a thread's g is, in bytes from its thread pointer. False: not found, or places that disagree. */
bool go_code_tls(const struct go_binary *b, int32_t *out);
