/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "rotate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../base/u64map.h"
#include "../collect/session.h"
#include "../trace/record_info.h"
#include "../trace/running.h"
#include "../trace/writer.h"
#include "head.h"
#include "parts.h"

enum {
	HEAD_BYTES = 16 << 20,
	END_BYTES = 64 << 10,	/* left free in a full file for its end */
	SHARE_BYTES = 16,	/* and for the share of a thread */
	THREADS_ENDED_MAX = 1 << 14,
};

/* A thread's wakings that were samples: rec_task_end counts from the begin of the recording. */
struct share {
	uint64_t here, before;	/* in this file, in earlier ones */
	bool has_ended;
};

/* Counters that threads have shares of: a file's total is the sum of the shares in it, whenever it was read. */
enum { SHARED_WAKING, SHARED_AGAIN, SHARED_PREEMPTED, SHARED_CNT };

static const uint32_t shared_ids[SHARED_CNT] = {
	[SHARED_WAKING] = COUNT_waking,
	[SHARED_AGAIN] = COUNT_waking_again,
	[SHARED_PREEMPTED] = COUNT_waking_preempted,
};

struct rotate {
	struct rotate_opts opts;
	char path[PART_PATH_MAX];
	struct recording_writer *writer;
	struct head *head;
	struct running running;
	struct u64map shares;	/* tid -> struct share */
	uint64_t shared_here[SHARED_CNT], shared_before[SHARED_CNT];
	size_t shares_ended;
	size_t files;
	uint64_t now, next_cut;
	uint64_t pending;	/* bytes of the open block's records, before coding */
	uint64_t fresh;		/* records of this file behind its head */
	uint64_t bytes;		/* of the files before */
	int64_t realtime;	/* of the first file's begin, less CLOCK_MONOTONIC */
	int err;		/* the first, sticky */
};

static int feed_writer(void *ctx, const void *rec, size_t len)
{
	struct rotate *r = ctx;
	int err = writer_feed(r->writer, rec, len);

	r->pending += len;
	return err == -EBADMSG ? 0 : err;
}

static int open_part(struct rotate *r, int64_t realtime_ns)
{
	struct rec_fact part = {.hdr = {REC_FACT_KIND, sizeof(part)}, .name = "recording.part"};
	int err = part_open(r->opts.name, realtime_ns, r->path, &r->writer);

	if (err)
		return err;
	r->pending = 0;
	snprintf(part.value, sizeof(part.value), "%zu", ++r->files);
	err = feed_writer(r, &part, sizeof(part));
	if (!err && r->opts.keep)
		err = part_expire(r->opts.name, r->path, r->opts.keep);
	return err;
}

int rotate_open(const struct rotate_opts *opts, uint64_t now, int64_t realtime_ns, struct rotate **out)
{
	struct rotate *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return fail(-ENOMEM, "recording: '%s'", opts->name);
	r->opts = *opts;
	r->now = now;
	r->next_cut = opts->period_ns ? now + opts->period_ns : UINT64_MAX;
	r->realtime = realtime_ns - (int64_t)now;
	running_init(&r->running);
	u64map_init(&r->shares, sizeof(struct share));
	r->head = head_new(opts->head_bytes ? opts->head_bytes : HEAD_BYTES);
	err = r->head ? open_part(r, realtime_ns) : fail(-ENOMEM, "recording: '%s'", opts->name);
	if (err) {
		rotate_close(r);
		return err;
	}
	*out = r;
	return 0;
}

int rotate_close(struct rotate *r)
{
	int err;

	if (!r)
		return 0;
	err = writer_close(r->writer);
	err = r->err ? r->err : err;
	head_free(r->head);
	running_done(&r->running);
	u64map_done(&r->shares);
	free(r);
	return err;
}

/* Drops the shares of threads that ended, when they are many. */
static int sift_shares(struct rotate *r)
{
	struct u64map kept;
	struct share *s, *to;
	uint64_t tid;
	size_t i = 0;

	u64map_init(&kept, sizeof(struct share));
	while ((s = u64map_next(&r->shares, &i, &tid))) {
		to = s->has_ended ? NULL : u64map_get(&kept, tid);
		if (to)
			*to = *s;
		else if (!s->has_ended) {
			u64map_done(&kept);
			return -ENOMEM;
		}
	}
	u64map_done(&r->shares);
	r->shares = kept;
	r->shares_ended = 0;
	return 0;
}

/* A wait that is a sample of thread.runq. */
static int count_wait(struct rotate *r, const struct rec_wait *w)
{
	struct share *s;

	if (w->woken_by == WOKEN_NOT || !w->waking)
		return 0;
	s = u64map_get(&r->shares, w->tid);
	if (!s)
		return -ENOMEM;
	s->here++;
	s->has_ended = false;
	return 0;
}

/* What this file has of a thread that ends, or is no longer traced. */
static int count_end(struct rotate *r, struct rec_task_end *end)
{
	struct share *s = u64map_find(&r->shares, end->tid);

	if (s)
		end->waking -= s->before < end->waking ? s->before : end->waking;
	r->shared_here[SHARED_WAKING] += end->waking;
	r->shared_here[SHARED_AGAIN] += end->waking_again;
	r->shared_here[SHARED_PREEMPTED] += end->waking_preempted;
	if (!s)
		return 0;
	*s = (struct share){.has_ended = true};
	return ++r->shares_ended > THREADS_ENDED_MAX ? sift_shares(r) : 0;
}

