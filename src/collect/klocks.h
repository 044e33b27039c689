/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Waits for the kernel's own locks, on their way into the recording: their stacks get names first. The first one finds
 * a symbolizer that has to read all of the kernel's symbols; until it has, these records are held back, so that nobody
 * else waits: a target that lives a moment has to be looked at while it lives.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../symbol/helper.h"

struct klocks;

/* Records go through `put`, whose error is remembered there. NULL: no memory. */
struct klocks *klocks_new(helper_put put, void *ctx);
void klocks_free(struct klocks *k);
/* Stacks of the kernel and waits for its locks. True: it is held back, and put later. */
bool klocks_record(struct klocks *k, const void *rec);
/* Puts what was held back if that can be; is_last: in any case. */
void klocks_tick(struct klocks *k, bool is_last);
struct helper_stats klocks_stats(const struct klocks *k);
