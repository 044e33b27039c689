/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A goroutine that got to run is at most three samples: the timer that it was for, that it was runnable, and
 * what it waited for:
 *
 *	left          when      fired      readied             ran
 *	 |               |-------- drift --------|---- drift ----|
 *	 |               |  on the thread that   | on the thread |
 *	 |               |  ran the timer        | that ran it   |
 *	 |                                       |---- runq -----|
 *	 |-------------------- lock or chan ---------------------|
 *
 * A wait for a lock is one of lock.wait too.
 */
#include "goroutine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../bpf/record.h"
#include "../base/numbers.h"

/* What the garbage collector's own workers wait in until it runs: nobody readies them. */
static const char gc_worker_idle[] = "GC worker (idle)";

static void count(struct goroutines *g, enum entity_counter id, uint32_t tgid)
{
	g->threads->sink->counter(g->threads->sink->ctx, id, tgid, 1);
}

static void emit(struct goroutines *g)
{
	g->span.blame = g->threads->blame.rows;
	g->span.blame_cnt = g->threads->blame.cnt;
	g->threads->sink->span(g->threads->sink->ctx, &g->span);
}

static void clear_stages(struct goroutines *g)
{
	for (int i = 0; i < STAGE_CNT; i++)
		g->span.stage_ns[i] = 0;
}

/* What all samples of the record have in common. */
static void begin_record(struct goroutines *g, const struct rec_go *r)
{
	struct span *s = &g->span;

	s->end_ns = r->ran;
	s->tid = r->tid;
	s->tgid = r->tgid;
	s->lock = 0;
	s->goid = r->goid;
	s->label = r->labels;
	s->site = names_site(g->threads->names, r->tgid, r->startpc, r->gopc);
	s->wait_site = names_call_site(g->threads->names, r->tgid, r->stack);
	s->stack = r->stack;
	s->stack_tgid = r->stack ? r->tgid : 0;
	s->cpu = r->cpu;
	threads_describe(g->threads, s);
}

static void begin_sample(struct goroutines *g, enum metric metric, uint32_t klass, uint64_t begin_ns)
{
	g->span.metric = metric;
	g->span.klass = klass;
	g->span.begin_ns = begin_ns;
}

/* Cuts and blames the sample by its parts; false: what a thread did is not known. */
static bool cut_sample(struct goroutines *g, const struct thread_part *parts, size_t cnt)
{
	uint64_t *stage_ns = g->span.stage_ns;

	blame_reset(&g->threads->blame);
	for (size_t i = 0; i < cnt; i++) {
		if (threads_cut(g->threads, &parts[i], stage_ns))
			return false;
		threads_blame(g->threads, &parts[i]);
	}
	blame_close(&g->threads->blame, stage_ns[STAGE_RUNQ] + stage_ns[STAGE_PREEMPT]);
	return true;
}

static void emit_drift(struct goroutines *g, const struct rec_go *r)
{
	uint64_t split = clamp_u64(r->readied ? r->readied : r->fired, r->when, r->ran);
	const struct thread_part parts[] = {
		{.tid = r->fired_by, .begin_ns = r->when, .end_ns = split, .deadline_ns = r->when,
		 .rules = &cut_firing},
		{.tid = r->tid, .begin_ns = split, .end_ns = r->ran, .rules = &cut_readied},
	};

	begin_sample(g, METRIC_GOROUTINE_DRIFT, class_of_go_drift(r), r->when);
	if (cut_sample(g, parts, 2))
		emit(g);
	else
		count(g, ECOUNT_CENSORED_GO_DRIFT, r->tgid);
	clear_stages(g);
}

static void handle_timer(struct goroutines *g, const struct rec_go *r)
{
	if (r->timer == GO_TIMER_NONE)
		return;
	if (!r->when || r->when > r->ran || !(r->fired || r->readied) || !is_tid(r->fired_by))
		count(g, ECOUNT_CENSORED_GO_DRIFT, r->tgid);
	else
		emit_drift(g, r);
}

