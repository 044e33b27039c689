/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The report's Go processes: what they are, their gauges over time, what grew, where goroutines wait. */
#include <errno.h>

#include "../model/names.h"
#include "go_about.h"
#include "json_parts.h"

/* The keys entity and name of a creation site. */
static void set_site(struct json_out *j, json_t *o, uint32_t site)
{
	const struct site_name *name = names_of_site(j->n, site);

	json_set(j, o, "entity", json_text(name ? name->at : "unknown"));
	json_set(j, o, "name", json_text(name ? name->func : ""));
}

static void set_growth(struct json_out *j, json_t *o, const struct growth *g)
{
	json_set(j, o, "first", json_number(g->first));
	json_set(j, o, "last", json_number(g->last));
	json_set(j, o, "min", json_number(g->min));
	json_set(j, o, "mean", json_real(g->mean));
	json_set(j, o, "max", json_number(g->max));
	json_set(j, o, "growth_per_s", json_real(growth_per_s(g)));
	json_set(j, o, "steady", json_boolean(g->is_steady));
}

static json_t *gauges_of(struct json_out *j, uint32_t tgid)
{
	json_t *all = json_object();

	for (int id = 0; id < GAUGE_CNT; id++) {
		struct growth g;

		if (id == GAUGE_GOROUTINES_AT || id == GAUGE_WAITING_AT ||
		    !growth_of(j->t, (enum gauge_id)id, tgid, &g))
			continue;
		json_t *o = json_object();

		set_growth(j, o, &g);
		json_set(j, all, gauge_names[id], o);
	}
	return all;
}

static void append(struct json_out *j, json_t *list, json_t *o)
{
	if (json_array_append_new(list, o) && !j->err)
		j->err = -ENOMEM;
}

static json_t *grown_of(struct json_out *j, uint32_t tgid)
{
	struct growth grown[GO_GROWN_MAX];
	size_t cnt = go_grown(j->t, tgid, grown);
	json_t *list = json_array();

	for (size_t i = 0; i < cnt; i++) {
		json_t *o = json_object();

		set_site(j, o, grown[i].site);
		set_growth(j, o, &grown[i]);
		append(j, list, o);
	}
	return list;
}

static json_t *waiting_of(struct json_out *j, uint32_t tgid)
{
	struct go_group groups[GO_WAITING_MAX];
	size_t cnt = go_waiting(j->o->model, tgid, groups);
	json_t *list = json_array();

	for (size_t i = 0; i < cnt; i++) {
		const struct site_name *at = names_of_site(j->n, groups[i].wait_site);
		json_t *o = json_object();

		set_site(j, o, groups[i].site);
		json_set(j, o, "count", json_number(groups[i].count));
		json_set(j, o, "reason", groups[i].reason ? json_text(groups[i].reason) : json_null());
		json_set(j, o, "wait_func", at ? json_text(at->func) : json_null());
		json_set(j, o, "wait_at", at ? json_text(at->at) : json_null());
		json_set(j, o, "oldest_ns", groups[i].oldest_ns ? json_number(groups[i].oldest_ns) : json_null());
		append(j, list, o);
	}
	return list;
}

static json_t *hists_of(struct json_out *j, uint32_t tgid)
{
	json_t *all = json_object();

	for (size_t i = 0; i < GO_HISTS; i++) {
		struct go_hist_sum h;

		if (!go_hist_sum(j->o->model, tgid, i, &h))
			continue;
		json_t *o = json_object();

		json_set(j, o, "count", json_number(h.count));
		json_set(j, o, "p50_ns", json_number(h.p50));
		json_set(j, o, "p90_ns", json_number(h.p90));
		json_set(j, o, "p99_ns", json_number(h.p99));
		json_set(j, o, "max_ns", json_number(h.max));
		json_set(j, all, h.name, o);
	}
	return all;
}

static json_t *process_of(struct json_out *j, const struct go_process *p)
{
	const struct task_name *task = names_of_task(j->n, p->tgid);
	json_t *o = json_object();

	json_set(j, o, "pid", json_number(p->tgid));
	json_set(j, o, "name", json_text(task ? task->comm : ""));
	json_set(j, o, "version", json_text(p->version));
	json_set(j, o, "level", json_text(go_level_name(p->level)));
	json_set(j, o, "why", json_text(p->why));
	json_set(j, o, "checked", json_boolean(p->checked));
	json_set(j, o, "gauges", gauges_of(j, p->tgid));
	json_set(j, o, "grown", grown_of(j, p->tgid));
	json_set(j, o, "waiting", waiting_of(j, p->tgid));
	json_set(j, o, "histograms", hists_of(j, p->tgid));
	return o;
}

void json_go(struct json_out *j)
{
	struct go_process p;

	putc('[', j->out);
	for (size_t i = 0; j->o->model && model_go_at(j->o->model, i, &p) && !j->err; i++) {
		fputs(i ? ",\n" : "\n", j->out);
		json_put(j, process_of(j, &p));
	}
	fputs("]", j->out);
}
