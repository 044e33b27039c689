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
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "join_run.h"

#define FIXTURES "tests/fixtures/join"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixtures_give_their_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
