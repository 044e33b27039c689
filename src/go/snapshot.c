/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The scheduler of a Go process at one moment, or nearly: goroutines, Ms and Ps are read one after the other
 * while the process runs, so their counts may differ by what happened meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "groups.h"
#include "reader.h"
#include "stacks.h"

enum {
	AT_ONCE = 1024,			/* goroutines or Ms that are read in one go */
	SITES_MAX = 256,		/* rows of a snapshot, without the sum of the others */
	HIST_MAX = 720,			/* buckets of a runtime.timeHistogram, until 1.19; later 160 */
	NEAR = 512,			/* bytes from a g to the next one in memory, if they are neighbours */
	SLICE_TRIES = 3,
	P_RUNQ = 256,			/* slots of a P's queue: runtime2.go */
};

/* Statuses of Ps: runtime2.go. */
enum p_status { P_IDLE = 0, P_RUNNING = 1, P_SYSCALL = 2, P_GCSTOP = 3 };

#define HISTS(X) \
	X(sched_timeToRun, GO_HIST_RUN) \
	X(sched_stwStoppingTimeGC, GO_HIST_STW_STOPPING_GC) \
	X(sched_stwStoppingTimeOther, GO_HIST_STW_STOPPING_OTHER) \
	X(sched_stwTotalTimeGC, GO_HIST_STW_TOTAL_GC) \
	X(sched_stwTotalTimeOther, GO_HIST_STW_TOTAL_OTHER)

static const struct {
	size_t offset;		/* in struct go_layout */
	enum go_hist which;
} hists[] = {
#define X(field, which) {offsetof(struct go_layout, field), which},
	HISTS(X)
#undef X
};

enum { HIST_CNT = sizeof(hists) / sizeof(*hists) };

struct hist {
	bool is_read;		/* counts is what it had */
	uint64_t counts[HIST_MAX];
};

struct go_snapshots {
	uint64_t addrs[AT_ONCE];
	uint32_t at[AT_ONCE];	/* where in bytes they are */
	uint16_t part_of[AT_ONCE];
	struct memory_part parts[AT_ONCE];
	uint8_t *bytes;		/* of AT_ONCE gs, and what is between them */
	uint32_t ticks[GO_PS_MAX];	/* of the Ps, as last read */
	uint64_t ticks_sum;
	struct hist hists[HIST_CNT];
	struct go_stacks stacks;
};

void go_snapshots_free(struct go_snapshots *s)
{
	if (!s)
		return;
	free(s->bytes);
	go_stacks_done(&s->stacks);
	free(s);
}

struct go_snapshots *go_snapshots_new(const struct view_sizes *sizes)
{
	struct go_snapshots *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	go_stacks_init(&s->stacks);
	s->bytes = malloc((size_t)AT_ONCE * (sizes->g > NEAR ? sizes->g : NEAR));
	if (s->bytes)
		return s;
	go_snapshots_free(s);
	return NULL;
}

/* One snapshot in the making. */
struct snap {
	struct go_process_reader *r;
	struct go_snapshots *kept;
	struct rec_gosnap rec;
	struct go_groups groups;
	struct u64map in_syscall;	/* addresses of Ms */
	struct hist now[HIST_CNT];
};

static void count_status(struct rec_gosnap *rec, uint32_t status)
{
	static const uint16_t sums[GO_STATUS_CNT] = {
		[GO_RUNNABLE] = offsetof(struct rec_gosnap, runnable),
		[GO_RUNNING] = offsetof(struct rec_gosnap, running),
		[GO_SYSCALLING] = offsetof(struct rec_gosnap, in_syscall),
		[GO_WAITING] = offsetof(struct rec_gosnap, waiting),
		[GO_COPYSTACK] = offsetof(struct rec_gosnap, running),
		[GO_PREEMPTED_G] = offsetof(struct rec_gosnap, waiting),
		[GO_LEAKED] = offsetof(struct rec_gosnap, waiting),
	};

	rec->goroutines++;
	++*(uint32_t *)((char *)rec + sums[status]);
}

/*
 * waitreason and waitsince are left over from the last wait where a goroutine does not wait. The garbage
 * collector sets waitsince, to the end of its cycle before: what a goroutine dump says, too.
 */
