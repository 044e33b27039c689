/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Every sample, sorted by end, in bounded memory: rows are collected in chunks, a full chunk is sorted
 * and appended to a temporary file, and reading merges the chunks. Samples come nearly sorted, so few
 * chunks overlap; one is only read from when its first row is due.
 */
#include "impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_ROWS = 64 };

struct event_key {
	uint64_t end;
	uint32_t row;	/* in the chunk: the order of arrival */
};

/* Reads one chunk of the file, in order. */
struct cursor {
	uint64_t end;	/* of the row that is next */
	size_t chunk, row, row_cnt;
	size_t buf_at, buf_cnt;	/* in rows */
	char *buf;
};

struct merge {
	struct cursor *heap;
	size_t cnt;
	int fd;
	size_t row_sz;
};

void events_done(struct events *e)
{
	if (e->file)
		fclose(e->file);
	free(e->rows);
	free(e->keys);
	free(e->first);
	*e = (struct events){0};
}

static struct event_row *row_at(const struct events *e, size_t i)
{
	return (struct event_row *)(e->rows + i * e->row_sz);
}

static int begin(struct tables *t)
{
	struct events *e = &t->events;
	int stages = 0;

	for (size_t m = 0; m < METRIC_CNT; m++) {
		int cnt = __builtin_popcount(metrics[m].stages);

		stages = cnt > stages ? cnt : stages;
	}
	e->row_sz = sizeof(struct event_row) + (size_t)stages * sizeof(uint64_t);
	e->rows = malloc(t->opts.sort_rows * e->row_sz);
	e->keys = malloc(t->opts.sort_rows * sizeof(*e->keys));
	return e->rows && e->keys ? 0 : -ENOMEM;
}

static int by_end(const void *a, const void *b)
{
	const struct event_key *x = a, *y = b;

	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static void sort_chunk(struct events *e)
{
	for (size_t i = 0; i < e->cnt; i++)
		e->keys[i] = (struct event_key){.end = row_at(e, i)->end, .row = (uint32_t)i};
	qsort(e->keys, e->cnt, sizeof(*e->keys), by_end);
}

static int spill(struct events *e)
{
	if (!e->file && !(e->file = tmpfile()))
		return -errno;
	if (e->chunk_cnt == e->chunk_cap) {
		size_t cap = e->chunk_cap ? e->chunk_cap * 2 : 16;
		uint64_t *first = realloc(e->first, cap * sizeof(*first));

		if (!first)
			return -ENOMEM;
		e->first = first;
		e->chunk_cap = cap;
	}
	sort_chunk(e);
	for (size_t i = 0; i < e->cnt; i++) {
		if (fwrite(row_at(e, e->keys[i].row), e->row_sz, 1, e->file) != 1)
			return -errno;
	}
	e->first[e->chunk_cnt++] = e->keys[0].end;
	e->file_rows += e->cnt;
	e->cnt = 0;
	return 0;
}

const struct blame *biggest_blame(const struct span *s)
{
	const struct blame *big = NULL;

	for (size_t i = 0; i < s->blame_cnt; i++) {
		if (s->blame[i].ns > (big ? big->ns : 0))
			big = &s->blame[i];
	}
	return big;
}

void events_add(struct tables *t, const struct span *s, uint64_t latency)
{
	struct events *e = &t->events;
	int err = 0;

	if (!e->rows)
		err = begin(t);
	else if (e->cnt == t->opts.sort_rows)
		err = spill(e);
	if (err) {
		tables_failed(t, err);
		return;
	}
	struct event_row *r = row_at(e, e->cnt++);
	const struct blame *big = biggest_blame(s);
	size_t at = 0;

	*r = (struct event_row){
		.end = s->end_ns,
		.latency = latency,
		.entity = t->by[s->metric]->key(t, s),
		.lock = s->lock,
		.lock_space = s->lock_space,
		.klass = s->klass,
		.tgid = s->tgid,
		.site = s->site,
		.wait_site = s->wait_site,
		.cpu = s->cpu,
		.metric = (uint8_t)s->metric,
	};
	if (big) {
		r->by_type = (uint8_t)blame_type(t, s, big);
		r->by = blame_key(t, s, big);
	}
	for (unsigned int left = metrics[s->metric].stages; left; left &= left - 1)
		r->stage_ns[at++] = s->stage_ns[__builtin_ctz(left)];
	/* The rest of the row is written to the file, too. */
	memset(&r->stage_ns[at], 0, e->row_sz - sizeof(*r) - at * sizeof(uint64_t));
}

void events_finish(struct tables *t)
{
	struct events *e = &t->events;
	int err = 0;

	if (!e->rows || t->err)
		return;
	if (!e->file) {
		sort_chunk(e);
		return;
	}
	if (e->cnt)
		err = spill(e);
	if (!err && fflush(e->file))
		err = -errno;
	if (err)
		tables_failed(t, err);
	free(e->rows);
	e->rows = NULL;
}

static bool is_before(const struct cursor *a, const struct cursor *b)
{
	return a->end < b->end || (a->end == b->end && a->chunk < b->chunk);
}

static void sift_down(struct merge *m, size_t at)
{
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < m->cnt; child++) {
			if (is_before(&m->heap[child], &m->heap[least]))
				least = child;
		}
		if (least == at)
			return;
		struct cursor c = m->heap[at];

		m->heap[at] = m->heap[least];
		m->heap[least] = c;
		at = least;
	}
}

