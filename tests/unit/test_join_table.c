/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The join's table as a whole: rules that every cell keeps, and two enumerations. One takes all sequences
 * of events, possible or not, and wants each waking accounted for once. The other takes all histories
 * that a task can have, and wants them told as they were.
 */
#include "join_run.h"

enum { SEQUENCE_MAX = 9, HISTORY_MAX = 13 };

/* The wakings that one cell takes in are those that it gives out; returns the broken rule or NULL. */
static const char *broken_rule(enum join_state state, enum join_event ev, __u32 next, __u32 actions)
{
	const __u32 of_waking = JOIN_HOLD | JOIN_AGAIN | JOIN_OF_PREEMPTED, of_held = JOIN_STAYED | JOIN_FINISH | JOIN_LOST;
	bool holds = join_holds(state), gone = state == JOIN_GONE;
	bool on_cpu = state == JOIN_RUN || state == JOIN_WOKEN_EARLY;
	bool off_cpu = !on_cpu && !gone && state != JOIN_UNKNOWN && state != JOIN_WOKEN_UNSEEN;
	bool missed = gone || (ev == JOIN_IN ? on_cpu || state == JOIN_BLOCKED : ev != JOIN_WAKE && off_cpu);

	if (next == JOIN_UNKNOWN || next >= JOIN_STATE_CNT)
		return "empty, or what was seen is forgotten";
	if (gone || ev == JOIN_OUT_DEAD) {
		if (next != JOIN_GONE || (gone && actions != JOIN_IMPOSSIBLE))
			return "a dead task does nothing";
	}
	if (join_holds(next) != ((actions & JOIN_HOLD) || (holds && !(actions & of_held))))
		return "the next state does not hold what was kept";
	if (holds && (actions & JOIN_HOLD) && !(actions & JOIN_STAYED))
		return "the waking held before is dropped";
	if ((actions & (JOIN_STAYED | JOIN_LOST)) && !holds)
		return "no waking stayed, or was lost";
	if (!(actions & JOIN_LOST) != !(missed && holds && off_cpu))
		return "lost is what waited and was not seen to run";
	if (__builtin_popcount(actions & of_waking) != (ev == JOIN_WAKE && !gone))
		return "a waking is held or counted, once";
	if (!(actions & JOIN_IMPOSSIBLE) != !missed)
		return "impossible is what needs an event between";
	if (!(actions & JOIN_FINISH) != (ev != JOIN_IN || !(off_cpu || state == JOIN_WOKEN_UNSEEN)))
		return "a wait ends with a switch-in";
	if (!(actions & JOIN_LEAVE) != (gone || (ev != JOIN_OUT_BLOCKED && ev != JOIN_OUT_RUNNABLE)))
		return "leaving is a switch-out alive";
	if (!gone && ((ev == JOIN_IN && next != JOIN_RUN) || (ev == JOIN_OUT_RUNNABLE && next != JOIN_PREEMPTED) ||
		      (ev == JOIN_OUT_BLOCKED && next != JOIN_BLOCKED && next != JOIN_WOKEN_OUT)))
		return "a switch says where the task is";
	return NULL;
}

static void every_cell_keeps_the_rules(void **state)
{
	int bad = 0;

	(void)state;
	for (int s = 0; s < JOIN_STATE_CNT; s++) {
		for (int ev = 0; ev < JOIN_EVENT_CNT; ev++) {
			const struct join_cell *cell = &join_table[s][ev];
			const char *rule = broken_rule(s, ev, cell->next, cell->actions);

			if (rule)
				print_error("%s, %s: %s\n", state_names[s], event_names[ev], rule);
			bad += rule != NULL;
		}
	}
	assert_int_equal(bad, 0);
}

static int times_open(const struct join *j, __u64 waking)
{
	int n = join_holds(j->state) && j->wakes[j->held & (WAKE_SLOTS - 1)].waking == waking;

	for (__u32 i = j->taken; i != j->seq; i++)
		n += j->wakes[i & (WAKE_SLOTS - 1)].waking == waking;
	return n;
}

/* One event of an enumeration: afterwards each waking so far has a fate or is open, once. */
static void next_event(struct run *r, enum join_event ev)
{
	r->events[r->now++] = event_letters[ev];
	if (ev == JOIN_WAKE)
		take_waking(r, WOKEN_TASK, 0);
	else
		take_switch(r, ev);
	for (__u64 t = 1; t <= r->now; t++) {
		int open = times_open(&r->j, t);

		if (open + (r->fate[t] != FATE_OPEN) != (r->events[t - 1] == 'W'))
			fail_msg("%s: waking %llu has fate %d and is open %d times", r->events, t, r->fate[t], open);
		if (open && ev == JOIN_OUT_DEAD)
			fail_msg("%s: waking %llu is open after death", r->events, t);
	}
}

