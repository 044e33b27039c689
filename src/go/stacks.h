/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where goroutines wait: their stacks by frame pointers, each given once with an id. */
#pragma once

#include "../base/u64map.h"
#include "groups.h"
#include "reader.h"

enum { GO_STACK_PCS = 12 };	/* as many as a rec_stack has */

/* Ids of stacks that are read from outside; those that the kernel side gives are below. */
#define GO_STACK_FIRST_ID (1u << 31)

struct go_stacks {
	struct u64map ids;
};

void go_stacks_init(struct go_stacks *s);
void go_stacks_done(struct go_stacks *s);

struct go_walk {
	struct go_group *group;	/* whose first goroutine it is */
	uint64_t bp, pcs[GO_STACK_PCS];
	uint32_t cnt;			/* of pcs; 0: it ran meanwhile, or could not be read */
};

/* Walks the stacks of goroutines that wait, all at once. 0, -ESRCH or -EPERM. */
int go_stacks_walk(const struct go_process_reader *r, struct go_walk *walks, size_t cnt);
/* The id of a stack, 0: too many different ones. Gives the rec_stack if it is new. 0 or what put returned. */
int go_stacks_give(struct go_stacks *s, uint32_t tgid, const struct go_walk *w, go_put put, void *ctx,
		   uint32_t *id);
