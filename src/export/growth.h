/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Gauges over time: what each was at first and last, and whether it grew all the time. A creation site that
 * a snapshot does not show has 0 there.
 */
#pragma once

#include "../stats/view.h"

struct names;

/* Less comes and goes in any program. */
enum { GROWTH_WORTH_TELLING = 20, GROWTH_THREADS = 5 };

/* A gauge of one process or of one of its creation sites, from the process's first snapshot to its last. */
struct growth {
	enum gauge_id id;
	uint32_t tgid, site;	/* site as in struct gauge_row */
	size_t rank;
	uint64_t first, last, min, max;
	double mean;
	uint64_t from_ns, to_ns;
	size_t snapshots;
	/*
	 * It grew in each third of the time by a tenth of the whole growth at least, and in all by a fifth and by
	 * what is worth telling.
	 */
	bool is_steady;
};

/* The first row of a gauge of a process, or where it would be. */
size_t growth_row(const struct tables *t, enum gauge_id id, uint32_t tgid);
/* One after the other: growth_next(t, &row, &out) until false; row is 0 or of growth_row() at first. */
bool growth_next(const struct tables *t, size_t *row, struct growth *out);
/* That gauge of that process as a whole; false: there is none. */
bool growth_of(const struct tables *t, enum gauge_id id, uint32_t tgid, struct growth *out);

/* By how much a second; 0 if it did not grow. */
double growth_per_s(const struct growth *g);
/* "81/s", "0.2/s". Returns buf. */
const char *growth_rate_text(double per_s, char *buf, size_t size);

/*
 * What grew steadily, to follow the headline: "; goroutines grew from 12 to 824 (81/s), most of them
 * main.handle (server.go:31)", raw names in it; "" if nothing did.
 */
void growth_sentence(const struct tables *t, const struct names *n, char *buf, size_t size);
