/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "windows.h"

#include <errno.h>
#include <stdlib.h>

#include "../model/names.h"
#include "bootstrap.h"
#include "impl.h"

enum {
	WINDOWS_MAX = 240,
	CELLS_MAX = 400000,
	STAGE_SHIFT = 16,
};

#define FIRST_WIDTH_NS 10000000u
/* A timer's interrupt is late by 5 to 50 us, by 100 us out of deep idle: beyond, the machine was busy elsewhere. */
#define DISTURBED_NS 200000u
/* Until what was held up has gone on. */
#define AFTER_NS 1000000u
#define COL_MASK UINT64_C(0xffff)

_Static_assert(WINDOWS_MAX <= COL_MASK, "a window's number is the low part of a key");

void windows_clear(struct tables *t)
{
	struct windows *w = &t->windows;

	tally_done(&w->cells);
	u64map_done(&w->own);
	u64map_init(&w->own, 1);
	w->width_ns = FIRST_WIDTH_NS;
	w->cnt = 0;
	w->full = CELLS_MAX;
	w->disturbed_until = 0;
}

static bool halve(void *ctx, struct tally_row *r)
{
	(void)ctx;
	r->a = (r->a & ~COL_MASK) | (r->a & COL_MASK) >> 1;
	return true;
}

static void widen(struct windows *w)
{
	tally_rekey(&w->cells, halve, NULL);
	w->width_ns *= 2;
	w->cnt = w->cnt ? (w->cnt - 1) / 2 + 1 : 0;
}

/* With one window left, groups times buckets is the bound. */
static void make_room(struct windows *w)
{
	while (w->cells.cnt > w->full / 4 * 3 && w->cnt > 1)
		widen(w);
	if (w->cells.cnt > w->full / 4 * 3)
		w->full *= 2;
}

static void add(struct tables *t, uint64_t key, uint64_t ns)
{
	struct tally_row *r = tally_at(&t->windows.cells, key, hist_bucket(ns));

	if (r)
		tally_add(r, 1, ns, ns);
	else
		tables_failed(t, -ENOMEM);
}

/* Is it a task of a process that has samples? */
static bool is_own(const struct tables *t, uint32_t tid)
{
	const struct task_name *task = t->names ? names_of_task(t->names, tid) : NULL;

	return u64map_find(&t->windows.own, tid) || (task && u64map_find(&t->windows.own, task->tgid));
}

static bool is_machine(enum blame_kind kind)
{
	return kind == BLAME_IRQ || kind == BLAME_SOFTIRQ || kind == BLAME_STEAL || kind == BLAME_IDLE ||
	       kind == BLAME_UNKNOWN;
}

/* Metrics of which blame is who had the CPU; of others it is who let them wait. */
#define CPU_WAITS (1u << METRIC_THREAD_DRIFT | 1u << METRIC_THREAD_RUNQ | 1u << METRIC_THREAD_PREEMPT | \
		   1u << METRIC_GOROUTINE_DRIFT | 1u << METRIC_GOROUTINE_RUNQ)

static uint64_t strangers_ns(const struct tables *t, const struct span *s)
{
	uint64_t ns = 0;

	for (unsigned int left = STAGES_OF_STRANGERS; left; left &= left - 1)
		ns += s->stage_ns[__builtin_ctz(left)];
	if (!(CPU_WAITS >> s->metric & 1))
		return 0;
	for (size_t i = 0; i < s->blame_cnt; i++) {
		const struct blame *b = &s->blame[i];

		if (is_machine(b->kind) || (b->kind == BLAME_COMPETITOR && !b->site && !is_own(t, b->tid)))
			ns += b->ns;
	}
	return ns;
}

static void know(struct tables *t, uint32_t id)
{
	if (!u64map_get(&t->windows.own, id))
		tables_failed(t, -ENOMEM);
}

void windows_notice(struct tables *t, const struct span *s)
{
	know(t, s->tid);
	know(t, s->tgid);
	if (strangers_ns(t, s) > DISTURBED_NS && s->end_ns + AFTER_NS > t->windows.disturbed_until)
		t->windows.disturbed_until = s->end_ns + AFTER_NS;
}

