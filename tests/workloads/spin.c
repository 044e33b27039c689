/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * spin [COUNT [CPU [SECONDS]]]
 *
 * COUNT threads spin0, spin1, ... that burn CPU (-1: wherever) for SECONDS (0: until killed). Prints
 * `ready` once all of them run.
 */
#include "self.h"

static int cpu;
static uint64_t deadline;
static pthread_barrier_t gate;

static void *run_spinner(void *arg)
{
	char name[16];

	snprintf(name, sizeof(name), "spin%d", (int)(intptr_t)arg);
	pthread_setname_np(pthread_self(), name);
	pin_to(cpu);
	printf("thread %s tid %u\n", name, own_tid());
	pthread_barrier_wait(&gate);
	busy_until(deadline);
	return NULL;
}

int main(int argc, char **argv)
{
	long count = arg_number(argc, argv, 1, 1), seconds = arg_number(argc, argv, 3, 0);

	cpu = arg_number(argc, argv, 2, -1);
	deadline = seconds ? now_ns() + seconds * NSEC_PER_SEC : UINT64_MAX;
	must(pthread_barrier_init(&gate, NULL, count + 1), "pthread_barrier_init");
	pthread_t *threads = calloc(count + 1, sizeof(*threads));
	if (!threads)
		die("calloc");
	for (long i = 0; i < count; i++)
		threads[i] = start_thread(run_spinner, (void *)(intptr_t)i);
	pthread_barrier_wait(&gate);
	printf("ready\n");
	fflush(stdout);
	for (long i = 0; i < count; i++)
		join_thread(threads[i]);
	free(threads);
	return 0;
}
