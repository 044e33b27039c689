/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * forkstorm [THREADS [PROCESSES]]
 *
 * Starts and joins THREADS short threads, then PROCESSES short processes, a few at once.
 */
#include <sys/wait.h>

#include "self.h"

#define AT_ONCE 8

static void *run_short(void *arg)
{
	sched_yield();
	return arg;
}

static void storm_threads(long count)
{
	pthread_t threads[AT_ONCE];

	for (long done = 0; done < count;) {
		long n = count - done < AT_ONCE ? count - done : AT_ONCE;
		for (long i = 0; i < n; i++)
			threads[i] = start_thread(run_short, NULL);
		for (long i = 0; i < n; i++)
			join_thread(threads[i]);
		done += n;
	}
}

static void storm_processes(long count)
{
	for (long done = 0; done < count;) {
		long n = count - done < AT_ONCE ? count - done : AT_ONCE;
		for (long i = 0; i < n; i++) {
			pid_t pid = fork();
			if (pid < 0)
				die("fork");
			if (!pid)
				_exit(0);
		}
		for (long i = 0; i < n; i++)
			if (wait(NULL) < 0)
				die("wait");
		done += n;
	}
}

int main(int argc, char **argv)
{
	long threads = arg_number(argc, argv, 1, 10000), processes = arg_number(argc, argv, 2, 0);

	storm_threads(threads);
	storm_processes(processes);
	printf("threads %ld processes %ld\n", threads, processes);
	return 0;
}
