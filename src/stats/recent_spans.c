/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A queue of chunks: the oldest goes as a whole. In a chunk entries follow each other, 8-aligned. */
#include "recent_spans.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 1 << 17 };

enum entry_kind { ENTRY_SPAN, ENTRY_COUNTER, ENTRY_LOSS };

struct entry {
	uint32_t kind, bytes;	/* with what follows it */
};

/* Behind it come its stages that are not 0, its blame, and what the holder did. */
struct kept_span {
	struct entry e;
	uint64_t begin_ns, end_ns, cgroup, lock, lock_space, goid, label;
	uint32_t klass, tid, tgid, site, wait_site, holder;
	uint32_t stages;	/* mask */
	uint32_t blame_cnt, hold_cnt;
	uint16_t cpu;
	uint8_t metric, prio, policy;
};

struct kept_counter {
	struct entry e;
	uint64_t n;
	uint32_t id, tid;
};

struct kept_loss {
	struct entry e;
	uint64_t from_ns, to_ns, n;
};

struct chunk {
	struct chunk *next;
	uint64_t newest_ns;
	size_t len;
	_Alignas(8) char data[CHUNK_BYTES];
};

struct recent_spans {
	uint64_t window_ns, newest_ns, from_ns;
	size_t chunk_cnt, chunk_max;
	struct chunk *first, *last;
};

struct recent_spans *recent_spans_new(uint64_t window_ns, size_t max_bytes)
{
	struct recent_spans *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->window_ns = window_ns;
	r->chunk_max = max_bytes / sizeof(struct chunk);
	return r;
}

static void drop_first(struct recent_spans *r)
{
	struct chunk *c = r->first;

	r->first = c->next;
	if (!r->first)
		r->last = NULL;
	r->from_ns = c->newest_ns > r->from_ns ? c->newest_ns : r->from_ns;
	r->chunk_cnt--;
	free(c);
}

void recent_spans_free(struct recent_spans *r)
{
	if (!r)
		return;
	while (r->first)
		drop_first(r);
	free(r);
}

static struct chunk *add_chunk(struct recent_spans *r)
{
	struct chunk *c;

	if (r->chunk_cnt >= r->chunk_max && r->first)
		drop_first(r);
	c = malloc(sizeof(*c));
	if (!c)
		return NULL;
	c->next = NULL;
	c->newest_ns = 0;
	c->len = 0;
	if (r->last)
		r->last->next = c;
	else
		r->first = c;
	r->last = c;
	r->chunk_cnt++;
	return c;
}

/* Room for an entry of that size; its time is when it became known. */
static void *add(struct recent_spans *r, enum entry_kind kind, size_t bytes, uint64_t time_ns)
{
	struct chunk *c = r->last;
	struct entry *e;

	bytes = (bytes + 7) & ~(size_t)7;
	if (bytes > CHUNK_BYTES)
		return NULL;
	r->newest_ns = time_ns > r->newest_ns ? time_ns : r->newest_ns;
	while (r->first && r->first != r->last && r->first->newest_ns + r->window_ns < r->newest_ns)
		drop_first(r);
	if (!c || c->len + bytes > CHUNK_BYTES)
		c = add_chunk(r);
	if (!c)
		return NULL;
	e = (struct entry *)(c->data + c->len);
	c->len += bytes;
	c->newest_ns = time_ns > c->newest_ns ? time_ns : c->newest_ns;
	e->kind = kind;
	e->bytes = (uint32_t)bytes;
	return e;
}

static unsigned int stages_of(const struct span *s)
{
	unsigned int mask = 0;

	for (size_t i = 0; i < STAGE_CNT; i++)
		mask |= (unsigned int)(s->stage_ns[i] != 0) << i;
	return mask;
}

