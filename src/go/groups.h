/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Goroutines that are alike, counted: a hash table. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct go_group {
	uint64_t startpc, gopc, labels;		/* these five are the key */
	uint32_t status, reason;
	uint32_t cnt, stack;			/* stack: id of a rec_stack, 0: none */
	uint64_t since;				/* the earliest time known that one waits since, 0: none known */
	uint64_t g;				/* address of the first one, and its state when it was read: */
	uint64_t sp, pc, bp, stack_lo, stack_hi;
};

struct go_groups {
	struct go_group *all;
	uint32_t *index;			/* of all, plus 1; 0: free */
	size_t cnt, cap, index_cap;
};

/* Counts one goroutine, given as a group of its own. 0 or -ENOMEM. */
int go_groups_add(struct go_groups *groups, const struct go_group *g);
/* The most numerous first. Nothing can be added from then on. */
void go_groups_sort(struct go_groups *groups);
void go_groups_done(struct go_groups *groups);
