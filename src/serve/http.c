/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/err.h"

enum {
	CONNECTIONS_MAX = 128,
	CONNECTIONS_FULL = 96,		/* from here on the oldest goes when one comes */
	CONNECTION_BYTES = 8192,	/* for a request with its headers */
	IDLE_S = 5,
	ROUTES_MAX = 8,
};

/* Of a whole connection, however busy: Prometheus gives up after 10 s as well. */
#define LIFETIME_NS UINT64_C(10000000000)
#define FRESH_NS UINT64_C(1000000000)

struct connection {
	int fd;
	uint64_t since_ns;
	bool used;
};

struct cached {
	struct MHD_Response *response;
	unsigned int status;
	uint64_t made_ns;
};

struct http {
	struct MHD_Daemon *daemon;
	const struct http_route *routes;
	void *ctx;
	struct cached cache[ROUTES_MAX][2];	/* by form; of the server's thread */
	pthread_mutex_t lock;			/* of the connections */
	struct connection connections[CONNECTIONS_MAX];
	size_t connection_cnt;
};

static struct connection *oldest(struct http *h)
{
	struct connection *found = NULL;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &h->connections[i];

		if (c->used && (!found || c->since_ns < found->since_ns))
			found = c;
	}
	return found;
}

/* The server's thread then sees its end, and closes it. */
static void end_connection(struct connection *c)
{
	shutdown(c->fd, SHUT_RDWR);
	c->since_ns = UINT64_MAX;
}

static void opened(struct http *h, int fd)
{
	struct connection *c = h->connections;

	if (h->connection_cnt >= CONNECTIONS_FULL)
		end_connection(oldest(h));
	while (c->used)
		c++;
	*c = (struct connection){.fd = fd, .since_ns = now_ns(), .used = true};
	h->connection_cnt++;
}

static void closed(struct http *h, int fd)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &h->connections[i];

		if (!c->used || c->fd != fd)
			continue;
		c->used = false;
		h->connection_cnt--;
		return;
	}
}

/* The end is told before the file descriptor is closed, so that none is shut down that has become another's. */
static void notify(void *ctx, struct MHD_Connection *connection, void **own, enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct http *h = ctx;

	(void)own;
	if (!info)
		return;
	pthread_mutex_lock(&h->lock);
	if (code == MHD_CONNECTION_NOTIFY_CLOSED)
		closed(h, info->connect_fd);
	else if (h->connection_cnt < CONNECTIONS_MAX)
		opened(h, info->connect_fd);
	pthread_mutex_unlock(&h->lock);
}

void http_second(struct http *h)
{
	uint64_t now = now_ns();

	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &h->connections[i];

		if (c->used && c->since_ns < now && now - c->since_ns > LIFETIME_NS)
			end_connection(c);
	}
	pthread_mutex_unlock(&h->lock);
}

static struct MHD_Response *response_of(struct http_page *page)
{
	static const char *const headers[][2] = {
		{MHD_HTTP_HEADER_CONNECTION, "close"},
		{MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
		{"X-Content-Type-Options", "nosniff"},
		/* Names of threads are in the page: nothing of them can become active, or load anything. */
		{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"},
	};
	struct MHD_Response *r = MHD_create_response_from_buffer(page->len, page->body, MHD_RESPMEM_MUST_FREE);

	if (!r) {
		free(page->body);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		MHD_add_response_header(r, headers[i][0], headers[i][1]);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, page->type);
	return r;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status, const char *text)
{
	struct http_page page = {status, "text/plain; charset=utf-8", strdup(text), strlen(text)};
	struct MHD_Response *r = page.body ? response_of(&page) : NULL;
	enum MHD_Result result = MHD_NO;

	if (!r)
		return MHD_NO;
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, r);
	MHD_destroy_response(r);
	return result;
}

static bool refresh(struct http *h, size_t route, bool new_form)
{
	struct cached *c = &h->cache[route][new_form];
	struct http_page page = {.status = MHD_HTTP_OK};
	struct MHD_Response *r;
	uint64_t now = now_ns();

	if (c->response && now - c->made_ns < FRESH_NS)
		return true;
	if (h->routes[route].make(h->ctx, new_form, &page))
		return false;
	r = response_of(&page);
	if (!r)
		return false;
	if (c->response)
		MHD_destroy_response(c->response);	/* who is still being sent it keeps it */
	*c = (struct cached){r, page.status, now};
	return true;
}

static bool wants_openmetrics(struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);

	return accept && strstr(accept, "application/openmetrics-text");
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *data, size_t *data_size, void **own)
{
	bool new_form = wants_openmetrics(connection);
	struct http *h = ctx;

	(void)version, (void)data, (void)data_size, (void)own;
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	for (size_t i = 0; i < ROUTES_MAX && h->routes[i].path; i++) {
		if (strcmp(url, h->routes[i].path))
			continue;
		if (!refresh(h, i, new_form))
			return answer(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "no memory\n");
		return MHD_queue_response(connection, h->cache[i][new_form].status, h->cache[i][new_form].response);
	}
	return answer(connection, MHD_HTTP_NOT_FOUND, "no such page; there are /, /metrics, /heatmap.svg and /healthz\n");
}

/* Our paths have nothing escaped; what has is left as it came, and is none of them. */
static size_t unescape_nothing(void *ctx, struct MHD_Connection *connection, char *text)
{
	(void)ctx, (void)connection;
	return strlen(text);
}

/* Signals are the collector's: the server's thread begins with them blocked. */
static struct MHD_Daemon *start_daemon(struct http *h, int fd)
{
	struct MHD_Daemon *daemon;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, h,
				  MHD_OPTION_LISTEN_SOCKET, fd,
				  MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
				  MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_S,
				  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
				  MHD_OPTION_NOTIFY_CONNECTION, notify, h,
				  MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, NULL,
				  MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return daemon;
}

int http_start(int fd, const struct http_route *routes, void *ctx, struct http **out)
{
	struct http *h = calloc(1, sizeof(*h));

	if (h) {
		h->routes = routes;
		h->ctx = ctx;
		pthread_mutex_init(&h->lock, NULL);
		h->daemon = start_daemon(h, fd);
	}
	if (h && h->daemon) {
		*out = h;
		return 0;
	}
	close(fd);
	free(h);
	return fail(-ENOMEM, "serve: cannot start the HTTP server");
}

void http_stop(struct http *h)
{
	if (!h)
		return;
	MHD_stop_daemon(h->daemon);
	for (size_t i = 0; i < ROUTES_MAX; i++) {
		for (size_t form = 0; form < 2; form++) {
			if (h->cache[i][form].response)
				MHD_destroy_response(h->cache[i][form].response);
		}
	}
	pthread_mutex_destroy(&h->lock);
	free(h);
}
