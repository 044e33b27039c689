/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup.h"

#include <errno.h>
#include <inttypes.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool cgroup_mount(bool v1, char *buf, size_t size)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	bool found = false;

	while (f && !found && (m = getmntent(f))) {
		found = v1 ? !strcmp(m->mnt_type, "cgroup") && hasmntopt(m, "cpu") : !strcmp(m->mnt_type, "cgroup2");
		if (found)
			snprintf(buf, size, "%s", m->mnt_dir);
	}
	if (f)
		endmntent(f);
	return found;
}

bool cgroup_cpu_is_v1(void)
{
	char dir[256];

	return cgroup_mount(true, dir, sizeof(dir));
}

bool cgroup_is_cpu_v1(const char *path)
{
	struct stat st, root;
	char dir[256];

	return cgroup_mount(true, dir, sizeof(dir)) && !stat(path, &st) && !stat(dir, &root) && st.st_dev == root.st_dev;
}

/* Lines are "ID:CONTROLLERS:PATH"; v2's has id 0 and no controllers. */
static bool is_line_of(const char *line, bool v1)
{
	const char *list = strchr(line, ':'), *end = list ? strchr(list + 1, ':') : NULL;

	if (!end)
		return false;
	if (!v1)
		return !strncmp(line, "0::", 3);
	for (const char *c = list + 1; c < end; c += strcspn(c, ",:") + 1)
		if (strcspn(c, ",:") == 3 && !strncmp(c, "cpu", 3))
			return true;
	return false;
}

int cgroup_of_task(uint32_t tid, bool v1, char *buf, size_t size)
{
	char path[64], line[4096];
	int err = -ENOENT;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/cgroup", tid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (err && fgets(line, sizeof(line), f)) {
		if (!is_line_of(line, v1))
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(buf, size, "%s", strchr(strchr(line, ':') + 1, ':') + 1);
		err = 0;
	}
	fclose(f);
	return err;
}

int cgroup_stat(const char *path, bool v1, struct cgroup_stat *out)
{
	char file[640], dir[256], key[64];
	struct cgroup_stat st = {};
	uint64_t value;
	FILE *f;

	if (!cgroup_mount(v1, dir, sizeof(dir)))
		return -ENOENT;
	snprintf(file, sizeof(file), "%s%s/cpu.stat", dir, path);
	f = fopen(file, "re");
	if (!f)
		return -errno;
	while (fscanf(f, "%63s %" SCNu64, key, &value) == 2) {
		if (!strcmp(key, "nr_periods"))
			st.nr_periods = value;
		else if (!strcmp(key, "nr_throttled"))
			st.nr_throttled = value;
		else if (!strcmp(key, "throttled_time"))	/* v1, ns */
			st.throttled_ns = value;
		else if (!strcmp(key, "throttled_usec"))	/* v2 */
			st.throttled_ns = value * 1000;
	}
	fclose(f);
	if (!st.nr_periods)
		return -ENODATA;
	*out = st;
	return 0;
}
