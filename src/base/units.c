/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	double factor;
};

static int parse_unit(const char *text, const struct unit *units, uint64_t *out)
{
	double value;
	char *end;

	if (!isdigit((unsigned char)text[0]))	/* no signs, no "inf", no hex floats */
		return -EINVAL;
	errno = 0;
	value = strtod(text, &end);
	if (errno || strpbrk(text, "xX"))
		return -EINVAL;
	for (; units->name; units++) {
		if (strcmp(end, units->name))
			continue;
		value = value * units->factor + 0.5;
		if (value >= 9.2e18)
			return -EINVAL;
		*out = (uint64_t)value;
		return 0;
	}
	return -EINVAL;
}

int parse_time(const char *text, uint64_t *out)
{
	static const struct unit units[] = {
		{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"min", 60e9}, {"h", 3600e9},
		{"d", 86400e9}, {NULL, 0},
	};

	return parse_unit(text, units, out);
}

int parse_size(const char *text, uint64_t *out)
{
	static const struct unit units[] = {
		{"", 1}, {"B", 1}, {"K", 1024}, {"KB", 1024}, {"KiB", 1024}, {"M", 1 << 20}, {"MB", 1 << 20},
		{"MiB", 1 << 20}, {"G", 1 << 30}, {"GB", 1 << 30}, {"GiB", 1 << 30}, {NULL, 0},
	};

	return parse_unit(text, units, out);
}

int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value < min || value > max)
		return -EINVAL;
	*out = value;
	return 0;
}
