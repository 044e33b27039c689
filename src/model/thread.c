/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A finished wait is at most four samples: why it ended (a waking: runq), why it began (preempt,
 * throttle, or a block or futex wait), and the timer that it was for (drift).
 *
 *	off            waking        ran		waking  off        ran
 *	 |    asleep     |  runnable  |			  | on  |  runnable  |
 *	 |               |--- runq ---|			  |----- runq -------|
 *	 |----------- block ----------|				|-- block ---|
 *
 * If a goroutine was running at off, [off, ran) is one of goroutine.offcpu too. A Go thread's sleeps are
 * pieces of its history beside the times that it was runnable: goroutines are cut by what it did. A futex wait
 * for a lock is one of lock.wait too (thread_locks.c).
 */
#include "thread.h"

#include <errno.h>

#include "thread_impl.h"

/* What is left of that many ended threads is dropped at once. */
enum { ENDED_MAX = 1 << 14 };

int threads_init(struct threads *t, const struct span_sink *sink, struct names *names, size_t piece_cnt,
		 size_t slice_cnt)
{
	int err;

	t->sink = sink;
	t->names = names;
	u64map_init(&t->by_tid, sizeof(struct thread));
	classes_init(&t->classes);
	err = history_init(&t->pieces, piece_cnt);
	if (!err)
		err = history_init(&t->sleeps, piece_cnt / 4);
	if (!err)
		err = history_init(&t->slices.history, slice_cnt);
	if (err)
		threads_done(t);
	return err;
}

void threads_done(struct threads *t)
{
	history_done(&t->slices.history);
	history_done(&t->sleeps);
	history_done(&t->pieces);
	u64map_done(&t->by_tid);
}

static bool is_sane(const struct rec_wait *w)
{
	if (!is_tid(w->tid) || !w->ran || w->off > w->ran || w->waking > w->ran || w->since > w->ran)
		return false;
	if (w->woken_by > WOKEN_NEW || w->timer > TIMER_JIFFIES || w->syscall < SYSCALL_UNKNOWN)
		return false;
	switch (w->why) {
	case WAIT_UNSEEN:
		return !w->off;
	case WAIT_ON_CPU:
		return !w->off && w->waking == w->ran;
	case WAIT_BLOCKED:
	case WAIT_PREEMPTED:
	case WAIT_THROTTLED:
		return w->off;
	default:
		return false;
	}
}

static uint64_t runnable_from(const struct rec_wait *w, bool is_woken)
{
	if (w->why == WAIT_PREEMPTED || w->why == WAIT_THROTTLED)
		return w->off;
	return is_woken ? max_u64(w->waking, w->off) : w->ran;
}

/*
 * Starts a sample of the wait. One span serves all, since zeroing a whole one for each sample costs
 * more than making it.
 */
static struct span *begin_span(struct threads *t, const struct rec_wait *w, enum metric metric, uint32_t klass,
			       uint64_t begin_ns)
{
	struct span *s = &t->span;

	s->metric = metric;
	s->klass = klass;
	s->begin_ns = begin_ns;
	s->end_ns = w->ran;
	s->tid = w->tid;
	s->tgid = w->tgid;
	s->cgroup = w->cgroup;
	s->lock = s->lock_space = 0;
	s->goid = 0;
	s->site = s->wait_site = 0;
	s->stack = s->stack_tgid = 0;
	s->holder = 0;
	s->cpu = w->cpu;
	s->prio = w->prio;
	s->policy = w->policy;
	s->of_scheduler = w->goid == GOID_SCHEDULER || w->goid == GOID_PARKED;
	return s;
}

static void emit(struct threads *t)
{
	t->span.blame = t->blame.rows;
	t->span.blame_cnt = t->blame.cnt;
	t->sink->span(t->sink->ctx, &t->span);
}

static void count(struct threads *t, enum entity_counter id, uint32_t tid, uint64_t n)
{
	if (n)
		t->sink->counter(t->sink->ctx, id, tid, n);
}

/* Blames the time runnable from begin on; what lacks of total_ns in the pieces is unknown. */
static void blame_runnable(struct threads *t, const struct wait *w, uint64_t begin_ns, uint64_t total_ns)
{
	blame_reset(&t->blame);
	if (begin_ns < w->rec->ran)
		blame_pieces(&t->blame, &t->slices, &t->pieces, w->thread->head, begin_ns, w->rec->ran);
	blame_close(&t->blame, total_ns);
}

static void emit_runq(struct threads *t, const struct wait *w, uint64_t begin_ns)
{
	const struct rec_wait *rec = w->rec;
	struct span *s = begin_span(t, rec, METRIC_THREAD_RUNQ, class_of_runq(rec), rec->waking);

	s->stage_ns[STAGE_RUNQ] = rec->ran - rec->waking;
	/* woken on its CPU, on its way out: until it left, that CPU had no competitor that we know of */
	blame_runnable(t, w, max_u64(begin_ns, rec->waking), rec->ran - rec->waking);
	if (rec->woken_by == WOKEN_TASK && rec->waker)
		blame_row(&t->blame, BLAME_WAKER, rec->waker, 0);
	emit(t);
	s->stage_ns[STAGE_RUNQ] = 0;
}

