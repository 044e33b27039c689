/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "go_about.h"

const char *go_level_name(uint32_t level)
{
	static const char *const names[] = {
		[GO_OFF] = "off", [GO_SNAPSHOT] = "snapshot", [GO_LIGHT] = "light", [GO_FULL] = "full",
	};

	return level < sizeof(names) / sizeof(*names) ? names[level] : "unknown";
}

static uint64_t grown(const struct growth *g)
{
	return g->last > g->first ? g->last - g->first : 0;
}

size_t go_grown(const struct tables *t, uint32_t tgid, struct growth out[GO_GROWN_MAX])
{
	size_t row = growth_row(t, GAUGE_GOROUTINES_AT, tgid), cnt = 0, at;
	struct growth g;

	while (growth_next(t, &row, &g) && g.id == GAUGE_GOROUTINES_AT && g.tgid == tgid) {
		if (g.site == SITE_REST || grown(&g) < GROWTH_WORTH_TELLING)
			continue;
		for (at = cnt; at && grown(&out[at - 1]) < grown(&g); at--) {
			if (at < GO_GROWN_MAX)
				out[at] = out[at - 1];
		}
		if (at < GO_GROWN_MAX)
			out[at] = g;
		cnt += cnt < GO_GROWN_MAX;
	}
	return cnt;
}

size_t go_waiting(const struct model *m, uint32_t tgid, struct go_group out[GO_WAITING_MAX])
{
	struct go_group g;
	size_t cnt = 0, at;

	for (size_t i = 0; model_go_group(m, tgid, i, &g); i++) {
		if (!g.is_waiting || g.count < 2 || !g.site)
			continue;
		for (at = cnt; at && out[at - 1].count < g.count; at--) {
			if (at < GO_WAITING_MAX)
				out[at] = out[at - 1];
		}
		if (at < GO_WAITING_MAX)
			out[at] = g;
		cnt += cnt < GO_WAITING_MAX;
	}
	return cnt;
}

bool go_waiting_of(const struct model *m, uint32_t tgid, uint32_t site, struct go_group *out)
{
	struct go_group g;

	*out = (struct go_group){.count = 0};
	for (size_t i = 0; model_go_group(m, tgid, i, &g); i++) {
		if (g.is_waiting && g.site == site && g.count > out->count)
			*out = g;
	}
	return out->count != 0;
}

/* Inside a bucket as if its samples were spread evenly; the last one may have no end. */
static uint64_t quantile(const struct model *m, uint32_t tgid, uint32_t which, uint64_t count, unsigned int percent)
{
	uint64_t rank = count - count / 100 * (100 - percent) - count % 100 * (100 - percent) / 100, before = 0;
	struct go_bucket b = {.lo_ns = 0};

	for (size_t i = 0; model_go_hist(m, tgid, which, i, &b); i++) {
		if (b.count && rank - before <= b.count)
			break;
		before += b.count;
	}
	if (b.hi_ns == UINT64_MAX || !b.count)
		return b.lo_ns;
	return b.lo_ns + (uint64_t)((double)(b.hi_ns - b.lo_ns) * (double)(rank - before) / (double)b.count);
}

bool go_hist_sum(const struct model *m, uint32_t tgid, size_t i, struct go_hist_sum *out)
{
	static const struct {
		uint32_t which;
		const char *name, *help;
	} rows[GO_HISTS] = {
		{GO_HIST_RUN, "run", "runnable to running (1 in 8)"},
		{GO_HIST_STW_STOPPING_GC, "stw_stopping_gc", "stopping the world, GC"},
		{GO_HIST_STW_STOPPING_OTHER, "stw_stopping_other", "stopping the world, others"},
		{GO_HIST_STW_TOTAL_GC, "stw_total_gc", "stop-the-world, GC"},
		{GO_HIST_STW_TOTAL_OTHER, "stw_total_other", "stop-the-world, others"},
	};
	uint32_t which = rows[i].which;
	struct go_bucket b;

	*out = (struct go_hist_sum){.name = rows[i].name, .help = rows[i].help};
	for (size_t k = 0; model_go_hist(m, tgid, which, k, &b); k++) {
		if (b.count > UINT64_MAX - out->count)
			return false;
		out->count += b.count;
		if (b.count)
			out->max = b.hi_ns == UINT64_MAX ? b.lo_ns : b.hi_ns;
	}
	if (!out->count)
		return false;
	out->p50 = quantile(m, tgid, which, out->count, 50);
	out->p90 = quantile(m, tgid, which, out->count, 90);
	out->p99 = quantile(m, tgid, which, out->count, 99);
	return true;
}
