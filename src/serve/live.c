/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "live.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../bpf/record.h"
#include "../base/clock.h"
#include "../base/err.h"
#include "../export/openmetrics.h"
#include "../model/model.h"
#include "../stats/recent_spans.h"
#include "../stats/totals.h"
#include "self.h"

enum {
	WINDOW_S = 60,
	WINDOW_BYTES = 8 << 20,		/* 50,000 spans: beyond, the window gets shorter */
	DRAW_S = 5,
	ASKED_S = 15,			/* after that nobody looks any more */
	WELL_S = 10,
	TURN_S = 60,
};

#define S UINT64_C(1000000000)

struct picture {
	char *text;
	size_t len;
	uint64_t from_ns, to_ns;
};

struct live {
	pthread_mutex_t lock;	/* of all below but what is the collector's */
	struct tables_opts opts;
	struct model *model;
	struct totals *totals;
	uint64_t records, second_ns, asked_ns;
	struct picture picture;
	/* the collector's */
	struct recent_spans *recent;
	struct span_sink to_totals;
	uint64_t losses[WINDOW_S][COUNT_CNT];	/* counters so far, second after second */
	uint64_t seconds;
};

static void on_span(void *ctx, const struct span *s)
{
	struct live *l = ctx;

	l->to_totals.span(l->to_totals.ctx, s);
	if (!l->opts.metrics || l->opts.metrics >> s->metric & 1)
		recent_spans_span(l->recent, s);
}

static void on_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	struct live *l = ctx;

	l->to_totals.counter(l->to_totals.ctx, id, tid, n);
	recent_spans_counter(l->recent, id, tid, n);
}

static void on_total(void *ctx, unsigned int id, uint64_t value)
{
	totals_count(((struct live *)ctx)->totals, id, value);
}

static void on_loss(void *ctx, uint64_t from_ns, uint64_t to_ns, uint64_t n)
{
	recent_spans_loss(((struct live *)ctx)->recent, from_ns, to_ns, n);
}

static void on_gauge(void *ctx, const struct gauge *g)
{
	struct live *l = ctx;

	l->to_totals.gauge(l->to_totals.ctx, g);
}

struct live *live_new(const struct tables_opts *opts)
{
	const struct totals_opts to = {.metrics = opts->metrics, .by = opts->by, .top = opts->top};
	struct live *l = calloc(1, sizeof(*l));
	const struct span_sink sink = {
		.ctx = l, .span = on_span, .counter = on_counter, .total = on_total, .loss = on_loss, .gauge = on_gauge,
	};

	if (!l)
		return NULL;
	pthread_mutex_init(&l->lock, NULL);
	l->opts = *opts;
	l->model = model_new(&sink);
	l->totals = totals_new(&to);
	l->recent = recent_spans_new(WINDOW_S * S, WINDOW_BYTES);
	if (!l->model || !l->totals || !l->recent) {
		live_free(l);
		return NULL;
	}
	l->to_totals = totals_sink(l->totals);
	totals_names(l->totals, model_names(l->model));
	return l;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	recent_spans_free(l->recent);
	totals_free(l->totals);
	model_free(l->model);
	free(l->picture.text);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

int live_feed(struct live *l, const void *rec, size_t len)
{
	const struct rec_hdr *hdr = rec;
	int err;

	pthread_mutex_lock(&l->lock);
	l->records++;
	err = model_feed(l->model, rec, len);
	if (!err && hdr->kind == REC_COUNT_KIND) {
		const struct rec_count *c = rec;

		totals_count(l->totals, c->id, c->value);
	}
	pthread_mutex_unlock(&l->lock);
	return err == -EBADMSG ? 0 : err;
}

/* The recording's facts, to be freed. They stay the model's. */
static struct fact *facts_of(const struct model *m, size_t *cnt)
{
	struct fact *facts = NULL, f;

