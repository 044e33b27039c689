/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "samples.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "../../bpf/record.h"
#include "../model/names.h"
#include "../stats/bootstrap.h"
#include "budget.h"

/* As the tables' windows (stats/windows.h): fine enough for blocks of time, few enough to resample. */
enum { WINDOWS_MAX = 240, WINDOW_MIN_NS = 10000000 };

_Static_assert(COUNT_CNT <= sizeof(((struct samples *)0)->totals) / sizeof(uint64_t), "room for all");

/* Which metrics a loss can have cost a sample: what is not here has no sample of its own. */
#define THREAD_WAITS (1u << METRIC_THREAD_DRIFT | 1u << METRIC_THREAD_RUNQ | 1u << METRIC_THREAD_FUTEX | \
		      1u << METRIC_THREAD_BLOCK)
#define THREAD_OFFS (1u << METRIC_THREAD_PREEMPT | 1u << METRIC_THREAD_THROTTLE)
#define GO_WAITS (1u << METRIC_GOROUTINE_DRIFT | 1u << METRIC_GOROUTINE_RUNQ | 1u << METRIC_GOROUTINE_OFFCPU | \
		  1u << METRIC_GOROUTINE_LOCK | 1u << METRIC_GOROUTINE_CHAN | 1u << METRIC_PROCESS_STW)

static const struct loss_row {
	unsigned int count_id;
	unsigned int metrics;
	bool is_waking;		/* also counted per thread: lost_waking */
} losses[] = {
	{COUNT_missed_switch, THREAD_WAITS | THREAD_OFFS, true},
	{COUNT_ring_waking, THREAD_WAITS, true},
	{COUNT_ring_preempt, THREAD_OFFS, false},
	{COUNT_waking_slots, THREAD_WAITS, true},
	{COUNT_waking_no_state, THREAD_WAITS, false},
	{COUNT_task_state_full, THREAD_WAITS | THREAD_OFFS, false},
	{COUNT_recursion, THREAD_WAITS | THREAD_OFFS, false},
	{COUNT_missed_waking, THREAD_WAITS, false},
	{COUNT_file_bad_record, ~0u, false},
	{COUNT_ring_goroutine, GO_WAITS, false},
	{COUNT_goroutine_full, GO_WAITS, false},
	{COUNT_go_unreadable, GO_WAITS, false},
};

/* Every wait of a thread or goroutine ends in a sample of one of these: what a share of loss is of. */
#define WAITS (1u << METRIC_THREAD_RUNQ | THREAD_OFFS | 1u << METRIC_GOROUTINE_RUNQ | 1u << METRIC_PROCESS_STW)

static void failed(struct samples *s, int err)
{
	if (err && !s->err)
		s->err = err;
}

struct series *samples_of(const struct samples *s, enum metric metric, const char *name, unsigned int stage)
{
	for (size_t i = 0; i < s->cnt; i++) {
		struct series *x = &s->series[i];

		if (x->metric == metric && x->stage == stage && !strcmp(x->name, name))
			return x;
	}
	return NULL;
}

static int add_series(struct samples *s, const struct budget *b)
{
	struct series *x = &s->series[s->cnt];

	*x = (struct series){
		.metric = (enum metric)b->id, .stage = b->stage, .name = b->name, .min = UINT64_MAX,
		.boot = boot_new(s->window_cnt),
	};
	u64map_init(&x->known, sizeof(bool));
	s->cnt++;
	return x->boot ? 0 : -ENOMEM;
}

int samples_init(struct samples *s, const struct budgets *b, const struct names *names, uint64_t start_ns,
		 uint64_t length_ns)
{
	uint64_t windows = length_ns / WINDOW_MIN_NS;
	int err = 0;

	*s = (struct samples){.names = names, .start_ns = start_ns, .length_ns = length_ns ? length_ns : 1};
	s->window_cnt = windows < 1 ? 1 : windows > WINDOWS_MAX ? WINDOWS_MAX : (size_t)windows;
	s->series = calloc(b->cnt ? b->cnt : 1, sizeof(*s->series));
	if (!s->series)
		return -ENOMEM;
	for (size_t i = 0; i < b->cnt && !err; i++) {
		const struct budget *row = &b->rows[i];

		if (row->source == BUDGET_METRIC && !samples_of(s, (enum metric)row->id, row->name, row->stage))
			err = add_series(s, row);
	}
	if (err)
		samples_done(s);
	return err;
}

