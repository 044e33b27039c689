/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How contended something was over time, from the waits for it, [begin, end) in ns since the start. They come about in
 * the order of their ends, in bounded memory:
 *
 * How long at least one waited is kept as the last intervals in which somebody did. Older ones are added to their
 * columns; a long wait that comes after all fills whole columns, and of the one it began in what is surely new.
 *
 * The most at once: each wait is put into the slot whose last wait ended latest before it began, or into a new slot.
 * Of intervals in the order of their ends the number of slots is the most that overlap. A slot's place counted from
 * the back is how many waited at its end, which is noted for that column when the slot is taken again.
 *
 * A zeroed struct is empty.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct lock_col;

enum {
	CONTENTION_BUSY_MAX = 64,
	CONTENTION_SLOTS_MAX = 16384,	/* beyond, the oldest is taken again: so many at once are not told apart */
};

struct contention_busy {
	uint64_t begin, end;
};

struct contention {
	struct lock_col *cols;
	uint32_t *at_end;	/* of each column, how many waited when it ended */
	size_t col_cnt, col_cap;
	struct contention_busy busy[CONTENTION_BUSY_MAX];	/* disjoint, by time */
	size_t busy_cnt;
	uint64_t settled;	/* intervals before are in the columns */
	uint64_t *slots;	/* the end of the last wait in each, by time */
	size_t slot_cnt, slot_cap;
};

/* A wait. Its end is in one of the columns that the owner of the width allows for. 0 or -ENOMEM. */
int contention_add(struct contention *c, uint64_t width_ns, uint64_t begin, uint64_t end);
/* Makes 2^shift columns one. */
void contention_widen(struct contention *c, unsigned int shift);
/* Completes the columns; nothing can be added behind. Returns the most that waited at once. */
uint32_t contention_finish(struct contention *c, uint64_t width_ns);
void contention_done(struct contention *c);
