/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Texts, each kept once: equal texts are one pointer. And a table keyed by process and number. Both are
 * bounded, since their keys come from recordings.
 */
#pragma once

#include "../base/u64map.h"

struct texts {
	struct u64map by_hash;	/* char * */
	size_t max;
};

void texts_init(struct texts *t, size_t max);
void texts_done(struct texts *t);
/*
 * The text of at most len bytes (its end is a NUL before them), valid until texts_done(). NULL: errno is
 * ENOSPC if there are max others, or ENOMEM.
 */
const char *texts_add(struct texts *t, const char *text, size_t len);

/* The first member of a table's values. */
struct pair_key {
	uint64_t number;
	uint32_t tgid;
};

struct pairs {
	struct u64map map;
	size_t max;
};

/* val_sz is the size of a value that begins with a struct pair_key. */
void pairs_init(struct pairs *p, size_t val_sz, size_t max);
void pairs_done(struct pairs *p);
/* The value, or NULL. */
void *pairs_find(const struct pairs *p, uint32_t tgid, uint64_t number);
/* The value, made zeroed but for its key. NULL: errno as above. Moves the other values. */
void *pairs_get(struct pairs *p, uint32_t tgid, uint64_t number);
