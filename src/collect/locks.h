/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the collector does for waits on locks: has stacks unwound and named, and says what futex words belong to, by way
 * of the symbolizer. What it has to say goes through the given sink, as records, before the record that needs it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe;
struct golang;
struct locks;
struct facts;

/* probe and golang outlive it. Not is_on: it does nothing. NULL: no memory. */
struct locks *locks_new(struct probe *probe, struct golang *golang, bool is_on,
			int (*put)(void *, const void *, size_t), void *ctx);
void locks_free(struct locks *l);

/*
 * Anything from the kernel side, before it is put. True: not to be put: a copy of a stack, or a record that is held
 * back until its names are there.
 */
bool locks_record(struct locks *l, const void *rec, size_t len);
/* Puts what was held back and can be put now. */
void locks_tick(struct locks *l);
/* Puts what is still held back, and says what all of it cost and what failed. At the end. */
void locks_tell(struct locks *l, struct facts *f);
