/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a server knows: records in, one model, and behind it the totals since it began and the spans of the last
 * minute. Fed and drawn in the collector's thread, read in any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../stats/tables.h"

struct live;

/* Metrics, top and by of the options. NULL: no memory. */
struct live *live_new(const struct tables_opts *opts);
void live_free(struct live *l);

/* A record, as from the collector. 0 or -ENOMEM. */
int live_feed(struct live *l, const void *rec, size_t len);
/* About once a second. 0 or -errno, told. */
int live_second(struct live *l);

/* The exposition, see export/exposition.h; new_form: OpenMetrics. */
void live_metrics(struct live *l, bool new_form, FILE *out);
/*
 * A copy of the last picture, malloc()ed, and when its window began and ended, CLOCK_MONOTONIC. It is drawn every
 * few seconds while it is asked for: NULL, there is none yet, or no memory.
 */
char *live_picture(struct live *l, uint64_t *from_ns, uint64_t *to_ns);
/* What is recorded, raw. Returns buf. */
const char *live_target(struct live *l, char *buf, size_t size);
/* Whether the collector was at work in the last seconds. */
bool live_is_well(struct live *l);