static int take_g(struct snap *s, uint64_t addr, const struct g_view *g)
{
	bool waits = g->status == GO_WAITING || g->status == GO_LEAKED;
	bool has_since = (waits || g->status == GO_SYSCALLING) && g->waitsince < s->rec.time;
	const struct go_group group = {
		.startpc = g->startpc, .gopc = g->gopc, .labels = g->labels,
		.status = g->status, .reason = waits ? g->reason : 0,
		.since = has_since ? g->waitsince : 0,
		.g = addr, .sp = g->sp, .pc = g->pc, .bp = g->bp,
		.stack_lo = g->stack_lo, .stack_hi = g->stack_hi,
	};

	if (!is_alive(g->status))
		return 0;
	count_status(&s->rec, g->status);
	return go_groups_add(&s->groups, &group);
}

/* How many parts cover the gs in kept->addrs: neighbours in one piece, which costs a third. */
static size_t cover_gs(struct snap *s, size_t cnt)
{
	struct go_snapshots *k = s->kept;
	uint32_t size = s->r->sizes.g, used = 0;
	size_t part_cnt = 0;

	for (size_t i = 0; i < cnt; i++) {
		uint64_t gap = i ? k->addrs[i] - k->addrs[i - 1] : 0;
		bool is_near = gap > 0 && gap <= NEAR;

		k->at[i] = is_near ? k->at[i - 1] + (uint32_t)gap : used;
		used = k->at[i] + size;
		if (is_near)
			k->parts[part_cnt - 1].len += (uint32_t)gap;
		else
			k->parts[part_cnt++] = (struct memory_part){k->addrs[i], k->bytes + k->at[i], size, false};
		k->part_of[i] = (uint16_t)(part_cnt - 1);
	}
	return part_cnt;
}

/* The goroutines whose addresses are in kept->addrs. */
static int read_some_gs(struct snap *s, size_t cnt)
{
	struct go_snapshots *k = s->kept;
	int err = memory_read_parts(s->r->pid, k->parts, cover_gs(s, cnt));

	for (size_t i = 0; i < cnt && !err; i++) {
		struct g_view g;

		if (k->parts[k->part_of[i]].is_read)
			g = g_view(s->r, k->bytes + k->at[i]);
		if (k->parts[k->part_of[i]].is_read && is_possible(&g))
			err = take_g(s, k->addrs[i], &g);
		else
			s->rec.partial++;
	}
	return err;
}

/* A slice that grows is written word by word: it is right if it reads the same twice. */
static int read_stable_slots(const struct go_process_reader *r, uint64_t global, struct go_slots *out)
{
	struct go_slots again;
	int err = read_slots(r, global, out);

	for (int i = 0; !err && i < SLICE_TRIES; i++) {
		err = read_slots(r, global, &again);
		if (err || (again.data == out->data && again.cnt == out->cnt))
			break;
		*out = again;
	}
	return err;
}

static int read_gs(struct snap *s)
{
	struct go_slots allgs;
	int err = read_stable_slots(s->r, s->r->runtime->globals.allgs, &allgs);

	if (err)
		return err;
	if (allgs.cnt > GO_GS_MAX) {
		s->rec.partial += allgs.cnt - GO_GS_MAX;
		allgs.cnt = GO_GS_MAX;
	}
	for (uint64_t i = 0; i < allgs.cnt && !err; i += AT_ONCE) {
		size_t cnt = allgs.cnt - i < AT_ONCE ? allgs.cnt - i : AT_ONCE;

		err = memory_read(s->r->pid, allgs.data + i * sizeof(uint64_t), s->kept->addrs,
				  (uint32_t)(cnt * sizeof(uint64_t)));
		if (!err)
			err = read_some_gs(s, cnt);
	}
	return err;
}

struct m_at {
	uint64_t addr;
	struct m_view m;
};

/*
 * An m whose goroutine is a dead one waits for a C thread to call Go: it is no thread, and locked only in
 * name. A thread in C code is in a system call, too, for the runtime.
 */
static int count_m(struct snap *s, const struct m_at *m, uint32_t status)
{
	struct rec_gosnap *rec = &s->rec;

	if (!is_alive(status))
		return 0;
	rec->ms++;
	rec->ms_spinning += m->m.is_spinning;
	rec->ms_locked += m->m.lockedg != 0;
	if (status != GO_SYSCALLING)
		return 0;
	rec->ms_syscall++;
	return u64map_get(&s->in_syscall, m->addr) ? 0 : -ENOMEM;
}

