/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "growth.h"

#include <inttypes.h>
#include <stdio.h>

#include "label.h"

enum { THIRDS = 3, LEAST_SNAPSHOTS = 4 };

static uint64_t least_growth(enum gauge_id id)
{
	return id == GAUGE_THREADS ? GROWTH_THREADS : GROWTH_WORTH_TELLING;
}

static bool is_same(const struct gauge_row *a, const struct gauge_row *b)
{
	return a->id == b->id && a->tgid == b->tgid && a->site == b->site;
}

size_t growth_row(const struct tables *t, enum gauge_id id, uint32_t tgid)
{
	size_t lo = 0, hi = tables_gauge_cnt(t);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct gauge_row row;

		if (tables_gauge(t, mid, &row) && (row.id < id || (row.id == id && row.tgid < tgid)))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* When the process's snapshots were, and how many: all gauges of processes come with each of them. */
static void find_times(const struct tables *t, struct growth *g)
{
	size_t i = growth_row(t, GAUGE_GOROUTINES, g->tgid);
	struct gauge_row row;

	g->snapshots = 0;
	for (; tables_gauge(t, i, &row) && row.id == GAUGE_GOROUTINES && row.tgid == g->tgid; i++) {
		if (!g->snapshots++)
			g->from_ns = row.t_ns;
		g->to_ns = row.t_ns;
	}
}

/* What it was at a time; rows are [from, to). */
static uint64_t value_at(const struct tables *t, size_t from, size_t to, uint64_t t_ns)
{
	struct gauge_row row = {.value = 0};
	uint64_t value = 0;

	for (size_t i = from; i < to && tables_gauge(t, i, &row) && row.t_ns <= t_ns; i++)
		value = row.value;
	return value;
}

static bool is_steady(const struct tables *t, size_t from, size_t to, const struct growth *g)
{
	uint64_t grown = g->last > g->first ? g->last - g->first : 0, before = g->first;

	if (g->snapshots < LEAST_SNAPSHOTS || grown < least_growth(g->id) || grown < g->first / 5)
		return false;
	for (unsigned int third = 1; third <= THIRDS; third++) {
		uint64_t length = g->to_ns - g->from_ns;
		uint64_t now = value_at(t, from, to, g->from_ns + length / THIRDS * third + (third == THIRDS) * THIRDS);

		if (now < before || now - before < grown / 10)
			return false;
		before = now;
	}
	return true;
}

bool growth_next(const struct tables *t, size_t *row, struct growth *out)
{
	size_t from = *row, to = from;
	struct gauge_row first, last, r;
	uint64_t sum = 0;

	if (!tables_gauge(t, from, &first))
		return false;
	last = first;
	*out = (struct growth){
		.id = first.id, .tgid = first.tgid, .site = first.site, .rank = first.rank, .min = UINT64_MAX,
	};
	for (; tables_gauge(t, to, &r) && is_same(&r, &first); to++) {
		sum += r.value;
		out->min = r.value < out->min ? r.value : out->min;
		out->max = r.value > out->max ? r.value : out->max;
		last = r;
	}
	find_times(t, out);
	if (!out->snapshots) {
		out->from_ns = first.t_ns;
		out->to_ns = last.t_ns;
		out->snapshots = to - from;
	}
	if (out->snapshots > to - from)
		out->min = 0;
	out->first = first.t_ns > out->from_ns ? 0 : first.value;
	out->last = last.t_ns < out->to_ns ? 0 : last.value;
	out->mean = (double)sum / (double)out->snapshots;
	out->is_steady = is_steady(t, from, to, out);
	*row = to;
	return true;
}

bool growth_of(const struct tables *t, enum gauge_id id, uint32_t tgid, struct growth *out)
{
	size_t row = growth_row(t, id, tgid);
	struct growth g;

	if (!growth_next(t, &row, &g) || g.id != id || g.tgid != tgid)
		return false;
	*out = g;
	return true;
}

double growth_per_s(const struct growth *g)
{
	if (g->last <= g->first || g->to_ns <= g->from_ns)
		return 0;
	return (double)(g->last - g->first) * 1e9 / (double)(g->to_ns - g->from_ns);
}

const char *growth_rate_text(double per_s, char *buf, size_t size)
{
	snprintf(buf, size, per_s < 10 ? "%.1f/s" : "%.0f/s", per_s);
	return buf;
}

/* The site of the process that grew most, if it is more than half of the growth. */
static bool find_culprit(const struct tables *t, const struct growth *whole, struct growth *out)
{
	size_t row = growth_row(t, GAUGE_GOROUTINES_AT, whole->tgid);
	struct growth g;
	uint64_t most = 0;

	while (growth_next(t, &row, &g) && g.id == GAUGE_GOROUTINES_AT && g.tgid == whole->tgid) {
		uint64_t grown = g.last > g.first ? g.last - g.first : 0;

		if (g.site == SITE_REST || grown <= most)
			continue;
		most = grown;
		*out = g;
	}
	return most > (whole->last - whole->first) / 2;
}

/* The first process whose gauge grew steadily. */
static bool find_steady(const struct tables *t, enum gauge_id id, struct growth *out)
{
	size_t row = growth_row(t, id, 0);

	while (growth_next(t, &row, out) && out->id == id) {
		if (out->is_steady)
			return true;
	}
	return false;
}

void growth_sentence(const struct tables *t, const struct names *n, char *buf, size_t size)
{
	bool is_goroutines;
	struct growth g, site = {.site = 0};
	struct label who;
	char rate[32];
	size_t at;

	*buf = '\0';
	is_goroutines = find_steady(t, GAUGE_GOROUTINES, &g);
	if (!is_goroutines && !find_steady(t, GAUGE_THREADS, &g))
		return;
	at = (size_t)snprintf(buf, size, "; %s grew from %" PRIu64 " to %" PRIu64 " (%s)", gauge_names[g.id],
			      g.first, g.last, growth_rate_text(growth_per_s(&g), rate, sizeof(rate)));
	if (!is_goroutines || !find_culprit(t, &g, &site) || at >= size)
		return;
	label_site(n, site.site, &who);
	snprintf(buf + at, size - at, ", most of them %s (%s)", who.name, who.key);
}