/* Who made the goroutine runnable; false: nobody that we know of. */
static bool blame_waker(struct goroutines *g, const struct rec_go *r, uint64_t ns)
{
	uint32_t site = r->waker_goid ? names_site(g->threads->names, r->tgid, r->waker_startpc, r->waker_gopc) : 0;

	if (site)
		blame_goroutine(&g->threads->blame, BLAME_WAKER, site, r->waker_goid, ns);
	else if (is_tid(r->waker))
		blame_row(&g->threads->blame, BLAME_WAKER, r->waker, ns);
	else
		return false;
	return true;
}

static void emit_runq(struct goroutines *g, const struct rec_go *r)
{
	const struct thread_part part = {
		.tid = r->tid, .begin_ns = r->readied, .end_ns = r->ran, .rules = &cut_readied,
	};

	begin_sample(g, METRIC_GOROUTINE_RUNQ, class_of_go_runq(r), r->readied);
	if (cut_sample(g, &part, 1)) {
		blame_waker(g, r, 0);
		emit(g);
	} else {
		count(g, ECOUNT_CENSORED_GO_RUNQ, r->tgid);
	}
	clear_stages(g);
}

/* The runtime's text of what the goroutine waited for last; "": not known. */
static const char *reason_of(const struct goroutines *g, const struct rec_go *r)
{
	const char *text = names_goword(g->threads->names, r->tgid, GO_WORD_REASON, r->reason);

	return text ? text : "";
}

/*
 * With the full probes there is nothing that makes a goroutine runnable unseen; with the light ones only
 * what the runtime stamped is a sample, else it would be timers alone.
 */
static void handle_runnable(struct goroutines *g, const struct rec_go *r)
{
	if (r->readied && (r->cause != GO_UNSEEN || r->sampled))
		emit_runq(g, r);
	else if (!r->readied &&
		 go_info_level(g->info, r->tgid) == GO_FULL && strcmp(reason_of(g, r), gc_worker_idle))
		count(g, ECOUNT_CENSORED_GO_RUNQ, r->tgid);
}

static void emit_wait(struct goroutines *g, const struct rec_go *r, const struct go_wait *wait)
{
	uint32_t klass = wait->klass ? wait->klass : names_sync_class(g->threads->names, r->tgid, r->stack);

	if (klass == CLASS_NONE)
		return;
	begin_sample(g, wait->metric, klass, r->left);
	if (wait->metric == METRIC_GOROUTINE_LOCK)
		g->span.lock = r->lock;
	blame_reset(&g->threads->blame);
	if (!blame_waker(g, r, r->ran - r->left))
		blame_row(&g->threads->blame, BLAME_UNKNOWN, 0, r->ran - r->left);
	emit(g);
	if (wait->metric != METRIC_GOROUTINE_LOCK || !is_lock_class(klass))
		return;
	g->span.metric = METRIC_LOCK_WAIT;
	emit(g);
}

static void handle_wait(struct goroutines *g, const struct rec_go *r)
{
	bool is_full = go_info_level(g->info, r->tgid) == GO_FULL;
	const struct go_wait *wait = NULL;

	/* of other causes it did not wait, and the reason is an older one */
	if (r->cause == GO_READIED || (r->cause == GO_UNSEEN && r->left))
		wait = class_of_go_wait(reason_of(g, r));
	if (wait && r->left)
		emit_wait(g, r, wait);
	else if (wait && is_full)	/* the light probes don't see where waits begin */
		count(g, wait->metric == METRIC_GOROUTINE_LOCK ? ECOUNT_CENSORED_GO_LOCK : ECOUNT_CENSORED_GO_CHAN,
		      r->tgid);
}