static int count_ms(struct snap *s, const struct m_at *ms, size_t cnt)
{
	uint16_t offset = s->r->runtime->layout.g_status;
	struct memory_part *parts = s->kept->parts;
	uint32_t statuses[AT_ONCE];
	size_t part_cnt = 0;
	int err;

	for (size_t i = 0; i < cnt; i++)
		if (ms[i].m.curg)
			parts[part_cnt++] = (struct memory_part){ms[i].m.curg + offset, &statuses[i],
								 sizeof(*statuses), false};
	err = memory_read_parts(s->r->pid, parts, part_cnt);
	part_cnt = 0;
	for (size_t i = 0; i < cnt && !err; i++) {
		bool has_status = ms[i].m.curg && parts[part_cnt++].is_read;

		err = count_m(s, &ms[i], has_status ? statuses[i] & ~(uint32_t)GO_STATUS_SCAN : GO_RUNNING);
	}
	return err;
}

static int read_ms(struct snap *s)
{
	struct m_at ms[AT_ONCE / 8];
	uint8_t bytes[GO_VIEW_MAX];
	uint64_t addr;
	size_t cnt = 0;
	int err = read_global(s->r, s->r->runtime->globals.allm, &addr, sizeof(addr));

	for (size_t seen = 0; !err && addr && seen < GO_MS_MAX; seen++) {
		/* An m that ended is freed later: what it leads to is not lost for long. */
		if (memory_read(s->r->pid, addr, bytes, s->r->sizes.m))
			break;
		ms[cnt++] = (struct m_at){addr, m_view(s->r, bytes)};
		addr = ms[cnt - 1].m.next;
		if (cnt < sizeof(ms) / sizeof(*ms) && addr)
			continue;
		err = count_ms(s, ms, cnt);
		cnt = 0;
	}
	return err ? err : count_ms(s, ms, cnt);
}

struct p_view {
	uint32_t head[6];	/* id, status, ..., schedtick */
	uint32_t runq[2];	/* head and tail, that wrap */
	uint64_t m, runnext, timers;
};

static void count_p(struct snap *s, uint32_t no, const struct p_view *p)
{
	struct rec_gosnap *rec = &s->rec;
	uint32_t queued = p->runq[1] - p->runq[0], tick = p->head[4], *last = &s->kept->ticks[no];
	/* From 1.26 on a P stays with its M in a system call, and has no status for it. */
	bool in_syscall = p->head[1] == P_SYSCALL ||
			  (p->head[1] == P_RUNNING && u64map_find(&s->in_syscall, p->m));

	rec->ps_idle += p->head[1] == P_IDLE;
	rec->ps_syscall += in_syscall;
	rec->ps_running += p->head[1] == P_RUNNING && !in_syscall;
	rec->ps_stopped += p->head[1] == P_GCSTOP;
	rec->runq_local += (queued <= P_RUNQ ? queued : 0) + (p->runnext != 0);
	if (p->timers < UINT32_MAX - rec->timers) {
		rec->timers += (uint32_t)p->timers;
		if (p->timers > rec->timers_max)
			rec->timers_max = (uint32_t)p->timers;
	}
	s->kept->ticks_sum += (uint32_t)(tick - *last);
	*last = tick;
}

static int read_some_ps(struct snap *s, uint32_t first, uint32_t cnt)
{
	const struct go_layout *at = &s->r->runtime->layout;
	const struct {
		uint16_t offset, to, len;
	} fields[] = {
		{0, offsetof(struct p_view, head), sizeof(((struct p_view *)0)->head)},
		{at->p_m, offsetof(struct p_view, m), 8},
		{at->p_runqhead, offsetof(struct p_view, runq), 8},
		{at->p_runnext, offsetof(struct p_view, runnext), 8},
		{at->p_timers_len, offsetof(struct p_view, timers), 8},
	};
	enum { FIELD_CNT = sizeof(fields) / sizeof(*fields) };
	struct p_view *ps = calloc(cnt, sizeof(*ps));
	struct memory_part *part = s->kept->parts;
	int err;

	if (!ps)
		return -ENOMEM;
	for (uint32_t i = 0; i < cnt; i++)
		for (int f = 0; f < FIELD_CNT; f++)
			if (fields[f].offset != GO_NO_OFFSET)
				*part++ = (struct memory_part){s->kept->addrs[i] + fields[f].offset,
							       (char *)&ps[i] + fields[f].to, fields[f].len, false};
	err = memory_read_parts(s->r->pid, s->kept->parts, (size_t)(part - s->kept->parts));
	for (uint32_t i = 0; i < cnt && !err; i++)
		if (ps[i].head[0] == first + i)
			count_p(s, first + i, &ps[i]);
	free(ps);
	return err;
}

