/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The dimensions: what an entity can be (--by). A row gives a span's key and the key's text and name.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct names;
struct span;
struct tables;

struct dim {
	const char *name, *help;
	uint64_t (*key)(struct tables *t, const struct span *s);
	/* Writes the text of a key to buf, NUL-terminated. */
	void (*text)(const struct tables *t, uint64_t key, char *buf, size_t size);
	/* Writes the raw name of a key (to be escaped), "" if it has none. */
	void (*name_of)(const struct names *n, uint64_t key, char *buf, size_t size);
};

/* The first is the default; ends with a row without a name. */
extern const struct dim dims[];

/* NULL: no such dimension. */
const struct dim *dim_find(const char *name);
/* "tid, pid, ..." to buf, which it returns. */
const char *dims_list(char *buf, size_t size);
