/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Small numbers for what is too large for a key: locks, texts of labels, goroutines of several processes. */
#include "impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../model/names.h"

/* What the address of a lock is of, above 32 bits in a key: a process, a file, or else a value of its own. */
enum lock_kind {
	LOCK_PRIVATE,
	LOCK_SHARED,
	LOCK_KERNEL,
	LOCK_PLACE,	/* a wait for a channel or a sync.Cond has no address; the place in the code stands for it */
};

/* A goroutine's key: the process's place in go_pids above its number; never UINT64_MAX, which is the rest. */
enum { GOID_BITS = 56, GO_PIDS_MAX = 254 };

#define GOID_MASK ((UINT64_C(1) << GOID_BITS) - 1)

void ids_done(struct tables *t)
{
	for (size_t i = 0; i < t->label_ids.cnt; i++)
		free(t->labels[i]);
	free(t->labels);
	free(t->go_pids);
	tally_done(&t->lock_ids);
	tally_done(&t->lock_spaces);
	tally_done(&t->wakers);
	tally_done(&t->label_ids);
}

/* The row + 1 of a key of a bounded tally, UINT32_MAX beyond. */
static uint32_t id_at(struct tables *t, struct tally *ids, uint64_t a, uint64_t b, size_t max)
{
	const struct tally_row *r = tally_find(ids, a, b);

	if (!r && ids->cnt >= max)
		return UINT32_MAX;
	if (!r && !(r = tally_at(ids, a, b))) {
		tables_failed(t, -ENOMEM);
		return UINT32_MAX;
	}
	return (uint32_t)(r - ids->rows) + 1;
}

static bool is_by_place(enum metric m, uint64_t lock)
{
	return !lock && (m == METRIC_GOROUTINE_CHAN || m == METRIC_GOROUTINE_LOCK || m == METRIC_LOCK_WAIT);
}

static uint64_t key_of(enum lock_kind kind, uint32_t of)
{
	return (uint64_t)kind << 32 | of;
}

/* Makes it if need be; a lock in yet another file is one of the rest. */
static uint32_t id_of_shared(struct tables *t, uint64_t inode, uint64_t offset)
{
	uint32_t space = id_at(t, &t->lock_spaces, 0, inode, LOCK_SPACES_MAX);

	return space == UINT32_MAX ? LOCK_REST : id_at(t, &t->lock_ids, key_of(LOCK_SHARED, space), offset, LOCKS_MAX);
}

uint32_t lock_of(struct tables *t, const struct span *s)
{
	bool by_place = is_by_place(s->metric, s->lock);
	uint32_t id;

	if (by_place && !s->lock_space && s->wait_site)
		id = id_at(t, &t->lock_ids, key_of(LOCK_PLACE, 0), s->wait_site, LOCKS_MAX);
	else if (s->lock_space == LOCK_OF_KERNEL)
		id = id_at(t, &t->lock_ids, key_of(LOCK_KERNEL, 0), s->lock, LOCKS_MAX);
	else if (s->lock_space)
		id = id_of_shared(t, s->lock_space, s->lock);
	else if (s->lock)
		id = id_at(t, &t->lock_ids, key_of(LOCK_PRIVATE, s->tgid), s->lock, LOCKS_MAX);
	else
		return 0;
	if (id != LOCK_REST && s->wait_site)
		t->lock_ids.rows[id - 1].sum = s->wait_site;
	return id;
}

uint32_t lock_find(const struct tables *t, uint32_t tgid, uint64_t space, uint64_t lock)
{
	const struct tally_row *of = space ? tally_find(&t->lock_spaces, 0, space) : NULL, *r;

	if (space && !of)
		return 0;
	r = tally_find(&t->lock_ids, of ? key_of(LOCK_SHARED, (uint32_t)(of - t->lock_spaces.rows) + 1) :
		       key_of(LOCK_PRIVATE, tgid), lock);
	return r ? (uint32_t)(r - t->lock_ids.rows) + 1 : 0;
}

const char *tables_place_text(const struct names *n, uint32_t wait_site, char *buf, size_t size)
{
	const struct site_name *site = names_of_site(n, wait_site);
	bool has_at = site && *site->at;

	snprintf(buf, size, "%s%s%s", site ? site->func : "", has_at ? " " : "", has_at ? site->at : "");
	return buf;
}

static void address_text(enum lock_kind kind, uint64_t of, uint64_t lock, char *buf, size_t size)
{
	if (kind == LOCK_KERNEL)
		snprintf(buf, size, "kernel:0x%" PRIx64, lock);
	else
		snprintf(buf, size, "%" PRIu64 ":0x%" PRIx64, of, lock);
}

const char *tables_lock_text(const struct tables *t, const struct names *n, uint32_t lock, char *buf, size_t size)
{
	if (!lock || lock - 1 >= t->lock_ids.cnt) {
		snprintf(buf, size, "%s", lock ? "rest" : "");
		return buf;
	}
	const struct tally_row *r = &t->lock_ids.rows[lock - 1];
	enum lock_kind kind = (enum lock_kind)(r->a >> 32);

	if (kind == LOCK_PLACE)
		tables_place_text(n, (uint32_t)r->b, buf, size);
	else
		address_text(kind, kind == LOCK_SHARED ? t->lock_spaces.rows[(uint32_t)r->a - 1].b : (uint32_t)r->a, r->b,
			     buf, size);
	return buf;
}

