/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * names NAME...
 *
 * For each NAME (15 bytes count) a thread of that name sleeps 1 ms 20 times. Prints the thread's id and
 * its position among the arguments.
 */
#include "self.h"

static void *run_named(void *arg)
{
	if (prctl(PR_SET_NAME, arg, 0, 0, 0))
		die("PR_SET_NAME");
	for (int i = 0; i < 20; i++)
		sleep_until(now_ns() + NSEC_PER_MSEC);
	return (void *)(uintptr_t)own_tid();
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		void *tid;
		must(pthread_join(start_thread(run_named, argv[i]), &tid), "pthread_join");
		printf("arg %d tid %u\n", i, (unsigned int)(uintptr_t)tid);
	}
	return 0;
}
