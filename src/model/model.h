/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The model: records in, spans out. One per recording or live run; no I/O, no clock: time comes only
 * from the records, so a replay gives the same spans to the byte.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../../bpf/record.h"
#include "names.h"
#include "span.h"

struct model;

/* `sink` is copied. NULL: no memory. */
struct model *model_new(const struct span_sink *sink);
void model_free(struct model *m);

/*
 * The one entry of live runs, replay and fixtures: one record (struct rec_* of bpf/record.h, host byte
 * order, at least 8-aligned), len its size. 0, or -EBADMSG: malformed, counted (file_bad_record), the
 * stream goes on; -ENOMEM.
 */
int model_feed(struct model *m, const void *rec, size_t len);

/*
 * The end of the stream, with or without a REC_END: what is open is censored, totals go to the sink.
 * A stream without REC_END counts as cut (file_cut 1).
 */
void model_end(struct model *m);

const struct names *model_names(const struct model *m);

/* Facts for reports; valid until model_free. */
struct model_info {
	uint64_t start_ns, end_ns;	/* of the recording, CLOCK_MONOTONIC */
	int64_t realtime_off;		/* of the first clock record */
	bool has_clock, has_end;
	uint32_t end_reason;
	int32_t status;
};

const struct model_info *model_info(const struct model *m);
/* The value of a REC_FACT by name, or NULL. Facts in order: model_fact_at(m, 0..) until false. */
const char *model_fact(const struct model *m, const char *name);
bool model_fact_at(const struct model *m, size_t i, const char **name, const char **value);

/* cpu.stat of a cgroup that has a quota: how much it grew between its first and last record. */
struct cgroup_stat {
	uint64_t id, nr_periods, nr_throttled, throttled_ns;
};

/* One after the other: model_cgstat_at(m, 0..) until false. */
bool model_cgstat_at(const struct model *m, size_t i, struct cgroup_stat *out);

/* A Go process, as the last records tell. */
struct go_process {
	uint32_t tgid;
	uint32_t level;		/* enum go_level */
	bool checked;		/* the layout agreed with the live process */
	const char *version, *why;
	const struct rec_gosnap *snap;	/* NULL: none */
	uint64_t hist_cnt;
};

/* One after the other: model_go_at(m, 0..) until false. Texts are valid until model_free(). */
bool model_go_at(const struct model *m, size_t i, struct go_process *out);

/* Goroutines of a process's last snapshot that have creation site, status and reason to wait in common. */
struct go_group {
	uint32_t site;		/* see names_site(); 0: the sum of all small ones */
	uint32_t wait_site;	/* where one of them waits, see names_call_site(); 0: not known */
	bool is_waiting;
	const char *reason;	/* in the runtime's words; NULL: not known, or they don't wait */
	uint64_t count, oldest_ns;	/* the longest that one of them has been waiting, as far as known */
};

/* One after the other, as they came: model_go_group(m, tgid, 0..) until false. */
bool model_go_group(const struct model *m, uint32_t tgid, size_t i, struct go_group *out);

/* What a histogram of the Go runtime itself (enum go_hist) grew by from the first snapshot to the last. */
struct go_bucket {
	uint64_t lo_ns, hi_ns, count;
};

/* Bucket after bucket, by latency: model_go_hist(m, tgid, which, 0..) until false. */
bool model_go_hist(const struct model *m, uint32_t tgid, uint32_t which, size_t i, struct go_bucket *out);