const char *span_lock_text(const struct span *s, const struct names *n, char *buf, size_t size)
{
	*buf = '\0';
	if (!s->lock_space && is_by_place(s->metric, s->lock))
		tables_place_text(n, s->wait_site, buf, size);
	else if (s->lock_space)
		address_text(s->lock_space == LOCK_OF_KERNEL ? LOCK_KERNEL : LOCK_SHARED, s->lock_space, s->lock, buf, size);
	else if (s->lock)
		address_text(LOCK_PRIVATE, s->tgid, s->lock, buf, size);
	return buf;
}

const char *tables_event_lock(const struct event_row *e, const struct names *n, char *buf, size_t size)
{
	const struct span s = {
		.metric = (enum metric)e->metric, .tgid = e->tgid, .lock = e->lock, .lock_space = e->lock_space,
		.wait_site = e->wait_site,
	};

	return span_lock_text(&s, n, buf, size);
}

const char *span_lock_name(const struct span *s, const struct names *n, char *buf, size_t size)
{
	const struct lock_name *name = s->lock && !s->lock_space ? names_of_lock(n, s->tgid, s->lock) : NULL;

	if (!name || !*name->name)
		return tables_place_text(n, s->wait_site, buf, size);
	snprintf(buf, size, "%s", name->name);
	return buf;
}

const char *tables_lock_name(const struct tables *t, const struct names *n, uint32_t lock, char *buf, size_t size)
{
	const struct tally_row *r = lock && lock - 1 < t->lock_ids.cnt ? &t->lock_ids.rows[lock - 1] : NULL;
	struct span s = {.wait_site = r ? (uint32_t)r->sum : 0};

	if (r && r->a >> 32 == LOCK_PRIVATE) {
		s.tgid = (uint32_t)r->a;
		s.lock = r->b;
	}
	return span_lock_name(&s, n, buf, size);
}

/* More processes than there are places share one, in which only the goroutine's number counts. */
uint64_t goid_of(struct tables *t, uint32_t tgid, uint64_t goid)
{
	size_t i = 0;

	if (!goid)
		return 0;
	while (i < t->go_pid_cnt && t->go_pids[i] != tgid)
		i++;
	if (i == t->go_pid_cnt && i < GO_PIDS_MAX) {
		uint32_t *pids = realloc(t->go_pids, (i + 1) * sizeof(*pids));

		if (!pids) {
			tables_failed(t, -ENOMEM);
			return 0;
		}
		t->go_pids = pids;
		t->go_pids[t->go_pid_cnt++] = tgid;
	}
	return (uint64_t)i << GOID_BITS | (goid & GOID_MASK);
}

const char *tables_goid_text(const struct tables *t, uint64_t key, char *buf, size_t size)
{
	size_t i = key >> GOID_BITS;
	uint64_t goid = key & GOID_MASK;

	if (!goid)
		snprintf(buf, size, "%s", "");
	else if (t->go_pid_cnt > 1 && i < t->go_pid_cnt)
		snprintf(buf, size, "%" PRIu32 ":%" PRIu64, t->go_pids[i], goid);
	else
		snprintf(buf, size, "%" PRIu64, goid);
	return buf;
}

uint32_t waker_of(struct tables *t, uint64_t goid, uint32_t site)
{
	uint32_t id = id_at(t, &t->wakers, 0, goid, WAKERS_MAX);

	if (id != BY_REST)
		t->wakers.rows[id - 1].sum = site;
	return id;
}

static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);	/* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

/* Labels are new memory in every request, so the text is the key; what it is now may change. */
uint64_t label_of(struct tables *t, const struct span *s)
{
	const char *text = s->label && t->names ? names_label(t->names, s->tgid, s->label) : NULL;
	uint64_t hash, probe = 0;
	size_t cnt = t->label_ids.cnt;

	if (!s->label)
		return 0;
	text = text ? text : "unknown";
	hash = hash_of(text);
	for (const struct tally_row *r; (r = tally_find(&t->label_ids, hash, probe)); probe++) {
		size_t i = (size_t)(r - t->label_ids.rows);

		if (!strcmp(t->labels[i], text))
			return i + 1;
	}
	if (cnt >= LABELS_MAX)
		return ENTITY_REST;
	if (!t->labels && !(t->labels = calloc(LABELS_MAX, sizeof(*t->labels)))) {
		tables_failed(t, -ENOMEM);
		return ENTITY_REST;
	}
	t->labels[cnt] = strdup(text);
	if (!t->labels[cnt] || !tally_at(&t->label_ids, hash, probe)) {
		free(t->labels[cnt]);
		t->labels[cnt] = NULL;
		tables_failed(t, -ENOMEM);
		return ENTITY_REST;
	}
	return cnt + 1;
}

const char *tables_label_text(const struct tables *t, uint64_t label)
{
	return label && label - 1 < t->label_ids.cnt ? t->labels[label - 1] : "";
}
