/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where a server listens: a numeric address and a port, so that no name service decides who can reach it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct listen_addr {
	union {
		struct sockaddr any;
		struct sockaddr_storage room;
	};
	socklen_t len;
};

/* "127.0.0.1:9465", "[::1]:9465", ":9465" (127.0.0.1); port 0: any that is free. 0 or -EINVAL. */
int listen_parse(const char *text, struct listen_addr *out);
/* Whether only this machine can reach it. */
bool listen_is_loopback(const struct listen_addr *a);
/* "127.0.0.1:9465" to buf, which it returns. */
const char *listen_text(const struct listen_addr *a, char *buf, size_t size);

/* A listening socket, non-blocking, and the address with the port that it got. The socket or -errno, told. */
int listen_open(const struct listen_addr *a, int backlog, struct listen_addr *got);