/* A sequence ends with the task: its join is dropped then. */
static void try_sequences(const struct run *before)
{
	for (int ev = 0; ev < JOIN_EVENT_CNT; ev++) {
		struct run r = *before;

		next_event(&r, ev);
		if (ev != JOIN_OUT_DEAD && r.now < SEQUENCE_MAX)
			try_sequences(&r);
	}
}

static void any_sequence_accounts_for_every_waking_once(void **state)
{
	bool crossed[JOIN_STATE_CNT][JOIN_EVENT_CNT] = {};

	(void)state;
	try_sequences(&(struct run){.crossed = crossed});
	for (int s = 0; s < JOIN_GONE; s++) {
		for (int ev = 0; ev < JOIN_EVENT_CNT; ev++) {
			if (!crossed[s][ev])
				fail_msg("no sequence gets to %s, %s", state_names[s], event_names[ev]);
		}
	}
}

/* Where a task is. LEAVING: it is off its run queue and will be switched out. */
enum place { ON_CPU, LEAVING, LEAVING_WOKEN, ASLEEP, QUEUED, OFF_RUNNABLE, OFF_WOKEN, DEAD, PLACE_CNT };

enum { NO_EVENT = JOIN_EVENT_CNT };

/* The kernel wakes a task that left or prepares to, and so only once before it runs. */
static const struct step {
	__u8 from, event, to, fate;
} steps[] = {
	{ON_CPU, JOIN_WAKE, ON_CPU, FATE_STAYED},
	{ON_CPU, NO_EVENT, LEAVING},
	{ON_CPU, JOIN_OUT_RUNNABLE, OFF_RUNNABLE},
	{ON_CPU, JOIN_OUT_DEAD, DEAD},
	{LEAVING, JOIN_WAKE, LEAVING_WOKEN, FATE_FINISHED},
	{LEAVING, JOIN_OUT_BLOCKED, ASLEEP},
	{LEAVING_WOKEN, JOIN_OUT_BLOCKED, QUEUED},
	{ASLEEP, JOIN_WAKE, QUEUED, FATE_FINISHED},
	{QUEUED, JOIN_IN, ON_CPU},
	{OFF_RUNNABLE, JOIN_WAKE, OFF_WOKEN, FATE_PREEMPTED},
	{OFF_RUNNABLE, JOIN_IN, ON_CPU},
	{OFF_WOKEN, JOIN_IN, ON_CPU},
};

static void try_step(struct run *r, const struct step *step)
{
	unsigned int finishes = r->finishes + (r->want_off || r->want_waking);
	enum fate fate = step->fate;

	if (step->event == NO_EVENT)
		return;
	/* preempted before the recording began: not to be told from asleep */
	if (fate == FATE_PREEMPTED && !r->want_off)
		fate = FATE_FINISHED;
	if (step->event == JOIN_WAKE)
		r->want[r->now + 1] = fate;
	if (fate == FATE_FINISHED)
		r->want_waking = r->now + 1;
	next_event(r, step->event);
	if (r->impossible)
		fail_msg("%s: called impossible", r->events);
	if (step->event == JOIN_IN) {
		if (r->finishes != finishes || r->finished_off != r->want_off || r->finished_waking != r->want_waking)
			fail_msg("%s: the wait has off=%llu waking=%llu, not off=%llu waking=%llu", r->events,
				 r->finished_off, r->finished_waking, r->want_off, r->want_waking);
		r->want_off = r->want_waking = r->finished_off = r->finished_waking = 0;
	} else if (step->event != JOIN_WAKE) {
		r->want_off = r->now;
	}
}

static void try_histories(const struct run *before, enum place place, int depth)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct run r = *before;

		/* with its slots full the join knows less than the truth */
		if (steps[i].from != place || (steps[i].event == JOIN_WAKE && r.j.seq - r.j.oldest >= WAKE_SLOTS))
			continue;
		try_step(&r, &steps[i]);
		if (depth > 1)
			try_histories(&r, steps[i].to, depth - 1);
	}
}

/* Wherever the task is when the recording begins, but on its way out with a waking that was before. */
static void any_history_is_told_as_it_was(void **state)
{
	(void)state;
	for (int place = 0; place < PLACE_CNT; place++) {
		if (place != LEAVING_WOKEN)
			try_histories(&(struct run){}, place, HISTORY_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_keeps_the_rules),
		cmocka_unit_test(any_sequence_accounts_for_every_waking_once),
		cmocka_unit_test(any_history_is_told_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
