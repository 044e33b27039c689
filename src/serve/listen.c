/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/units.h"

static int parse_host(const char *host, bool is_v6, uint16_t port, struct listen_addr *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, host, is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr) != 1)
		return -EINVAL;
	*out = (struct listen_addr){.len = is_v6 ? sizeof(v6) : sizeof(v4)};
	if (is_v6)
		memcpy(&out->room, &v6, sizeof(v6));
	else
		memcpy(&out->room, &v4, sizeof(v4));
	return 0;
}

int listen_parse(const char *text, struct listen_addr *out)
{
	const char *colon = strrchr(text, ':'), *from = text;
	char host[INET6_ADDRSTRLEN] = "127.0.0.1";
	uint64_t port;
	size_t len;
	bool is_v6;

	if (!colon || parse_number(colon + 1, 0, 65535, &port))
		return -EINVAL;
	len = (size_t)(colon - text);
	is_v6 = len > 2 && text[0] == '[' && text[len - 1] == ']';
	if (is_v6) {
		from++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return -EINVAL;
	if (len)
		snprintf(host, sizeof(host), "%.*s", (int)len, from);
	return parse_host(host, is_v6, (uint16_t)port, out);
}

bool listen_is_loopback(const struct listen_addr *a)
{
	const struct sockaddr_in6 *v6 = (const void *)&a->room;
	const struct sockaddr_in *v4 = (const void *)&a->room;

	if (a->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

const char *listen_text(const struct listen_addr *a, char *buf, size_t size)
{
	const struct sockaddr_in6 *v6 = (const void *)&a->room;
	const struct sockaddr_in *v4 = (const void *)&a->room;
	char host[INET6_ADDRSTRLEN] = "";

	if (a->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		snprintf(buf, size, "[%s]:%u", host, ntohs(v6->sin6_port));
	} else {
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(buf, size, "%s:%u", host, ntohs(v4->sin_port));
	}
	return buf;
}

static void hint_listen(int err)
{
	if (err == -EADDRINUSE)
		hint("another program listens there; --listen names another port, 0 any that is free");
	else if (err == -EADDRNOTAVAIL)
		hint("that is none of this machine's addresses");
	else if (err == -EACCES)
		hint("ports below 1024 need CAP_NET_BIND_SERVICE");
}

int listen_open(const struct listen_addr *a, int backlog, struct listen_addr *got)
{
	int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, err = 0;
	char text[64];

	*got = (struct listen_addr){.len = sizeof(got->room)};
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) || bind(fd, &a->any, a->len) ||
	    listen(fd, backlog) || getsockname(fd, &got->any, &got->len))
		err = -errno;
	if (!err)
		return fd;
	fail(err, "cannot listen on %s", listen_text(a, text, sizeof(text)));
	hint_listen(err);
	if (fd >= 0)
		close(fd);
	return err;
}
