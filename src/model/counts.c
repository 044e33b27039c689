/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "counts.h"

#include <errno.h>

#include "../../bpf/record.h"
#include "model.h"

_Static_assert(COUNT_CNT <= sizeof(((struct counts *)0)->total) / sizeof(uint64_t), "room for all");

struct eagain {
	uint64_t futex, last;
	uint32_t tgid;
	bool used;
};

struct overrun {
	uint64_t last, given;
};

struct cgroup_stats {
	struct cgroup_stat first, last;
	bool used;
};

/* No true recording has more; a hostile one shall not fill the memory. */
enum { ENTRIES_MAX = 1 << 18, TRACKED_MAX = 1 << 19 };

#define TRACKED_PROCESS (1ull << 32)

void counts_init(struct counts *c, const struct span_sink *sink)
{
	*c = (struct counts){.sink = sink};
	u64map_init(&c->eagain, sizeof(struct eagain));
	u64map_init(&c->overrun, sizeof(struct overrun));
	u64map_init(&c->tracked, 1);
	u64map_init(&c->cgstat, sizeof(struct cgroup_stats));
}

void counts_done(struct counts *c)
{
	u64map_done(&c->eagain);
	u64map_done(&c->overrun);
	u64map_done(&c->tracked);
	u64map_done(&c->cgstat);
}

static bool is_loss(uint32_t count_id)
{
	static const bool losses[COUNT_CNT] = {
#define X(number, name, loss, help) [number] = loss,
		COUNTS(X)
#undef X
	};

	return losses[count_id];
}

/* What a counter grew by happened since the counters were told before. */
int counts_count(struct counts *c, const struct rec_count *r)
{
	if (r->id >= COUNT_CNT)
		return -EBADMSG;
	if (r->time > c->time) {
		c->time_before = c->time;
		c->time = r->time;
	}
	if (is_loss(r->id) && r->value > c->total[r->id] && c->sink->loss)
		c->sink->loss(c->sink->ctx, c->time_before, c->time, r->value - c->total[r->id]);
	c->total[r->id] = r->value;
	return 0;
}

/* The entry of a futex word of a process: the map's key is a hash of both, collisions move on by one. */
static struct eagain *eagain_of(struct counts *c, uint32_t tgid, uint64_t futex)
{
	uint64_t key = futex ^ (uint64_t)tgid << 42;

	for (;; key++) {
		struct eagain *e = u64map_get(&c->eagain, key);

		if (!e || (e->used && e->tgid == tgid && e->futex == futex))
			return e;
		if (!e->used) {
			*e = (struct eagain){.futex = futex, .tgid = tgid, .used = true};
			return e;
		}
	}
}

int counts_eagain(struct counts *c, const struct rec_eagain *r)
{
	struct eagain *e;

	if (!r->tgid || c->eagain.cnt >= ENTRIES_MAX)
		return -EBADMSG;
	e = eagain_of(c, r->tgid, r->futex);
	if (!e)
		return -ENOMEM;
	if (r->count > e->last) {
		c->sink->counter(c->sink->ctx, ECOUNT_FUTEX_EAGAIN, r->tgid, r->count - e->last);
		if (c->sink->eagain)
			c->sink->eagain(c->sink->ctx, r->tgid, r->futex, r->count - e->last);
		e->last = r->count;
	}
	return 0;
}

/* Overruns of tasks that are not tracked (yet) are held back: the kernel side counts everyone's. */
static void give_overruns(struct counts *c, uint64_t key, struct overrun *o)
{
	uint32_t id = (uint32_t)key;
	bool is_thread = key >> 32 & 1;

	if (o->last <= o->given || !u64map_find(&c->tracked, is_thread ? id : id | TRACKED_PROCESS))
		return;
	c->sink->counter(c->sink->ctx, ECOUNT_OVERRUN, id, o->last - o->given);
	o->given = o->last;
}

int counts_overrun(struct counts *c, const struct rec_overrun *r)
{
	uint64_t key = r->id | (uint64_t)r->is_thread << 32 | (uint64_t)r->timer << 33;
	struct overrun *o;

	if (!r->id || r->is_thread > 1 || r->timer > TIMER_GO || c->overrun.cnt >= ENTRIES_MAX)
		return -EBADMSG;
	o = u64map_get(&c->overrun, key);
	if (!o)
		return -ENOMEM;
	o->last = r->count;
	give_overruns(c, key, o);
	return 0;
}

int counts_task(struct counts *c, const struct rec_task *r)
{
	if (!(r->flags & TASK_TRACKED) || c->tracked.cnt >= TRACKED_MAX)
		return 0;
	if (!u64map_get(&c->tracked, r->tid) || !u64map_get(&c->tracked, r->tgid | TRACKED_PROCESS))
		return -ENOMEM;
	return 0;
}

int counts_cgstat(struct counts *c, const struct rec_cgstat *r)
{
	struct cgroup_stats *s;

	if (c->cgstat.cnt >= ENTRIES_MAX)
		return -EBADMSG;
	s = u64map_get(&c->cgstat, r->id);
	if (!s)
		return -ENOMEM;
	s->last = (struct cgroup_stat){
		.id = r->id, .nr_periods = r->nr_periods, .nr_throttled = r->nr_throttled,
		.throttled_ns = r->throttled_ns,
	};
	if (!s->used)
		s->first = s->last;
	s->used = true;
	return 0;
}

static uint64_t grown(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

bool counts_cgstat_at(const struct counts *c, size_t i, struct cgroup_stat *out)
{
	const struct cgroup_stats *s = NULL;
	size_t slot = 0;
	uint64_t id;

	for (size_t n = 0; n <= i; n++) {
		s = u64map_next(&c->cgstat, &slot, &id);
		if (!s)
			return false;
	}
	*out = (struct cgroup_stat){
		.id = s->last.id,
		.nr_periods = grown(s->first.nr_periods, s->last.nr_periods),
		.nr_throttled = grown(s->first.nr_throttled, s->last.nr_throttled),
		.throttled_ns = grown(s->first.throttled_ns, s->last.throttled_ns),
	};
	return true;
}

void counts_end(struct counts *c)
{
	struct overrun *o;
	uint64_t key;
	size_t i = 0;

	while ((o = u64map_next(&c->overrun, &i, &key)))
		give_overruns(c, key, o);
	for (unsigned int id = 0; id < COUNT_CNT; id++)
		c->sink->total(c->sink->ctx, id, c->total[id]);
}
