/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The text that Prometheus reads: OpenMetrics 1.0 (https://openmetrics.io), or its older form, text format 0.0.4,
 * for readers that do not ask for the newer one. Units are seconds and bytes; a family's name ends in its unit.
 * A family is begun, then come all of its values, then the next one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../stats/totals.h"

enum om_type { OM_COUNTER, OM_GAUGE, OM_HISTOGRAM, OM_INFO };

struct om {
	FILE *out;
	bool classic;		/* the older form */
	char name[96];		/* of the family under way */
	enum om_type type;
};

struct om_label {
	const char *name, *value;	/* the value is raw; NULL and "" are as good as not there */
};

/* Begins a family. The name comes without the suffixes _total and _info, which the type gives. */
void om_family(struct om *o, enum om_type type, const char *name, const char *help);
/* "wakelag_thread_drift" and what comes behind it. Returns buf. */
const char *om_metric_name(enum metric m, const char *suffix, char *buf, size_t size);

/* One value of the family. Labels end with a row without a name. */
void om_number(const struct om *o, const struct om_label *labels, uint64_t value);
void om_ns(const struct om *o, const struct om_label *labels, uint64_t ns);
void om_histogram(const struct om *o, const struct om_label *labels, const struct totals_hist *h);
/* The last thing of all. */
void om_end(const struct om *o);

/* The families of gauges: some of them are sums so far, and counters to Prometheus. */
void om_gauge_family(struct om *o, enum gauge_id id);
void om_gauge(const struct om *o, enum gauge_id id, const struct totals_gauge *g);
