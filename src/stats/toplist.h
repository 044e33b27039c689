/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The heaviest keys of an endless stream, in bounded memory: N places, each held by one key for as long as it
 * deserves it. Who has no place shares the place N, the rest. Weights are halved at each turn; then a key without
 * a place that weighed more since the last turn than the lightest that has one takes that place. As the weight of
 * a place adds up to twice what it gets between turns, equals do not change places to and fro.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/u64map.h"

struct toplist_place {
	uint64_t key, weight;
	bool used;
};

struct toplist {
	size_t cnt;
	struct toplist_place *places;
	struct u64map index;	/* of places, by key */
	struct u64map others;	/* weights since the last turn, by key */
};

/* 0 or -ENOMEM. */
int toplist_init(struct toplist *l, size_t cnt);
void toplist_done(struct toplist *l);

/* The key's place, or l->cnt: the rest. Adds to its weight. */
size_t toplist_place(struct toplist *l, uint64_t key, uint64_t weight);
/* A turn. Calls lost for each place that goes to another key, before it does. */
void toplist_turn(struct toplist *l, void (*lost)(void *ctx, size_t place), void *ctx);
