/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a server counts: sums since it began that only grow, in bounded memory, for as long as it runs. Another
 * reading of the spans than the tables': fixed buckets of latency, no time, and no second pass, so that the top N
 * entities are found as they come (toplist.h). An entity that loses its place takes its sums with it; all other
 * sums stay.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/record.h"
#include "../model/span.h"

struct dim;
struct names;
struct tables;

/*
 * Upper bounds of the buckets, ns: 1, 2 and 5 of each power of ten from 1 us to 10 s. Round numbers, since alerts
 * are written against them. Behind the last one is a bucket without a bound.
 */
enum { TOTALS_BOUND_CNT = 22, TOTALS_BUCKET_CNT = TOTALS_BOUND_CNT + 1 };

extern const uint64_t totals_bounds[TOTALS_BOUND_CNT];

/* The first bucket whose bound is not below. */
size_t totals_bucket(uint64_t ns);

struct totals_hist {
	uint64_t buckets[TOTALS_BUCKET_CNT];	/* each one's own samples */
	uint64_t sum_ns;
};

/* What is 0 or NULL has the default that the comment says. */
struct totals_opts {
	unsigned int metrics;	/* mask of 1u << enum metric. All */
	const struct dim *by;	/* what an entity is. Each metric's own */
	size_t top;		/* entities of each metric. 16 */
};

struct totals;

/* NULL: no memory. */
struct totals *totals_new(const struct totals_opts *opts);
/* Those of finished tables, which must outlive them; by CPU there is nothing. NULL: no memory. */
struct totals *totals_of_tables(const struct tables *tables, const struct names *n);
void totals_free(struct totals *t);

struct span_sink totals_sink(struct totals *t);
/* Whom the spans name; must outlive the totals or be replaced. */
void totals_names(struct totals *t, const struct names *n);
/* A counter of the whole recording so far; enum count_id of bpf/record.h. */
void totals_count(struct totals *t, uint32_t id, uint64_t value);
/* About once a minute: who is among the top N is decided anew. */
void totals_turn(struct totals *t);

/* Reading. Texts are raw and valid until the next call; "rest" is the entity of all that have no place. */
struct totals_row {
	enum metric metric;
	const char *klass, *entity, *name;
	const struct totals_hist *hist;	/* of series */
	const uint64_t *stage_ns;	/* of entities: STAGE_CNT sums */
};

/* The next row of a metric from *i on, which begins with 0; false: no more. */
bool totals_series(struct totals *t, enum metric m, size_t *i, struct totals_row *out);
bool totals_entity(struct totals *t, enum metric m, size_t *i, struct totals_row *out);
/* By the CPU it then ran on, *cpu from 0; TOTALS_CPUS stands for all further ones. NULL: no sample there. */
enum { TOTALS_CPUS = 512 };
const struct totals_hist *totals_of_cpu(const struct totals *t, enum metric m, size_t cpu);
/* Time that was blamed on that kind, ns; a metric without samples has none. */
uint64_t totals_blame(const struct totals *t, enum metric m, enum blame_kind kind);
/* Who had the CPU while the target waited for it (thread.runq and thread.preempt), by name: *ns so far. */
bool totals_competitor(struct totals *t, size_t *i, const char **name, uint64_t *ns);
bool totals_has(const struct totals *t, enum metric m);

uint64_t totals_counter(const struct totals *t, enum entity_counter id);
uint64_t totals_count_of(const struct totals *t, uint32_t count_id);

/* A value of the last snapshot. Creation sites beyond the top N are left out: all are in the process's own value. */
struct totals_gauge {
	uint32_t tgid;
	const char *process, *entity, *name;	/* entity: the creation site, "" of the process itself */
	uint64_t value;
};

bool totals_gauge(struct totals *t, enum gauge_id id, size_t *i, struct totals_gauge *out);
