/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Small numbers for what is too large for a key: locks, texts of labels, goroutines of several processes. */
#include "impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../model/names.h"

/* A wait for a channel or a sync.Cond has no address; the place in the code where it waits stands for it. */
#define BY_PLACE UINT64_MAX

/* A goroutine's key: the process's place in go_pids above its number; never UINT64_MAX, which is the rest. */
enum { GOID_BITS = 56, GO_PIDS_MAX = 254 };

#define GOID_MASK ((UINT64_C(1) << GOID_BITS) - 1)

void ids_done(struct tables *t)
{
	for (size_t i = 0; i < t->label_ids.cnt; i++)
		free(t->labels[i]);
	free(t->labels);
	free(t->go_pids);
	tally_done(&t->locks);
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
	return !lock && (m == METRIC_GOROUTINE_CHAN || m == METRIC_GOROUTINE_LOCK);
}

uint32_t lock_of(struct tables *t, const struct span *s)
{
	bool by_place = is_by_place(s->metric, s->lock);
	uint32_t id;

	if (!s->lock && (!by_place || !s->wait_site))
		return 0;
	id = by_place ? id_at(t, &t->locks, BY_PLACE, s->wait_site, LOCKS_MAX) :
		id_at(t, &t->locks, s->tgid, s->lock, LOCKS_MAX);
	if (id != LOCK_REST && s->wait_site)
		t->locks.rows[id - 1].sum = s->wait_site;
	return id;
}

static void place_text(const struct names *n, uint64_t wait_site, char *buf, size_t size)
{
	const struct site_name *site = names_of_site(n, (uint32_t)wait_site);

	snprintf(buf, size, "%s%s%s", site ? site->func : "", site ? " " : "", site ? site->at : "");
}

static void address_text(uint64_t tgid, uint64_t lock, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64 ":0x%" PRIx64, tgid, lock);
}

const char *tables_lock_text(const struct tables *t, const struct names *n, uint32_t lock, char *buf, size_t size)
{
	if (!lock || lock - 1 >= t->locks.cnt) {
		snprintf(buf, size, "%s", lock ? "rest" : "");
		return buf;
	}
	const struct tally_row *r = &t->locks.rows[lock - 1];

	if (r->a == BY_PLACE)
		place_text(n, r->b, buf, size);
	else
		address_text(r->a, r->b, buf, size);
	return buf;
}

const char *tables_event_lock(const struct event_row *e, const struct names *n, char *buf, size_t size)
{
	*buf = '\0';
	if (is_by_place((enum metric)e->metric, e->lock))
		place_text(n, e->wait_site, buf, size);
	else if (e->lock)
		address_text(e->tgid, e->lock, buf, size);
	return buf;
}

const char *tables_lock_name(const struct tables *t, const struct names *n, uint32_t lock, char *buf, size_t size)
{
	*buf = '\0';
	if (lock && lock - 1 < t->locks.cnt)
		place_text(n, t->locks.rows[lock - 1].sum, buf, size);
	return buf;
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
