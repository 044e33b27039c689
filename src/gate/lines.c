/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "lines.h"

#include <errno.h>
#include <stdlib.h>

#include "../../bpf/record.h"
#include "../base/grow.h"

enum { POINTS_MAX = 512, LINES_MAX = 4096, TASKS_MAX = 1 << 18 };

/* Threads of a process, by births and ends. */
struct thread_count {
	uint64_t now;
};

_Static_assert(GAUGE_CNT <= 32, "the mask has room for all");

void lines_init(struct lines *l, uint32_t wanted, uint64_t start_ns, uint64_t step_ns)
{
	*l = (struct lines){.wanted = wanted, .start_ns = start_ns, .step_ns = step_ns ? step_ns : 1, .stride = 1};
	u64map_init(&l->by_key, sizeof(size_t));
	u64map_init(&l->by_process, sizeof(size_t));
	u64map_init(&l->alive, sizeof(uint32_t));
	u64map_init(&l->threads, sizeof(struct thread_count));
}

void lines_done(struct lines *l)
{
	for (size_t i = 0; i < l->cnt; i++) {
		free(l->rows[i]->points);
		free(l->rows[i]);
	}
	for (size_t i = 0; i < l->process_cnt; i++) {
		free(l->processes[i]->times);
		free(l->processes[i]);
	}
	free(l->rows);
	free(l->processes);
	u64map_done(&l->by_key);
	u64map_done(&l->by_process);
	u64map_done(&l->alive);
	u64map_done(&l->threads);
	*l = (struct lines){.rows = NULL};
}

static void failed(struct lines *l)
{
	l->err = -ENOMEM;
}

static struct line_process *find_process(const struct lines *l, uint32_t tgid, bool is_kernels)
{
	const size_t *number = u64map_find(&l->by_process, (uint64_t)tgid << 1 | is_kernels);

	return number ? l->processes[*number] : NULL;
}

static struct line_process *new_process(struct lines *l, uint32_t tgid, bool is_kernels)
{
	struct line_process **grown, *p;
	size_t *number;

	if (l->process_cnt == LINES_MAX) {
		l->is_full = true;
		return NULL;
	}
	grown = grow(l->processes, l->process_cnt, &l->process_room, sizeof(*l->processes));
	if (grown)
		l->processes = grown;
	p = grown ? calloc(1, sizeof(*p)) : NULL;
	number = p ? u64map_get(&l->by_process, (uint64_t)tgid << 1 | is_kernels) : NULL;
	if (!number) {
		free(p);
		failed(l);
		return NULL;
	}
	*number = l->process_cnt;
	*p = (struct line_process){.tgid = tgid, .is_kernels = is_kernels};
	return l->processes[l->process_cnt++] = p;
}

/* Keeps every second point only. */
static void thin(struct lines *l)
{
	l->stride *= 2;
	for (size_t i = 0; i < l->cnt; i++) {
		struct line *x = l->rows[i];
		size_t cnt = 0;

		for (size_t at = 0; at < x->cnt; at++) {
			if ((x->points[at].no - 1) % l->stride == 0)
				x->points[cnt++] = x->points[at];
		}
		x->cnt = cnt;
	}
	for (size_t i = 0; i < l->process_cnt; i++) {
		struct line_process *p = l->processes[i];

		for (size_t at = 0; 2 * at < p->kept; at++)
			p->times[at] = p->times[2 * at];
		p->kept = (p->kept + 1) / 2;
	}
}

/* The number of the snapshot of that time: values of one come together. 0: no room, or no memory. */
static uint64_t snapshot_at(struct lines *l, struct line_process *p, uint64_t t_ns)
{
	uint64_t *grown;

	if (p->cnt && p->last_ns == t_ns)
		return p->cnt;
	if (!p->cnt)
		p->first_ns = t_ns;
	p->last_ns = t_ns;
	p->cnt++;
	if ((p->cnt - 1) % l->stride)
		return p->cnt;
	grown = grow(p->times, p->kept, &p->room, sizeof(*p->times));
	if (!grown) {
		failed(l);
		return 0;
	}
	p->times = grown;
	p->times[p->kept++] = t_ns;
	if (p->kept > POINTS_MAX)
		thin(l);
	return p->cnt;
}

/* Kinds of lines of a process: gauges twice, and sites. Process numbers are below 2^23. */
static uint64_t line_key(enum gauge_id id, uint32_t tgid, uint32_t site, bool is_kernels)
{
	return (uint64_t)site << 32 | (uint64_t)tgid << 8 | (uint64_t)id << 1 | is_kernels;
}

static struct line *line_of(struct lines *l, enum gauge_id id, uint32_t tgid, uint32_t site, bool is_kernels)
{
	uint64_t key = line_key(id, tgid, site, is_kernels);
	size_t *number = u64map_find(&l->by_key, key);
	struct line **grown, *x;

	if (number)
		return l->rows[*number];
	if (l->cnt == LINES_MAX) {
		l->is_full = true;
		return NULL;
	}
	grown = grow(l->rows, l->cnt, &l->room, sizeof(*l->rows));
	if (grown)
		l->rows = grown;
	x = grown ? calloc(1, sizeof(*x)) : NULL;
	number = x ? u64map_get(&l->by_key, key) : NULL;
	if (!number) {
		free(x);
		failed(l);
		return NULL;
	}
	*number = l->cnt;
	*x = (struct line){.id = id, .tgid = tgid, .site = site, .is_kernels = is_kernels};
	return l->rows[l->cnt++] = x;
}

