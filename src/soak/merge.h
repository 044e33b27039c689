/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Several recordings of one machine as one: their records in order of time, totals that go on, one end. Where
 * files overlap (a flight recorder's dumps), a record that two of them have is given once. Where time is
 * missing between them nobody knows what threads did: what would need it is left out, as at a begin.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct merge;

/*
 * Opens them all. 0; -EXDEV: of two machines, or of two boots of one, whose clocks have nothing in common;
 * -errno. Failures are printed.
 */
int merge_open(char *const *paths, size_t cnt, struct merge **out);
void merge_close(struct merge *m);

/* The source of view_open_source(): may be called again. What feed returned, if not 0; else 0, or -errno. */
int merge_replay(void *m, int (*feed)(void *ctx, const void *rec, size_t len), void *ctx);
/* Damage of the files, and what time is missing between them; after a replay, on stderr. */
void merge_tell(const struct merge *m);