/* Reads the cursor's next rows. All chunks but the last are full, so a chunk's place is its number. */
static int refill(const struct merge *m, size_t chunk_rows, struct cursor *c)
{
	size_t cnt = c->row_cnt - c->row < READ_ROWS ? c->row_cnt - c->row : READ_ROWS;
	off_t at = (off_t)((c->chunk * chunk_rows + c->row) * m->row_sz);
	char *to;

	if (!c->buf && !(c->buf = malloc(READ_ROWS * m->row_sz)))
		return -ENOMEM;
	to = c->buf;
	for (size_t left = cnt * m->row_sz; left;) {
		ssize_t got = pread(m->fd, to, left, at);

		if (got <= 0)
			return got ? -errno : -EIO;
		to += got;
		at += got;
		left -= (size_t)got;
	}
	c->buf_at = 0;
	c->buf_cnt = cnt;
	return 0;
}

static int open_merge(const struct tables *t, struct merge *m)
{
	const struct events *e = &t->events;

	*m = (struct merge){.fd = fileno(e->file), .row_sz = e->row_sz};
	m->heap = calloc(e->chunk_cnt, sizeof(*m->heap));
	if (!m->heap)
		return -ENOMEM;
	for (m->cnt = 0; m->cnt < e->chunk_cnt; m->cnt++) {
		size_t left = e->file_rows - m->cnt * t->opts.sort_rows;

		m->heap[m->cnt] = (struct cursor){
			.end = e->first[m->cnt],
			.chunk = m->cnt,
			.row_cnt = left < t->opts.sort_rows ? left : t->opts.sort_rows,
		};
	}
	for (size_t i = m->cnt / 2; i-- > 0;)
		sift_down(m, i);
	return 0;
}

static int merge_chunks(const struct tables *t, struct merge *m,
			int (*fn)(void *ctx, const struct event_row *e), void *ctx)
{
	while (m->cnt) {
		struct cursor *c = &m->heap[0];
		int err = c->buf_at == c->buf_cnt ? refill(m, t->opts.sort_rows, c) : 0;

		if (!err)
			err = fn(ctx, (const struct event_row *)(c->buf + c->buf_at * m->row_sz));
		if (err)
			return err;
		c->buf_at++;
		if (++c->row == c->row_cnt) {
			free(c->buf);
			*c = m->heap[--m->cnt];
		} else {
			if (c->buf_at == c->buf_cnt)
				err = refill(m, t->opts.sort_rows, c);
			if (err)
				return err;
			c->end = ((const struct event_row *)(c->buf + c->buf_at * m->row_sz))->end;
		}
		sift_down(m, 0);
	}
	return 0;
}

int tables_events(const struct tables *t, int (*fn)(void *ctx, const struct event_row *e), void *ctx)
{
	const struct events *e = &t->events;
	struct merge m;
	int err = 0;

	if (!e->file) {
		for (size_t i = 0; i < e->cnt && !err; i++)
			err = fn(ctx, row_at(e, e->keys[i].row));
		return err;
	}
	err = open_merge(t, &m);
	if (!err)
		err = merge_chunks(t, &m, fn, ctx);
	for (size_t i = 0; i < m.cnt; i++)
		free(m.heap[i].buf);
	free(m.heap);
	return err;
}
