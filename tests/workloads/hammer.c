/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hammer [THREADS [HOLD_NS [SECONDS]]]
 *
 * Contention at its worst: THREADS threads lock one mutex, keep it for HOLD_NS of work, and come again at once. HOLD_NS
 * of 0: they give their CPU away while they have it, so that who comes then has to wait, however fast a machine is.
 * After "ready" a line of input, or its end, lets them go, so that a profiler can be attached before. Tells how often
 * it was locked, how often it was not free, and the CPU time that took.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "self.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t go;
static atomic_bool over;
static long work;

struct hammer {
	pthread_t thread;
	uint64_t locked, waited;
};

/* Gives the CPU away where there is nothing to do. */
static void spend(long loops)
{
	if (!loops)
		sched_yield();
	for (long i = 0; i < loops; i++)
		__asm__ volatile("");
}

static void *run_hammer(void *arg)
{
	struct hammer *h = arg;

	pthread_barrier_wait(&go);
	while (!over) {
		if (pthread_mutex_trylock(&mutex)) {
			h->waited++;
			pthread_mutex_lock(&mutex);
		}
		spend(work);
		pthread_mutex_unlock(&mutex);
		h->locked++;
	}
	return NULL;
}

/* Loops of spend() that take so long. */
static long loops_for(long ns)
{
	enum { TRIAL = 1000000 };
	uint64_t start = now_ns();

	spend(TRIAL);
	return ns * TRIAL / (long)(now_ns() - start + 1);
}

static uint64_t cpu_ns(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NSEC_PER_SEC + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000ull;
}

int main(int argc, char **argv)
{
	long cnt = arg_number(argc, argv, 1, 8), hold_ns = arg_number(argc, argv, 2, 200);
	long seconds = arg_number(argc, argv, 3, 1);
	struct hammer *hammers = calloc(cnt, sizeof(*hammers));
	uint64_t locked = 0, waited = 0, start, cpu;
	char line[8];

	if (!hammers)
		die("calloc");
	work = hold_ns ? loops_for(hold_ns) : 0;
	must(pthread_barrier_init(&go, NULL, cnt + 1), "pthread_barrier_init");
	for (long i = 0; i < cnt; i++)
		hammers[i].thread = start_thread(run_hammer, &hammers[i]);
	printf("ready\n");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		line[0] = '\0';
	start = now_ns();
	cpu = cpu_ns();
	pthread_barrier_wait(&go);
	sleep_until(start + seconds * NSEC_PER_SEC);
	over = true;
	for (long i = 0; i < cnt; i++) {
		join_thread(hammers[i].thread);
		locked += hammers[i].locked;
		waited += hammers[i].waited;
	}
	printf("lock 0x%" PRIxPTR " ops %" PRIu64 " waited %" PRIu64 " ns %" PRIu64 " cpu_ns %" PRIu64 "\n",
	       (uintptr_t)&mutex.__data.__lock, locked, waited, now_ns() - start, cpu_ns() - cpu);
	free(hammers);
	return 0;
}
