/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The symbolizer: a process that we fork when the first stack is to be unwound. It parses the files of the targets
 * (hostile or huge, as they may be) with bounds on its memory and time; if it dies, another one is made, a few times.
 * The caller waits for each answer, so that names come before the records that need them; the ring holds what
 * happens meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/ustack.h"

struct helper;

/* Takes a record (rec_stack, rec_symbol, rec_lock). 0 or the error that ends the call. */
typedef int (*helper_put)(void *ctx, const void *rec, size_t len);

/* Forks nothing yet. `name` is what the process will be called, of at most 15 bytes; not copied. NULL: no memory. */
struct helper *helper_new(const char *name, helper_put put, void *ctx);
/* Ends the process, too. */
void helper_free(struct helper *h);

/*
 * The stack of a copy: gives a rec_stack with its id, after the rec_symbols that it needs and that were not given for
 * this process. `text` says where the process's code is. go_named: Go code gets its names from somebody else, see
 * src/go/. 0; -ETIMEDOUT, -EPIPE (it died), -ESRCH, -EPERM, -EACCES (the target is gone, or may not be read): nothing
 * was given; or what put returned.
 */
int helper_stack(struct helper *h, const struct stack_copy *c, bool go_named, struct user_text *text);
/* Names for the pcs of a stack of the kernel (tgid TGID_KERNEL). As above; -EPERM: the kernel shows no addresses. */
int helper_kernel(struct helper *h, const struct rec_stack *r);
/*
 * Has it read the kernel's symbols, which takes 60 ms and more, without waiting for it; helper_is_ready() says when that
 * is over, well or not. Whatever is asked before then waits.
 */
void helper_warm_kernel(struct helper *h);
bool helper_is_ready(struct helper *h);
/* What a futex word belongs to: gives a rec_lock if there is something to say. As above. */
int helper_lock(struct helper *h, uint32_t tgid, uint64_t futex, bool is_shared);
/* The process runs another program now, or is gone: forget what is known of it. */
void helper_forget(struct helper *h, uint32_t tgid);

struct helper_stats {
	uint64_t asked;
	uint64_t failed;	/* stacks and locks without an answer, but for targets that were gone or may not be read */
	uint64_t died;		/* processes: by themselves, or because they took too long */
	uint64_t waited_ns;	/* for answers */
};

struct helper_stats helper_stats(const struct helper *h);
