/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "flight.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../collect/session.h"
#include "../model/model.h"
#include "../stats/hist.h"
#include "../trace/record_info.h"
#include "../trace/running.h"
#include "../trace/writer.h"
#include "head.h"
#include "opts.h"
#include "parts.h"
#include "trigger.h"
#include "window.h"

enum {
	HEAD_BYTES = 8 << 20,
	WINDOW_BYTES = 16 << 20,	/* some 1.5 million waits; --max-size makes it another */
	SLACK_NS = 1500000000,		/* a flush comes about once a second */
};

struct watch {
	struct hist samples;
	uint64_t trips;
};

struct flight {
	const struct soak_opts *opts;
	const char *name;
	struct model *model;
	struct head *head;
	struct window window;
	struct recording_writer *writer;	/* its blocks go to the window */
	bool has_header;
	struct watch *watches;		/* of each trigger */
	char tripped[216];		/* the latest that tripped since the last flush, for people; "": nothing */
	uint64_t tripped_by_ns;
	uint64_t trips, quiet_until;
	size_t dumps;
	int err;			/* the first, sticky */
};

static void describe(struct flight *f, const struct trigger *t, const struct span *s)
{
	uint64_t ns = s->end_ns - s->begin_ns;

	f->tripped_by_ns = ns;
	snprintf(f->tripped, sizeof(f->tripped), "%s: %" PRIu64 ".%03" PRIu64 " ms, tid %u %s", t->text, ns / 1000000,
		 ns / 1000 % 1000, s->tid, trigger_name(s, model_names(f->model)));
}

static void on_span(void *ctx, const struct span *s)
{
	struct flight *f = ctx;
	uint64_t latency = s->end_ns > s->begin_ns ? s->end_ns - s->begin_ns : 0;

	for (size_t i = 0; i < f->opts->trigger_cnt; i++) {
		const struct trigger *t = &f->opts->triggers[i];

		if (!trigger_is_about(t, s, model_names(f->model)))
			continue;
		if (hist_record(&f->watches[i].samples, latency))
			f->err = -ENOMEM;
		if (!trigger_trips(t, latency))
			continue;
		f->watches[i].trips++;
		f->trips++;
		if (s->end_ns >= f->quiet_until && f->dumps < f->opts->dumps && latency >= f->tripped_by_ns)
			describe(f, t, s);
	}
}

static void no_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	(void)ctx, (void)id, (void)tid, (void)n;
}

static void no_total(void *ctx, unsigned int count_id, uint64_t value)
{
	(void)ctx, (void)count_id, (void)value;
}

/* The header is not needed: a dump's writer makes its own. */
static int put_blocks(void *ctx, const uint8_t *bytes, size_t len)
{
	struct flight *f = ctx;

	if (f->has_header)
		return window_add(&f->window, bytes, len);
	f->has_header = true;
	return 0;
}

int flight_open(const struct soak_opts *opts, const char *name, struct flight **out)
{
	struct flight *f = calloc(1, sizeof(*f));
	struct span_sink sink = {.ctx = f, .span = on_span, .counter = no_counter, .total = no_total};
	int err;

	if (!f)
		return fail(-ENOMEM, "flight recorder");
	f->opts = opts;
	f->name = name;
	f->model = model_new(&sink);
	f->head = head_new(HEAD_BYTES);
	f->watches = calloc(opts->trigger_cnt, sizeof(*f->watches));
	err = window_init(&f->window, opts->max_bytes ? opts->max_bytes : WINDOW_BYTES);
	if (err || !f->model || !f->head || !f->watches)
		err = fail(-ENOMEM, "flight recorder");
	else
		err = writer_open_blocks(put_blocks, f, &f->writer);
	if (err) {
		flight_free(f);
		return err;
	}
	*out = f;
	return 0;
}

void flight_free(struct flight *f)
{
	if (!f)
		return;
	writer_close(f->writer);
	window_done(&f->window);
	head_free(f->head);
	model_free(f->model);
	for (size_t i = 0; f->watches && i < f->opts->trigger_cnt; i++)
		hist_done(&f->watches[i].samples);
	free(f->watches);
	free(f);
}

static int feed_file(void *w, const void *rec, size_t len)
{
	int err = writer_feed(w, rec, len);

	return err == -EBADMSG ? 0 : err;
}

static int add_reason(const struct flight *f, struct recording_writer *w)
{
	struct rec_fact r = {.hdr = {REC_FACT_KIND, sizeof(r)}, .name = "recording.trigger"};

	_Static_assert(sizeof(f->tripped) <= sizeof(r.value), "room for all of it");
	memcpy(r.value, f->tripped, sizeof(f->tripped));
	return feed_file(w, &r, sizeof(r));
}

