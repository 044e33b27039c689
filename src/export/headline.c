/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "headline.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "growth.h"
#include "label.h"

enum { ENOUGH_SAMPLES = 100, SHOWN_TAKERS = 3 };

/* A metric's words: NAME did, up to so much, late; and what those are called who took it. */
struct words {
	int tier;	/* less is more worth telling */
	const char *did, *late, *taken;
};

enum { TIER_OTHERS = 3, TIER_FUTEX, TIER_CNT, TIER_OWN_WILL = 2 * TIER_CNT };

static const struct words all_words[METRIC_CNT] = {
	[METRIC_THREAD_DRIFT] = {2, "woke up to ", " late", "taken by"},
	[METRIC_THREAD_RUNQ] = {TIER_OTHERS, "was woken and waited up to ", " for a CPU", "taken by"},
	[METRIC_THREAD_PREEMPT] = {TIER_OTHERS, "was off the CPU for up to ", " while it had work to do", "taken by"},
	[METRIC_THREAD_THROTTLE] = {TIER_OTHERS, "was stopped by its CPU quota for up to ", "", ""},
	[METRIC_THREAD_FUTEX] = {TIER_FUTEX, "waited up to ", " in a futex", "ended by"},
	[METRIC_THREAD_BLOCK] = {TIER_OWN_WILL, "was blocked for up to ", "", "ended by"},
	[METRIC_GOROUTINE_DRIFT] = {0, "woke up to ", " late", "taken by"},
	[METRIC_GOROUTINE_RUNQ] = {1, "was runnable and waited up to ", " to run", "taken by"},
	[METRIC_GOROUTINE_OFFCPU] = {TIER_OTHERS, "lost its CPU for up to ", " while it ran", "taken by"},
	[METRIC_GOROUTINE_LOCK] = {1, "waited up to ", " for a lock", "ended by"},
	[METRIC_GOROUTINE_CHAN] = {TIER_OWN_WILL, "waited up to ", " for a channel", "ended by"},
	[METRIC_LOCK_WAIT] = {TIER_OTHERS, "was waited for up to ", "", "held or released by"},
	[METRIC_PROCESS_STW] = {TIER_OTHERS, "had its world stopped for up to ", "", "waiting for"},
};

static const char *const stage_words[STAGE_CNT] = {
	[STAGE_BUSY] = "it was busy with something else",
	[STAGE_SLACK] = "timer slack that it agreed to",
	[STAGE_TIMER] = "the timer itself was late",
	[STAGE_WAKE] = "from the timer to the waking",
	[STAGE_RUNQ] = "woken, but waiting for a CPU",
	[STAGE_PREEMPT] = "taken off the CPU",
	[STAGE_THROTTLE] = "its CPU quota was spent",
	[STAGE_HANDOFF] = "the thread for it was parked",
	[STAGE_ROUNDING] = "the Go runtime asked for a later moment",
	[STAGE_RUNTIME] = "the Go runtime had other work first",
	[STAGE_GRUNQ] = "runnable, but no thread ran it",
	[STAGE_STOPPING] = "until all had stopped",
	[STAGE_STOPPED] = "all were stopped",
};

static int metric_tier(enum metric m, uint64_t count)
{
	int tier = all_words[m].tier;

	return tier == TIER_OWN_WILL || count >= ENOUGH_SAMPLES ? tier : tier + TIER_CNT;
}

static int entity_tier(uint64_t count)
{
	return count >= ENOUGH_SAMPLES ? 0 : 1;
}

static bool is_worse(const struct headline *a, int tier_a, const struct headline *b, int tier_b)
{
	if (tier_a != tier_b)
		return tier_a < tier_b;
	return a->p99 != b->p99 ? a->p99 > b->p99 : a->max > b->max;
}

/*
 * The stage that late samples spent most time in: what is less than a quarter of the p99 made none of them late.
 * A quantile alone would name a stage that a few samples of many had.
 */
static int find_stage(const struct tables *t, struct headline *h)
{
	unsigned int mask = metrics[h->metric].stages;
	uint64_t most = 0;
	int err = 0;

	h->stage = STAGE_CNT;
	if (__builtin_popcount(mask) < 2)
		return 0;
	for (unsigned int stage = 0; stage < STAGE_CNT && !err; stage++) {
		struct hist hist = {0};

		if (!(mask >> stage & 1))
			continue;
		err = part_hist(t, &h->part, stage, &hist);
		uint64_t late = err ? 0 : hist_sum_from(&hist, h->p99 / 4);

		if (late > most) {
			h->stage = stage;
			h->stage_p99 = hist_quantile(&hist, 990000);
			most = late;
		}
		hist_done(&hist);
	}
	return err;
}