void samples_done(struct samples *s)
{
	for (size_t i = 0; i < s->cnt; i++) {
		boot_free(s->series[i].boot);
		tally_done(&s->series[i].hot);
		u64map_done(&s->series[i].known);
	}
	free(s->series);
	*s = (struct samples){.series = NULL};
}

/* A name that is written out is meant, too, whatever is in it: "main.(*T).Run", "main.F[int]". */
static bool is_match(const char *glob, const char *name)
{
	return !strcmp(glob, name) || !fnmatch(glob, name, FNM_NOESCAPE);
}

bool name_is_meant(const char *glob, const char *name)
{
	const char *slash = memrchr(name, '/', strcspn(name, "(["));	/* types may have slashes, too */

	return is_match(glob, name) || (slash && is_match(glob, slash + 1));
}

static bool is_meant(const struct samples *s, enum entity_kind kind, const char *glob, uint32_t key)
{
	const struct task_name *task;
	const struct site_name *site;

	if (kind == ENTITY_GOROUTINE) {
		site = names_of_site(s->names, key);
		return site && name_is_meant(glob, site->func);
	}
	task = names_of_task(s->names, key);
	return task && name_is_meant(glob, task->comm);
}

/* By its symbol, or the function that waited for it. */
static bool is_lock_meant(const struct samples *s, const char *glob, const struct span *span)
{
	const struct lock_name *lock = span->lock_space ? NULL : names_of_lock(s->names, span->tgid, span->lock);
	const struct site_name *site = names_of_site(s->names, span->wait_site);

	return !*glob || (lock && *lock->name && name_is_meant(glob, lock->name)) ||
	       (site && name_is_meant(glob, site->func));
}

/* Whether the series is about that thread, creation site or process. */
static bool takes(struct samples *s, struct series *x, uint32_t key)
{
	size_t before = x->known.cnt;
	bool *known;

	if (!*x->name)
		return true;
	known = u64map_get(&x->known, key);
	if (!known) {
		failed(s, -ENOMEM);
		return false;
	}
	if (x->known.cnt != before)
		*known = is_meant(s, metrics[x->metric].entity, x->name, key);
	return *known;
}

static bool takes_span(struct samples *s, struct series *x, const struct span *span)
{
	switch (metrics[span->metric].entity) {
	case ENTITY_GOROUTINE:
		return takes(s, x, span->site);
	case ENTITY_LOCK:
		return is_lock_meant(s, x->name, span);
	case ENTITY_PROCESS:
		return takes(s, x, span->tgid);
	case ENTITY_THREAD:
		break;
	}
	return takes(s, x, span->tid);
}

static void cool(struct samples *s, struct series *x)
{
	for (size_t i = 0; i < x->hot.cnt; i++) {
		const struct tally_row *r = &x->hot.rows[i];
		uint64_t lo = hist_lo((unsigned int)r->b);
		struct hist_part part = {
			.bucket = (unsigned int)r->b, .count = r->count, .sum = r->sum,
			.min = lo > x->min ? lo : x->min, .max = r->max,
		};

		failed(s, boot_add(x->boot, s->window, &part));
	}
	tally_clear(&x->hot);
}

/* Spans come nearly in order of their end; what is late for its window counts in the one under way. */
static void enter_window(struct samples *s, uint64_t t_ns)
{
	size_t window = (size_t)((unsigned __int128)t_ns * s->window_cnt / s->length_ns);

	if (window >= s->window_cnt)
		window = s->window_cnt - 1;
	if (window <= s->window)
		return;
	for (size_t i = 0; i < s->cnt; i++)
		cool(s, &s->series[i]);
	s->window = window;
}

