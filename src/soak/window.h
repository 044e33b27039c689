/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Coded blocks of the last seconds, in segments of a flush each, bounded in time and in bytes; and by how much
 * the counters of the whole recording grew meanwhile.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../../bpf/record.h"

struct segment {
	struct segment *next;
	uint64_t begin_ns, end_ns;	/* end_ns 0: it is being filled */
	uint8_t *bytes;
	size_t len, room;
	uint64_t grown[COUNT_CNT];
};

struct window {
	struct segment *first, *last;
	size_t bytes, max_bytes;
	uint64_t totals[COUNT_CNT];	/* as last told */
};

int window_init(struct window *w, size_t max_bytes);	/* 0 or -ENOMEM */
void window_done(struct window *w);

/* Appends to the segment that is being filled; the oldest go where there is no room. 0 or -ENOMEM. */
int window_add(struct window *w, const uint8_t *bytes, size_t len);
void window_count(struct window *w, const struct rec_count *r);
/* Ends the segment at `now` and begins the next; drops what ended before `from_ns`. 0 or -ENOMEM. */
int window_next(struct window *w, uint64_t now, uint64_t from_ns);
