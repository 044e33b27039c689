/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * locks [HOLD_MS [WAITERS [ROUNDS]]]
 *
 * Every round a holder takes a mutex, lets WAITERS threads come for it, and keeps it HOLD_MS. Each
 * waiter measures how long its lock call took.
 */
#include "self.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t held;	/* the holder has it: come for it */
static pthread_barrier_t over;	/* all had it: without this the holder takes it again before them */
static long hold_ms, rounds;

struct waiter {
	char name[16];
	pthread_t thread;
	struct truth truth;
};

static void *run_waiter(void *arg)
{
	struct waiter *w = arg;

	pthread_setname_np(pthread_self(), w->name);
	truth_init(&w->truth, rounds);
	for (long i = 0; i < rounds; i++) {
		pthread_barrier_wait(&held);
		uint64_t start = now_ns();
		pthread_mutex_lock(&mutex);
		truth_add(&w->truth, now_ns() - start);
		pthread_mutex_unlock(&mutex);
		pthread_barrier_wait(&over);
	}
	return NULL;
}

static void *run_holder(void *arg)
{
	pthread_setname_np(pthread_self(), "holder");
	*(uint32_t *)arg = own_tid();
	for (long i = 0; i < rounds; i++) {
		pthread_mutex_lock(&mutex);
		pthread_barrier_wait(&held);
		sleep_until(now_ns() + hold_ms * NSEC_PER_MSEC);
		pthread_mutex_unlock(&mutex);
		pthread_barrier_wait(&over);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	hold_ms = arg_number(argc, argv, 1, 5);
	long cnt = arg_number(argc, argv, 2, 2);
	rounds = arg_number(argc, argv, 3, 50);
	must(pthread_barrier_init(&held, NULL, cnt + 1), "pthread_barrier_init");
	must(pthread_barrier_init(&over, NULL, cnt + 1), "pthread_barrier_init");
	struct waiter *waiters = calloc(cnt + 1, sizeof(*waiters));
	if (!waiters)
		die("calloc");
	uint32_t holder_tid = 0;
	pthread_t holder = start_thread(run_holder, &holder_tid);
	for (long i = 0; i < cnt; i++) {
		snprintf(waiters[i].name, sizeof(waiters[i].name), "waiter%d", (int)(i % 1000));
		waiters[i].thread = start_thread(run_waiter, &waiters[i]);
	}
	join_thread(holder);
	printf("lock 0x%" PRIxPTR " holder %u hold %llu\n", (uintptr_t)&mutex.__data.__lock, holder_tid,
	       hold_ms * NSEC_PER_MSEC);
	for (long i = 0; i < cnt; i++) {
		join_thread(waiters[i].thread);
		truth_print(&waiters[i].truth, waiters[i].name, 0);
		printf("\n");
		truth_done(&waiters[i].truth);
	}
	free(waiters);
	return 0;
}