/* Gives the living threads' shares in this file. */
static int cut_shares(struct rotate *r, uint64_t now)
{
	struct share *s;
	uint64_t tid;
	size_t i = 0;
	int err = 0;

	while (!err && (s = u64map_next(&r->shares, &i, &tid))) {
		struct rec_task_end end = {
			.hdr = {REC_TASK_END_KIND, sizeof(end)}, .tid = (uint32_t)tid, .time = now, .waking = s->here,
		};

		if (!s->here)
			continue;
		err = feed_writer(r, &end, sizeof(end));
		r->shared_here[SHARED_WAKING] += s->here;
		s->before += s->here;
		s->here = 0;
	}
	for (int k = 0; !err && k < SHARED_CNT; k++) {
		struct rec_count total = {{REC_COUNT_KIND, sizeof(total)}, shared_ids[k], now, r->shared_here[k]};

		err = feed_writer(r, &total, sizeof(total));
		r->shared_before[k] += r->shared_here[k];
		r->shared_here[k] = 0;
	}
	return err ? err : sift_shares(r);
}

/* Ends this file and begins the next one. */
static int cut(struct rotate *r, uint64_t now)
{
	struct rec_end end = {.hdr = {REC_END_KIND, sizeof(end)}, .reason = END_FILE_LIMIT, .time = now};
	int64_t realtime = head_realtime(r->head) ? head_realtime(r->head) : r->realtime;
	int err = cut_shares(r, now);

	if (!err)
		err = feed_writer(r, &end, sizeof(end));
	if (err)
		return err;
	writer_flush(r->writer);
	r->bytes += writer_stats(r->writer).bytes;
	err = writer_close(r->writer);
	r->writer = NULL;
	if (!err)
		err = open_part(r, realtime + (int64_t)now);
	if (err)
		return err;
	head_forget(r->head, UINT64_MAX);
	running_cut(&r->running);
	err = head_give(r->head, now, feed_writer, r);
	r->fresh = 0;
	while (r->opts.period_ns && r->next_cut <= now)
		r->next_cut += r->opts.period_ns;
	return err;
}

/* Whether the file has no room for one more record. Coded records are shorter than plain ones. */
static bool is_full(struct rotate *r)
{
	uint64_t max = r->opts.max_bytes, end = END_BYTES + r->shares.cnt * SHARE_BYTES;

	if (!max || !r->fresh || writer_stats(r->writer).bytes + r->pending + end <= max)
		return false;
	if (writer_flush(r->writer))
		return false;	/* the next feed says so */
	r->pending = 0;
	return writer_stats(r->writer).bytes + end + END_BYTES / 4 > max;
}

/* A total counts from this file's begin. */
static int feed_total(struct rotate *r, union any_record *rec)
{
	struct running_total *total;
	uint64_t before;
	__u64 *value;

	total = running_of(&r->running, rec, &value);
	if (!total)
		return 0;
	total->last = *value;
	before = total->base;
	for (int k = 0; rec->hdr.kind == REC_COUNT_KIND && k < SHARED_CNT; k++)
		before = rec->count.id == shared_ids[k] ? r->shared_before[k] : before;
	*value -= before < *value ? before : *value;
	return feed_writer(r, rec, rec->hdr.len);
}

static int feed_whole(struct rotate *r, const void *rec, size_t len)
{
	union any_record copy;
	const struct rec_hdr *hdr = rec;
	int err = head_note(r->head, rec);

	if (err || !record_check(rec, len))
		return err;
	if (is_full(r))
		err = cut(r, head_now(r->head) > r->now ? head_now(r->head) : r->now);
	if (!err && hdr->kind == REC_WAIT_KIND)
		err = count_wait(r, rec);
	if (err)
		return err;
	r->fresh++;
	if (hdr->kind != REC_TASK_END_KIND && !running_is(hdr->kind))
		return feed_writer(r, rec, len);
	memcpy(&copy, rec, len);
	if (running_is(hdr->kind))
		return feed_total(r, &copy);
	err = count_end(r, &copy.task_end);
	return err ? err : feed_writer(r, &copy, len);
}

static int feed(void *ctx, const void *rec, size_t len)
{
	struct rotate *r = ctx;

	if (!r->err)
		r->err = feed_whole(r, rec, len);
	return r->err;
}

static bool is_due(void *ctx, uint64_t now)
{
	struct rotate *r = ctx;

	r->now = now;
	return now >= r->next_cut;
}

static int flush(void *ctx)
{
	struct rotate *r = ctx;

	if (!r->err)
		r->err = writer_flush(r->writer);
	r->pending = 0;
	if (!r->err && r->now >= r->next_cut)
		r->err = cut(r, r->now);
	return r->err;
}

static uint64_t bytes_written(void *ctx)
{
	const struct rotate *r = ctx;

	return r->bytes + (r->writer ? writer_stats(r->writer).bytes : 0);
}

struct record_sink rotate_sink(struct rotate *r)
{
	return (struct record_sink){.ctx = r, .feed = feed, .flush = flush, .bytes = bytes_written, .due = is_due};
}

size_t rotate_files(const struct rotate *r)
{
	return r->files;
}
