/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* wakelag serve: what is recorded, over HTTP: metrics for Prometheus and a picture for people. */
#include <stdlib.h>

#include "base/err.h"
#include "cli.h"
#include "commands.h"
#include "serve/http.h"
#include "serve/listen.h"
#include "serve/live.h"
#include "serve/page.h"

enum { BACKLOG = 128 };

struct server {
	struct live *live;
	struct http *http;
};

static int feed(void *ctx, const void *rec, size_t len)
{
	return live_feed(((struct server *)ctx)->live, rec, len);
}

static int second(void *ctx)
{
	struct server *s = ctx;

	http_second(s->http);
	return live_second(s->live);
}

static uint64_t no_bytes(void *ctx)
{
	(void)ctx;
	return 0;
}

/* Before anything is attached: an address that is taken is told at once. */
static int open_server(const struct cli *cli, struct server *s)
{
	struct listen_addr wanted, got;
	char text[64];
	int fd, err;

	if (listen_parse(cli->listen, &wanted))
		return fail(-1, "--listen");
	fd = listen_open(&wanted, BACKLOG, &got);
	if (fd < 0)
		return fd;
	err = http_start(fd, page_routes, s->live, &s->http);
	if (err)
		return err;
	talk("serving http://%s/", listen_text(&got, text, sizeof(text)));
	if (!listen_is_loopback(&got))
		talk("who reaches that address reads names of threads and functions: there are no passwords");
	return 0;
}

int cmd_serve(const struct cli *cli)
{
	struct server s = {.live = live_new(&cli->tables)};
	struct record_sink sink = {&s, feed, second, no_bytes};
	struct session_result result;
	int err;

	if (!s.live)
		return fail(EXIT_FAILED, "serve: no memory");
	err = open_server(cli, &s);
	if (!err)
		err = session_run_sink(&cli->session, &sink, &result);
	http_stop(s.http);
	live_free(s.live);
	return err ? EXIT_FAILED : EXIT_OK;
}