static void add_point(struct lines *l, struct line *x, uint64_t no, uint64_t t_ns, uint64_t value)
{
	struct line_point *grown;

	x->max = value > x->max ? value : x->max;
	x->last = value;
	x->last_t_ns = t_ns;
	x->sum += (double)value;
	if ((no - 1) % l->stride)
		return;
	grown = grow(x->points, x->cnt, &x->room, sizeof(*x->points));
	if (!grown) {
		failed(l);
		return;
	}
	x->points = grown;
	x->points[x->cnt++] = (struct line_point){.no = (uint32_t)no, .value = value};
}

static void add(struct lines *l, const struct gauge *g, bool is_kernels)
{
	struct line_process *p = find_process(l, g->tgid, is_kernels);
	uint64_t no;
	struct line *x;

	if (!p)
		p = new_process(l, g->tgid, is_kernels);
	no = p ? snapshot_at(l, p, g->time_ns) : 0;
	if (!no || !(l->wanted >> g->id & 1))
		return;
	x = line_of(l, g->id, g->tgid, g->site, is_kernels);
	if (x)
		add_point(l, x, no, g->time_ns, g->value);
}

void lines_gauge(struct lines *l, const struct gauge *g)
{
	if (!l->err)
		add(l, g, false);
}

/* A point for each process's threads: as long as it has some, and one at least. */
static void look(struct lines *l, uint64_t t_ns)
{
	const struct thread_count *c;
	uint64_t tgid;
	size_t i = 0;

	while ((c = u64map_next(&l->threads, &i, &tgid)) && !l->err) {
		struct gauge g = {.id = GAUGE_THREADS, .tgid = (uint32_t)tgid, .time_ns = t_ns, .value = c->now};

		if (c->now || !find_process(l, g.tgid, true))
			add(l, &g, true);
	}
}

/* The points that are due before t_ns. What has not begun yet has none. */
static void look_until(struct lines *l, uint64_t t_ns)
{
	if (!l->next_ns)
		l->next_ns = l->start_ns;
	if (t_ns > l->next_ns && t_ns - l->next_ns > l->step_ns * 2 * POINTS_MAX)
		l->next_ns = t_ns;	/* a hostile recording's time */
	for (; l->next_ns < t_ns && !l->err; l->next_ns += l->step_ns)
		look(l, l->next_ns);
}

static void born(struct lines *l, const struct rec_task *r)
{
	uint32_t *process;
	struct thread_count *c;
	struct line *x;

	if (!r->tid || !(r->flags & TASK_TRACKED) || l->alive.cnt >= TASKS_MAX || l->threads.cnt >= LINES_MAX)
		return;
	process = u64map_get(&l->alive, r->tid);
	c = process ? u64map_get(&l->threads, r->tgid) : NULL;
	if (!c) {
		failed(l);
		return;
	}
	if (*process)
		return;		/* only its name is new */
	*process = r->tgid;
	c->now++;
	x = line_of(l, GAUGE_THREADS, r->tgid, 0, true);
	if (x && c->now > x->max)
		x->max = c->now;
}

static void ended(struct lines *l, const struct rec_task_end *r)
{
	uint32_t *process = r->exited ? u64map_find(&l->alive, r->tid) : NULL;
	struct thread_count *c = process && *process ? u64map_find(&l->threads, *process) : NULL;

	if (!c)
		return;
	c->now -= !!c->now;
	*process = 0;
}

void lines_record(struct lines *l, const struct rec_hdr *hdr)
{
	if (!(l->wanted >> GAUGE_THREADS & 1) || l->err)
		return;
	if (hdr->kind == REC_TASK_KIND && hdr->len == sizeof(struct rec_task)) {
		const struct rec_task *r = (const void *)hdr;

		look_until(l, r->time);
		born(l, r);
	} else if (hdr->kind == REC_TASK_END_KIND && hdr->len == sizeof(struct rec_task_end)) {
		const struct rec_task_end *r = (const void *)hdr;

		look_until(l, r->time);
		ended(l, r);
	}
}

int lines_finish(struct lines *l, uint64_t end_ns)
{
	if (l->threads.cnt && !l->err) {
		look_until(l, end_ns);
		look(l, end_ns);
	}
	return l->err;
}

bool line_counts(const struct lines *l, const struct line *x)
{
	return !x->is_kernels || !find_process(l, x->tgid, false);
}

uint64_t line_snapshots(const struct lines *l, const struct line *x)
{
	const struct line_process *p = find_process(l, x->tgid, x->is_kernels);

	return p ? p->cnt : 0;
}

uint64_t line_last(const struct lines *l, const struct line *x)
{
	const struct line_process *p = find_process(l, x->tgid, x->is_kernels);

	return p && p->last_ns == x->last_t_ns ? x->last : 0;
}

double line_mean(const struct lines *l, const struct line *x)
{
	uint64_t cnt = line_snapshots(l, x);

	return cnt ? x->sum / (double)cnt : 0;
}

struct point *line_points(const struct lines *l, const struct line *x, size_t *cnt)
{
	const struct line_process *p = find_process(l, x->tgid, x->is_kernels);
	struct point *points = p && p->kept ? calloc(p->kept, sizeof(*points)) : NULL;
	size_t at = 0;

	*cnt = points ? p->kept : 0;
	for (size_t i = 0; i < *cnt; i++) {
		uint64_t no = (uint64_t)i * l->stride + 1;

		points[i].t_s = (double)(int64_t)(p->times[i] - p->first_ns) / 1e9;
		while (at < x->cnt && x->points[at].no < no)
			at++;
		if (at < x->cnt && x->points[at].no == no)
			points[i].value = (double)x->points[at].value;
	}
	return points;
}
