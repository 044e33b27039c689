/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the workloads of locks share: rounds in which a holder keeps something for a known time while waiters come for
 * it, and each waiter's own account of its waits. How often it slept it knows from the kernel's own count.
 */
#pragma once

#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "self.h"

enum { MAX_WAITERS = 8 };

struct lock_case {
	const char *name;
	const char *klass;	/* of thread.futex */
	const char *lock_name;	/* the symbol, or "-": it is in no object with a name */
	const char *site;	/* the function that waits */
	long waiters;
	bool forks;		/* the holder is a process of its own */
	bool owned;		/* the lock says who holds it */
	bool spins;		/* waiters do not sleep */
	void (*init)(void);	/* may be NULL */
	void (*take)(void);	/* may be NULL */
	void (*give)(void);
	void (*wait)(int waiter);
	void (*leave)(int waiter);	/* may be NULL */
	void *(*lock)(int waiter);
	size_t lock_size;
};

struct lock_rounds {
	pthread_barrier_t held;	/* the holder has it: come for it */
	pthread_barrier_t over;	/* all had it: without this the holder takes it again before them */
	uint32_t holder;
	uint32_t waiters[MAX_WAITERS];
	uint64_t hold_ns;
	long cnt;
	const struct lock_case *of;
};

struct lock_waiter {
	int index;
	char name[16];
	long sleeps;
	struct lock_rounds *rounds;
	pthread_t thread;
	struct truth truth;
};

static inline long own_sleeps(void)
{
	struct rusage use;

	if (getrusage(RUSAGE_THREAD, &use))
		die("getrusage");
	return use.ru_nvcsw;
}

static inline void *lock_wait_rounds(void *arg)
{
	struct lock_waiter *w = arg;
	struct lock_rounds *r = w->rounds;

	pthread_setname_np(pthread_self(), w->name);
	truth_init(&w->truth, r->cnt);
	r->waiters[w->index] = w->truth.tid;
	for (long i = 0; i < r->cnt; i++) {
		pthread_barrier_wait(&r->held);
		long sleeps = own_sleeps();
		uint64_t start = now_ns();
		r->of->wait(w->index);
		uint64_t end = now_ns();
		w->sleeps += own_sleeps() - sleeps;
		truth_add(&w->truth, end - start);
		if (r->of->leave)
			r->of->leave(w->index);
		pthread_barrier_wait(&r->over);
	}
	return NULL;
}

static inline bool is_asleep(uint32_t tid)
{
	char file[32], text[64] = "";

	snprintf(file, sizeof(file), "/proc/%u/stat", tid);
	FILE *f = fopen(file, "r");
	if (!f || !fgets(text, sizeof(text), f))
		die(file);
	fclose(f);
	const char *comm_end = strrchr(text, ')');
	return comm_end && comm_end[1] && comm_end[2] == 'S';
}

/* On a busy machine who comes for the lock may come late, and find it free. */
static inline void lock_await_waiters(const struct lock_rounds *r)
{
	for (long i = 0; !r->of->spins && i < r->of->waiters; i++)
		while (!is_asleep(r->waiters[i]))
			sleep_until(now_ns() + NSEC_PER_MSEC / 5);
}

static inline void *lock_hold_rounds(void *arg)
{
	struct lock_rounds *r = arg;

	prctl(PR_SET_NAME, "holder");
	r->holder = own_tid();
	for (long i = 0; i < r->cnt; i++) {
		if (r->of->take)
			r->of->take();
		pthread_barrier_wait(&r->held);
		sleep_until(now_ns() + r->hold_ns);
		lock_await_waiters(r);
		r->of->give();
		pthread_barrier_wait(&r->over);
	}
	return NULL;
}

static inline void *lock_shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

static inline struct lock_rounds *lock_rounds_new(const struct lock_case *of, uint64_t hold_ns, long cnt)
{
	struct lock_rounds *r = lock_shared_memory(sizeof(*r));
	pthread_barrierattr_t attr;

	*r = (struct lock_rounds){ .hold_ns = hold_ns, .cnt = cnt, .of = of };
	must(pthread_barrierattr_init(&attr), "pthread_barrierattr_init");
	must(pthread_barrierattr_setpshared(&attr, of->forks ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE),
	     "pthread_barrierattr_setpshared");
	must(pthread_barrier_init(&r->held, &attr, of->waiters + 1), "pthread_barrier_init");
	must(pthread_barrier_init(&r->over, &attr, of->waiters + 1), "pthread_barrier_init");
	return r;
}

static inline void lock_print(struct lock_waiter *w)
{
	const struct lock_rounds *r = w->rounds;

	truth_print(&w->truth, w->name, 1);
	printf(" case %s class %s lock 0x%" PRIxPTR " size %zu name %s site %s holder %u owned %d waits %ld\n",
	       r->of->name, r->of->klass, (uintptr_t)r->of->lock(w->index), r->of->lock_size, r->of->lock_name,
	       r->of->site, r->holder, r->of->owned, w->sleeps);
	truth_done(&w->truth);
}

static inline pid_t lock_fork_holder(struct lock_rounds *r)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	lock_hold_rounds(r);
	_exit(0);
}

/* All rounds of a case, and a line for each waiter. */
static inline void lock_run_case(const struct lock_case *of, uint64_t hold_ns, long cnt)
{
	struct lock_rounds *r = lock_rounds_new(of, hold_ns, cnt);
	struct lock_waiter waiters[MAX_WAITERS] = { 0 };
	pthread_t holder = 0;
	pid_t pid = 0;

	if (of->init)
		of->init();
	if (of->forks)
		pid = lock_fork_holder(r);
	else
		holder = start_thread(lock_hold_rounds, r);
	for (int i = 0; i < of->waiters; i++) {
		waiters[i].index = i;
		waiters[i].rounds = r;
		snprintf(waiters[i].name, sizeof(waiters[i].name), "%.12s%d", of->name, i % MAX_WAITERS);
		waiters[i].thread = start_thread(lock_wait_rounds, &waiters[i]);
	}
	if (pid) {
		int status;
		if (waitpid(pid, &status, 0) != pid || status)
			die("holder");
	} else {
		join_thread(holder);
	}
	for (int i = 0; i < of->waiters; i++) {
		join_thread(waiters[i].thread);
		lock_print(&waiters[i]);
	}
	munmap(r, sizeof(*r));
}