/* Zeros are kept, too: what is left out here must not count as such. */
static void add_own(struct tables *t, uint64_t key, const struct span *s, uint64_t latency)
{
	uint64_t strangers = strangers_ns(t, s);

	if (s->begin_ns >= t->windows.disturbed_until)
		add(t, key | (uint64_t)STAGE_OWN << STAGE_SHIFT, strangers < latency ? latency - strangers : 0);
}

void windows_add(struct tables *t, size_t group, const struct span *s, uint64_t latency)
{
	struct windows *w = &t->windows;
	uint64_t at = s->end_ns > t->start_ns ? s->end_ns - t->start_ns : 0, key;
	unsigned int stages = metrics[s->metric].stages;

	while (at / w->width_ns >= WINDOWS_MAX)
		widen(w);
	if (w->cells.cnt + STAGE_OWN >= w->full)
		make_room(w);
	if (at / w->width_ns >= w->cnt)
		w->cnt = at / w->width_ns + 1;
	key = (uint64_t)group << 32 | at / w->width_ns;
	add(t, key | (uint64_t)STAGE_CNT << STAGE_SHIFT, latency);
	add_own(t, key, s, latency);
	/* A single stage is the sample itself. */
	for (unsigned int left = stages; stages & (stages - 1) && left; left &= left - 1) {
		uint64_t stage = (uint64_t)__builtin_ctz(left);

		if (s->stage_ns[stage])
			add(t, key | stage << STAGE_SHIFT, s->stage_ns[stage]);
	}
}

static int by_key(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

void windows_finish(struct tables *t)
{
	tally_sort(&t->windows.cells, by_key);
}

size_t tables_window_cnt(const struct tables *t)
{
	return t->windows.cnt ? t->windows.cnt : 1;
}

uint64_t tables_window_ns(const struct tables *t)
{
	return t->windows.width_ns;
}

/* The first cell whose key is not below a. */
static size_t first_of(const struct tally *cells, uint64_t a)
{
	size_t from = 0, to = cells->cnt;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (cells->rows[middle].a < a)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static int add_cells(const struct tally *cells, uint64_t key, struct boot *to, uint64_t *counts)
{
	for (size_t i = first_of(cells, key); i < cells->cnt && cells->rows[i].a >> STAGE_SHIFT == key >> STAGE_SHIFT; i++) {
		const struct tally_row *r = &cells->rows[i];
		struct hist_part p = {.bucket = (unsigned int)r->b, .count = r->count, .sum = r->sum,
				      .min = hist_lo((unsigned int)r->b), .max = r->max};

		counts[r->a & COL_MASK] += r->count;
		if (to && boot_add(to, r->a & COL_MASK, &p))
			return -ENOMEM;
	}
	return 0;
}

int tables_add_windows(const struct tables *t, const struct group *g, unsigned int stage, struct boot *to)
{
	uint64_t all[WINDOWS_MAX] = {0}, with[WINDOWS_MAX] = {0};
	uint64_t group = (uint64_t)(g - t->groups) << 32;
	unsigned int mask = metrics[g->metric].stages;

	if (stage < STAGE_CNT && !(mask >> stage & 1))
		return 0;
	if (stage < STAGE_CNT && !(mask & (mask - 1)))
		stage = STAGE_CNT;
	add_cells(&t->windows.cells, group | (uint64_t)STAGE_CNT << STAGE_SHIFT, NULL, all);
	if (add_cells(&t->windows.cells, group | (uint64_t)stage << STAGE_SHIFT, to, with))
		return -ENOMEM;
	if (stage == STAGE_OWN)
		return 0;
	/* Those that had nothing of the stage. */
	for (size_t i = 0; i < WINDOWS_MAX; i++) {
		struct hist_part zeros = {.count = all[i] - with[i]};

		if (zeros.count && boot_add(to, i, &zeros))
			return -ENOMEM;
	}
	return 0;
}
