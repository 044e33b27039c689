/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "openmetrics.h"

#include <errno.h>
#include <string.h>

#include "../base/err.h"
#include "../model/model.h"
#include "../stats/view.h"
#include "about.h"

#define NO_LABEL {NULL, NULL}

static void put_series(struct om *o, struct totals *t, enum metric m)
{
	struct totals_row row;
	char name[96];

	om_family(o, OM_HISTOGRAM, om_metric_name(m, "_seconds", name, sizeof(name)), metrics[m].help);
	for (size_t i = 0; totals_series(t, m, &i, &row);) {
		const struct om_label labels[] = {
			{"class", row.klass}, {"entity", row.entity}, {"name", row.name}, NO_LABEL,
		};

		om_histogram(o, labels, row.hist);
	}
}

/* Not of all metrics: on a large machine that would be most of the output. */
static bool is_by_cpu(enum metric m)
{
	return m == METRIC_THREAD_DRIFT || m == METRIC_GOROUTINE_DRIFT;
}

static void put_cpus(struct om *o, const struct totals *t, enum metric m)
{
	char name[96], help[160], text[16];
	const struct om_label labels[] = {{"cpu", text}, NO_LABEL};
	bool begun = false;

	snprintf(help, sizeof(help), "%s; by the CPU where it ran", metrics[m].help);
	for (size_t cpu = 0; cpu <= TOTALS_CPUS; cpu++) {
		const struct totals_hist *h = totals_of_cpu(t, m, cpu);

		if (h && !begun)
			om_family(o, OM_HISTOGRAM, om_metric_name(m, "_cpu_seconds", name, sizeof(name)), help);
		begun |= h != NULL;
		snprintf(text, sizeof(text), cpu == TOTALS_CPUS ? "rest" : "%zu", cpu);
		if (h)
			om_histogram(o, labels, h);
	}
}

static void put_stages(struct om *o, struct totals *t, enum metric m)
{
	struct totals_row row;
	char name[96];

	om_family(o, OM_COUNTER, om_metric_name(m, "_stage_seconds", name, sizeof(name)), "the same time, by stage");
	for (size_t i = 0; totals_entity(t, m, &i, &row);) {
		for (size_t s = 0; s < STAGE_CNT; s++) {
			const struct om_label labels[] = {
				{"stage", stage_names[s]}, {"entity", row.entity}, {"name", row.name}, NO_LABEL,
			};

			if (metrics[m].stages >> s & 1)
				om_ns(o, labels, row.stage_ns[s]);
		}
	}
}

static void put_blame(struct om *o, const struct totals *t, enum metric m)
{
	char name[96];

	om_family(o, OM_COUNTER, om_metric_name(m, "_blame_seconds", name, sizeof(name)), "who took that time, by kind");
	for (size_t k = 0; k < BLAME_CNT; k++) {
		const struct om_label labels[] = {{"kind", blame_names[k]}, NO_LABEL};

		om_ns(o, labels, totals_blame(t, m, (enum blame_kind)k));
	}
}

static void put_competitors(struct om *o, struct totals *t)
{
	const char *name;
	uint64_t ns;

	om_family(o, OM_COUNTER, "wakelag_competitor_seconds", "who had the CPU while the target waited for it, by name");
	for (size_t i = 0; totals_competitor(t, &i, &name, &ns);) {
		const struct om_label labels[] = {{"name", *name ? name : "unknown"}, NO_LABEL};

		om_ns(o, labels, ns);
	}
}

static void put_counts(struct om *o, const struct totals *t, bool losses)
{
	for (uint32_t id = 0; id < COUNT_CNT; id++) {
		const struct om_label labels[] = {{losses ? "cause" : "counter", count_infos[id].name}, NO_LABEL};

		if (count_infos[id].name && count_infos[id].is_loss == losses)
			om_number(o, labels, totals_count_of(t, id));
	}
}

/* A counter that exists of the whole, too, is there already. */
static bool is_of_whole(const char *name)
{
	for (size_t id = 0; id < COUNT_CNT; id++) {
		if (count_infos[id].name && !strcmp(count_infos[id].name, name))
			return true;
	}
	return false;
}

static void put_counters(struct om *o, const struct totals *t)
{
	om_family(o, OM_COUNTER, "wakelag_counts", "what was counted and is no sample");
	put_counts(o, t, false);
	for (size_t id = 0; id < ECOUNT_CNT; id++) {
		const struct om_label labels[] = {{"counter", entity_counter_names[id]}, NO_LABEL};

		if (!is_of_whole(entity_counter_names[id]))
			om_number(o, labels, totals_counter(t, (enum entity_counter)id));
	}
	om_family(o, OM_COUNTER, "wakelag_lost", "what was lost, by cause");
	put_counts(o, t, true);
}

static void put_gauges(struct om *o, struct totals *t)
{
	for (size_t id = 0; id < GAUGE_CNT; id++) {
		struct totals_gauge g;
		bool begun = false;

		for (size_t i = 0; totals_gauge(t, (enum gauge_id)id, &i, &g);) {
			if (!begun)
				om_gauge_family(o, (enum gauge_id)id);
			begun = true;
			om_gauge(o, (enum gauge_id)id, &g);
		}
	}
}

void openmetrics_write(struct om *o, struct totals *t)
{
	for (size_t i = 0; i < METRIC_CNT; i++) {
		enum metric m = (enum metric)i;

		if (!totals_has(t, m))
			continue;
		put_series(o, t, m);
		if (is_by_cpu(m))
			put_cpus(o, t, m);
		if (metrics[m].stages & (metrics[m].stages - 1))	/* of one stage it is the sample itself */
			put_stages(o, t, m);
		put_blame(o, t, m);
	}
	put_competitors(o, t);
	put_counters(o, t);
	put_gauges(o, t);
}

void openmetrics_about(struct om *o, const struct export_opts *about)
{
	const struct om_label labels[] = {
		{"target", about_fact(about, "target")}, {"host", about_fact(about, "host.name")},
		{"kernel", about_fact(about, "host.kernel")}, NO_LABEL,
	};

	om_family(o, OM_INFO, "wakelag_recording", "what is recorded, and where");
	om_number(o, labels, 1);
	if (!about->info || !about->info->has_clock)
		return;
	om_family(o, OM_GAUGE, "wakelag_start_time_seconds", "when it began, since 1970");
	om_ns(o, NULL, about->info->start_ns + (uint64_t)about->info->realtime_off);
}

unsigned int openmetrics_needs(const struct export_opts *o)
{
	(void)o;
	return ~TABLE_BIT(EVENTS);
}

int export_openmetrics(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out)
{
	struct totals *totals = totals_of_tables(t, n);
	struct om om = {.out = out};

	if (!totals)
		return fail(-ENOMEM, "openmetrics");
	openmetrics_about(&om, o);
	openmetrics_write(&om, totals);
	om_end(&om);
	totals_free(totals);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
