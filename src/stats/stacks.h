/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Samples by call stack: a group-by over {metric, class, process, thread or goroutine, lock, who is to blame, stack},
 * for profiles. Kept with tables_opts.stacks. Bounded: beyond, samples are folded to the same without goroutine,
 * thread, lock and blame, and counted; far beyond, to metric and class.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view.h"

struct stack_row {
	enum metric metric;
	uint32_t klass;
	uint32_t tgid, tid;	/* 0: folded; tid of a goroutine's wait is 0, too */
	uint64_t goid;		/* 0: a thread's wait */
	uint32_t site;		/* of the goroutine, where it was created; 0: a thread, or not known */
	uint32_t lock;		/* for tables_lock_text(); 0: none */
	enum blame_kind by_kind;	/* of the biggest blame that has a name, else BLAME_UNKNOWN */
	uint32_t by, by_site;	/* its TID, or of a goroutine its creation site; 0: none */
	uint32_t stack, stack_tgid;	/* for names_frame(); 0: not known */
	uint64_t count, sum, max;
	const uint64_t *stage_ns;	/* sums of the metric's stages, without gaps, as in struct event_row */
};

/* By metric, then the biggest sum first. */
bool tables_stack(const struct tables *t, size_t i, struct stack_row *out);
/* Samples that lost thread, lock and blame, because there were too many rows. */
uint64_t tables_stacks_folded(const struct tables *t);
