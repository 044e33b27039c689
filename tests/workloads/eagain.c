/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * eagain [COUNT [BEFORE_MS]]
 *
 * One futex wait that a timeout ends, BEFORE_MS of sleep (a profiler looks closer once it saw a futex), then COUNT
 * futex calls that wait for a value that is gone: each returns EAGAIN without a wait.
 */
#include <linux/futex.h>

#include "self.h"

static uint32_t word = 1;

static void call_futex(uint32_t value, int expected)
{
	struct timespec ts = to_timespec(NSEC_PER_MSEC);

	if (syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, &ts, NULL, 0) != -1 || errno != expected)
		die("futex");
}

int main(int argc, char **argv)
{
	long count = arg_number(argc, argv, 1, 1000), before_ms = arg_number(argc, argv, 2, 500);

	call_futex(word, ETIMEDOUT);
	sleep_until(now_ns() + before_ms * NSEC_PER_MSEC);
	for (long i = 0; i < count; i++)
		call_futex(word + 1, EAGAIN);
	printf("pid %d count %ld lock 0x%" PRIxPTR "\n", getpid(), count, (uintptr_t)&word);
	return 0;
}