int goroutines_ran(struct goroutines *g, const struct rec_go *r)
{
	if (!is_tid(r->tid) || !is_tid(r->tgid) || !r->ran || r->readied > r->ran || r->left > r->ran ||
	    r->fired > r->ran)
		return -EBADMSG;
	if (r->cause > GO_NETPOLL || r->timer > GO_TIMER_DEADLINE || r->sampled > 1)
		return -EBADMSG;
	begin_record(g, r);
	handle_timer(g, r);
	handle_runnable(g, r);
	handle_wait(g, r);
	return 0;
}

/* The function that stopped the world, as its class: of "runtime.gcStart.func2" that is "gcStart". */
static bool stopper(const struct goroutines *g, const struct rec_stw *r, char *out, size_t size)
{
	static const char *const inside[] = {"runtime.stopTheWorld", "runtime.systemstack", "runtime.mcall"};
	static const char package[] = "runtime.";
	struct site_name frame;

	for (size_t i = 0; names_frame(g->threads->names, r->tgid, r->stack, i, &frame); i++) {
		const char *func = frame.func, *closure;
		bool is_inside = false;

		for (size_t k = 0; k < sizeof(inside) / sizeof(inside[0]); k++)
			is_inside |= !strncmp(func, inside[k], strlen(inside[k]));
		if (is_inside)
			continue;
		if (!strncmp(func, package, sizeof(package) - 1))
			func += sizeof(package) - 1;
		closure = strstr(func, ".func");
		snprintf(out, size, "%.*s", (int)(closure ? (size_t)(closure - func) : strlen(func)), func);
		return true;
	}
	return false;
}

static uint32_t class_of_stw(struct goroutines *g, const struct rec_stw *r)
{
	const char *text = names_goword(g->threads->names, r->tgid, GO_WORD_STW, r->reason);
	char func[sizeof(((struct rec_symbol *)0)->func) + 1];

	if (r->reason && text)
		return names_stw_class(g->threads->names, text);
	if (stopper(g, r, func, sizeof(func)))
		return names_stw_class(g->threads->names, func);
	return CLASS_UNKNOWN;
}

/* Who stopped last held up all others until then. */
static void blame_stopping(struct goroutines *g, const struct rec_stw *r)
{
	uint64_t ns = r->stopped - r->start;
	uint32_t site = r->last_goid ? names_site(g->threads->names, r->tgid, r->last_startpc, r->last_gopc) : 0;

	blame_reset(&g->threads->blame);
	if (site)
		blame_goroutine(&g->threads->blame, BLAME_HOLDER, site, r->last_goid, ns);
	else if (is_tid(r->last_tid))
		blame_row(&g->threads->blame, BLAME_HOLDER, r->last_tid, ns);
	else
		blame_row(&g->threads->blame, BLAME_UNKNOWN, 0, ns);
}

int goroutines_stw(struct goroutines *g, const struct rec_stw *r)
{
	struct span *s = &g->span;

	if (!is_tid(r->tid) || !is_tid(r->tgid) || !r->end || r->stopped > r->end ||
	    r->start > (r->stopped ? r->stopped : r->end))
		return -EBADMSG;
	if (!r->start || !r->stopped) {
		count(g, ECOUNT_CENSORED_STW, r->tgid);
		return 0;
	}
	begin_sample(g, METRIC_PROCESS_STW, class_of_stw(g, r), r->start);
	s->end_ns = r->end;
	s->tid = r->tid;
	s->tgid = r->tgid;
	s->lock = s->label = 0;
	s->goid = r->goid;
	s->site = 0;
	s->wait_site = names_call_site(g->threads->names, r->tgid, r->stack);
	s->stack = r->stack;
	s->stack_tgid = r->stack ? r->tgid : 0;
	s->cpu = 0;
	threads_describe(g->threads, s);
	s->stage_ns[STAGE_STOPPING] = r->stopped - r->start;
	s->stage_ns[STAGE_STOPPED] = r->end - r->stopped;
	blame_stopping(g, r);
	emit(g);
	clear_stages(g);
	return 0;
}
