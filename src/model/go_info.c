/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "go_info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../bpf/record.h"
#include "../base/grow.h"
#include "model.h"

/* No true recording has more; a hostile one shall not fill the memory. */
enum { PROCS_MAX = 4096, BUCKETS_MAX = 1 << 17, GROUPS_MAX = 1 << 16 };

/* Of a goroutine that waits: _Gwaiting of runtime/runtime2.go. */
enum { STATUS_WAITING = 4 };

/* Sums up to here may come of one snapshot: sites have no higher numbers. */
enum { SUMS_MAX = 1 << 15 };

struct bucket {
	uint32_t which;
	struct go_bucket b;
};

/* A rec_gosite of the last snapshot. */
struct group {
	uint32_t site, wait_site, count;
	uint8_t status, reason;
	uint64_t oldest_ns;
};

struct go_proc_info {
	uint32_t tgid, level;
	bool is_checked, has_snap;
	char version[64 + 1], why[200 + 1];
	struct rec_gosnap snap;
	struct bucket *buckets;		/* by which, lo_ns */
	size_t bucket_cnt, bucket_room;
	struct group *groups;
	size_t group_cnt, group_room;
};

_Static_assert(sizeof(((struct rec_goproc *)0)->version) == 64 && sizeof(((struct rec_goproc *)0)->why) == 200,
	       "room for an end");

void go_info_init(struct go_info *g, const struct span_sink *sink, struct names *names)
{
	*g = (struct go_info){.sink = sink, .names = names};
	u64map_init(&g->by_tgid, sizeof(uint32_t));
	u64map_init(&g->by_site, sizeof(uint32_t));
}

void go_info_done(struct go_info *g)
{
	for (size_t i = 0; i < g->proc_cnt; i++) {
		free(g->procs[i]->buckets);
		free(g->procs[i]->groups);
		free(g->procs[i]);
	}
	free(g->procs);
	free(g->sums);
	u64map_done(&g->by_tgid);
	u64map_done(&g->by_site);
}

static struct go_proc_info *find_proc(const struct go_info *g, uint32_t tgid)
{
	const uint32_t *i = u64map_find(&g->by_tgid, tgid);

	return i ? g->procs[*i] : NULL;
}

/* The process's entry, made if it is not there. 0, -EBADMSG (too many, or nobody's) or -ENOMEM. */
static int get_proc(struct go_info *g, uint32_t tgid, struct go_proc_info **out)
{
	struct go_proc_info *p = find_proc(g, tgid), **grown;
	uint32_t *index;

	if (!tgid || (!p && g->proc_cnt >= PROCS_MAX))
		return -EBADMSG;
	if (p) {
		*out = p;
		return 0;
	}
	grown = grow(g->procs, g->proc_cnt, &g->proc_room, sizeof(*g->procs));
	if (!grown)
		return -ENOMEM;
	g->procs = grown;
	p = calloc(1, sizeof(*p));
	index = p ? u64map_get(&g->by_tgid, tgid) : NULL;
	if (!index) {
		free(p);
		return -ENOMEM;
	}
	p->tgid = tgid;
	*index = (uint32_t)g->proc_cnt;
	g->procs[g->proc_cnt++] = *out = p;
	return 0;
}

int go_info_proc(struct go_info *g, const struct rec_goproc *r)
{
	struct go_proc_info *p;
	int err;

	if (r->level > GO_FULL || r->checked > 1)
		return -EBADMSG;
	err = get_proc(g, r->tgid, &p);
	if (err)
		return err;
	p->level = r->level;
	p->is_checked = r->checked;
	memcpy(p->version, r->version, sizeof(r->version));	/* one byte more stays 0 */
	memcpy(p->why, r->why, sizeof(r->why));
	return 0;
}

uint32_t go_info_level(const struct go_info *g, uint32_t tgid)
{
	const struct go_proc_info *p = find_proc(g, tgid);

	return p ? p->level : GO_OFF;
}

static void give(const struct go_info *g, enum gauge_id id, uint32_t tgid, uint32_t site, uint64_t time_ns,
		 uint64_t value)
{
	const struct gauge gauge = {.id = id, .tgid = tgid, .site = site, .time_ns = time_ns, .value = value};

	if (g->sink->gauge)
		g->sink->gauge(g->sink->ctx, &gauge);
}

