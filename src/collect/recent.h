/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The records of the last seconds, in memory, to be replayed again and again: those that say who is who
 * are kept for good, the others for a window of time, or less if that would take too much memory.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct recent;

/* NULL: no memory. `seconds` calls of recent_second() are the window. */
struct recent *recent_new(size_t seconds);
void recent_free(struct recent *r);

/* Keeps a record. 0, or -ENOMEM. */
int recent_feed(struct recent *r, const void *rec, size_t len);
/* Begins the next second; what is older than the window goes. */
void recent_second(struct recent *r);
/* Records that did not fit into the present window. */
uint64_t recent_dropped(const struct recent *r);

/* Gives all that is kept, in order, to feed. What feed returned, if not 0. */
int recent_replay(const struct recent *r, int (*feed)(void *ctx, const void *rec, size_t len), void *ctx);
