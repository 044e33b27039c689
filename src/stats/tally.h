/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A group-by: from a key of two words to count, sum and max. Rows are dense, in order of arrival, and
 * a row's index stays the same until tally_rekey() or tally_sort(), so that it can serve as an id.
 * A zeroed struct is an empty tally.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally_row {
	uint64_t a, b;
	uint64_t count, sum, max;
};

struct tally_slot;

struct tally {
	struct tally_row *rows;
	size_t cnt, cap;
	struct tally_slot *slots;
	size_t slot_cnt;	/* a power of two, or 0 */
};

void tally_done(struct tally *t);
/* No rows, but keeps the memory. */
void tally_clear(struct tally *t);

struct tally_row *tally_find(const struct tally *t, uint64_t a, uint64_t b);
/* The row of the key, made (all zero) if it is not there; NULL: no memory. Earlier pointers are invalid. */
struct tally_row *tally_at(struct tally *t, uint64_t a, uint64_t b);
void tally_add(struct tally_row *r, uint64_t count, uint64_t sum, uint64_t max);

/*
 * fn may change a row's key, or return false to drop it; rows whose keys became equal are added up.
 * Needs no memory. Keeps the order of the rows that stay.
 */
void tally_rekey(struct tally *t, bool (*fn)(void *ctx, struct tally_row *r), void *ctx);

/*
 * The same, but fn sees only the rows that are not among the `keep` biggest by sum (of equal ones the
 * earlier rows are kept). 0 or -ENOMEM.
 */
int tally_fold(struct tally *t, size_t keep, bool (*fn)(void *ctx, struct tally_row *r), void *ctx);

/* Sorts the rows. The tally can then only be read by row. */
void tally_sort(struct tally *t, int (*cmp)(const void *, const void *));

/*
 * A tally that is only appended to has no index; its rows may have equal keys until tally_compact()
 * adds them up, which also sorts them by a, b. 0 or -ENOMEM.
 */
int tally_append(struct tally *t, const struct tally_row *r);
void tally_compact(struct tally *t);