static int read_ps(struct snap *s)
{
	enum { PS_AT_ONCE = AT_ONCE / 5 };	/* so many parts has each */
	struct go_slots allp;
	int err = read_stable_slots(s->r, s->r->runtime->globals.allp, &allp);

	if (err)
		return err;
	if (allp.cnt > GO_PS_MAX)
		allp.cnt = GO_PS_MAX;
	s->rec.ps = (uint32_t)allp.cnt;
	for (uint32_t i = 0; i < allp.cnt && !err; i += PS_AT_ONCE) {
		uint32_t cnt = allp.cnt - i < PS_AT_ONCE ? (uint32_t)allp.cnt - i : PS_AT_ONCE;

		err = memory_read(s->r->pid, allp.data + i * sizeof(uint64_t), s->kept->addrs,
				  cnt * (uint32_t)sizeof(uint64_t));
		if (!err)
			err = read_some_ps(s, i, cnt);
	}
	s->rec.sched_ticks = s->kept->ticks_sum;
	return err;
}

static uint16_t offset_at(const struct go_layout *at, size_t where)
{
	uint16_t offset;

	memcpy(&offset, (const char *)at + where, sizeof(offset));
	return offset;
}

static int read_sched(struct snap *s)
{
	const struct go_globals *globals = &s->r->runtime->globals;
	const struct go_layout *at = &s->r->runtime->layout;
	const struct {
		uint16_t offset, len;
		void *to;
	} fields[] = {
		{at->sched_nmidle, 4, &s->rec.ms_idle},
		{at->sched_runqsize, 4, &s->rec.runq_global},
		{at->sched_gcwaiting, 1, &s->rec.gc_waiting},	/* a uint32 until 1.19, then a bool */
		{at->sched_totalMutexWaitTime, 8, &s->rec.mutex_wait_ns},
	};
	struct memory_part parts[sizeof(fields) / sizeof(*fields) + HIST_CNT];
	uint32_t hist_cnt = go_runtime_hist_cnt(at);
	size_t cnt = 0;
	int err;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (fields[i].offset != GO_NO_OFFSET)
			parts[cnt++] = (struct memory_part){globals->sched + s->r->bias + fields[i].offset,
							    fields[i].to, fields[i].len, false};
	err = memory_read_parts(s->r->pid, parts, cnt);
	for (size_t i = 0; i < HIST_CNT && !err && hist_cnt <= HIST_MAX; i++) {
		uint16_t offset = offset_at(at, hists[i].offset);

		if (offset == GO_NO_OFFSET)
			continue;
		err = memory_read(s->r->pid, globals->sched + s->r->bias + offset, s->now[i].counts, hist_cnt * 8);
		s->now[i].is_read = !err;
	}
	read_global(s->r, globals->gc_cycles, &s->rec.gc_cycles, sizeof(s->rec.gc_cycles));
	return err;
}

/* What the buckets grew by. Each is written by itself: a count that fell is a read that went wrong. */
static int give_hist(struct snap *s, size_t no, go_put put, void *ctx)
{
	const struct hist *now = &s->now[no];
	struct hist *last = &s->kept->hists[no];
	int err = 0;

	for (uint32_t i = 0; i < HIST_MAX && last->is_read && !err; i++) {
		struct rec_gohist rec = {
			.hdr = {REC_GOHIST_KIND, sizeof(rec)}, .tgid = s->rec.tgid, .time = s->rec.time,
			.count = now->counts[i] - last->counts[i], .which = hists[no].which,
		};
		uint64_t lo, hi;

		if (now->counts[i] <= last->counts[i] || !go_runtime_hist_bucket(&s->r->runtime->layout, i, &lo, &hi))
			continue;
		rec.lo_ns = lo;
		rec.hi_ns = hi;
		err = put(ctx, &rec, sizeof(rec));
	}
	*last = *now;
	return err;
}