	for (*cnt = 0; model_fact_at(m, *cnt, &f.name, &f.value); (*cnt)++) {
		struct fact *grown = realloc(facts, (*cnt + 1) * sizeof(*facts));

		if (!grown)
			break;
		facts = grown;
		facts[*cnt] = f;
	}
	return facts;
}

/* What was lost in the window, or since the beginning if that is shorter ago. */
static void give_losses(const struct live *l, const struct span_sink *to)
{
	const uint64_t *before = l->seconds >= WINDOW_S ? l->losses[l->seconds % WINDOW_S] : NULL;

	for (uint32_t id = 0; id < COUNT_CNT; id++)
		to->total(to->ctx, id, totals_count_of(l->totals, id) - (before ? before[id] : 0));
}

static int fill(struct live *l, struct tables *t, uint64_t from_ns)
{
	struct span_sink sink = tables_sink(t);
	bool again = true;
	int err = 0;

	tables_start(t, from_ns);
	tables_names(t, model_names(l->model));
	while (!err && again) {
		recent_spans_replay(l->recent, &sink);
		give_losses(l, &sink);
		err = tables_pass_done(t, &again);
	}
	return err;
}

static int write_picture(struct live *l, const struct tables *t, const struct model_info *info, struct picture *out)
{
	struct export_opts o = {.info = info, .model = l->model};
	struct fact *facts = facts_of(l->model, &o.fact_cnt);
	FILE *f = open_memstream(&out->text, &out->len);
	int err = f ? 0 : -ENOMEM;

	o.facts = facts;
	if (f)
		err = exporter_find("svg")->run(t, model_names(l->model), &o, f);
	if (f && fclose(f) && !err)
		err = -ENOMEM;
	free(facts);
	return err;
}

/* Names and facts are only changed by feeding, which this thread does itself: no lock is needed to read them. */
static int draw(struct live *l)
{
	struct model_info info = *model_info(l->model);
	struct tables_opts opts = l->opts;
	uint64_t recent_from = recent_spans_from(l->recent);
	struct picture p = {}, old;
	struct tables *t;
	int err;

	if (recent_from > info.start_ns)
		info.start_ns = recent_from;
	info.has_end = true;	/* nothing is cut off: it ends where it is */
	info.end_reason = END_DURATION;
	opts.tables = exporter_find("svg")->needs(&(struct export_opts){});
	t = tables_new(&opts);
	err = t ? fill(l, t, info.start_ns) : -ENOMEM;
	if (!err)
		err = write_picture(l, t, &info, &p);
	tables_free(t);
	if (err) {
		free(p.text);
		return fail(err, "serve: cannot draw the picture");
	}
	p.from_ns = info.start_ns;
	p.to_ns = info.end_ns;
	pthread_mutex_lock(&l->lock);
	old = l->picture;
	l->picture = p;
	pthread_mutex_unlock(&l->lock);
	free(old.text);
	return 0;
}

int live_second(struct live *l)
{
	uint64_t now = now_ns(), *losses = l->losses[l->seconds % WINDOW_S];
	bool is_asked, is_old;

	pthread_mutex_lock(&l->lock);
	l->second_ns = now;
	for (uint32_t id = 0; id < COUNT_CNT; id++)
		losses[id] = totals_count_of(l->totals, id);
	if (++l->seconds % TURN_S == 0)
		totals_turn(l->totals);
	is_asked = l->asked_ns && now - l->asked_ns < ASKED_S * S;
	is_old = l->seconds % DRAW_S == 0 || !l->picture.text || now - l->picture.to_ns > DRAW_S * S;
	pthread_mutex_unlock(&l->lock);
	return is_asked && is_old ? draw(l) : 0;
}

void live_metrics(struct live *l, bool new_form, FILE *out)
{
	struct om om = {.out = out, .classic = !new_form};
	struct export_opts o = {.info = model_info(l->model)};
	struct fact *facts;

	pthread_mutex_lock(&l->lock);
	facts = facts_of(l->model, &o.fact_cnt);
	o.facts = facts;
	openmetrics_about(&om, &o);
	openmetrics_write(&om, l->totals);
	self_write(&om, &(struct self){.records = l->records, .facts = &o});
	pthread_mutex_unlock(&l->lock);
	om_end(&om);
	free(facts);
}

char *live_picture(struct live *l, uint64_t *from_ns, uint64_t *to_ns)
{
	char *copy = NULL;

	pthread_mutex_lock(&l->lock);
	l->asked_ns = now_ns();
	if (l->picture.text)
		copy = strdup(l->picture.text);
	*from_ns = l->picture.from_ns;
	*to_ns = l->picture.to_ns;
	pthread_mutex_unlock(&l->lock);
	return copy;
}

const char *live_target(struct live *l, char *buf, size_t size)
{
	const char *target;

	pthread_mutex_lock(&l->lock);
	target = model_fact(l->model, "target");
	snprintf(buf, size, "%s", target ? target : "");
	pthread_mutex_unlock(&l->lock);
	return buf;
}

bool live_is_well(struct live *l)
{
	uint64_t last;

	pthread_mutex_lock(&l->lock);
	last = l->second_ns;
	pthread_mutex_unlock(&l->lock);
	return last && now_ns() - last < WELL_S * S;
}
