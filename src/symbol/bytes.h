/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads numbers from bytes that are not trusted. What is beyond the end is 0, and is_bad from then on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *at, *end;
	bool is_bad;
};

static inline size_t bytes_left(const struct bytes *b)
{
	return (size_t)(b->end - b->at);
}

static inline const uint8_t *bytes_take(struct bytes *b, uint64_t len)
{
	const uint8_t *at = b->at;

	if (len > bytes_left(b)) {
		b->at = b->end;
		b->is_bad = true;
		return NULL;
	}
	b->at += len;
	return at;
}

/* Of 1 to 8 bytes, little-endian. */
static inline uint64_t bytes_number(struct bytes *b, size_t size)
{
	const uint8_t *at = bytes_take(b, size);
	uint64_t value = 0;

	if (at)
		memcpy(&value, at, size);
	return value;
}

static inline uint64_t bytes_uleb(struct bytes *b)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; b->at < b->end; shift += 7) {
		uint8_t byte = *b->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	b->is_bad = true;
	return 0;
}

static inline int64_t bytes_sleb(struct bytes *b)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; b->at < b->end; shift += 7) {
		uint8_t byte = *b->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (byte & 0x40 && shift + 7 < 64)
			value |= ~(uint64_t)0 << (shift + 7);
		return (int64_t)value;
	}
	b->is_bad = true;
	return 0;
}

/* A string with its end, NULL if that is missing. */
static inline const char *bytes_string(struct bytes *b)
{
	const uint8_t *at = b->at, *end = bytes_left(b) ? memchr(at, '\0', bytes_left(b)) : NULL;

	if (!end) {
		b->at = b->end;
		b->is_bad = true;
		return NULL;
	}
	b->at = end + 1;
	return (const char *)at;
}
