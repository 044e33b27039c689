/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Files of one recording that goes on and on: of NAME.wlag they are NAME-20261121T120000.wlag, by the moment
 * (UTC) of their begin; a second one of that second has _2 behind it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { PART_PATH_MAX = 4096 };

struct recording_writer;

/*
 * Makes the file for the moment, mode 0600, and never takes one that is there. It gets its name once it is a
 * recording, so that a crash leaves none that can't be read. 0, with its writer and path; -errno, told.
 */
int part_open(const char *name, int64_t realtime_ns, char path[PART_PATH_MAX], struct recording_writer **out);
/*
 * Deletes the oldest of NAME's files, of this run and of earlier ones, until `keep` are left; never `current`.
 * 0 or -errno, told.
 */
int part_expire(const char *name, const char *current, size_t keep);
