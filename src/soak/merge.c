/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "merge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../base/u64map.h"
#include "../trace/reader.h"
#include "../trace/running.h"

enum {
	SEEN_BITS = 16,			/* records of other files that one may be equal to */
	GAP_NS = 1000000,		/* less than that between two files is no gap */
	THREADS_MAX = 1 << 18,
};

/* One of the recordings, while it is read. */
struct input {
	const char *path;
	struct recording *recording;
	char host[217], boot[217];
	uint64_t begin_ns;		/* its first clock record */
	const void *rec;		/* the next one, NULL: none */
	size_t len;
	uint64_t time_ns;		/* the latest so far: files are in order but for a little */
	bool has_begun, has_end;
	struct running running;
};

struct merge {
	struct input *inputs;		/* in order of begin */
	size_t cnt;
	uint64_t end_ns;		/* the latest time given */
	uint64_t known_from_ns;		/* end of the last gap */
	uint64_t gap_ns;
	size_t gaps, cuts;
	struct u64map facts;		/* hash of a name -> that of its value: each file says them all again */
	struct rec_end end;		/* the last in time */
	struct running sums;		/* over all files */
	struct u64map threads;		/* tids seen since the last gap */
	struct {
		uint64_t hash;
		size_t input;
	} seen[1 << SEEN_BITS];
	int (*feed)(void *ctx, const void *rec, size_t len);
	void *ctx;
};

/* Of what a record tells when it was; 0: of no moment. A row for each kind. */
static uint64_t time_of(const union any_record *r)
{
	switch (r->hdr.kind) {
	case REC_WAIT_KIND:
		return r->wait.ran;
	case REC_SLICE_KIND:
		return r->slice.end;
	case REC_MOVE_KIND:
		return r->move.end;
	case REC_TASK_KIND:
		return r->task.time;
	case REC_TASK_END_KIND:
		return r->task_end.time;
	case REC_COUNT_KIND:
		return r->count.time;
	case REC_CLOCK_KIND:
		return r->clock.time;
	case REC_END_KIND:
		return r->end.time;
	case REC_GO_KIND:
		return r->go.ran;
	case REC_STW_KIND:
		return r->stw.end;
	case REC_GOSNAP_KIND:
		return r->gosnap.time;
	case REC_KLOCK_KIND:
		return r->klock.end;
	default:
		return 0;
	}
}

/* Reads the next record. 0 or -errno. */
static int advance(struct input *in)
{
	int len = recording_next(in->recording, &in->rec);
	uint64_t time;

	if (len <= 0) {
		in->rec = NULL;
		return len;
	}
	in->len = (size_t)len;
	time = time_of(in->rec);
	in->time_ns = time > in->time_ns ? time : in->time_ns;
	return 0;
}

static int rewind_input(struct input *in)
{
	int err = recording_rewind(in->recording);

	if (err) {
		fail(err, "recording: '%s': of several recordings each is read twice, which a pipe can't be", in->path);
		hint("give files");
		return err;
	}
	in->time_ns = in->begin_ns;
	in->has_begun = in->has_end = false;
	running_done(&in->running);
	running_init(&in->running);
	return advance(in);
}

/* The facts that tell whose clock it is, and when it began: all at the begin of a recording. */
static int read_begin(struct input *in)
{
	const struct rec_fact *f;
	int err = advance(in);

	while (!err && in->rec && !in->begin_ns) {
		f = in->rec;
		if (f->hdr.kind == REC_FACT_KIND && !strncmp(f->name, "host.name", sizeof(f->name)))
			memcpy(in->host, f->value, sizeof(f->value));
		if (f->hdr.kind == REC_FACT_KIND && !strncmp(f->name, "host.boot", sizeof(f->name)))
			memcpy(in->boot, f->value, sizeof(f->value));
		if (f->hdr.kind == REC_CLOCK_KIND)
			in->begin_ns = time_of(in->rec);
		err = advance(in);
	}
	return err;
}

static bool differ(const char *a, const char *b)
{
	return *a && *b && strcmp(a, b);
}

static int check_alike(const struct input *a, const struct input *b)
{
	if (differ(a->host, b->host)) {
		fail(-EXDEV, "recording: '%s' is of host %s, '%s' of %s", a->path, a->host, b->path, b->host);
		hint("one host at a time: their clocks have nothing in common");
		return -EXDEV;
	}
	if (differ(a->boot, b->boot)) {
		fail(-EXDEV, "recording: '%s' and '%s': host %s was booted between them", a->path, b->path, a->host);
		hint("one boot at a time: the clock began anew");
		return -EXDEV;
	}
	return 0;
}

