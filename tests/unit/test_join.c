/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the kernel join makes of a task's events: the fixtures tests/fixtures/join/NAME.txt are one
 * task's events, each followed by the => lines it causes:
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
 */
#include "fixtures.h"
#include "join_run.h"

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
static char *run_fixture(const char *text)
{
	char *copy = strdup(text), *rest = copy, *line, *out = NULL;
	size_t size = 0;
	struct run r = {.out = open_memstream(&out, &size)};

	assert_non_null(copy);
	assert_non_null(r.out);
	while ((line = strsep(&rest, "\n"))) {
		if ((!rest && !*line) || !strncmp(line, "=>", 2))
			continue;
		fprintf(r.out, "%s\n", line);
		run_line(&r, line);
	}
	fclose(r.out);
	free(copy);
	return out;
}

static void fixtures_give_their_waits(void **state)
{
	(void)state;
	check_fixtures("tests/fixtures/join", run_fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixtures_give_their_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
