/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* For doctor: what of the kernel side loads here, each program by itself. Prints nothing. */
#pragma once

#include <stdbool.h>

struct probe_trial {
	const char *name;	/* the section: "tp_btf/sched_switch"; of iterators also the program's name */
	bool has_event;		/* there is something to attach to; if not, it is left out */
	int err;		/* of the load, 0: it loads */
};

/*
 * Tries each program and tells the result; ends early when tell returns false. 0; -errno: none could
 * be tried (no BTF).
 */
int probe_try_programs(bool (*tell)(void *ctx, const struct probe_trial *t), void *ctx);
/* Whether ring buffers can be made: 0 or -errno. */
int probe_try_ring(void);
