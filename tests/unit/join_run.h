/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Runs the kernel join in user space, for its tests: takes wakings and switches as sched.bpf.c does, and
 * writes what they cause as => lines, or keeps what became of each waking.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bpf/join.h"

enum { EVENTS_MAX = 16 };

/* What becomes of a waking, unless it is still open. */
enum fate { FATE_OPEN, FATE_STAYED, FATE_FINISHED, FATE_AGAIN, FATE_PREEMPTED, FATE_LOST };

struct run {
	struct join j;
	__u64 now;
	FILE *out;			/* of a fixture, else NULL */
	unsigned int impossible, finishes;
	__u64 finished_off, finished_waking;
	/* of enumerations: times are the events' numbers, from 1, and so name the wakings */
	char events[EVENTS_MAX + 1];
	__u8 fate[EVENTS_MAX + 1];	/* enum fate, by waking */
	__u8 want[EVENTS_MAX + 1];	/* FATE_OPEN: any */
	__u64 want_off, want_waking;	/* of the wait that the next switch-in ends */
	bool (*crossed)[JOIN_EVENT_CNT];
};

static const char *const state_names[] = {
	[JOIN_UNKNOWN] = "unknown", [JOIN_RUN] = "run", [JOIN_WOKEN_EARLY] = "woken_early",
	[JOIN_BLOCKED] = "blocked", [JOIN_WOKEN_OUT] = "woken_out", [JOIN_WOKEN] = "woken",
	[JOIN_WOKEN_UNSEEN] = "woken_unseen", [JOIN_PREEMPTED] = "preempted", [JOIN_GONE] = "gone",
};
static const char *const event_names[] = {
	[JOIN_WAKE] = "wake", [JOIN_IN] = "switch_in", [JOIN_OUT_BLOCKED] = "switch_out blocked",
	[JOIN_OUT_RUNNABLE] = "switch_out runnable", [JOIN_OUT_DEAD] = "switch_out dead",
};
static const char event_letters[] = "WIBRD";
static const char *const why_names[] = {
	[WAIT_UNSEEN] = "unseen", [WAIT_BLOCKED] = "blocked", [WAIT_PREEMPTED] = "preempted",
};
static const char *const by_names[] = {
	[WOKEN_TIMER] = "timer", [WOKEN_TASK] = "task", [WOKEN_IRQ] = "irq", [WOKEN_NEW] = "new",
};
enum { BY_CNT = sizeof(by_names) / sizeof(by_names[0]) };

static void settle(struct run *r, const struct wake *w, enum fate fate)
{
	if (r->out)
		return;
	if (r->fate[w->waking])
		fail_msg("%s: waking %llu has fate %d, then %d", r->events, w->waking, r->fate[w->waking], fate);
	if (r->want[w->waking] && r->want[w->waking] != fate)
		fail_msg("%s: waking %llu has fate %d, not %d", r->events, w->waking, fate, r->want[w->waking]);
	r->fate[w->waking] = fate;
}

static void put_waker(FILE *f, const struct wake *w)
{
	if (w)
		fprintf(f, " by=%s", by_names[w->by]);
	if (w && w->waker)
		fprintf(f, " waker=%u", w->waker);
	fputc('\n', f);
}

static void join_stayed(struct run *r, struct join *j, const struct wake *w)
{
	(void)j;
	settle(r, w, FATE_STAYED);
	if (!r->out)
		return;
	fprintf(r->out, "=> stayed waking=%llu", w->waking);
	put_waker(r->out, w);
}

static void join_count(struct run *r, const struct join *j, const struct wake *w, __u32 actions)
{
	(void)j;
	if (actions & JOIN_AGAIN)
		settle(r, w, FATE_AGAIN);
	if (actions & JOIN_OF_PREEMPTED)
		settle(r, w, FATE_PREEMPTED);
	if (actions & JOIN_LOST)
		settle(r, w, FATE_LOST);
	if (actions & JOIN_IMPOSSIBLE)
		r->impossible++;
	if (!r->out)
		return;
	fprintf(r->out, "%s%s%s%s", actions & JOIN_AGAIN ? "=> count waking_again\n" : "",
		actions & JOIN_OF_PREEMPTED ? "=> count waking_preempted\n" : "",
		actions & JOIN_LOST ? "=> count missed_switch\n" : "",
		actions & JOIN_IMPOSSIBLE ? "=> count join_impossible\n" : "");
}

#define JOIN_CTX struct run
#include "bpf/join_take.h"

static void finish(struct run *r, const struct wake *w)
{
	struct join *j = &r->j;

	if (w)
		settle(r, w, FATE_FINISHED);
	if (r->out) {
		fprintf(r->out, "=> wait why=%s", why_names[j->why]);
		if (j->off)
			fprintf(r->out, " off=%llu", j->off);
		if (w)
			fprintf(r->out, " waking=%llu", w->waking);
		fprintf(r->out, " ran=%llu", r->now);
		put_waker(r->out, w);
	}
	r->finishes++;
	r->finished_off = j->off;
	r->finished_waking = w ? w->waking : 0;
	j->off = 0;
	j->why = WAIT_UNSEEN;
}

/* The cells that a switch will cross. */
static void note_path(struct run *r, enum join_event ev)
{
	struct join copy = r->j;

	if (r->out)
		fprintf(r->out, "=> state %s", state_names[copy.state]);
	for (__u32 pending = copy.seq - copy.taken + 1; pending--;) {
		enum join_event step = pending ? JOIN_WAKE : ev;

		if (r->crossed)
			r->crossed[copy.state][step] = true;
		join_step(&copy, step);
		if (r->out)
			fprintf(r->out, " > %s", state_names[copy.state]);
	}
	if (r->out)
		fputc('\n', r->out);
}

/* As on_sched_switch() in sched.bpf.c does for prev, or for next. */
static void take_switch(struct run *r, enum join_event ev)
{
	struct join *j = &r->j;
	__u32 actions;

	note_path(r, ev);
	actions = join_take(r, j, ev);
	if (actions & JOIN_LEAVE) {
		j->off = r->now;
		j->why = ev == JOIN_OUT_RUNNABLE ? WAIT_PREEMPTED : WAIT_BLOCKED;
	}
	if (actions & JOIN_FINISH)
		finish(r, actions & JOIN_HELD ? &j->wakes[j->held & (WAKE_SLOTS - 1)] : NULL);
}

static void take_waking(struct run *r, __u8 by, __u32 waker)
{
	struct wake w = {.waking = r->now, .by = by, .waker = waker};

	if (join_append(&r->j, &w))
		return;
	settle(r, &w, FATE_LOST);
	if (r->out)
		fputs("=> count waking_slots\n", r->out);
}
