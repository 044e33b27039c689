/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who took the time of one sample. Every ns of the time to explain gets exactly one row; what nobody
 * was seen to take is `unknown`, so that the rows' sum is that time, to the ns.
 */
#pragma once

#include "history.h"
#include "span.h"

enum {
	BLAME_CPUS = 1024,	/* slices of CPUs beyond are unknown */
	BLAME_ROWS = 1024,	/* a sample's competitors beyond are unknown */
	BLAME_SLOT_BITS = 12,
	BLAME_SLOTS = 1 << BLAME_SLOT_BITS,
	BLAME_SLICES = 16384,	/* slices looked at for one sample; time beyond is unknown */
};

/* The run slices of all CPUs. */
struct slices {
	struct history history;
	uint64_t head[BLAME_CPUS];
};

/* Rows of the sample under way; room for one waker and one of each kind beside the competitors. */
struct blame_rows {
	size_t cnt;
	uint64_t sum_ns;
	uint64_t kind_ns[BLAME_CNT];	/* of the kinds without a tid */
	unsigned int budget;		/* slices that may still be looked at */
	struct blame rows[BLAME_ROWS + BLAME_CNT];
	uint16_t row_slot[BLAME_ROWS];	/* of slots, to empty them again */
	uint16_t slots[BLAME_SLOTS];	/* hash of competitors' tids: 1 + index in rows */
};

void blame_reset(struct blame_rows *b);
/* Blames the stretches of [begin, end) in the pieces of a thread, but for its sleeps and stage throttle. */
void blame_pieces(struct blame_rows *b, const struct slices *slices, const struct history *pieces,
		  uint64_t head, uint64_t begin_ns, uint64_t end_ns);
/* Ends the rows: what lacks of total_ns is unknown. */
void blame_close(struct blame_rows *b, uint64_t total_ns);
/* One row more, after blame_close() or alone after blame_reset(). */
void blame_row(struct blame_rows *b, enum blame_kind kind, uint32_t tid, uint64_t ns);
/* The same of a goroutine. */
void blame_goroutine(struct blame_rows *b, enum blame_kind kind, uint32_t site, uint64_t goid, uint64_t ns);