void go_info_flush(struct go_info *g)
{
	for (size_t i = 0; i < g->sum_cnt; i++) {
		give(g, GAUGE_GOROUTINES_AT, g->sums_tgid, g->sums[i].site, g->sums_time, g->sums[i].all);
		give(g, GAUGE_WAITING_AT, g->sums_tgid, g->sums[i].site, g->sums_time, g->sums[i].waiting);
	}
	g->sum_cnt = 0;
	u64map_clear(&g->by_site);
}

int go_info_snap(struct go_info *g, const struct rec_gosnap *r)
{
	const struct {
		enum gauge_id id;
		uint64_t value;
	} values[] = {
		{GAUGE_GOROUTINES, r->goroutines},
		{GAUGE_GOROUTINES_RUNNABLE, r->runnable},
		{GAUGE_GOROUTINES_RUNNING, r->running},
		{GAUGE_GOROUTINES_SYSCALL, r->in_syscall},
		{GAUGE_GOROUTINES_WAITING, r->waiting},
		{GAUGE_THREADS, r->ms},
		{GAUGE_THREADS_IDLE, r->ms_idle},
		{GAUGE_THREADS_SPINNING, r->ms_spinning},
		{GAUGE_THREADS_SYSCALL, r->ms_syscall},
		{GAUGE_THREADS_LOCKED, r->ms_locked},
		{GAUGE_PROCS, r->ps},
		{GAUGE_PROCS_IDLE, r->ps_idle},
		{GAUGE_PROCS_RUNNING, r->ps_running},
		{GAUGE_PROCS_SYSCALL, r->ps_syscall},
		{GAUGE_PROCS_STOPPED, r->ps_stopped},
		{GAUGE_RUNQ_GLOBAL, r->runq_global},
		{GAUGE_RUNQ_LOCAL, r->runq_local},
		{GAUGE_TIMERS, r->timers},
		{GAUGE_TIMERS_MAX, r->timers_max},
		{GAUGE_GC_CYCLES, r->gc_cycles},
		{GAUGE_SCHED_TICKS, r->sched_ticks},
		{GAUGE_MUTEX_WAIT, r->mutex_wait_ns},
	};
	struct go_proc_info *p;
	int err = get_proc(g, r->tgid, &p);

	if (err)
		return err;
	go_info_flush(g);
	p->snap = *r;
	g->group_cnt -= p->group_cnt;
	p->group_cnt = 0;
	p->has_snap = true;
	g->sums_tgid = r->tgid;
	g->sums_time = r->time;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (values[i].id != GAUGE_GC_CYCLES || values[i].value)	/* 0: not known */
			give(g, values[i].id, r->tgid, 0, r->time, values[i].value);
	}
	return 0;
}

/* Keeps it for the report; what there is no room for is in the gauges all the same. 0 or -ENOMEM. */
static int add_group(struct go_info *g, struct go_proc_info *p, uint32_t site, const struct rec_gosite *r)
{
	struct group *grown;

	if (g->group_cnt >= GROUPS_MAX)
		return 0;
	grown = grow(p->groups, p->group_cnt, &p->group_room, sizeof(*p->groups));
	if (!grown)
		return -ENOMEM;
	p->groups = grown;
	p->groups[p->group_cnt++] = (struct group){
		.site = site, .wait_site = names_call_site(g->names, r->tgid, r->stack), .count = r->count,
		.status = (uint8_t)r->status, .reason = (uint8_t)r->reason, .oldest_ns = r->oldest_ns,
	};
	g->group_cnt++;
	return 0;
}

