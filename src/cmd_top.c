/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* wakelag top: the report of the last seconds, redrawn every second. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../bpf/record.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli.h"
#include "collect/recent.h"
#include "commands.h"
#include "export/term.h"
#include "view.h"

enum { WINDOW_S = 10 };

struct top {
	const struct cli *cli;
	struct recent *recent;
	uint64_t window_ns;	/* begin of the window */
	bool started;
	int (*feed)(void *ctx, const void *rec, size_t len);	/* of the replay under way */
	void *feed_ctx;
};

/* To the model the recording begins with the window, and ends now. */
static int feed_in_window(void *ctx, const void *rec, size_t len)
{
	struct top *top = ctx;
	const struct rec_hdr *hdr = rec;
	union {
		struct rec_task task;
		struct rec_clock clock;
	} copy;

	if (hdr->kind != REC_TASK_KIND && hdr->kind != REC_CLOCK_KIND)
		return top->feed(top->feed_ctx, rec, len);
	memcpy(&copy, rec, len);
	if (hdr->kind == REC_TASK_KIND && copy.task.time < top->window_ns)
		copy.task.time = top->window_ns;
	if (hdr->kind == REC_CLOCK_KIND && copy.clock.time < top->window_ns)
		copy.clock.time = top->window_ns;
	return top->feed(top->feed_ctx, &copy, len);
}

static int replay(void *ctx, int (*feed)(void *, const void *, size_t), void *feed_ctx)
{
	struct rec_end end = {.hdr = {REC_END_KIND, sizeof(end)}, .reason = END_DURATION, .time = now_ns()};
	struct top *top = ctx;
	int err;

	top->feed = feed;
	top->feed_ctx = feed_ctx;
	err = recent_replay(top->recent, feed_in_window, top);
	return err ? err : feed(feed_ctx, &end, sizeof(end));
}

/* A terminal gets what fits, from its top left corner; a file gets one report after the other. */
static void show(const struct top *top, char *text)
{
	struct winsize size = {};
	size_t lines = 0;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_row < 3) {
		puts(text);
		fflush(stdout);
		return;
	}
	printf("\033[H\033[2J");
	for (char *line = text, *end; (end = strchr(line, '\n')) && ++lines < size.ws_row - 1u; line = end + 1)
		printf("%.*s\n", (int)(end - line), line);
	if (recent_dropped(top->recent))
		printf("%llu records of the last seconds left out: too many to keep\n",
		       (unsigned long long)recent_dropped(top->recent));
	fflush(stdout);
}

static int redraw(struct top *top)
{
	const struct exporter *text = exporter_find("text");
	struct tables_opts to = top->cli->tables;
	struct export_opts eo = top->cli->export;
	struct term term = term_of(stdout);
	struct view v;
	char *buf = NULL;
	size_t size = 0;
	FILE *out;
	int err;

	eo.term = &term;
	to.tables = text->needs(&eo);
	err = view_open_source(replay, top, &to, &v);
	if (err)
		return err;
	out = open_memstream(&buf, &size);
	err = out ? view_write(&v, text, &eo, out) : -errno;
	if (out)
		fclose(out);
	if (!err)
		show(top, buf);
	free(buf);
	view_close(&v);
	return err;
}

static int feed_recent(void *ctx, const void *rec, size_t len)
{
	return recent_feed(((struct top *)ctx)->recent, rec, len);
}

static int second(void *ctx)
{
	struct top *top = ctx;
	uint64_t from = now_ns() - WINDOW_S * UINT64_C(1000000000);
	int err;

	if (!top->started) {	/* the flush of a recording's head */
		top->started = true;
		return 0;
	}
	top->window_ns = top->window_ns > from ? top->window_ns : from;
	err = redraw(top);
	recent_second(top->recent);
	return err;
}

static uint64_t no_bytes(void *ctx)
{
	(void)ctx;
	return 0;
}

int cmd_top(const struct cli *cli)
{
	struct top top = {.cli = cli, .recent = recent_new(WINDOW_S), .window_ns = now_ns()};
	struct record_sink sink = {&top, feed_recent, second, no_bytes};
	struct session_result result;
	int err;

	if (!top.recent)
		return fail(EXIT_FAILED, "top: no memory");
	err = session_run_sink(&cli->session, &sink, &result);
	recent_free(top.recent);
	return err ? EXIT_FAILED : EXIT_OK;
}
