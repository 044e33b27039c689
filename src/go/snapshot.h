/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A snapshot in the making: what the files behind go_process_snapshot() share. */
#pragma once

#include "../base/u64map.h"
#include "groups.h"
#include "reader.h"
#include "stacks.h"

enum {
	GO_AT_ONCE = 1024,	/* goroutines that are read in one go */
	GO_NEAR = 512,		/* bytes from a g to the next one in memory, if they are neighbours */
	GO_HIST_MAX = 720,	/* buckets of a runtime.timeHistogram, until 1.19; later 160 */
	GO_HIST_CNT = 5,	/* of enum go_hist */
};

struct go_hist_counts {
	bool is_read;
	uint64_t counts[GO_HIST_MAX];
};

struct go_snapshots {
	uint64_t addrs[GO_AT_ONCE];	/* of what is being read */
	struct memory_part parts[GO_AT_ONCE];
	uint32_t at[GO_AT_ONCE];	/* where in bytes the gs are */
	uint16_t part_of[GO_AT_ONCE];
	uint8_t *bytes;			/* of GO_AT_ONCE gs, and what is between them */
	uint32_t ticks[GO_PS_MAX];	/* of the Ps, as last read */
	uint64_t ticks_sum;
	struct go_hist_counts hists[GO_HIST_CNT];	/* as last given */
	struct go_stacks stacks;
};

struct go_snap {
	struct go_process_reader *r;
	struct go_snapshots *kept;
	struct rec_gosnap rec;
	struct go_groups groups;
	struct u64map in_syscall;	/* addresses of Ms */
	struct go_hist_counts hists[GO_HIST_CNT];
};

/* Below, 0 or -errno of memory_read(), -ENOENT: the variable is not known, -ENOMEM. */
/* A slice of pointers that may grow while it is read. */
int go_read_slots(const struct go_process_reader *r, uint64_t global, struct go_slots *out);
/* Count into rec; the Ms before the Ps. */
int go_snap_read_ms(struct go_snap *s);
int go_snap_read_ps(struct go_snap *s);
int go_snap_read_sched(struct go_snap *s);
int go_snap_read_hists(struct go_snap *s);
/* Gives what grew since the last time. 0 or what put returned. */
int go_snap_give_hists(struct go_snap *s, go_put put, void *ctx);
