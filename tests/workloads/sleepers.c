/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sleepers [COUNT [SECONDS [SLEEP_US]]]
 *
 * COUNT threads that sleep SLEEP_US at a time, back to back, for SECONDS, and measure each sleep's
 * lateness.
 */
#include "self.h"

struct sleeper {
	pthread_t thread;
	struct truth truth;
};

static uint64_t sleep_ns, seconds;

static void *run_sleeper(void *arg)
{
	struct sleeper *s = arg;
	struct timespec ts = to_timespec(sleep_ns);

	truth_init(&s->truth, seconds * NSEC_PER_SEC / sleep_ns + 1);
	for (uint64_t end = now_ns() + seconds * NSEC_PER_SEC, start; (start = now_ns()) < end;) {
		must(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL), "clock_nanosleep");
		truth_add(&s->truth, now_ns() - (start + sleep_ns));
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long count = arg_number(argc, argv, 1, 10);

	seconds = arg_number(argc, argv, 2, 1);
	sleep_ns = arg_number(argc, argv, 3, 1000) * NSEC_PER_USEC;
	struct sleeper *sleepers = calloc(count + 1, sizeof(*sleepers));
	if (!sleepers)
		die("calloc");
	printf("ready\n");
	fflush(stdout);
	for (long i = 0; i < count; i++)
		sleepers[i].thread = start_thread(run_sleeper, &sleepers[i]);
	for (long i = 0; i < count; i++) {
		join_thread(sleepers[i].thread);
		truth_print(&sleepers[i].truth, "sleeper", 0);
		printf("\n");
		truth_done(&sleepers[i].truth);
	}
	free(sleepers);
	return 0;
}
