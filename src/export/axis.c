/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "axis.h"

#include <math.h>

#define SECOND UINT64_C(1000000000)

uint64_t axis_step(uint64_t length_ns, size_t max_cnt)
{
	static const uint64_t seconds[] = {10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600,
					   43200, 86400};
	uint64_t least = max_cnt ? (length_ns + max_cnt - 1) / max_cnt : length_ns;

	for (uint64_t unit = 1; unit <= SECOND; unit *= 10) {
		for (uint64_t digit = 1; digit <= 5; digit += digit == 1 ? 1 : 3) {
			if (unit * digit >= least)
				return unit * digit;
		}
	}
	for (size_t i = 0; i < sizeof(seconds) / sizeof(*seconds); i++) {
		if (seconds[i] * SECOND >= least)
			return seconds[i] * SECOND;
	}
	return (least + 86400 * SECOND - 1) / (86400 * SECOND) * 86400 * SECOND;
}

uint64_t axis_round(uint64_t ns)
{
	uint64_t unit = 1;

	while (ns / unit >= 100)
		unit *= 10;
	return ns > UINT64_MAX - unit ? ns : (ns + unit / 2) / unit * unit;
}

/* Where level begins, as a count that need not be whole. */
static double level_bound(unsigned int level, uint64_t max, unsigned int levels)
{
	return pow((double)max + 1, (double)(level - 1) / levels);
}

uint64_t axis_level_from(unsigned int level, uint64_t max, unsigned int levels)
{
	double bound = level_bound(level, max, levels);

	return (uint64_t)ceil(bound - 1e-9);
}

unsigned int axis_level(uint64_t count, uint64_t max, unsigned int levels)
{
	unsigned int level = levels;

	if (!count)
		return 0;
	while (level > 1 && axis_level_from(level, max, levels) > count)
		level--;
	return level;
}