/* What the counters grew by, from the file's begin to the end of this segment. */
static int add_counts(struct recording_writer *w, const struct segment *s, uint64_t totals[COUNT_CNT])
{
	int err = 0;

	for (uint32_t id = 0; !err && id < COUNT_CNT; id++) {
		struct rec_count r = {{REC_COUNT_KIND, sizeof(r)}, id, s->end_ns, totals[id] += s->grown[id]};

		if (s->grown[id])
			err = feed_file(w, &r, sizeof(r));
	}
	return err;
}

static int write_dump(const struct flight *f, struct recording_writer *w)
{
	struct rec_end end = {.hdr = {REC_END_KIND, sizeof(end)}, .reason = END_TRIGGER, .time = head_now(f->head)};
	uint64_t totals[COUNT_CNT] = {};
	int err = head_give(f->head, f->window.first->begin_ns, feed_file, w);

	if (!err)
		err = add_reason(f, w);
	for (const struct segment *s = f->window.first; !err && s; s = s->next) {
		err = s->len ? writer_add_blocks(w, s->bytes, s->len) : 0;
		if (!err)
			err = add_counts(w, s, totals);
	}
	return err ? err : feed_file(w, &end, sizeof(end));
}

/* Writes what is kept. A file that can't be written is told, and is no reason to end. */
static void dump(struct flight *f)
{
	char path[PART_PATH_MAX];
	struct recording_writer *w;
	uint64_t now = head_now(f->head), kept_ms;
	int err = part_open(f->name, head_realtime(f->head) + (int64_t)now, path, &w), closed;

	f->dumps++;
	f->quiet_until = now + f->opts->cooldown_ns;
	if (err)
		return;
	err = write_dump(f, w);
	closed = writer_close(w);
	if (err || closed)
		return;
	talk("%s", f->tripped);
	kept_ms = (now - f->window.first->begin_ns) / 1000000;
	talk("wrote %s: the last %" PRIu64 ".%" PRIu64 " s", path, kept_ms / 1000, kept_ms / 100 % 10);
	if (f->opts->keep)
		part_expire(f->name, path, f->opts->keep);
}

static int feed_whole(struct flight *f, const void *rec, size_t len)
{
	const struct rec_hdr *hdr = rec;
	struct rec_task_end end;
	int err = head_note(f->head, rec);

	if (err || !record_check(rec, len))
		return err;
	if (!f->window.first->begin_ns && head_now(f->head))
		f->window.first->begin_ns = head_now(f->head);
	err = model_feed(f->model, rec, len);
	if (err && err != -EBADMSG)
		return err;
	if (f->err || hdr->kind == REC_END_KIND)
		return f->err;
	if (hdr->kind == REC_COUNT_KIND)
		window_count(&f->window, rec);
	if (running_is(hdr->kind))
		return 0;
	if (hdr->kind != REC_TASK_END_KIND)
		return feed_file(f->writer, rec, len);
	memcpy(&end, rec, sizeof(end));
	end.waking = end.waking_again = end.waking_preempted = end.lost_waking = end.open_wakings = 0;
	return feed_file(f->writer, &end, sizeof(end));
}

static int feed(void *ctx, const void *rec, size_t len)
{
	struct flight *f = ctx;

	if (!f->err)
		f->err = feed_whole(f, rec, len);
	return f->err;
}

static int flush(void *ctx)
{
	struct flight *f = ctx;
	uint64_t keep = f->opts->keep_last_ns + SLACK_NS, now = head_now(f->head), from = now > keep ? now - keep : 0;

	if (!f->err)
		f->err = writer_flush(f->writer);
	if (!f->err)
		f->err = window_next(&f->window, now, from);
	if (f->err)
		return f->err;
	if (*f->tripped)
		dump(f);
	*f->tripped = '\0';
	f->tripped_by_ns = 0;
	head_forget(f->head, from);
	return 0;
}

static uint64_t bytes_kept(void *ctx)
{
	return ((const struct flight *)ctx)->window.bytes;
}

struct record_sink flight_sink(struct flight *f)
{
	return (struct record_sink){.ctx = f, .feed = feed, .flush = flush, .bytes = bytes_kept};
}

void flight_tell(const struct flight *f)
{
	for (size_t i = 0; i < f->opts->trigger_cnt; i++) {
		const struct hist *h = &f->watches[i].samples;

		talk("%s: %" PRIu64 " of %" PRIu64 " samples tripped; p99 %" PRIu64 " us, max %" PRIu64 " us",
		     f->opts->triggers[i].text, f->watches[i].trips, h->count, hist_quantile(h, 990000) / 1000,
		     h->count ? h->max / 1000 : 0);
	}
	talk("%zu dump%s written", f->dumps, f->dumps == 1 ? "" : "s");
}

size_t flight_dumps(const struct flight *f)
{
	return f->dumps;
}

uint64_t flight_trips(const struct flight *f)
{
	return f->trips;
}
