/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t clamp_u64(uint64_t v, uint64_t lo, uint64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/*
 * How many rows of `size` bytes, sorted by the uint64_t at `offset` in each, have at most that number there: the first
 * of those that have more.
 */
static inline size_t rows_until(const void *rows, size_t cnt, size_t size, size_t offset, uint64_t number)
{
	size_t lo = 0, hi = cnt;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		uint64_t at;

		memcpy(&at, (const char *)rows + mid * size + offset, sizeof(at));
		if (at <= number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

#define ROWS_UNTIL(rows, cnt, field, number) \
	rows_until(rows, cnt, sizeof(*(rows)), (size_t)((const char *)&(rows)->field - (const char *)(rows)), number)

static inline bool begins_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}
