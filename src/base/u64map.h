/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A hash table from uint64_t to a value of fixed size, open addressing, growing; keys are never
 * removed one by one. Values are zeroed when new, and move when the table grows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct u64map {
	size_t val_sz, cnt, cap;	/* cap is a power of two, or 0 */
	uint64_t *keys;
	uint8_t *used;
	char *vals;
};

void u64map_init(struct u64map *m, size_t val_sz);
void u64map_done(struct u64map *m);
void u64map_clear(struct u64map *m);
/* The value of key, or NULL. */
void *u64map_find(const struct u64map *m, uint64_t key);
/* The value of key, made if it is not there; NULL: no memory. Invalidates earlier pointers. */
void *u64map_get(struct u64map *m, uint64_t key);
/* The next used slot from *i on: sets *key and returns the value, advances *i; NULL at the end. */
void *u64map_next(const struct u64map *m, size_t *i, uint64_t *key);
/* Drops what keep() says false of, and gives memory back. Pointers are no longer valid. 0, or -ENOMEM: all is as it was. */
int u64map_keep(struct u64map *m, bool (*keep)(const void *value));
