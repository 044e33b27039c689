/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../bpf/record.h"
#include "../base/u64map.h"

/*
 * Tasks beyond that stay nameless: without a bound, days of short-lived tasks would fill the memory
 * with names that no table shows.
 */
enum { NAMES_TASKS_MAX = 1 << 17, NAMES_CGROUPS_MAX = 1 << 14 };

struct names {
	struct u64map tasks;	/* struct task_name */
	struct u64map cgroups;	/* char * */
};

struct names *names_new(void)
{
	struct names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	u64map_init(&n->tasks, sizeof(struct task_name));
	u64map_init(&n->cgroups, sizeof(char *));
	return n;
}

void names_free(struct names *n)
{
	char **path;
	uint64_t id;
	size_t i = 0;

	if (!n)
		return;
	while ((path = u64map_next(&n->cgroups, &i, &id)))
		free(*path);
	u64map_done(&n->cgroups);
	u64map_done(&n->tasks);
	free(n);
}

int names_task(struct names *n, const struct rec_task *t)
{
	struct task_name *name;

	if (n->tasks.cnt >= NAMES_TASKS_MAX && !u64map_find(&n->tasks, t->tid))
		return 0;
	name = u64map_get(&n->tasks, t->tid);
	if (!name)
		return -ENOMEM;
	*name = (struct task_name){
		.tid = t->tid, .tgid = t->tgid, .ns_tid = t->ns_tid, .ns_tgid = t->ns_tgid,
		.cgroup = t->cgroup,
	};
	memcpy(name->comm, t->comm, sizeof(t->comm));	/* one byte more stays 0 */
	return 0;
}

int names_cgroup(struct names *n, const struct rec_cgroup *c)
{
	char *path, **slot;

	if (n->cgroups.cnt >= NAMES_CGROUPS_MAX && !u64map_find(&n->cgroups, c->id))
		return 0;
	path = strndup(c->path, sizeof(c->path));
	if (!path)
		return -ENOMEM;
	slot = u64map_get(&n->cgroups, c->id);
	if (!slot) {
		free(path);
		return -ENOMEM;
	}
	free(*slot);
	*slot = path;
	return 0;
}

const struct task_name *names_of_task(const struct names *n, uint32_t tid)
{
	return u64map_find(&n->tasks, tid);
}

const char *names_of_cgroup(const struct names *n, uint64_t id)
{
	char *const *path = u64map_find(&n->cgroups, id);

	return path ? *path : NULL;
}