/* What there is of a part: 1, 0: nothing, or -ENOMEM. */
static int look_at(const struct tables *t, struct part part, struct headline *out)
{
	struct headline h = {.metric = part.metric, .part = part};
	const struct group *g = part_group(t, &part);
	struct hist hist = {0};
	int err;

	if (!g)
		return 0;
	err = part_hist(t, &part, STAGE_CNT, &hist);
	h.entity = g->entity;
	h.group = g;
	h.count = hist.count;
	h.p99 = hist_quantile(&hist, 990000);
	h.max = hist.max;
	hist_done(&hist);
	if (err)
		return err;
	*out = h;
	return 1;
}

/* The metric, all its entities together: 1, 0: no samples at all, or -ENOMEM. */
static int find_metric(const struct tables *t, bool no_idle, struct headline *out)
{
	struct headline worst = {.count = 0}, h;
	int tier = INT_MAX, err;

	for (int m = 0; m < METRIC_CNT; m++) {
		struct part part = part_all((enum metric)m);

		part.no_idle = no_idle;
		err = look_at(t, part, &h);
		if (err < 0)
			return err;
		if (!err || !is_worse(&h, metric_tier(h.metric, h.count), &worst, tier))
			continue;
		worst = h;
		tier = metric_tier(h.metric, h.count);
	}
	*out = worst;
	return tier != INT_MAX;
}

/* Its worst entity; without a known one (all are `rest`) the metric as it is. 0 or -ENOMEM. */
static int find_entity(const struct tables *t, struct headline *out)
{
	struct headline worst = *out, h;
	int tier = INT_MAX, err;

	for (size_t rank = 0;; rank++) {
		struct part part = {.metric = out->metric, .rank_from = rank, .rank_to = rank};

		if (!part_group(t, &part))
			break;
		part.no_idle = out->part.no_idle;
		err = look_at(t, part, &h);
		if (err < 0)
			return err;
		if (!err || !is_worse(&h, entity_tier(h.count), &worst, tier))
			continue;
		worst = h;
		tier = entity_tier(h.count);
	}
	*out = worst;
	return 0;
}

int headline_find(const struct tables *t, struct headline *out)
{
	struct headline h;
	int found = find_metric(t, true, &h), err;

	if (!found)
		found = find_metric(t, false, &h);
	if (found <= 0)
		return found;
	err = find_entity(t, &h);
	if (!err)
		err = find_stage(t, &h);
	if (err)
		return err;
	*out = h;
	return 1;
}

static void add(char *buf, size_t size, const char *text)
{
	size_t at = strlen(buf);

	snprintf(buf + at, size - at, "%s", text);
}

static void add_label(char *buf, size_t size, const struct label *l)
{
	add(buf, size, l->name);
	if (!*l->key)
		return;
	add(buf, size, " (");
	add(buf, size, l->key);
	add(buf, size, ")");
}

/* Those who took most of it, together more than half, but at most three. */
static void add_takers(char *buf, size_t size, const struct tables *t, const struct names *n,
		       const struct takers *k, const char *taken)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < k->timed && i < SHOWN_TAKERS && sum <= k->sum / 2; i++) {
		char share[16];
		struct label l;

		label_taker(t, n, &k->rows[i], &l);
		add(buf, size, i ? ", " : ", ");
		if (!i) {
			add(buf, size, taken);
			add(buf, size, " ");
		}
		add_label(buf, size, &l);
		add(buf, size, " ");
		add(buf, size, percent_text(k->rows[i].sum, k->sum, share, sizeof(share)));
		sum += k->rows[i].sum;
	}
}

/* Stages in which the time goes to somebody. */
static bool is_taken(unsigned int stage)
{
	return stage == STAGE_CNT || stage == STAGE_RUNQ || stage == STAGE_PREEMPT || stage == STAGE_STOPPING;
}

int headline_text(const struct tables *t, const struct names *n, const struct headline *h, char *buf,
		  size_t size)
{
	const struct words *w = &all_words[h->metric];
	char max[32], p99[32], stage_p99[32], text[500];
	struct takers k;
	struct label who;
	int err = takers_make(t, n, &h->part, &k);

	if (err)
		return err;
	label_group(t, n, h->group, &who);
	*buf = '\0';
	add_label(buf, size, &who);
	snprintf(text, sizeof(text), " %s%s%s (p99 %s)", w->did, text_ns(h->max, max, sizeof(max)), w->late,
		 text_ns(h->p99, p99, sizeof(p99)));
	add(buf, size, text);
	if (h->stage != STAGE_CNT) {
		snprintf(text, sizeof(text), ": %s of it %s (%s; p99 %s)",
			 h->stage_p99 >= h->p99 / 2 ? "most" : "the largest part", stage_names[h->stage],
			 stage_words[h->stage] ? stage_words[h->stage] : "",
			 text_ns(h->stage_p99, stage_p99, sizeof(stage_p99)));
		add(buf, size, text);
	}
	if (is_taken(h->stage))
		add_takers(buf, size, t, n, &k, w->taken);
	takers_done(&k);
	growth_sentence(t, n, text, sizeof(text));
	add(buf, size, text);
	return 0;
}
