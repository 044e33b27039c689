/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Waits until a process of some name runs: by looking through /proc ten times a second, which needs no rights. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The processes whose name, or the base name of whose program, matches the glob; ours is none. Waits until there
 * is one. 0 with their ids, the caller's to free; -EINTR: SIGINT, SIGTERM or SIGHUP came; -errno, told.
 */
int wait_for_process(const char *glob, uint32_t **ret_ids, size_t *ret_cnt);
