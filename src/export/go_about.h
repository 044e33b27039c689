/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What report and JSON say of a Go process beside the tables. */
#pragma once

#include <stdint.h>

#include "../model/model.h"
#include "growth.h"

enum { GO_GROWN_MAX = 3, GO_WAITING_MAX = 5, GO_HISTS = 5 };

/* "off", "snapshot", "light", "full" by enum go_level. */
const char *go_level_name(uint32_t level);

/* The creation sites that grew most, at most GO_GROWN_MAX, the most first; returns how many. */
size_t go_grown(const struct tables *t, uint32_t tgid, struct growth out[GO_GROWN_MAX]);

/* Where most goroutines wait now, the most first; returns how many. Lone ones are not told. */
size_t go_waiting(const struct model *m, uint32_t tgid, struct go_group out[GO_WAITING_MAX]);
/* The same of one creation site: false: none of it waits. */
bool go_waiting_of(const struct model *m, uint32_t tgid, uint32_t site, struct go_group *out);

/* A histogram of the runtime's own. Quantiles are interpolated in its buckets, `max` is the last one's end. */
struct go_hist_sum {
	const char *name, *help;	/* for programs, and for people */
	uint64_t count, p50, p90, p99, max;
};

/* One after the other, 0 to GO_HISTS - 1; false: it has no samples. */
bool go_hist_sum(const struct model *m, uint32_t tgid, size_t i, struct go_hist_sum *out);
