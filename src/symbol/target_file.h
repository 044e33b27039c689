/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Opens files as a target has them, for reading: regular ones only, without side effects on anything else that a
 * path may lead to, and never outside of the target's own root.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* A file that is mapped at [lo, hi): also a deleted one, or one of another mount namespace. fd or -errno. */
int target_open_mapped(int proc, uint64_t lo, uint64_t hi, const char *path, uint64_t inode);
/* A path in the root of the target; `is` is what it turned out to be (may be NULL). fd or -errno. */
int target_open_path(int proc, const char *path, struct stat *is);
/* A path in our own root. */
int target_open_ours(const char *path, struct stat *is);
/* The target's memory: how many bytes were read from addr. */
uint64_t target_read(int proc, uint64_t addr, void *to, uint64_t len);
