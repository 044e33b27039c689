/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The dimensions: what an entity can be (--by). A row gives a span's key and the key's text and name.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../model/span.h"

struct names;
struct tables;

/* One entity of finished tables, with what its texts are made from. */
struct entity {
	const struct tables *t;
	const struct names *n;
	enum metric metric;
	uint32_t site;		/* where its last goroutine was created, 0: not known */
	uint64_t key;
};

/* What a key stands for, where exporters care. */
enum dim_what { DIM_OTHER, DIM_THREAD, DIM_PROCESS, DIM_SITE, DIM_GOID, DIM_LOCK };

struct dim {
	const char *name, *help;
	enum dim_what what;
	uint64_t (*key)(struct tables *t, const struct span *s);
	/* Writes the text of a key to buf, NUL-terminated; raw, "" if it is none. */
	void (*text)(const struct entity *e, char *buf, size_t size);
	/* Writes the raw name of a key (to be escaped), "" if it has none. */
	void (*name_of)(const struct entity *e, char *buf, size_t size);
};

/* The first is the default, each metric's own: it has no functions, see dim_of(). Ends with a row without a name. */
extern const struct dim dims[];

/* The dimension itself, or the metric's own. */
const struct dim *dim_of(const struct dim *d, enum metric metric);
/* NULL: no such dimension. */
const struct dim *dim_find(const char *name);
/* "entity, tid, ..." to buf, which it returns. */
const char *dims_list(char *buf, size_t size);
