/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Inside of the totals: shared by their files, by nobody else. */
#pragma once

#include "../base/u64map.h"
#include "../model/names.h"
#include "dims.h"
#include "tables.h"
#include "toplist.h"
#include "totals.h"

enum {
	SERIES_MAX = 4096,	/* of a server; then new ones of an entity count as those of the rest */
	CLASSES_MAX = 32,	/* of a metric; further ones are "rest", too */
	COMPETITORS = 32,
	GAUGES_MAX = 16384,
	GAUGE_TEXT = 1280,
};

/* Of one metric, class and place of an entity. */
struct totals_set {
	struct totals_hist hist;
	uint32_t klass;		/* its place in classes */
	uint32_t place;
	uint8_t metric;
	bool used;		/* else its entity lost its place, and it may be taken again */
};

struct totals_owner {
	uint32_t site;
	uint64_t stage_ns[STAGE_CNT];
};

struct totals_metric {
	const struct dim *by;
	struct toplist top;
	struct totals_owner *owners;	/* by place; the last one is the rest */
	uint32_t classes[CLASSES_MAX];
	size_t class_cnt;
	struct totals_hist *cpus[TOTALS_CPUS + 1];
	uint64_t blame_ns[BLAME_CNT];
	bool seen;
};

struct totals_competitor {
	char name[17];
	uint64_t ns;
};

struct totals_value {
	uint64_t time_ns, value;
	uint32_t tgid, site;
	enum gauge_id id;
};

struct totals {
	unsigned int metrics_wanted;
	const struct names *names;
	const struct tables *ids;	/* knows the numbers of what is too large for a key */
	struct tables *own_ids;	/* the same of a server: tables without samples; NULL: of finished tables */
	size_t set_max;
	struct totals_metric metrics[METRIC_CNT];
	struct u64map sets;	/* index into set + 1, by metric, class and place */
	struct totals_set *set;
	size_t set_cnt, set_cap;
	struct toplist takers;
	struct totals_competitor competitors[COMPETITORS + 1];
	uint64_t counters[ECOUNT_CNT], counts[COUNT_CNT];
	struct totals_value *values;
	size_t value_cnt, value_cap;
	struct totals_value last_value;	/* as it came; they may be in another order now */
	uint64_t newest_value_ns;
	bool values_sorted;
	uint32_t turn_metric;	/* whose places are being given away */
	char text[2][GAUGE_TEXT], klass[64], process[17];
};

/* NULL: no memory. */
struct totals *totals_alloc(const struct dim *by, size_t top);
/* The set of a class and a place, made if need be; NULL: no memory. */
struct totals_set *totals_set_of(struct totals *t, enum metric m, uint32_t klass, size_t place);
void totals_competitor_add(struct totals *t, uint32_t tid, uint64_t ns);
void totals_gauge_add(struct totals *t, const struct gauge *g);
