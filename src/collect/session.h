/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One recording, from attaching to the last block: one thread, one epoll loop. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target.h"

/* --go: enum go_level of bpf/record.h, or */
enum { GO_AUTO = -1 };

struct session_opts {
	struct target_opts target;
	uint64_t duration_ns;	/* 0: until the target ends or a signal comes */
	size_t ring_bytes;
	bool no_syscalls, no_stacks;
	int go;			/* enum go_level, or GO_AUTO */
	bool progress;		/* show on a terminal how far it is */
	uint64_t max_bytes;	/* of the sink: then it ends; 0: any */
	int realtime;		/* the collector's own SCHED_FIFO priority, 0: none */
	int nice;		/* or its nice value, if has_nice */
	bool has_nice;
	const char *command_line;	/* how we were called, for the recording */
};

struct recording_writer;

struct session_result {
	int wait_status;	/* of the command, valid if has_status */
	bool has_status;
	uint64_t records, lost, ring_lost;	/* the last: because the ring was full */
};

/* Where the records go. */
struct record_sink {
	void *ctx;
	int (*feed)(void *ctx, const void *rec, size_t len);	/* 0, or -errno: ends the recording */
	int (*flush)(void *ctx);	/* about once a second, and at the end; as feed */
	uint64_t (*bytes)(void *ctx);	/* written so far */
	bool (*due)(void *ctx, uint64_t now);	/* asked 50 times a second: true: counters and a flush now. May be NULL */
};

/*
 * Records into a sink. 0, also when the target ended or a signal came; -errno, told on stderr. What was
 * recorded until then is in the sink.
 */
int session_run_sink(const struct session_opts *opts, const struct record_sink *sink, struct session_result *out);
/* The same into a file, which stays the caller's. */
int session_run(const struct session_opts *opts, struct recording_writer *w, struct session_result *out);