static void emit_preempt(struct threads *t, const struct wait *w, uint64_t begin_ns)
{
	begin_span(t, w->rec, METRIC_THREAD_PREEMPT, CLASS_NONE, w->rec->off);
	blame_runnable(t, w, begin_ns, w->rec->ran - w->rec->off);
	emit(t);
}

/* The quota took the time, not who ran: no rows. */
static void emit_throttle(struct threads *t, const struct rec_wait *w)
{
	begin_span(t, w, METRIC_THREAD_THROTTLE, CLASS_NONE, w->off);
	blame_reset(&t->blame);
	emit(t);
}

static void blame_blocked(struct threads *t, const struct wait *w)
{
	const struct rec_wait *rec = w->rec;
	uint64_t ns = rec->ran - rec->off;

	blame_reset(&t->blame);
	if (w->holder)
		blame_row(&t->blame, BLAME_HOLDER, w->holder, ns);
	else if (rec->woken_by == WOKEN_TASK && rec->waker)
		blame_row(&t->blame, BLAME_WAKER, rec->waker, ns);
	else
		blame_row(&t->blame, BLAME_UNKNOWN, 0, ns);
}

static void emit_blocked(struct threads *t, const struct wait *w)
{
	const struct rec_wait *rec = w->rec;
	struct span *s = begin_span(t, rec, METRIC_THREAD_BLOCK, w->klass, rec->off);

	blame_blocked(t, w);
	if (!w->is_futex) {
		emit(t);
		return;
	}
	s->metric = METRIC_THREAD_FUTEX;
	s->lock = w->lock;
	s->lock_space = w->lock_space;
	s->holder = w->holder;
	s->wait_site = w->site;
	s->stack = rec->stack;
	s->stack_tgid = rec->stack ? rec->tgid : 0;
	emit(t);
	thread_emit_lock(t, w);
}

/* The goroutine that was running at off, if there was one. */
static void emit_offcpu(struct threads *t, const struct wait *w, uint64_t begin_ns)
{
	const struct rec_wait *rec = w->rec;
	bool is_blocked = rec->why == WAIT_BLOCKED;
	struct span *s;

	if (rec->goid == GOID_NONE || rec->goid == GOID_SCHEDULER || rec->goid == GOID_PARKED || !rec->off)
		return;
	s = begin_span(t, rec, METRIC_GOROUTINE_OFFCPU, is_blocked ? CLASS_BLOCKED : CLASS_PREEMPTED, rec->off);
	s->goid = rec->goid;
	s->site = names_site(t->names, rec->tgid, rec->startpc, rec->gopc);
	if (is_blocked)
		blame_blocked(t, w);
	else if (rec->why == WAIT_PREEMPTED)
		blame_runnable(t, w, begin_ns, rec->ran - rec->off);
	else	/* the quota took it */
		blame_reset(&t->blame);
	emit(t);
}

static enum entity_counter censored_block(const struct threads *t, int syscall)
{
	if (class_of_block(&t->classes, syscall) == CLASS_FUTEX)
		return ECOUNT_CENSORED_FUTEX;
	return ECOUNT_CENSORED_BLOCK;
}

/*
 * A wait whose begin was not seen. Woken, it was asleep: in a futex or in something else, which is
 * also what an unknown system call counts as. Not woken, it was runnable all the time. A new task's
 * first run ends no wait.
 */
static void count_unseen(struct threads *t, const struct wait *w)
{
	if (!w->is_woken)
		count(t, ECOUNT_CENSORED_PREEMPT, w->rec->tid, 1);
	else if (w->rec->woken_by != WOKEN_NEW)
		count(t, censored_block(t, w->rec->syscall), w->rec->tid, 1);
}

static void emit_drift(struct threads *t, const struct wait *w)
{
	const struct rec_wait *rec = w->rec;
	const struct timeline timeline = {
		.history = &t->pieces, .head = w->thread->head, .known_from_ns = t->known_from_ns,
		.rules = &cut_drift,
	};
	const struct own_sleep sleep = {
		.off_ns = rec->why == WAIT_ON_CPU ? rec->ran : rec->off, .until_ns = w->runnable_ns,
		.due_ns = rec->due, .fired_ns = rec->fired,
	};
	struct span *s = begin_span(t, rec, METRIC_THREAD_DRIFT, class_of_drift(&t->classes, rec), rec->asked);

	if (!partition(&timeline, rec->asked, rec->ran, &sleep, s->stage_ns)) {
		blame_runnable(t, w, rec->asked, s->stage_ns[STAGE_RUNQ] + s->stage_ns[STAGE_PREEMPT]);
		emit(t);
	} else {
		count(t, ECOUNT_CENSORED_DRIFT, rec->tid, 1);
	}
	for (int i = 0; i < STAGE_CNT; i++)
		s->stage_ns[i] = 0;
}