static int by_begin(const void *a, const void *b)
{
	const struct input *x = a, *y = b;

	return (x->begin_ns > y->begin_ns) - (x->begin_ns < y->begin_ns);
}

int merge_open(char *const *paths, size_t cnt, struct merge **out)
{
	struct merge *m = calloc(1, sizeof(*m));
	int err = 0;

	if (m)
		m->inputs = calloc(cnt, sizeof(*m->inputs));
	if (!m || !m->inputs) {
		free(m);
		return fail(-ENOMEM, "recordings: %zu of them", cnt);
	}
	running_init(&m->sums);
	u64map_init(&m->threads, 1);
	u64map_init(&m->facts, sizeof(uint64_t));
	for (; !err && m->cnt < cnt; m->cnt++) {
		struct input *in = &m->inputs[m->cnt];

		in->path = paths[m->cnt];
		running_init(&in->running);
		err = recording_open(in->path, &in->recording);
		if (err)
			break;
		err = read_begin(in);
		if (!err)
			err = check_alike(&m->inputs[0], in);
	}
	if (err) {
		merge_close(m);
		return err;
	}
	qsort(m->inputs, m->cnt, sizeof(*m->inputs), by_begin);
	*out = m;
	return 0;
}

void merge_close(struct merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->cnt; i++) {
		recording_close(m->inputs[i].recording);
		running_done(&m->inputs[i].running);
	}
	running_done(&m->sums);
	u64map_done(&m->threads);
	u64map_done(&m->facts);
	free(m->inputs);
	free(m);
}

/* To the model all threads end at a gap, and are new behind it. */
static int close_gap(struct merge *m, uint64_t begin_ns)
{
	uint64_t tid;
	size_t i = 0;
	int err = 0;

	m->gaps++;
	m->gap_ns += begin_ns - m->end_ns;
	m->known_from_ns = begin_ns;
	while (!err && u64map_next(&m->threads, &i, &tid)) {
		struct rec_task_end end = {
			.hdr = {REC_TASK_END_KIND, sizeof(end)}, .tid = (uint32_t)tid, .time = begin_ns, .exited = 1,
		};

		err = m->feed(m->ctx, &end, sizeof(end));
	}
	u64map_clear(&m->threads);
	return err;
}

static uint64_t hash_of(const void *rec, size_t len)
{
	const uint8_t *p = rec;
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h ? h : 1;
}

/* Whether another file gave this record. */
static bool is_seen(struct merge *m, size_t input, const void *rec, size_t len)
{
	uint64_t hash = hash_of(rec, len);
	size_t slot = hash >> (64 - SEEN_BITS);

	if (m->seen[slot].hash == hash && m->seen[slot].input != input) {
		m->seen[slot].hash = 0;
		return true;
	}
	m->seen[slot].hash = hash;
	m->seen[slot].input = input;
	return false;
}

/* The file's own total is part of one over all files. */
static int give_total(struct merge *m, struct input *in)
{
	union any_record r;
	struct running_total *own, *sum;
	uint64_t grown;		/* modulo 2^64: at its end a file may say less than before (rotate.c) */
	__u64 *value;

	memcpy(&r, in->rec, in->len);
	own = running_of(&in->running, &r, &value);
	if (!own)
		return 0;
	grown = *value - own->last;
	own->last = *value;
	sum = running_of(&m->sums, &r, &value);
	if (!sum)
		return 0;
	sum->last += grown;
	*value = sum->last;
	return m->feed(m->ctx, &r, in->len);
}

/* What its thread did between `asked` and the end of a gap is not known: without `asked`, no sample of drift. */
static int give_wait(struct merge *m, const struct rec_wait *rec)
{
	struct rec_wait w = *rec;

	if (m->threads.cnt < THREADS_MAX && !u64map_get(&m->threads, w.tid))
		return -ENOMEM;
	if (w.asked < m->known_from_ns)
		w.asked = 0;
	return m->feed(m->ctx, &w, sizeof(w));
}

/* Once, unless its value changed; the number of a file says nothing of all. */
static int give_fact(struct merge *m, const struct rec_fact *f)
{
	uint64_t name = hash_of(f->name, sizeof(f->name)), value = hash_of(f->value, sizeof(f->value));
	uint64_t *last = u64map_get(&m->facts, name);

	if (!last)
		return -ENOMEM;
	if (*last == value || !strncmp(f->name, "recording.part", sizeof(f->name)))
		return 0;
	*last = value;
	return m->feed(m->ctx, f, sizeof(*f));
}

