/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * absloop [COUNT [PERIOD_US [CPU]]]
 *
 * A loop on an absolute grid that never skips: when it falls behind, its next deadlines already lie
 * in the past and it catches up. Lateness is against the ideal grid, so this is what drift must say.
 */
#include "self.h"

int main(int argc, char **argv)
{
	long count = arg_number(argc, argv, 1, 5000);
	uint64_t period = arg_number(argc, argv, 2, 500) * NSEC_PER_USEC;
	struct truth truth;

	pin_to(arg_number(argc, argv, 3, -1));
	truth_init(&truth, count);
	uint64_t next = now_ns() + NSEC_PER_MSEC;
	for (long i = 0; i < count; i++, next += period) {
		sleep_until(next);
		truth_add(&truth, now_ns() - next);
	}
	truth_print(&truth, "absloop", 0);
	printf(" period %" PRIu64 "\n", period);
	truth_done(&truth);
	return 0;
}
