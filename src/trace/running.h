/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Records that carry a running total (rec_count, rec_eagain, rec_overrun): where a stream is cut into files,
 * or files are joined to a stream, totals begin anew.
 */
#pragma once

#include "../base/u64map.h"
#include "record_info.h"

struct running {
	struct u64map totals;	/* struct running_total */
};

struct running_total {
	uint64_t last;		/* as the user of it keeps it; 0 when new */
	uint64_t base;		/* its value at the last running_cut() */
};

void running_init(struct running *r);
void running_done(struct running *r);

/* Whether records of this kind carry a total. */
bool running_is(unsigned int kind);
/*
 * The entry of the record's total, and where the record has it. Valid until the next call. NULL: no memory, or
 * more totals than any true recording has.
 */
struct running_total *running_of(struct running *r, union any_record *rec, __u64 **ret_value);
/* From here on totals count from their present values. */
void running_cut(struct running *r);
