/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "../../bpf/record.h"
#include "../base/err.h"
#include "cgroup.h"

enum { MAX_CGROUPS = 10000 };	/* a host with more is told without the others' paths */

void facts_init(struct facts *f, bool cgroup_v1, int (*put)(void *, const void *, size_t), void *ctx)
{
	*f = (struct facts){.put = put, .ctx = ctx, .cgroup_v1 = cgroup_v1};
	u64map_init(&f->cgroups, sizeof(char *));
}

void facts_done(struct facts *f)
{
	uint64_t id;
	size_t i = 0;
	char **path;

	while ((path = u64map_next(&f->cgroups, &i, &id)))
		free(*path);
	u64map_done(&f->cgroups);
}

void facts_text(struct facts *f, const char *value, const char *name, ...)
{
	struct rec_fact r = {.hdr = {REC_FACT_KIND, sizeof(r)}};
	va_list ap;

	va_start(ap, name);
	vsnprintf(r.name, sizeof(r.name), name, ap);
	va_end(ap);
	snprintf(r.value, sizeof(r.value), "%s", value);
	f->put(f->ctx, &r, sizeof(r));
}

void facts_absent(int (*put)(void *, const void *, size_t), void *ctx, const char *what, const char *why)
{
	struct rec_fact r = {.hdr = {REC_FACT_KIND, sizeof(r)}};

	talk("without %s: %s", what, why);
	snprintf(r.name, sizeof(r.name), "absent.%s", what);
	snprintf(r.value, sizeof(r.value), "%s", why);
	put(ctx, &r, sizeof(r));
}

void facts_number(struct facts *f, const char *name, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	facts_text(f, text, "%s", name);
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Offset of a clock to CLOCK_MONOTONIC: of several tries the one that took the least time. */
static int64_t clock_offset(clockid_t id)
{
	int64_t best = INT64_MAX, offset = 0;

	for (int i = 0; i < 5; i++) {
		int64_t before = clock_ns(CLOCK_MONOTONIC), there = clock_ns(id), after = clock_ns(CLOCK_MONOTONIC);

		if (after - before >= best)
			continue;
		best = after - before;
		offset = there - before - best / 2;
	}
	return offset;
}

static void put_clock(struct facts *f, uint64_t now)
{
	struct rec_clock r = {
		.hdr = {REC_CLOCK_KIND, sizeof(r)},
		.time = now,
		.realtime = clock_offset(CLOCK_REALTIME),
		.boottime = clock_offset(CLOCK_BOOTTIME),
		.tai = clock_offset(CLOCK_TAI),
	};

	f->realtime = r.realtime;
	f->put(f->ctx, &r, sizeof(r));
}

static void put_quotas(struct facts *f, uint64_t now)
{
	struct cgroup_stat st;
	uint64_t id;
	size_t i = 0;
	char **path;

	while ((path = u64map_next(&f->cgroups, &i, &id))) {
		if (!*path || cgroup_stat(*path, f->cgroup_v1, &st))
			continue;
		struct rec_cgstat r = {
			.hdr = {REC_CGSTAT_KIND, sizeof(r)},
			.time = now,
			.id = id,
			.nr_periods = st.nr_periods,
			.nr_throttled = st.nr_throttled,
			.throttled_ns = st.throttled_ns,
		};

		f->put(f->ctx, &r, sizeof(r));
	}
}

bool facts_has_hypervisor(void)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[4096];
	bool has = !f;	/* not known: reading steal does no harm */

	while (f && !has && fgets(line, sizeof(line), f))
		has = !strncmp(line, "flags", 5) && strstr(line, " hypervisor");
	if (f)
		fclose(f);
	return has;
}

/* Which boot it is: CLOCK_MONOTONIC begins anew with each. */
static void put_boot(struct facts *f)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	char id[64];

	if (file && fgets(id, sizeof(id), file)) {
		id[strcspn(id, "\n")] = '\0';
		facts_text(f, id, "host.boot");
	}
	if (file)
		fclose(file);
}

void facts_start(struct facts *f, uint64_t now, const char *command_line)
{
	struct utsname u;

	uname(&u);
	facts_text(f, u.nodename, "host.name");
	put_boot(f);
	facts_text(f, u.release, "host.kernel");
	facts_text(f, u.machine, "host.arch");
	facts_number(f, "host.cpus", sysconf(_SC_NPROCESSORS_ONLN));
	facts_text(f, command_line, "options");
	put_clock(f, now);
}

void facts_second(struct facts *f, uint64_t now)
{
	int64_t step = clock_offset(CLOCK_REALTIME) - f->realtime;

	if (step > 1000000 || step < -1000000)
		put_clock(f, now);
	put_quotas(f, now);
}

void facts_end(struct facts *f, uint64_t now, uint64_t bytes)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	put_quotas(f, now);
	put_clock(f, now);
	facts_number(f, "cost.collector_cpu_ns",
		     (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * UINT64_C(1000000000) +
		     (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * UINT64_C(1000));
	facts_number(f, "cost.bytes", bytes);
}

void facts_cgroup(struct facts *f, uint64_t id, uint32_t tid)
{
	struct rec_cgroup r = {.hdr = {REC_CGROUP_KIND, sizeof(r)}, .id = id};
	char **path;

	f->last_cgroup = id;
	if (u64map_find(&f->cgroups, id) || f->cgroups.cnt >= MAX_CGROUPS)
		return;
	path = u64map_get(&f->cgroups, id);
	if (!path || cgroup_of_task(tid, f->cgroup_v1, r.path, sizeof(r.path)))
		return;
	*path = strdup(r.path);
	f->put(f->ctx, &r, sizeof(r));
}
