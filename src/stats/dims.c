/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "dims.h"

#include <inttypes.h>
#include <string.h>

#include "../model/names.h"
#include "impl.h"

static uint64_t tid_key(struct tables *t, const struct span *s)
{
	(void)t;
	return s->tid;
}

static uint64_t pid_key(struct tables *t, const struct span *s)
{
	(void)t;
	return s->tgid;
}

/* Of goroutines where they were created; of what a thread waited for where in the code that was. */
static bool is_by_wait_site(enum metric m)
{
	return m == METRIC_LOCK_WAIT || m == METRIC_THREAD_FUTEX;
}

static uint64_t site_key(struct tables *t, const struct span *s)
{
	(void)t;
	return is_by_wait_site(s->metric) ? s->wait_site : s->site;
}

static uint64_t goid_key(struct tables *t, const struct span *s)
{
	return goid_of(t, s->tgid, s->goid);
}

static uint64_t label_key(struct tables *t, const struct span *s)
{
	return label_of(t, s);
}

static uint64_t cpu_key(struct tables *t, const struct span *s)
{
	(void)t;
	return s->cpu;
}

static uint64_t cgroup_key(struct tables *t, const struct span *s)
{
	(void)t;
	return s->cgroup;
}

static uint64_t prio_key(struct tables *t, const struct span *s)
{
	(void)t;
	return s->prio;
}

static uint64_t lock_key(struct tables *t, const struct span *s)
{
	uint32_t lock = lock_of(t, s);

	return lock == LOCK_REST ? ENTITY_REST : lock;
}

static void number_text(const struct entity *e, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64, e->key);
}

/* Empty where the metric is of no goroutine. Code without lines is known by its function alone. */
static void site_text(const struct entity *e, char *buf, size_t size)
{
	const struct site_name *site = names_of_site(e->n, (uint32_t)e->key);
	bool is_known = metrics[e->metric].entity == ENTITY_GOROUTINE || is_by_wait_site(e->metric);

	if (site && is_by_wait_site(e->metric))
		snprintf(buf, size, "%s", *site->at ? site->at : site->func);
	else
		snprintf(buf, size, "%s", site ? site->at : is_known ? "unknown" : "");
}

static void goid_text(const struct entity *e, char *buf, size_t size)
{
	tables_goid_text(e->t, e->key, buf, size);
}

static void label_text(const struct entity *e, char *buf, size_t size)
{
	snprintf(buf, size, "%s", tables_label_text(e->t, e->key));
}

static void lock_text(const struct entity *e, char *buf, size_t size)
{
	tables_lock_text(e->t, e->n, (uint32_t)e->key, buf, size);
}

static void no_name(const struct entity *e, char *buf, size_t size)
{
	(void)e;
	snprintf(buf, size, "%s", "");
}

/* The name of a process is that of its first thread, so one function serves both. */
static void task_name(const struct entity *e, char *buf, size_t size)
{
	const struct task_name *task = names_of_task(e->n, (uint32_t)e->key);

	snprintf(buf, size, "%s", task ? task->comm : "");
}

static void site_name(const struct entity *e, char *buf, size_t size)
{
	const struct site_name *site = names_of_site(e->n, (uint32_t)e->key);

	snprintf(buf, size, "%s", site ? site->func : "");
}

static void goid_name(const struct entity *e, char *buf, size_t size)
{
	const struct site_name *site = names_of_site(e->n, e->site);

	snprintf(buf, size, "%s", site ? site->func : "");
}

static void cgroup_name(const struct entity *e, char *buf, size_t size)
{
	const char *path = names_of_cgroup(e->n, e->key);

	snprintf(buf, size, "%s", path ? path : "");
}

/* The kernel's scale: 0..99 is real time 99..0, 100..139 is nice -20..19. */
static void prio_name(const struct entity *e, char *buf, size_t size)
{
	if (e->key < 100)
		snprintf(buf, size, "rt %d", 99 - (int)e->key);
	else if (e->key < 140)
		snprintf(buf, size, "nice %d", (int)e->key - 120);
	else
		snprintf(buf, size, "%s", "");
}

static void lock_name(const struct entity *e, char *buf, size_t size)
{
	tables_lock_name(e->t, e->n, (uint32_t)e->key, buf, size);
}

const struct dim dims[] = {
	{.name = "entity", .help = "each metric's own: the thread, the goroutine's creation site, the lock, the process"},
	{.name = "tid", .what = DIM_THREAD, .key = tid_key, .text = number_text, .name_of = task_name,
	 .help = "the thread; of a goroutine the one that then ran it"},
	{.name = "pid", .what = DIM_PROCESS, .key = pid_key, .text = number_text, .name_of = task_name,
	 .help = "the process"},
	{.name = "site", .what = DIM_SITE, .key = site_key, .text = site_text, .name_of = site_name,
	 .help = "where the goroutine was created; of waits for locks and futexes where in the code they were"},
	{.name = "goid", .what = DIM_GOID, .key = goid_key, .text = goid_text, .name_of = goid_name,
	 .help = "the goroutine, by its number"},
	{.name = "label", .key = label_key, .text = label_text, .name_of = no_name,
	 .help = "the goroutine's pprof labels"},
	{.name = "cpu", .key = cpu_key, .text = number_text, .name_of = no_name,
	 .help = "the CPU it then ran on"},
	{.name = "cgroup", .key = cgroup_key, .text = number_text, .name_of = cgroup_name,
	 .help = "the cgroup"},
	{.name = "prio", .key = prio_key, .text = number_text, .name_of = prio_name,
	 .help = "the kernel's priority"},
	{.name = "lock", .what = DIM_LOCK, .key = lock_key, .text = lock_text, .name_of = lock_name,
	 .help = "the lock waited for; of a channel the place in the code"},
	{.name = NULL},
};

const struct dim *dim_of(const struct dim *d, enum metric metric)
{
	static const char *const own[] = {
		[ENTITY_THREAD] = "tid", [ENTITY_GOROUTINE] = "site", [ENTITY_LOCK] = "lock",
		[ENTITY_PROCESS] = "pid",
	};

	return d->key ? d : dim_find(own[metrics[metric].entity]);
}

const struct dim *dim_find(const char *name)
{
	for (const struct dim *d = dims; d->name; d++) {
		if (!strcmp(d->name, name))
			return d;
	}
	return NULL;
}

const char *dims_list(char *buf, size_t size)
{
	size_t at = 0;

	for (const struct dim *d = dims; d->name && at < size; d++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? ", " : "", d->name);
	return buf;
}
