/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is traced: processes, threads, a cgroup, everything, or a command that we start; --comm narrows
 * any of them. Holds a pidfd of each process, so that an id that is used again is never taken for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../bpf/config.h"

struct target_opts {
	uint32_t *ids;		/* of processes, or of threads */
	size_t id_cnt;
	bool threads;
	bool all;
	const char *cgroup;	/* path */
	const char *comm;	/* glob */
	char **cmd;		/* argv */
	const char *wait_for;	/* a process's name: its ids are what runs under it; see waitfor.h */
	bool no_follow;
};

struct target {
	const struct target_opts *opts;
	int *pidfds;		/* of the processes, of the command */
	size_t pidfd_cnt;
	pid_t child;		/* the command, 0 if none */
	int go_fd;		/* closing it without a byte written ends the waiting command */
	uint64_t cgroup_id;
	bool cgroup_v1;
};

/* Checks and opens; the command is started but waits. 0 or -errno, told on stderr with a hint. */
int target_open(const struct target_opts *opts, struct target *out);
void target_close(struct target *t);
/* The filter for the kernel side; ids are opts->ids, or the command's. */
void target_config(const struct target *t, struct bpf_config *out);
/* Lets the command run. */
int target_go(struct target *t);
/* One line about it for people. */
void target_describe(const struct target *t, char *buf, size_t size);
