/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct segment *add_segment(struct window *w, uint64_t begin_ns)
{
	struct segment *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->begin_ns = begin_ns;
	if (w->last)
		w->last->next = s;
	else
		w->first = s;
	return w->last = s;
}

int window_init(struct window *w, size_t max_bytes)
{
	*w = (struct window){.max_bytes = max_bytes};
	return add_segment(w, 0) ? 0 : -ENOMEM;
}

static void drop_first(struct window *w)
{
	struct segment *s = w->first;

	w->first = s->next;
	if (!w->first)
		w->last = NULL;
	w->bytes -= s->room;
	free(s->bytes);
	free(s);
}

void window_done(struct window *w)
{
	while (w->first)
		drop_first(w);
}

/* Room for len bytes more; exactly that much at the end of a segment, see window_next(). */
static int reserve(struct window *w, struct segment *s, size_t len)
{
	size_t room = s->room ? s->room : 1 << 16;
	uint8_t *bytes;

	while (room - s->len < len)
		room *= 2;
	if (room == s->room)
		return 0;
	bytes = realloc(s->bytes, room);
	if (!bytes)
		return -ENOMEM;
	w->bytes += room - s->room;
	s->bytes = bytes;
	s->room = room;
	return 0;
}

int window_add(struct window *w, const uint8_t *bytes, size_t len)
{
	struct segment *s = w->last;
	int err;

	while (w->first != s && w->bytes + len > w->max_bytes)
		drop_first(w);
	if (w->first == s && s->len + len > w->max_bytes) {
		s->len = 0;	/* what is left of it begins here */
		s->begin_ns = 0;
	}
	err = reserve(w, s, len);
	if (err)
		return err;
	memcpy(s->bytes + s->len, bytes, len);
	s->len += len;
	while (w->first != s && w->bytes > w->max_bytes)
		drop_first(w);
	return 0;
}

void window_count(struct window *w, const struct rec_count *r)
{
	if (r->id >= COUNT_CNT)
		return;
	if (r->value > w->totals[r->id])
		w->last->grown[r->id] += r->value - w->totals[r->id];
	w->totals[r->id] = r->value;
}

int window_next(struct window *w, uint64_t now, uint64_t from_ns)
{
	struct segment *s = w->last;
	uint8_t *exact = s->len ? realloc(s->bytes, s->len) : NULL;

	if (exact) {
		w->bytes -= s->room - s->len;
		s->bytes = exact;
		s->room = s->len;
	}
	s->end_ns = now;
	if (!add_segment(w, now))
		return -ENOMEM;
	while (w->first != w->last && w->first->end_ns < from_ns)
		drop_first(w);
	return 0;
}
