/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A small HTTP server for pages that anybody may read and nobody may change: GET and HEAD, one request a
 * connection. In a thread of its own. Bounded: so many connections, each for so long; who comes beyond that gets
 * the place of the oldest. A page is made at most once a second, whoever asks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct listen_addr;

struct http_page {
	unsigned int status;
	const char *type;	/* of its content; static */
	char *body;		/* malloc()ed: becomes the server's */
	size_t len;
};

struct http_route {
	const char *path;
	/* Called in the server's thread; new_form: the client asks for OpenMetrics. 0 or -errno: status 500. */
	int (*make)(void *ctx, bool new_form, struct http_page *out);
};

struct http;

/* Takes the listening socket, also on failure. Routes end with one without a path; they and ctx must outlive it. */
int http_start(int fd, const struct http_route *routes, void *ctx, struct http **out);
/* Closes the socket and all connections. NULL is fine. */
void http_stop(struct http *h);
/* About once a second, from any thread: ends connections that have had their time. */
void http_second(struct http *h);