static void handle_timer(struct threads *t, const struct wait *w)
{
	const struct rec_wait *rec = w->rec;

	if (rec->timer == TIMER_NONE)
		return;
	if (rec->timer == TIMER_JIFFIES)
		count(t, ECOUNT_JIFFIES, rec->tid, 1);
	else if (!rec->asked)
		count(t, ECOUNT_CENSORED_DRIFT, rec->tid, 1);
	else if (rec->asked > rec->ran)	/* its clock was set while it slept */
		count(t, ECOUNT_CLOCK_STEP, rec->tid, 1);
	else
		emit_drift(t, w);
}

int threads_wait(struct threads *t, const struct rec_wait *rec)
{
	struct wait w = {.rec = rec};
	uint64_t begin_ns;

	if (!is_sane(rec))
		return -EBADMSG;
	w.thread = u64map_get(&t->by_tid, rec->tid);
	if (!w.thread)
		return -ENOMEM;
	w.is_woken = rec->woken_by != WOKEN_NOT && rec->waking;
	w.runnable_ns = runnable_from(rec, w.is_woken);
	begin_ns = max_u64(w.runnable_ns, w.thread->end_ns);
	thread_find_cause(t, &w);
	thread_push(t, &w);

	if (rec->why == WAIT_PREEMPTED)
		emit_preempt(t, &w, begin_ns);
	if (rec->why == WAIT_THROTTLED)
		emit_throttle(t, rec);
	if (rec->why == WAIT_BLOCKED)
		emit_blocked(t, &w);
	if (rec->why == WAIT_UNSEEN)
		count_unseen(t, &w);
	emit_offcpu(t, &w, begin_ns);
	if (w.is_woken)
		emit_runq(t, &w, begin_ns);
	if (w.is_woken && rec->woken_by == WOKEN_TIMER)
		handle_timer(t, &w);
	return 0;
}

int threads_move(struct threads *t, const struct rec_move *r)
{
	struct thread *th;

	if (!is_tid(r->tid) || !r->start || r->start > r->end)
		return -EBADMSG;
	th = u64map_get(&t->by_tid, r->tid);
	if (!th)
		return -ENOMEM;
	if (r->start < r->end)
		history_push(&t->pieces, &th->moves, &(struct piece){
			.begin_ns = r->start, .end_ns = r->end, .by = r->by, .cpu = r->cpu,
			.steal_ns = r->steal_ns, .irq_ns = r->irq_ns, .softirq_ns = r->softirq_ns});
	return 0;
}

int threads_slice(struct threads *t, const struct rec_slice *r)
{
	if (!r->start || r->start > r->end)
		return -EBADMSG;
	if (r->start < r->end && r->cpu < BLAME_CPUS)
		history_push(&t->slices.history, &t->slices.head[r->cpu], &(struct piece){
			.begin_ns = r->start, .end_ns = r->end, .by = r->tid, .cpu = r->cpu,
			.steal_ns = r->steal_ns, .irq_ns = r->irq_ns, .softirq_ns = r->softirq_ns});
	return 0;
}

static bool has_history(const void *thread)
{
	const struct thread *t = thread;

	return t->head || t->moves || t->sleeps;
}

/* Keeps the map small through days of short-lived threads; without memory it stays as it is. */
static void drop_ended(struct threads *t)
{
	t->ended_cnt = 0;
	u64map_keep(&t->by_tid, has_history);
}

/* The next of this tid is another thread. */
static void end_thread(struct threads *t, uint32_t tid, uint64_t end_ns)
{
	struct thread *th = u64map_find(&t->by_tid, tid);

	if (!th)
		return;
	*th = (struct thread){.known_from_ns = end_ns};
	if (++t->ended_cnt > ENDED_MAX)
		drop_ended(t);
}

int threads_end(struct threads *t, const struct rec_task_end *r)
{
	if (!is_tid(r->tid) || r->open > OPEN_THROTTLED || r->exited > 1 || r->syscall < SYSCALL_UNKNOWN)
		return -EBADMSG;
	count(t, ECOUNT_WAKING, r->tid, r->waking);
	count(t, ECOUNT_WAKING_AGAIN, r->tid, r->waking_again);
	count(t, ECOUNT_WAKING_PREEMPTED, r->tid, r->waking_preempted);
	count(t, ECOUNT_LOST_WAKING, r->tid, r->lost_waking);
	count(t, ECOUNT_CENSORED_RUNQ, r->tid, r->open_wakings);
	/* woken from where was not seen: perhaps it is new and was in no wait */
	if (r->open == OPEN_BLOCKED || (r->open == OPEN_WOKEN && r->open_off))
		count(t, censored_block(t, r->syscall), r->tid, 1);
	if (r->open == OPEN_PREEMPTED)
		count(t, ECOUNT_CENSORED_PREEMPT, r->tid, 1);
	if (r->open == OPEN_THROTTLED)
		count(t, ECOUNT_CENSORED_THROTTLE, r->tid, 1);
	if (r->exited)
		end_thread(t, r->tid, r->time);
	return 0;
}
