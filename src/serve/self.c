/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "self.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../commands.h"
#include "../export/about.h"

/* A line of /proc/self/status in kB, as bytes; 0: none. */
static uint64_t status_bytes(const char *name)
{
	FILE *f = fopen("/proc/self/status", "re");
	uint64_t kb = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, strlen(name)))
			kb = strtoull(line + strlen(name), NULL, 10);
	}
	if (f)
		fclose(f);
	return kb * 1024;
}

static uint64_t ns_of(struct timeval t)
{
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_usec * 1000;
}

static uint64_t cpu_ns(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return ns_of(u.ru_utime) + ns_of(u.ru_stime);
}

/* A share of the time of one CPU: measured once, in the first seconds. */
static void put_programs(struct om *o, const struct export_opts *facts)
{
	const char *ns_per_s = about_fact(facts, "cost.bpf_programs_ns_per_s");

	if (!ns_per_s)
		return;
	om_family(o, OM_GAUGE, "wakelag_bpf_programs_ratio",
		  "CPU time of the kernel's side, of one CPU; measured once, at the start");
	om_ns(o, NULL, strtoull(ns_per_s, NULL, 10));
}

void self_write(struct om *o, const struct self *self)
{
	const struct om_label version[] = {{"version", WAKELAG_VERSION}, {NULL, NULL}};

	om_family(o, OM_INFO, "wakelag_build", "the program");
	om_number(o, version, 1);
	om_family(o, OM_COUNTER, "wakelag_records", "records taken from the kernel's side");
	om_number(o, NULL, self->records);
	om_family(o, OM_COUNTER, "wakelag_cpu_seconds", "CPU time of the collector and the server");
	om_ns(o, NULL, cpu_ns());
	put_programs(o, self->facts);
	om_family(o, OM_GAUGE, "wakelag_resident_memory_bytes", "memory of the collector and the server");
	om_number(o, NULL, status_bytes("VmRSS:"));
	om_family(o, OM_GAUGE, "wakelag_anonymous_memory_bytes",
		  "of it anonymous: without the ring and the program's file");
	om_number(o, NULL, status_bytes("RssAnon:"));
}
