/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "recent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../bpf/record.h"

enum {
	IDENTITY_BYTES = 8 << 20,	/* 130,000 tasks */
	WINDOW_BYTES = 24 << 20,	/* 190,000 waits, shared by the seconds of the window */
};

struct chunk {
	char *data;
	size_t len, cap;
	uint64_t dropped;
};

struct recent {
	struct chunk identity;
	size_t seconds, now;	/* now: the chunk that is being filled */
	struct chunk chunks[];
};

struct recent *recent_new(size_t seconds)
{
	struct recent *r = calloc(1, sizeof(*r) + seconds * sizeof(r->chunks[0]));

	if (r)
		r->seconds = seconds;
	return r;
}

void recent_free(struct recent *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->seconds; i++)
		free(r->chunks[i].data);
	free(r->identity.data);
	free(r);
}

/* Records stay 8-aligned; counts what would pass the limit. */
static int append(struct chunk *c, const void *rec, size_t len, size_t limit)
{
	size_t room = (len + 7) & ~(size_t)7;

	if (c->len + room > limit) {
		c->dropped++;
		return 0;
	}
	if (c->len + room > c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 1 << 16;
		char *data = realloc(c->data, cap);

		if (!data)
			return -ENOMEM;
		c->data = data;
		c->cap = cap;
	}
	memcpy(c->data + c->len, rec, len);
	c->len += room;
	return 0;
}

int recent_feed(struct recent *r, const void *rec, size_t len)
{
	switch (((const struct rec_hdr *)rec)->kind) {
	case REC_TASK_KIND:
	case REC_CGROUP_KIND:
	case REC_FACT_KIND:
	case REC_CLOCK_KIND:
		return append(&r->identity, rec, len, IDENTITY_BYTES);
	case REC_END_KIND:
		return 0;	/* the replay has its own end */
	default:
		return append(&r->chunks[r->now], rec, len, WINDOW_BYTES / r->seconds);
	}
}

void recent_second(struct recent *r)
{
	r->now = (r->now + 1) % r->seconds;
	r->chunks[r->now].len = 0;
	r->chunks[r->now].dropped = 0;
}

uint64_t recent_dropped(const struct recent *r)
{
	uint64_t sum = r->identity.dropped;

	for (size_t i = 0; i < r->seconds; i++)
		sum += r->chunks[i].dropped;
	return sum;
}

static int replay_chunk(const struct chunk *c, int (*feed)(void *ctx, const void *rec, size_t len), void *ctx)
{
	int err = 0;

	for (size_t pos = 0; !err && pos < c->len;) {
		const struct rec_hdr *hdr = (const void *)(c->data + pos);

		err = feed(ctx, hdr, hdr->len);
		pos += (hdr->len + 7u) & ~7u;
	}
	return err;
}

int recent_replay(const struct recent *r, int (*feed)(void *ctx, const void *rec, size_t len), void *ctx)
{
	int err = replay_chunk(&r->identity, feed, ctx);

	for (size_t i = 1; !err && i <= r->seconds; i++)
		err = replay_chunk(&r->chunks[(r->now + i) % r->seconds], feed, ctx);
	return err;
}