void recent_spans_span(struct recent_spans *r, const struct span *s)
{
	unsigned int stages = stages_of(s);
	size_t stage_bytes = (size_t)__builtin_popcount(stages) * sizeof(uint64_t);
	size_t blame_bytes = s->blame_cnt * sizeof(*s->blame);
	size_t hold_bytes = s->hold_cnt * sizeof(*s->holds);
	struct kept_span *k = add(r, ENTRY_SPAN, sizeof(*k) + stage_bytes + blame_bytes + hold_bytes, s->end_ns);
	struct entry e;
	uint64_t *stage;

	if (!k)
		return;
	e = k->e;
	*k = (struct kept_span){
		.e = e, .begin_ns = s->begin_ns, .end_ns = s->end_ns, .cgroup = s->cgroup, .lock = s->lock,
		.lock_space = s->lock_space, .goid = s->goid, .label = s->label, .klass = s->klass, .tid = s->tid,
		.tgid = s->tgid, .site = s->site, .wait_site = s->wait_site, .holder = s->holder, .stages = stages,
		.blame_cnt = (uint32_t)s->blame_cnt, .hold_cnt = (uint32_t)s->hold_cnt, .cpu = s->cpu,
		.metric = (uint8_t)s->metric, .prio = s->prio, .policy = s->policy,
	};
	stage = (uint64_t *)(k + 1);
	for (size_t i = 0; i < STAGE_CNT; i++) {
		if (stages >> i & 1)
			*stage++ = s->stage_ns[i];
	}
	if (blame_bytes)
		memcpy(stage, s->blame, blame_bytes);
	if (hold_bytes)
		memcpy((char *)stage + blame_bytes, s->holds, hold_bytes);
}

/* Without a time of its own it is as old as the newest span. */
void recent_spans_counter(struct recent_spans *r, enum entity_counter id, uint32_t tid, uint64_t n)
{
	struct kept_counter *k = add(r, ENTRY_COUNTER, sizeof(*k), r->newest_ns);

	if (!k)
		return;
	k->id = id;
	k->tid = tid;
	k->n = n;
}

void recent_spans_loss(struct recent_spans *r, uint64_t from_ns, uint64_t to_ns, uint64_t n)
{
	struct kept_loss *k = add(r, ENTRY_LOSS, sizeof(*k), to_ns);

	if (!k)
		return;
	k->from_ns = from_ns;
	k->to_ns = to_ns;
	k->n = n;
}

uint64_t recent_spans_from(const struct recent_spans *r)
{
	return r->from_ns;
}

static void give_span(const struct kept_span *k, const struct span_sink *sink)
{
	const uint64_t *stage = (const uint64_t *)(k + 1);
	struct span s = {
		.metric = (enum metric)k->metric, .klass = k->klass, .begin_ns = k->begin_ns, .end_ns = k->end_ns,
		.tid = k->tid, .tgid = k->tgid, .cgroup = k->cgroup, .lock = k->lock,
		.lock_space = k->lock_space, .goid = k->goid, .label = k->label, .site = k->site,
		.wait_site = k->wait_site, .holder = k->holder, .cpu = k->cpu, .prio = k->prio, .policy = k->policy,
		.blame_cnt = k->blame_cnt, .hold_cnt = k->hold_cnt,
	};

	for (size_t i = 0; i < STAGE_CNT; i++) {
		if (k->stages >> i & 1)
			s.stage_ns[i] = *stage++;
	}
	s.blame = (const struct blame *)stage;
	s.holds = (const struct hold *)(s.blame + s.blame_cnt);
	sink->span(sink->ctx, &s);
}

static void give(const struct entry *e, const struct span_sink *sink)
{
	const struct kept_counter *c = (const void *)e;
	const struct kept_loss *l = (const void *)e;

	switch ((enum entry_kind)e->kind) {
	case ENTRY_SPAN:
		give_span((const void *)e, sink);
		break;
	case ENTRY_COUNTER:
		sink->counter(sink->ctx, (enum entity_counter)c->id, c->tid, c->n);
		break;
	case ENTRY_LOSS:
		sink->loss(sink->ctx, l->from_ns, l->to_ns, l->n);
		break;
	}
}

void recent_spans_replay(const struct recent_spans *r, const struct span_sink *sink)
{
	for (const struct chunk *c = r->first; c; c = c->next) {
		const struct entry *e;

		for (size_t pos = 0; pos < c->len; pos += e->bytes) {
			e = (const void *)(c->data + pos);
			give(e, sink);
		}
	}
}
