/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the thread model keeps of a thread, shared by its files. */
#pragma once

#include "../../bpf/record.h"
#include "thread.h"

struct thread {
	uint64_t head;		/* newest of its pieces */
	uint64_t moves;		/* newest of its moves, which become pieces when their wait ends */
	uint64_t end_ns;	/* of the newest piece */
	uint64_t known_from_ns;	/* what it did before was not seen; 0: as of all threads */
	uint64_t cgroup;	/* these three: of its last wait */
	uint8_t prio, policy;
	bool is_seen;		/* has had a wait */
	bool is_go;		/* its sleeps are kept */
};

/* A finished wait and what is derived from it. */
struct wait {
	const struct rec_wait *rec;
	struct thread *thread;
	uint64_t runnable_ns;	/* off the CPU and runnable from here on; ran if that was not seen */
	bool is_woken;
};

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Adds the wait to the history of its thread. */
void thread_push(struct threads *t, struct wait *w);
