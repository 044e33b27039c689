/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * execer [COUNT]
 *
 * Execs itself COUNT times from a thread that is not the main one (which takes over the main one's
 * id), sleeping 1 ms between, and ends.
 */
#include "self.h"

static char **args;

static void *run_exec(void *arg)
{
	sleep_until(now_ns() + NSEC_PER_MSEC);
	execv("/proc/self/exe", args);
	die("execv");
	return arg;
}

int main(int argc, char **argv)
{
	long count = arg_number(argc, argv, 1, 100);
	char left[24];

	sleep_until(now_ns() + NSEC_PER_MSEC);
	if (!count) {
		printf("pid %d\n", getpid());
		return 0;
	}
	snprintf(left, sizeof(left), "%ld", count - 1);
	args = (char *[]){ argv[0], left, NULL };
	join_thread(start_thread(run_exec, NULL));
	return 1;
}
