/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Made-up recordings of hours, in simulated time, into the sinks of long recordings; a directory for their files. */
#pragma once

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/collect/session.h"
#include "src/trace/reader.h"
#include "src/trace/record_info.h"

enum { FEED_THREADS = 4, FEED_TGID = 100, FEED_FILES_MAX = 256 };

#define SECOND 1000000000ull
#define FEED_BEGIN (5000 * SECOND)
/* 2026-11-21 12:00:00 UTC */
#define FEED_REALTIME (1795262400ll * 1000000000 - (int64_t)FEED_BEGIN)

struct feed_dir {
	char path[64];
	char name[96];		/* of the recording */
	char *files[FEED_FILES_MAX];	/* sorted, with the directory */
	size_t cnt;
};

static inline void feed_dir_make(struct feed_dir *d)
{
	*d = (struct feed_dir){.path = "/tmp/wakelag-unit-XXXXXX"};
	if (!mkdtemp(d->path))
		abort();
	snprintf(d->name, sizeof(d->name), "%s/r.wlag", d->path);
}

static inline int feed_by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void feed_dir_list(struct feed_dir *d)
{
	DIR *dir = opendir(d->path);

	for (; d->cnt; d->cnt--)
		free(d->files[d->cnt - 1]);
	for (struct dirent *e; (e = readdir(dir)) && d->cnt < FEED_FILES_MAX;)
		if (e->d_name[0] != '.' && asprintf(&d->files[d->cnt], "%s/%s", d->path, e->d_name) > 0)
			d->cnt++;
	closedir(dir);
	qsort(d->files, d->cnt, sizeof(d->files[0]), feed_by_name);
}

static inline void feed_dir_remove(struct feed_dir *d)
{
	feed_dir_list(d);
	for (; d->cnt; d->cnt--) {
		unlink(d->files[d->cnt - 1]);
		free(d->files[d->cnt - 1]);
	}
	rmdir(d->path);
}

static inline int feed_rec(const struct record_sink *s, const void *rec)
{
	return s->feed(s->ctx, rec, ((const struct rec_hdr *)rec)->len);
}

static inline int feed_fact(const struct record_sink *s, const char *name, const char *value)
{
	struct rec_fact r = {.hdr = {REC_FACT_KIND, sizeof(r)}};

	snprintf(r.name, sizeof(r.name), "%s", name);
	snprintf(r.value, sizeof(r.value), "%s", value);
	return feed_rec(s, &r);
}

static inline int feed_task(const struct record_sink *s, uint64_t now, uint32_t tid, const char *comm)
{
	struct rec_task r = {.hdr = {REC_TASK_KIND, sizeof(r)}, .tid = tid, .tgid = FEED_TGID, .time = now,
			     .flags = TASK_TRACKED};

	snprintf(r.comm, sizeof(r.comm), "%s", comm);
	return feed_rec(s, &r);
}

/* A timer's wakeup at `asked`, that late. */
static inline int feed_wait(const struct record_sink *s, uint32_t tid, uint64_t asked, uint64_t late)
{
	struct rec_wait w = {
		.hdr = {REC_WAIT_KIND, sizeof(w)}, .tid = tid, .tgid = FEED_TGID, .asked = asked, .due = asked + 10,
		.fired = asked + 20, .waking = asked + 30, .ran = asked + late, .off = asked - 5000000,
		.why = WAIT_BLOCKED, .woken_by = WOKEN_TIMER, .timer = TIMER_SLEEPER, .syscall = 230, .prio = 120,
	};

	return feed_rec(s, &w);
}

static inline int feed_count(const struct record_sink *s, uint64_t now, uint32_t id, uint64_t value)
{
	struct rec_count r = {{REC_COUNT_KIND, sizeof(r)}, id, now, value};

	return feed_rec(s, &r);
}

static inline int feed_end(const struct record_sink *s, uint64_t now, uint32_t tid, uint64_t waking)
{
	struct rec_task_end r = {.hdr = {REC_TASK_END_KIND, sizeof(r)}, .tid = tid, .tgid = FEED_TGID, .time = now,
				 .waking = waking, .exited = 1};

	return feed_rec(s, &r);
}

/* What a recording begins with. */
static inline int feed_begin(const struct record_sink *s, const char *host)
{
	struct rec_clock clock = {.hdr = {REC_CLOCK_KIND, sizeof(clock)}, .time = FEED_BEGIN, .realtime = FEED_REALTIME};
	struct rec_symbol symbol = {.hdr = {REC_SYMBOL_KIND, sizeof(symbol)}, .tgid = FEED_TGID, .pc = 0x1000, .last = 1,
				    .func = "main.main", .file = "/src/main.go"};
	int err = feed_fact(s, "host.name", host);

	err |= feed_rec(s, &clock);
	err |= feed_rec(s, &symbol);
	for (uint32_t i = 0; i < FEED_THREADS; i++)
		err |= feed_task(s, FEED_BEGIN, FEED_TGID + i, "worker");
	return err;
}

/* A second of all threads, `hz` wakeups each, and its flush. `waking` is counted up. */
static inline int feed_second(const struct record_sink *s, uint64_t begin, unsigned int hz, uint64_t *waking)
{
	int err = 0;

	for (unsigned int k = 0; k < hz; k++)
		for (uint32_t i = 0; i < FEED_THREADS; i++, ++*waking)
			err |= feed_wait(s, FEED_TGID + i, begin + k * (SECOND / hz), 50000 + (*waking * 7919) % 60000);
	err |= feed_count(s, begin + SECOND - 1, COUNT_waking, *waking);
	if (s->due)
		s->due(s->ctx, begin + SECOND);
	return err | s->flush(s->ctx);
}

static inline int feed_finish(const struct record_sink *s, uint64_t now)
{
	struct rec_end end = {.hdr = {REC_END_KIND, sizeof(end)}, .reason = END_SIGNAL, .time = now};
	int err = feed_rec(s, &end);

	return err | s->flush(s->ctx);
}

/* Reads one file through fn. What recording_open() said, or recording_read(). */
static inline int feed_read(const char *path, int (*fn)(void *ctx, const void *rec, size_t len), void *ctx)
{
	struct recording *r;
	int err = recording_open(path, &r);

	if (err)
		return err;
	err = recording_read(r, fn, ctx);
	recording_close(r);
	return err;
}
