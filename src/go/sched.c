/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The Ms, the Ps and what is global in the scheduler. */
#include <errno.h>
#include <stdlib.h>

#include "snapshot.h"

enum {
	MS_AT_ONCE = 128,
	P_RUNQ = 256,		/* slots of a P's queue: runtime2.go */
	SLICE_TRIES = 3,
};

/* Statuses of Ps: runtime2.go. */
enum p_status { P_IDLE = 0, P_RUNNING = 1, P_SYSCALL = 2, P_GCSTOP = 3 };

/* It is written word by word: it is right if it reads the same twice. */
int go_read_slots(const struct go_process_reader *r, uint64_t global, struct go_slots *out)
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

struct m_at {
	uint64_t addr;
	struct m_view m;
};

/*
 * An m whose goroutine is a dead one waits for a C thread to call Go: it is no thread, and locked only in
 * name. A thread in C code is in a system call, too, for the runtime.
 */
static int count_m(struct go_snap *s, const struct m_at *m, uint32_t status)
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

static int count_ms(struct go_snap *s, const struct m_at *ms, size_t cnt)
{
	uint16_t offset = s->r->runtime->layout.g_status;
	struct memory_part *parts = s->kept->parts;
	uint32_t statuses[MS_AT_ONCE];
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

int go_snap_read_ms(struct go_snap *s)
{
	struct m_at ms[MS_AT_ONCE];
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

static void count_p(struct go_snap *s, uint32_t no, const struct p_view *p)
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

static int read_some_ps(struct go_snap *s, uint32_t first, uint32_t cnt)
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

int go_snap_read_ps(struct go_snap *s)
{
	enum { PS_AT_ONCE = GO_AT_ONCE / 5 };	/* so many parts has each */
	struct go_slots allp;
	int err = go_read_slots(s->r, s->r->runtime->globals.allp, &allp);

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

int go_snap_read_sched(struct go_snap *s)
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
	struct memory_part parts[sizeof(fields) / sizeof(*fields)];
	size_t cnt = 0;
	int err;

	if (!globals->sched)
		return -ENOENT;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (fields[i].offset != GO_NO_OFFSET)
			parts[cnt++] = (struct memory_part){globals->sched + s->r->bias + fields[i].offset,
							    fields[i].to, fields[i].len, false};
	err = memory_read_parts(s->r->pid, parts, cnt);
	read_global(s->r, globals->gc_cycles, &s->rec.gc_cycles, sizeof(s->rec.gc_cycles));
	return err;
}