static int give_group(const struct snap *s, const struct go_group *g, go_put put, void *ctx)
{
	const struct rec_gosite rec = {
		.hdr = {REC_GOSITE_KIND, sizeof(rec)}, .tgid = s->rec.tgid, .time = s->rec.time,
		.startpc = g->startpc, .gopc = g->gopc, .labels = g->labels,
		.oldest_ns = g->since ? s->rec.time - g->since : 0,
		.count = g->cnt, .stack = g->stack, .status = g->status, .reason = g->reason,
	};

	return put(ctx, &rec, sizeof(rec));
}

/* Goroutines that C threads brought have no creation site: they are with the small ones. */
static bool is_row(const struct go_group *g, size_t rows)
{
	return rows < SITES_MAX && (g->startpc || g->gopc);
}

static int give_groups(const struct snap *s, go_put put, void *ctx)
{
	struct go_group rest = {.cnt = 0};
	size_t rows = 0;
	int err = 0;

	for (size_t i = 0; i < s->groups.cnt && !err; i++) {
		const struct go_group *g = &s->groups.all[i];

		if (is_row(g, rows)) {
			rows++;
			err = give_group(s, g, put, ctx);
			continue;
		}
		rest.cnt += g->cnt;
		if (g->since && (!rest.since || g->since < rest.since))
			rest.since = g->since;
	}
	return err || !rest.cnt ? err : give_group(s, &rest, put, ctx);
}

static int give_stacks(struct snap *s, const struct go_walk *walks, size_t cnt, go_put put, void *ctx)
{
	int err = 0;

	for (size_t i = 0; i < cnt && !err; i++) {
		struct go_group *g = (struct go_group *)walks[i].group;

		err = go_stacks_give(&s->kept->stacks, s->rec.tgid, &walks[i], put, ctx, &g->stack);
	}
	return err;
}

static int read_all(struct snap *s, struct go_walk *walks, size_t *walk_cnt)
{
	size_t rows = 0;
	int err = read_gs(s);

	if (!err)
		err = read_ms(s);
	if (!err)
		err = read_ps(s);
	if (!err)
		err = read_sched(s);
	if (err)
		return err;
	go_groups_sort(&s->groups);
	for (size_t i = 0; i < s->groups.cnt; i++) {
		const struct go_group *g = &s->groups.all[i];

		if (!is_row(g, rows))
			continue;
		rows++;
		if (g->status == GO_WAITING || g->status == GO_LEAKED)
			walks[(*walk_cnt)++].group = g;
	}
	return go_stacks_walk(s->r, walks, *walk_cnt);
}

static int give_all(struct snap *s, const struct go_walk *walks, size_t walk_cnt, go_put put, void *ctx)
{
	int err = put(ctx, &s->rec, sizeof(s->rec));

	if (!err)
		err = give_stacks(s, walks, walk_cnt, put, ctx);
	if (!err)
		err = give_groups(s, put, ctx);
	for (size_t i = 0; i < HIST_CNT && !err; i++)
		err = give_hist(s, i, put, ctx);
	return err;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int go_process_snapshot(struct go_process_reader *p, uint32_t tgid, uint64_t time, go_put put, void *ctx)
{
	struct snap s = {
		.r = p, .kept = p->snapshots,
		.rec = {.hdr = {REC_GOSNAP_KIND, sizeof(s.rec)}, .tgid = tgid, .time = time},
	};
	struct go_walk *walks = calloc(SITES_MAX, sizeof(*walks));
	uint64_t start = now_ns();
	size_t walk_cnt = 0;
	int err;

	if (!walks)
		return -ENOMEM;
	u64map_init(&s.in_syscall, 1);
	err = faccessat(p->proc, "stat", F_OK, 0) ? -ESRCH : read_all(&s, walks, &walk_cnt);
	s.rec.took_ns = now_ns() - start;
	if (!err)
		err = give_all(&s, walks, walk_cnt, put, ctx);
	else if (err != -ESRCH && err != -ENOMEM)
		err = -EIO;
	u64map_done(&s.in_syscall);
	go_groups_done(&s.groups);
	free(walks);
	return err;
}
