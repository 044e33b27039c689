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

static void number_text(const struct tables *t, uint64_t key, char *buf, size_t size)
{
	(void)t;
	snprintf(buf, size, "%" PRIu64, key);
}

static void lock_text(const struct tables *t, uint64_t key, char *buf, size_t size)
{
	tables_lock_text(t, (uint32_t)key, buf, size);
}

static void no_name(const struct names *n, uint64_t key, char *buf, size_t size)
{
	(void)n;
	(void)key;
	snprintf(buf, size, "%s", "");
}

/* The name of a process is that of its first thread, so one function serves both. */
static void task_name(const struct names *n, uint64_t key, char *buf, size_t size)
{
	const struct task_name *task = names_of_task(n, (uint32_t)key);

	snprintf(buf, size, "%s", task ? task->comm : "");
}

static void cgroup_name(const struct names *n, uint64_t key, char *buf, size_t size)
{
	const char *path = names_of_cgroup(n, key);

	snprintf(buf, size, "%s", path ? path : "");
}

/* The kernel's scale: 0..99 is real time 99..0, 100..139 is nice -20..19. */
static void prio_name(const struct names *n, uint64_t key, char *buf, size_t size)
{
	(void)n;
	if (key < 100)
		snprintf(buf, size, "rt %d", 99 - (int)key);
	else if (key < 140)
		snprintf(buf, size, "nice %d", (int)key - 120);
	else
		snprintf(buf, size, "%s", "");
}

const struct dim dims[] = {
	{.name = "tid", .key = tid_key, .text = number_text, .name_of = task_name,
	 .help = "the thread"},
	{.name = "pid", .key = pid_key, .text = number_text, .name_of = task_name,
	 .help = "the process"},
	{.name = "cpu", .key = cpu_key, .text = number_text, .name_of = no_name,
	 .help = "the CPU it then ran on"},
	{.name = "cgroup", .key = cgroup_key, .text = number_text, .name_of = cgroup_name,
	 .help = "the cgroup"},
	{.name = "prio", .key = prio_key, .text = number_text, .name_of = prio_name,
	 .help = "the kernel's priority"},
	{.name = "lock", .key = lock_key, .text = lock_text, .name_of = no_name,
	 .help = "the lock waited for"},
	{.name = NULL},
};

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
