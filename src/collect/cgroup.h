/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Cgroups as /proc and the cgroup file systems tell them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the hierarchy is mounted (v1's of the CPU controller, or v2), to buf; false: it is not. */
bool cgroup_mount(bool v1, char *buf, size_t size);
/* Whether the CPU controller is on a v1 hierarchy here. */
bool cgroup_cpu_is_v1(void);
/* Whether path lies on the v1 hierarchy of the CPU controller. */
bool cgroup_is_cpu_v1(const char *path);
/* Path of a task's cgroup below the root of the hierarchy (v1's of the CPU controller, or v2). 0 or -errno. */
int cgroup_of_task(uint32_t tid, bool v1, char *buf, size_t size);

struct cgroup_stat {
	uint64_t nr_periods, nr_throttled, throttled_ns;
};

/* Its cpu.stat; -ENODATA where it has no quota. */
int cgroup_stat(const char *path, bool v1, struct cgroup_stat *out);
