/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The spans of the last minute, or of the last seconds of it that fit into memory, to be made into tables again and
 * again: a picture that moves with time. They are kept whole, with their blame.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../model/span.h"

struct recent_spans;

/* Keeps what ended at most window_ns before the newest, in at most max_bytes. NULL: no memory. */
struct recent_spans *recent_spans_new(uint64_t window_ns, size_t max_bytes);
void recent_spans_free(struct recent_spans *r);

/* Keeps; what it has no memory for is missing. */
void recent_spans_span(struct recent_spans *r, const struct span *s);
void recent_spans_counter(struct recent_spans *r, enum entity_counter id, uint32_t tid, uint64_t n);
void recent_spans_loss(struct recent_spans *r, uint64_t from_ns, uint64_t to_ns, uint64_t n);

/* From when on nothing is missing; 0: nothing was forgotten yet. */
uint64_t recent_spans_from(const struct recent_spans *r);
/* Gives them in the order they came. */
void recent_spans_replay(const struct recent_spans *r, const struct span_sink *sink);
