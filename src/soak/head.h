/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the begin of a file has to say again when a recording goes on in a new one: clock, facts, tasks,
 * cgroups, Go processes, their words, symbols, labels and stacks. Each as it was told last; what ended is
 * forgotten. Memory is bounded: of the tasks that are not traced, whose end nobody tells, those that were not
 * seen for longest go when they are many; without room, new names are left out.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct head;

struct head *head_new(size_t max_bytes);	/* NULL: no memory */
void head_free(struct head *h);

/* Notes a record if it is one of those. 0 or -ENOMEM. */
int head_note(struct head *h, const void *rec);
/* Forgets the threads and processes that ended before then. */
void head_forget(struct head *h, uint64_t before_ns);
/*
 * Gives all that is noted, its time set to `now`, the clock first. What feed returned, if not 0; else 0.
 */
int head_give(const struct head *h, uint64_t now, int (*feed)(void *ctx, const void *rec, size_t len), void *ctx);

/* The latest time in a record so far. */
uint64_t head_now(const struct head *h);
/* CLOCK_REALTIME less CLOCK_MONOTONIC, as told last. */
int64_t head_realtime(const struct head *h);
/* Names that there was no room for. */
uint64_t head_left_out(const struct head *h);
