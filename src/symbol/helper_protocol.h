/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Inside of helper.h: what the collector and the symbolizer say to each other over their socket (SOCK_SEQPACKET). A
 * question is one packet: a struct helper_ask, and a stack where it has one. An answer is a packet for each record, and
 * a struct helper_done behind the last. HELPER_FORGET has no answer, HELPER_OPEN one without records.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "../../bpf/ustack.h"

/* Beside the kinds of records. */
#define HELPER_DONE_KIND 0x8001

enum {
	HELPER_FRAMES = 8,	/* inlined calls at one address */
	HELPER_PCS = 12,	/* of a rec_stack */
	HELPER_SOCKET = 3,	/* the symbolizer's end */
};

enum helper_op { HELPER_STACK = 1, HELPER_KERNEL = 2, HELPER_LOCK = 3, HELPER_FORGET = 4, HELPER_OPEN = 5, HELPER_OP_CNT };

enum helper_flags {
	HELPER_SHARED = 1,	/* the futex is no private one */
	HELPER_GO_NAMED = 2,	/* Go code of this process is given its names by somebody else */
};

struct helper_ask {
	uint32_t op, flags;
	uint32_t tgid;		/* of HELPER_FORGET 0: all */
	uint32_t id;		/* of the stack */
	uint64_t futex;
};

/* What comes in: `stack` and `kernel` are behind the same head. */
struct helper_question {
	struct helper_ask ask;
	union {
		struct stack_copy stack;
		struct rec_stack kernel;
	};
};

struct helper_done {
	struct rec_hdr hdr;
	int32_t err;
	struct user_text text;
};

static inline uint64_t *helper_pcs(struct rec_stack *r)
{
	return (uint64_t *)&r->pc0;
}

/* Lowers what the process may do and use, as far as that can be; helper_jail.c. `sock` becomes HELPER_SOCKET. */
void helper_jail(const char *name, int sock, pid_t parent);
/* The symbolizer itself, helper_child.c: until its socket ends. */
void helper_serve(void) __attribute__((noreturn));
