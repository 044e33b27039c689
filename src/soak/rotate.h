/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A recording in files that follow each other: a new one each period, or when one is full. Each is whole in
 * itself: it begins with all that was told before and is still true (head.h), its totals count from its begin,
 * and it has an end. What a thread's wakings amounted to beyond its samples is in the file in which it ended.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct record_sink;
struct rotate;

struct rotate_opts {
	const char *name;	/* see parts.h */
	uint64_t period_ns;	/* 0: by size only */
	uint64_t max_bytes;	/* of a file, 0: any */
	size_t keep;		/* so many files, 0: all */
	size_t head_bytes;	/* memory for what is told again, 0: 16 MiB */
};

/* Makes the first file. `now` is CLOCK_MONOTONIC, `realtime_ns` CLOCK_REALTIME. 0 or -errno, told. */
int rotate_open(const struct rotate_opts *opts, uint64_t now, int64_t realtime_ns, struct rotate **out);
/* 0, or what went wrong first, told. NULL is 0. */
int rotate_close(struct rotate *r);

/* The sink that session_run_sink() takes. */
struct record_sink rotate_sink(struct rotate *r);
/* Files so far. */
size_t rotate_files(const struct rotate *r);
