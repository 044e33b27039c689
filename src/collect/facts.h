/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a recording says besides the kernel's records: host, options, clocks, cgroups and their quota,
 * what it cost. Goes through the given sink, as records.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/u64map.h"

struct facts {
	int (*put)(void *ctx, const void *rec, size_t len);
	void *ctx;
	bool cgroup_v1;
	struct u64map cgroups;	/* id -> char *, its path; NULL: could not be read */
	uint64_t last_cgroup;	/* asked for, so that the common case costs nothing */
	int64_t realtime;	/* offset as last told */
};

void facts_init(struct facts *f, bool cgroup_v1, int (*put)(void *, const void *, size_t), void *ctx);
void facts_done(struct facts *f);

/* A fact: name by format, value cut to what a record holds. */
void facts_text(struct facts *f, const char *value, const char *name, ...) __attribute__((format(printf, 3, 4)));
void facts_number(struct facts *f, const char *name, uint64_t value);
/* What is not recorded, and why: also said to the user, once. Through any sink. */
void facts_absent(int (*put)(void *, const void *, size_t), void *ctx, const char *what, const char *why);
/* Host, kernel, options, clocks. */
void facts_start(struct facts *f, uint64_t now, const char *command_line);
/* Once a second: clocks that stepped, quotas. */
void facts_second(struct facts *f, uint64_t now);
/* Clocks, quotas, cost. */
void facts_end(struct facts *f, uint64_t now, uint64_t bytes);
/* Gives the cgroup's path if it was not given yet; tid is a task in it. */
void facts_cgroup(struct facts *f, uint64_t id, uint32_t tid);

bool facts_has_hypervisor(void);