/* Nonsense without its snapshot before it. */
int go_info_site(struct go_info *g, const struct rec_gosite *r)
{
	struct site_sum *grown, *sum;
	uint32_t site, *index;

	if (!r->tgid || r->tgid != g->sums_tgid || r->time != g->sums_time || g->sum_cnt >= SUMS_MAX)
		return -EBADMSG;
	grown = grow(g->sums, g->sum_cnt, &g->sum_room, sizeof(*g->sums));
	if (!grown)
		return -ENOMEM;
	g->sums = grown;
	site = names_site(g->names, r->tgid, r->startpc, r->gopc);
	index = u64map_find(&g->by_site, site);
	if (!index) {
		index = u64map_get(&g->by_site, site);
		if (!index)
			return -ENOMEM;
		*index = (uint32_t)g->sum_cnt;
		g->sums[g->sum_cnt++] = (struct site_sum){.site = site};
	}
	sum = &g->sums[*index];
	sum->all += r->count;
	if (r->status == STATUS_WAITING)
		sum->waiting += r->count;
	return add_group(g, find_proc(g, r->tgid), site, r);
}

/* Where a bucket is, or belongs. */
static size_t place_of(const struct go_proc_info *p, uint32_t which, uint64_t lo_ns)
{
	size_t lo = 0, hi = p->bucket_cnt;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct bucket *b = &p->buckets[mid];

		if (b->which < which || (b->which == which && b->b.lo_ns < lo_ns))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Puts a new bucket at its place. */
static int add_bucket(struct go_info *g, struct go_proc_info *p, size_t i, const struct bucket *b)
{
	struct bucket *grown;

	if (g->bucket_cnt >= BUCKETS_MAX)
		return -EBADMSG;
	grown = grow(p->buckets, p->bucket_cnt, &p->bucket_room, sizeof(*p->buckets));
	if (!grown)
		return -ENOMEM;
	p->buckets = grown;
	memmove(&grown[i + 1], &grown[i], (p->bucket_cnt - i) * sizeof(*b));
	grown[i] = *b;
	p->bucket_cnt++;
	g->bucket_cnt++;
	return 0;
}

int go_info_hist(struct go_info *g, const struct rec_gohist *r)
{
	const struct bucket b = {
		.which = r->which, .b = {.lo_ns = r->lo_ns, .hi_ns = r->hi_ns, .count = r->count},
	};
	struct go_proc_info *p;
	size_t i;
	int err;

	if (r->which < GO_HIST_RUN || r->which > GO_HIST_STW_TOTAL_OTHER || r->hi_ns < r->lo_ns)
		return -EBADMSG;
	err = get_proc(g, r->tgid, &p);
	if (err)
		return err;
	i = place_of(p, r->which, r->lo_ns);
	if (i == p->bucket_cnt || p->buckets[i].which != r->which || p->buckets[i].b.lo_ns != r->lo_ns)
		return add_bucket(g, p, i, &b);
	p->buckets[i].b.count += r->count;
	return 0;
}

bool go_info_at(const struct go_info *g, size_t i, struct go_process *out)
{
	const struct go_proc_info *p;

	if (i >= g->proc_cnt)
		return false;
	p = g->procs[i];
	*out = (struct go_process){
		.tgid = p->tgid, .level = p->level, .checked = p->is_checked, .version = p->version, .why = p->why,
		.snap = p->has_snap ? &p->snap : NULL, .hist_cnt = p->bucket_cnt,
	};
	return true;
}

bool go_info_group(const struct go_info *g, uint32_t tgid, size_t i, struct go_group *out)
{
	const struct go_proc_info *p = find_proc(g, tgid);
	const struct group *group;

	if (!p || i >= p->group_cnt)
		return false;
	group = &p->groups[i];
	*out = (struct go_group){
		.site = group->site, .wait_site = group->wait_site, .is_waiting = group->status == STATUS_WAITING,
		.count = group->count, .oldest_ns = group->oldest_ns,
	};
	if (out->is_waiting)
		out->reason = names_goword(g->names, tgid, GO_WORD_REASON, group->reason);
	return true;
}

bool go_info_bucket(const struct go_info *g, uint32_t tgid, uint32_t which, size_t i, struct go_bucket *out)
{
	const struct go_proc_info *p = find_proc(g, tgid);
	size_t first;

	if (!p)
		return false;
	first = place_of(p, which, 0);
	if (i >= p->bucket_cnt - first || p->buckets[first + i].which != which)
		return false;
	*out = p->buckets[first + i].b;
	return true;
}
