/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the thread model keeps of a thread, shared by its files. */
#pragma once

#include "../../bpf/record.h"
#include "../base/numbers.h"
#include "thread.h"

struct thread {
	uint64_t head;		/* newest of its pieces */
	uint64_t moves;		/* newest of its moves, which become pieces when their wait ends */
	uint64_t end_ns;	/* of the newest piece */
	uint64_t sleeps;	/* newest of threads.sleeps */
	uint64_t awake_ns;	/* the last that was seen of it: it was on a CPU */
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
	bool is_futex;		/* asleep in a futex; then: */
	uint32_t klass;		/* of thread.futex, thread.block if it was asleep */
	uint32_t holder;	/* of the lock when the wait began; 0: not known */
	uint32_t site;		/* where it waited */
	uint64_t lock, lock_space;	/* as in struct span */
};

/* Sets what the wait was for, if the thread was asleep. */
void thread_find_cause(struct threads *t, struct wait *w);
/* After the sample of thread.futex: the same as one of lock.wait, if it was for a lock. */
void thread_emit_lock(struct threads *t, const struct wait *w);
/* Adds the wait to the history of its thread. */
void thread_push(struct threads *t, struct wait *w);