static void keep_worst(struct series *x, const struct span *s, uint64_t value, uint64_t t_ns)
{
	size_t at = x->worst_cnt;
	struct worst w = {
		.value = value, .t_ns = t_ns, .latency = s->end_ns - s->begin_ns, .goid = s->goid,
		.lock = s->lock, .lock_space = s->lock_space, .tid = s->tid, .tgid = s->tgid, .site = s->site,
		.wait_site = s->wait_site, .klass = s->klass, .cpu = s->cpu,
	};

	if (at == WORST_CNT && value <= x->worst[at - 1].value)
		return;
	memcpy(w.stage_ns, s->stage_ns, sizeof(w.stage_ns));
	for (size_t i = 0; i < s->blame_cnt; i++) {
		if (s->blame[i].ns <= (w.has_blame ? w.by.ns : 0))
			continue;
		w.has_blame = true;
		w.by = s->blame[i];
	}
	if (at < WORST_CNT)
		x->worst_cnt++;
	else
		at--;
	for (; at && x->worst[at - 1].value < value; at--)
		x->worst[at] = x->worst[at - 1];
	x->worst[at] = w;
}

static void add(struct samples *s, struct series *x, const struct span *span, uint64_t t_ns)
{
	uint64_t value = x->stage < STAGE_CNT ? span->stage_ns[x->stage] : span->end_ns - span->begin_ns;
	struct tally_row *r = tally_at(&x->hot, 0, hist_bucket(value));

	if (!r) {
		failed(s, -ENOMEM);
		return;
	}
	tally_add(r, 1, value, value);
	x->count++;
	x->sum += value;
	x->min = value < x->min ? value : x->min;
	x->max = value > x->max ? value : x->max;
	keep_worst(x, span, value, t_ns);
}

static void on_span(void *ctx, const struct span *span)
{
	struct samples *s = ctx;
	struct span copy = *span;

	if (s->err)
		return;
	if (copy.begin_ns > copy.end_ns)
		copy.begin_ns = copy.end_ns;
	uint64_t t_ns = copy.end_ns > s->start_ns ? copy.end_ns - s->start_ns : 0;

	s->seen[copy.metric]++;
	enter_window(s, t_ns);
	for (size_t i = 0; i < s->cnt; i++) {
		struct series *x = &s->series[i];

		if (x->metric == copy.metric && takes_span(s, x, &copy))
			add(s, x, &copy, t_ns);
	}
}

static void on_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	struct samples *s = ctx;

	if (id != ECOUNT_LOST_WAKING)
		return;
	s->lost_wakings += n;
	for (size_t i = 0; i < s->cnt; i++) {
		struct series *x = &s->series[i];

		if (metrics[x->metric].entity == ENTITY_THREAD && takes(s, x, tid))
			x->lost_wakings += n;
	}
}

static void on_total(void *ctx, unsigned int count_id, uint64_t value)
{
	struct samples *s = ctx;

	if (count_id < COUNT_CNT)
		s->totals[count_id] = value;
}

struct span_sink samples_sink(struct samples *s)
{
	return (struct span_sink){.ctx = s, .span = on_span, .counter = on_counter, .total = on_total};
}

int samples_finish(struct samples *s)
{
	for (size_t i = 0; i < s->cnt; i++)
		cool(s, &s->series[i]);
	return s->err;
}

uint64_t samples_lost(const struct samples *s, const struct series *of)
{
	uint64_t lost = 0, wakings = 0, others;

	for (size_t i = 0; i < sizeof(losses) / sizeof(*losses); i++) {
		if (!(losses[i].metrics >> of->metric & 1))
			continue;
		if (losses[i].is_waking)
			wakings += s->totals[losses[i].count_id];
		else
			lost += s->totals[losses[i].count_id];
	}
	if (!*of->name || !(THREAD_WAITS >> of->metric & 1))
		return lost + wakings;
	/* Those that other threads are known to have lost are not ours. */
	others = s->lost_wakings - of->lost_wakings;
	return lost + (wakings > others ? wakings - others : 0);
}

double samples_loss(const struct samples *s, uint64_t *lost, uint64_t *waits)
{
	*lost = 0;
	for (size_t i = 0; i < sizeof(losses) / sizeof(*losses); i++)
		*lost += s->totals[losses[i].count_id];
	*waits = *lost;
	for (size_t m = 0; m < METRIC_CNT; m++)
		*waits += WAITS >> m & 1 ? s->seen[m] : 0;
	return *lost ? (double)*lost / (double)*waits : 0;
}
