/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "label.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../model/names.h"
#include "../stats/dims.h"
#include "summary.h"

/* 0: the same as outside. */
static uint32_t inner_id(const struct names *n, uint32_t tid, bool is_process)
{
	const struct task_name *task = names_of_task(n, tid);
	uint32_t there = !task ? 0 : is_process ? task->ns_tgid : task->ns_tid;

	return there == tid ? 0 : there;
}

static void task_key(const struct names *n, uint32_t tid, bool is_process, char *out, size_t size)
{
	uint32_t there = inner_id(n, tid, is_process);

	if (there)
		snprintf(out, size, "%" PRIu32 ", inside %" PRIu32, tid, there);
	else
		snprintf(out, size, "%" PRIu32, tid);
}

uint32_t label_inner_id(const struct tables *t, const struct names *n, const struct group *g)
{
	enum dim_what what = tables_dim(t, g->metric)->what;

	if (g->entity == ENTITY_REST || (what != DIM_PROCESS && what != DIM_THREAD))
		return 0;
	return inner_id(n, (uint32_t)g->entity, what == DIM_PROCESS);
}

void label_task(const struct names *n, uint32_t tid, struct label *out)
{
	const struct task_name *task = names_of_task(n, tid);

	*out = (struct label){.name = ""};
	task_key(n, tid, false, out->key, sizeof(out->key));
	if (task && *task->comm) {
		snprintf(out->name, sizeof(out->name), "%s", task->comm);
		return;
	}
	snprintf(out->name, sizeof(out->name), "tid %s", out->key);
	*out->key = '\0';
}

/* What is behind the last slash of the package's path: "github.com/a/b.(*T).Run" is "b.(*T).Run". */
static const char *short_func(const char *func)
{
	size_t path = strcspn(func, "([");	/* of methods and type arguments on: they may have slashes, too */

	while (path && func[path - 1] != '/')
		path--;
	return func + path;
}

/* "main.start main.go:42" is "main.go:42". */
static const char *short_at(const char *at)
{
	const char *space = strrchr(at, ' ');

	return space ? space + 1 : at;
}

void label_site(const struct names *n, uint32_t site, struct label *out)
{
	const struct site_name *name = names_of_site(n, site);

	*out = (struct label){.name = "goroutine not known", .is_place = true};
	if (!name)
		return;
	snprintf(out->name, sizeof(out->name), "%s", short_func(name->func));
	snprintf(out->key, sizeof(out->key), "%s", short_at(name->at));
}

void label_lock(const struct names *n, const struct span *s, struct label *out)
{
	*out = (struct label){.is_place = true};
	span_lock_name(s, n, out->name, sizeof(out->name));
	span_lock_text(s, n, *out->name ? out->key : out->name, *out->name ? sizeof(out->key) : sizeof(out->name));
	if (!strcmp(out->name, out->key))
		*out->key = '\0';
}

static void label_of(const struct entity *e, const struct dim *by, struct label *out)
{
	char name[sizeof(out->name)];

	out->is_place = by->what == DIM_GOID || by->what == DIM_LOCK;
	by->name_of(e, name, sizeof(name));
	snprintf(out->name, sizeof(out->name), "%s", by->what == DIM_GOID ? short_func(name) : name);
	if (by->what == DIM_THREAD || by->what == DIM_PROCESS)
		task_key(e->n, (uint32_t)e->key, by->what == DIM_PROCESS, out->key, sizeof(out->key));
	else
		by->text(e, out->key, sizeof(out->key));
	if (!strcmp(out->name, out->key))
		*out->key = '\0';
}

void label_group(const struct tables *t, const struct names *n, const struct group *g, struct label *out)
{
	const struct dim *by = g ? tables_dim(t, g->metric) : NULL;
	struct entity e;

	*out = (struct label){.name = "rest"};
	if (!g || g->entity == ENTITY_REST)
		return;
	e = tables_entity(t, n, g);
	if (by->what == DIM_SITE && (e.key || metrics[e.metric].entity == ENTITY_GOROUTINE)) {
		label_site(n, (uint32_t)e.key, out);
		return;
	}
	label_of(&e, by, out);
	if (*out->name)
		return;
	/* Nothing but a key: "cpu 1"; not even that: "no lock". */
	snprintf(out->name, sizeof(out->name), "%s %s", *out->key ? by->name : "no", *out->key ? out->key : by->name);
	*out->key = '\0';
}

void label_taker(const struct tables *t, const struct names *n, const struct taker *k, struct label *out)
{
	static const char *const texts[BLAME_CNT] = {
		[BLAME_HOLDER] = "nobody known",
		[BLAME_WAKER] = "nobody known",
		[BLAME_COMPETITOR] = "nobody known",
		[BLAME_IRQ] = "interrupts",
		[BLAME_SOFTIRQ] = "soft interrupts",
		[BLAME_STEAL] = "the hypervisor",
		[BLAME_IDLE] = "the CPU, waking up",
		[BLAME_UNKNOWN] = "not known",
	};

	*out = (struct label){.name = ""};
	static const char *const several[] = {
		[BY_TASK] = "threads", [BY_SITE] = "places", [BY_GOID] = "goroutines",
	};

	if (k->by_type == BY_TASK && !k->by) {
		snprintf(out->name, sizeof(out->name), "%s", texts[k->kind]);
	} else if (k->by_type == BY_TASK && k->by == BY_REST) {
		snprintf(out->name, sizeof(out->name), "others");
	} else if (k->by_type == BY_TASK && k->tasks == 1) {
		label_task(n, (uint32_t)k->by, out);
		return;
	} else if (k->by_type != BY_TASK) {
		label_site(n, k->site, out);
	} else {
		snprintf(out->name, sizeof(out->name), "%s", k->name);
	}
	if (k->tasks > 1)
		snprintf(out->key, sizeof(out->key), "%zu %s", k->tasks, several[k->by_type]);
	else if (k->by_type == BY_GOID)
		tables_goid_text(t, k->by, out->key, sizeof(out->key));
}
