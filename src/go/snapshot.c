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

#include "../base/clock.h"

#include "snapshot.h"

enum { SITES_MAX = 256 };	/* rows of a snapshot, without the sum of the others */

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
	s->bytes = malloc((size_t)GO_AT_ONCE * (sizes->g > GO_NEAR ? sizes->g : GO_NEAR));
	if (s->bytes)
		return s;
	go_snapshots_free(s);
	return NULL;
}

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
static int take_g(struct go_snap *s, uint64_t addr, const struct g_view *g)
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
static size_t cover_gs(struct go_snap *s, size_t cnt)
{
	struct go_snapshots *k = s->kept;
	uint32_t size = s->r->sizes.g, used = 0;
	size_t part_cnt = 0;

	for (size_t i = 0; i < cnt; i++) {
		uint64_t gap = i ? k->addrs[i] - k->addrs[i - 1] : 0;
		bool is_near = gap > 0 && gap <= GO_NEAR;

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
static int read_some_gs(struct go_snap *s, size_t cnt)
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

static int read_gs(struct go_snap *s)
{
	struct go_slots allgs;
	int err = go_read_slots(s->r, s->r->runtime->globals.allgs, &allgs);

	if (err)
		return err;
	if (allgs.cnt > GO_GS_MAX) {
		s->rec.partial += allgs.cnt - GO_GS_MAX;
		allgs.cnt = GO_GS_MAX;
	}
	for (uint64_t i = 0; i < allgs.cnt && !err; i += GO_AT_ONCE) {
		size_t cnt = allgs.cnt - i < GO_AT_ONCE ? allgs.cnt - i : GO_AT_ONCE;

		err = memory_read(s->r->pid, allgs.data + i * sizeof(uint64_t), s->kept->addrs,
				  (uint32_t)(cnt * sizeof(uint64_t)));
		if (!err)
			err = read_some_gs(s, cnt);
	}
	return err;
}

static int give_group(const struct go_snap *s, const struct go_group *g, go_put put, void *ctx)
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

static int give_groups(const struct go_snap *s, go_put put, void *ctx)
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

static int give_stacks(struct go_snap *s, const struct go_walk *walks, size_t cnt, go_put put, void *ctx)
{
	int err = 0;

	for (size_t i = 0; i < cnt && !err; i++) {
		uint32_t *id = &walks[i].group->stack;

		err = go_stacks_give(&s->kept->stacks, s->rec.tgid, &walks[i], put, ctx, id);
	}
	return err;
}

static int read_all(struct go_snap *s, struct go_walk *walks, size_t *walk_cnt)
{
	size_t rows = 0;
	int err = read_gs(s);

	if (!err)
		err = go_snap_read_ms(s);
	if (!err)
		err = go_snap_read_ps(s);
	if (!err)
		err = go_snap_read_sched(s);
	if (!err)
		err = go_snap_read_hists(s);
	if (err)
		return err;
	go_groups_sort(&s->groups);
	for (size_t i = 0; i < s->groups.cnt; i++) {
		struct go_group *g = &s->groups.all[i];

		if (!is_row(g, rows))
			continue;
		rows++;
		if (g->status == GO_WAITING || g->status == GO_LEAKED)
			walks[(*walk_cnt)++].group = g;
	}
	return go_stacks_walk(s->r, walks, *walk_cnt);
}

static int give_all(struct go_snap *s, const struct go_walk *walks, size_t walk_cnt, go_put put, void *ctx)
{
	int err = put(ctx, &s->rec, sizeof(s->rec));

	if (!err)
		err = give_stacks(s, walks, walk_cnt, put, ctx);
	if (!err)
		err = give_groups(s, put, ctx);
	return err ? err : go_snap_give_hists(s, put, ctx);
}

int go_process_snapshot(struct go_process_reader *p, uint32_t tgid, uint64_t time, go_put put, void *ctx)
{
	struct go_snap s = {
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
