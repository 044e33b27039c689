/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the holder of a lock did while somebody waited for it, by the history of its thread: off the CPU, asleep and
 * why, itself waiting for a lock, and whose. Every ns of the wait is in one row. What is in no piece was on a CPU, if
 * the thread was seen there later; else it is unknown: it may be asleep still.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "span.h"

struct threads;

enum {
	HOLD_ROWS = 64,		/* ways to hold up others in one wait; time beyond is unknown */
	HOLD_PIECES = 4096,	/* looked at for one wait; time beyond is unknown */
	HOLD_HOPS = 16,		/* from a holder to the one that it waits for */
	HOLD_HOP_PIECES = 256,	/* looked at for one of them */
};

struct hold_rows {
	size_t cnt;
	uint64_t unknown_ns;
	struct hold rows[HOLD_ROWS + 1];
};

/* Makes the rows of t->holds: what `holder` did in [begin, woken); from then to end the waiter waited for a CPU. */
void holds_make(struct threads *t, uint32_t holder, uint64_t begin_ns, uint64_t woken_ns, uint64_t end_ns);
