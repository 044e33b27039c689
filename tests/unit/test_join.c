/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel join in user space: the table of bpf/join.h, run by switches as the kernel side does.
 *
 * Fixtures tests/fixtures/join/NAME.txt are one task's events, each followed by the => lines it causes:
 *
 *	1000 wake by=task waker=7	(by: new, task, irq, timer)
 *	1000 switch_in
 *	1000 switch_out blocked		(or runnable, dead)
 *	1000 end			the recording ends
 *	=> state blocked > woken > run	what the pending wakings and the switch made of it
 *	=> wait why=blocked off=900 waking=950 ran=1000 by=task waker=7
 *	=> stayed waking=1000 by=irq	a waking that found the task on its CPU
 *	=> count waking_again
 *	=> open wakings=1 off=900
 *
 * BLESS=1 rewrites the files with what the join says: read the diff.
 *
 * Beside them: rules that every cell keeps, and two enumerations. One takes all sequences of events,
 * possible or not, and wants each waking accounted for once. The other takes all histories that a
 * task can have, and wants them told as they were.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/join.h"

#define FIXTURES "tests/fixtures/join"

enum { SEQUENCE_MAX = 8, HISTORY_MAX = 13, EVENTS_MAX = 16 };

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

static void join_count(struct run *r, const struct join *j, __u32 actions)
{
	if (actions & JOIN_AGAIN)
		settle(r, &j->wakes[j->taken & (WAKE_SLOTS - 1)], FATE_AGAIN);
	if (actions & JOIN_OF_PREEMPTED)
		settle(r, &j->wakes[j->taken & (WAKE_SLOTS - 1)], FATE_PREEMPTED);
	if (actions & JOIN_IMPOSSIBLE)
		r->impossible++;
	if (!r->out)
		return;
	fprintf(r->out, "%s%s%s", actions & JOIN_AGAIN ? "=> count waking_again\n" : "",
		actions & JOIN_OF_PREEMPTED ? "=> count waking_preempted\n" : "",
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

static void parse_waking(struct run *r, const char *args)
{
	unsigned int waker = 0;
	char name[16] = "";

	sscanf(args, " by=%15s waker=%u", name, &waker);
	for (__u8 by = 1; by < BY_CNT; by++) {
		if (!strcmp(name, by_names[by])) {
			take_waking(r, by, waker);
			return;
		}
	}
	fprintf(r->out, "=> unknown by=\n");
}

static void run_line(struct run *r, const char *line)
{
	char *event;

	if (!*line || *line == '#')
		return;
	r->now = strtoull(line, &event, 10);
	event += *event == ' ';
	if (!strcmp(event, "end")) {
		fprintf(r->out, "=> open wakings=%u", r->j.seq - r->j.taken + join_holds(r->j.state));
		fprintf(r->out, r->j.off ? " off=%llu\n" : "\n", r->j.off);
		return;
	}
	if (!strncmp(event, "wake ", 5)) {
		parse_waking(r, event + 5);
		return;
	}
	for (int ev = JOIN_IN; ev < JOIN_EVENT_CNT; ev++) {
		if (!strcmp(event, event_names[ev])) {
			take_switch(r, ev);
			return;
		}
	}
	fprintf(r->out, "=> unknown event\n");
}

/* The fixture as it would be if the join were right. */
static char *run_fixture(char *text)
{
	char *line, *out = NULL;
	size_t size = 0;
	struct run r = {.out = open_memstream(&out, &size)};

	assert_non_null(r.out);
	while ((line = strsep(&text, "\n"))) {
		if ((!text && !*line) || !strncmp(line, "=>", 2))
			continue;
		fprintf(r.out, "%s\n", line);
		run_line(&r, line);
	}
	fclose(r.out);
	return out;
}

/* 1 if the file says something else than the join. */
static int check_fixture(const char *path)
{
	FILE *f = fopen(path, "r+e");
	char *text = NULL, *copy, *have;
	size_t size = 0, same = 0;
	int differs;

	assert_non_null(f);
	if (getdelim(&text, &size, '\0', f) < 0)
		fail_msg("%s is empty", path);
	copy = strdup(text);
	assert_non_null(copy);
	have = run_fixture(copy);
	differs = strcmp(text, have) != 0;
	if (differs && getenv("BLESS")) {
		f = freopen(path, "we", f);
		assert_non_null(f);
		fputs(have, f);
		differs = 0;
	} else if (differs) {
		for (size_t i = 0; text[i] && text[i] == have[i]; i++)
			same = text[i] == '\n' ? i + 1 : same;
		print_error("%s\nwant: %.*s\nhave: %.*s\n", path, (int)strcspn(text + same, "\n"), text + same,
			    (int)strcspn(have + same, "\n"), have + same);
	}
	assert_int_equal(fclose(f), 0);
	free(text);
	free(copy);
	free(have);
	return differs;
}

static int is_fixture(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && !strcmp(dot, ".txt");
}

static void fixtures_give_their_waits(void **state)
{
	struct dirent **files;
	int cnt = scandir(FIXTURES, &files, is_fixture, alphasort), bad = 0;

	(void)state;
	assert_true(cnt > 0);
	for (int i = 0; i < cnt; i++) {
		char path[512];

		snprintf(path, sizeof(path), FIXTURES "/%s", files[i]->d_name);
		bad += check_fixture(path);
		free(files[i]);
	}
	free(files);
	assert_int_equal(bad, 0);
}

/* The wakings that one cell takes in are those that it gives out; returns the broken rule or NULL. */
static const char *broken_rule(enum join_state state, enum join_event ev, __u32 next, __u32 actions)
{
	const __u32 of_waking = JOIN_HOLD | JOIN_AGAIN | JOIN_OF_PREEMPTED, of_held = JOIN_STAYED | JOIN_FINISH;
	bool holds = join_holds(state), gone = state == JOIN_GONE;

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
	if ((actions & JOIN_STAYED) && !holds)
		return "no waking stayed";
	if ((actions & of_waking & (actions & of_waking) - 1) || !(actions & of_waking) != (ev != JOIN_WAKE || gone))
		return "a waking is held or counted, once";
	if ((actions & JOIN_FINISH) ? ev != JOIN_IN : ev == JOIN_IN && holds && !(actions & JOIN_STAYED))
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
		cmocka_unit_test(fixtures_give_their_waits),
		cmocka_unit_test(every_cell_keeps_the_rules),
		cmocka_unit_test(any_sequence_accounts_for_every_waking_once),
		cmocka_unit_test(any_history_is_told_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