static bool overlaps(const struct merge *m, size_t i)
{
	for (size_t k = 0; k < m->cnt; k++)
		if (k != i && m->inputs[k].rec && m->inputs[k].has_begun)
			return true;
	return false;
}

static int give(struct merge *m, size_t i)
{
	struct input *in = &m->inputs[i];
	unsigned int kind = ((const struct rec_hdr *)in->rec)->kind;
	int err = 0;

	if (!in->has_begun && m->end_ns && in->begin_ns > m->end_ns + GAP_NS)
		err = close_gap(m, in->begin_ns);
	in->has_begun = true;
	if (err)
		return err;
	m->end_ns = in->time_ns > m->end_ns ? in->time_ns : m->end_ns;
	if (kind == REC_END_KIND) {
		const struct rec_end *end = in->rec;

		in->has_end = true;
		if (end->time >= m->end.time)
			m->end = *end;
		return 0;
	}
	if (running_is(kind))
		return give_total(m, in);
	if (time_of(in->rec) && overlaps(m, i) && is_seen(m, i, in->rec, in->len))
		return 0;
	if (kind == REC_WAIT_KIND)
		return give_wait(m, in->rec);
	if (kind == REC_FACT_KIND)
		return give_fact(m, in->rec);
	return m->feed(m->ctx, in->rec, in->len);
}

/* The input whose next record is the earliest; m->cnt: none has one. */
static size_t earliest(const struct merge *m)
{
	size_t best = m->cnt;

	for (size_t i = 0; i < m->cnt; i++)
		if (m->inputs[i].rec && (best == m->cnt || m->inputs[i].time_ns < m->inputs[best].time_ns))
			best = i;
	return best;
}

static int begin(struct merge *m, int (*feed)(void *ctx, const void *rec, size_t len), void *ctx)
{
	int err = 0;

	m->feed = feed;
	m->ctx = ctx;
	m->end_ns = m->gap_ns = m->known_from_ns = 0;
	m->gaps = m->cuts = 0;
	m->end = (struct rec_end){};
	running_done(&m->sums);
	running_init(&m->sums);
	u64map_clear(&m->threads);
	u64map_clear(&m->facts);
	memset(m->seen, 0, sizeof(m->seen));
	for (size_t i = 0; !err && i < m->cnt; i++)
		err = rewind_input(&m->inputs[i]);
	return err;
}

/* What the files' ends say together. */
static int finish(struct merge *m)
{
	struct rec_count cut = {{REC_COUNT_KIND, sizeof(cut)}, COUNT_file_cut, m->end_ns, 0};
	int err = 0;

	for (size_t i = 0; i < m->cnt; i++) {
		const struct recording_stats *st = recording_stats(m->inputs[i].recording);

		m->cuts += st->cut || !m->inputs[i].has_end;
		for (uint64_t n = 0; !err && n < st->bad_records; n++)
			err = m->feed(m->ctx, "", 0);	/* the model counts them */
	}
	cut.value = m->cuts;
	if (!err && m->cuts)
		err = m->feed(m->ctx, &cut, sizeof(cut));
	if (!err && m->end.reason)
		err = m->feed(m->ctx, &m->end, sizeof(m->end));
	return err;
}

int merge_replay(void *ctx, int (*feed)(void *ctx, const void *rec, size_t len), void *feed_ctx)
{
	struct merge *m = ctx;
	int err = begin(m, feed, feed_ctx);
	size_t i;

	while (!err && (i = earliest(m)) < m->cnt) {
		err = give(m, i);
		if (!err)
			err = advance(&m->inputs[i]);
	}
	return err ? err : finish(m);
}

void merge_tell(const struct merge *m)
{
	for (size_t i = 0; i < m->cnt; i++) {
		const struct input *in = &m->inputs[i];
		const struct recording_stats *st = recording_stats(in->recording);

		if (st->cut || !in->has_end)
			talk("'%s' was cut off after %" PRIu64 " bytes: what came later is not there", in->path, st->bytes);
		if (st->bad_blocks)
			talk("'%s' is damaged: %" PRIu64 " blocks, %" PRIu64 " records lost", in->path, st->bad_blocks,
			     st->bad_records);
	}
	if (m->gaps)
		talk("%zu gap%s between the recordings, of %" PRIu64 " ms together: nothing is known of that time", m->gaps,
		     m->gaps == 1 ? "" : "s", m->gap_ns / 1000000);
}
