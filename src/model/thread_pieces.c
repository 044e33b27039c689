/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What threads did, as pieces of the history. */
#include "thread_impl.h"

/* Kernel priority of nice 0: of threads that were not seen to wait (DEFAULT_PRIO of linux/sched/prio.h). */
enum { PRIO_DEFAULT = 120 };

static enum stage stage_of(const struct rec_wait *w)
{
	if (w->why == WAIT_PREEMPTED)
		return STAGE_PREEMPT;
	return w->why == WAIT_THROTTLED ? STAGE_THROTTLE : STAGE_RUNQ;
}

static void push_piece(struct threads *t, struct thread *th, const struct piece *p)
{
	history_push(&t->pieces, &th->head, p);
	th->end_ns = p->end_ns;
}

static void push_unknown(struct threads *t, struct thread *th, uint64_t end_ns, enum stage stage)
{
	if (th->end_ns < end_ns)
		push_piece(t, th, &(struct piece){.begin_ns = th->end_ns, .end_ns = end_ns, .by = BY_UNKNOWN,
						  .stage = stage});
}

/* The pieces before the last: the moves that were seen, unknown between them. */
static void push_moves(struct threads *t, struct thread *th, const struct rec_wait *w, enum stage stage)
{
	struct history_walk walk = history_from(&t->pieces, th->moves);
	const struct piece *p;
	struct piece moves[UINT8_MAX];
	int n = 0;

	while (n < w->moves && (p = history_older(&walk)))
		moves[n++] = *p;
	while (n-- > 0) {
		struct piece *m = &moves[n];

		/* of a wait whose record was lost, or nonsense */
		if (m->begin_ns < th->end_ns || m->end_ns > w->since)
			continue;
		push_unknown(t, th, m->begin_ns, stage);
		m->stage = stage;
		push_piece(t, th, m);
	}
	push_unknown(t, th, w->since, stage);
}

static uint32_t distance(uint64_t from, uint64_t to)
{
	return to <= from ? 0 : to - from > UINT32_MAX ? UINT32_MAX : (uint32_t)(to - from);
}

/* Fills in the timer of a sleep that ends at p->end_ns. */
static void set_timer(struct piece *p, const struct rec_wait *w)
{
	uint64_t end = p->end_ns, fired, due;

	if (w->woken_by == WOKEN_TIMER && w->asked) {
		fired = w->fired && w->fired < end ? w->fired : end;
		due = w->due && w->due < fired ? w->due : w->due ? fired : w->asked;
		p->kind = PIECE_SLEEP_TIMER;
		p->wake_ns = distance(fired, end);
		p->late_ns = distance(due, fired);
		p->slack_ns = distance(w->asked, due);
	} else if (w->until) {
		p->kind = PIECE_SLEEP_UNTIL;
		p->left_ns = distance(end, w->until);
		p->over_ns = distance(w->until, end);
	}
}

/*
 * Adds the wait's sleep to the pieces of a Go thread. Of a first wakeup nobody knows yet whose thread it
 * is; it slept since before anything was seen. A new thread was not there before: as good as asleep.
 */
static void push_sleep(struct threads *t, struct wait *w)
{
	const struct rec_wait *rec = w->rec;
	struct thread *th = w->thread;
	struct piece p = {.end_ns = w->runnable_ns, .cpu = rec->cpu, .kind = PIECE_SLEEP};

	if (rec->goid != GOID_NONE)
		th->is_go = true;
	if (rec->why == WAIT_UNSEEN && !w->is_woken)
		th->known_from_ns = rec->ran;
	if (rec->why == WAIT_UNSEEN ? !w->is_woken : rec->why != WAIT_BLOCKED || !th->is_go)
		return;
	p.begin_ns = max_u64(rec->off, th->end_ns);
	if (p.begin_ns >= p.end_ns)
		return;
	if (rec->woken_by == WOKEN_TASK)
		p.by = rec->waker;
	set_timer(&p, rec);
	push_piece(t, th, &p);
}

/* Adds the wait's sleep to what is known of holders of locks. */
static void note_sleep(struct threads *t, struct wait *w)
{
	const struct rec_wait *rec = w->rec;
	bool is_asleep = rec->why == WAIT_BLOCKED ||
			 (rec->why == WAIT_UNSEEN && w->is_woken && rec->woken_by != WOKEN_NEW);

	if (is_asleep && rec->off < w->runnable_ns)
		history_push(&t->sleeps, &w->thread->sleeps, &(struct piece){
			.begin_ns = rec->off, .end_ns = w->runnable_ns, .kind = PIECE_SLEEP, .cpu = rec->cpu,
			.by = rec->woken_by == WOKEN_TASK ? rec->waker : 0, .klass = w->klass, .holder = w->holder});
}

/* Adds the wait's runnable time to the thread's pieces, one for each CPU that it waited on. */
static void push_wait(struct threads *t, struct wait *w)
{
	const struct rec_wait *rec = w->rec;
	struct thread *th = w->thread;
	enum stage stage = stage_of(rec);

	if (w->runnable_ns == rec->ran || th->end_ns >= rec->ran)
		return;
	/* times of one thread do not overlap, whatever the stamps say */
	th->end_ns = max_u64(th->end_ns, w->runnable_ns);
	if (rec->moves)
		push_moves(t, th, rec, stage);
	if (th->end_ns < rec->ran)
		push_piece(t, th, &(struct piece){
			.begin_ns = th->end_ns, .end_ns = rec->ran, .by = rec->by, .cpu = rec->cpu,
			.steal_ns = rec->steal_ns, .irq_ns = rec->irq_ns, .softirq_ns = rec->softirq_ns,
			.stage = stage});
}

static void note_wait(struct thread *th, const struct rec_wait *w)
{
	th->cgroup = w->cgroup;
	th->prio = w->prio;
	th->policy = w->policy;
	th->is_seen = true;
	th->awake_ns = max_u64(th->awake_ns, w->ran);
}

void thread_push(struct threads *t, struct wait *w)
{
	note_wait(w->thread, w->rec);
	push_sleep(t, w);
	push_wait(t, w);
	note_sleep(t, w);
}

static struct timeline timeline_of(const struct threads *t, const struct thread_part *p)
{
	const struct thread *th = u64map_find(&t->by_tid, p->tid);

	return (struct timeline){
		.history = &t->pieces, .head = th ? th->head : 0, .deadline_ns = p->deadline_ns, .rules = p->rules,
		.known_from_ns = max_u64(t->known_from_ns, th ? th->known_from_ns : 0),
	};
}

int threads_cut(const struct threads *t, const struct thread_part *p, uint64_t stage_ns[STAGE_CNT])
{
	struct timeline timeline = timeline_of(t, p);

	return partition(&timeline, p->begin_ns, p->end_ns, NULL, stage_ns);
}

void threads_blame(struct threads *t, const struct thread_part *p)
{
	const struct thread *th = u64map_find(&t->by_tid, p->tid);

	if (th && p->begin_ns < p->end_ns)
		blame_pieces(&t->blame, &t->slices, &t->pieces, th->head, p->begin_ns, p->end_ns);
}

void threads_describe(const struct threads *t, struct span *s)
{
	const struct thread *th = u64map_find(&t->by_tid, s->tid);
	const struct task_name *name = names_of_task(t->names, s->tid);
	bool is_seen = th && th->is_seen;

	s->cgroup = is_seen ? th->cgroup : name ? name->cgroup : 0;
	s->prio = is_seen ? th->prio : PRIO_DEFAULT;
	s->policy = is_seen ? th->policy : 0;
}
