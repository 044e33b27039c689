/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Waits for locks: in a futex, or for one of the kernel's own. */
#include <errno.h>
#include <linux/futex.h>

#include "thread_impl.h"

/*
 * Where futex words are in what programs call a lock. glibc 2.25 and later, 64 bits, struct __pthread_rwlock_arch_t of
 * sysdeps/nptl/bits/struct_rwlock.h: __wrphase_futex, __writers_futex, always waited for with FUTEX_WAIT_BITSET; a mutex
 * begins with its word. musl 1.2, pthread_impl.h: a rwlock begins with its word, a mutex has it behind its type. All are
 * 8-aligned.
 */
enum { AT_RWLOCK_PHASE = 8, AT_RWLOCK_WRITERS = 12, AT_MUSL_MUTEX = 4 };

/* What musl's mutexes of type normal have for an owner's id: EBUSY (pthread_mutex_lock.c). */
enum { MUSL_NOBODY = 16 };

/* How far behind the lock's begin its word is. */
static uint64_t word_at(const struct threads *t, const struct rec_wait *w, enum lock_word word)
{
	bool is_second = w->futex & 4;

	if (word == WORD_RWLOCK && futex_op(&t->classes, w) == FUTEX_WAIT_BITSET)
		return is_second ? AT_RWLOCK_WRITERS : AT_RWLOCK_PHASE;
	return word == WORD_MUTEX && is_second ? AT_MUSL_MUTEX : 0;
}

static void find_lock(struct threads *t, struct wait *w, enum lock_word word)
{
	const struct rec_wait *rec = w->rec;
	const struct lock_name *l = names_of_lock(t->names, rec->tgid, rec->futex);
	uint64_t at = word_at(t, rec, word);

	w->lock = rec->futex >= at ? rec->futex - at : rec->futex;
	if (l && l->inode) {
		w->lock_space = l->inode;
		w->lock = l->offset >= at ? l->offset - at : l->offset;
	} else if (l && at) {
		names_lock_begin(t->names, rec->tgid, rec->futex, w->lock);	/* nameless without memory */
	}
}

/*
 * The thread that has that id for the waiter: of its process, or of any that shares the lock's memory. 0: none that
 * lived when the wait began.
 */
static uint32_t thread_of(const struct threads *t, const struct wait *w, uint32_t id)
{
	const struct rec_wait *rec = w->rec;
	uint32_t tid = names_thread(t->names, rec->tgid, id, rec->off);
	const struct task_name *self, *other;

	if (tid || !w->lock_space)
		return tid;
	self = names_of_task(t->names, rec->tid);
	other = names_of_task(t->names, id);
	if (!self || !other || self->ns_tid || other->ns_tid)	/* ids of other namespaces than the initial one */
		return 0;
	return names_thread(t->names, other->tgid, id, rec->off);
}

/* The owner by the word itself: mutexes with priority inheritance, robust ones, those of musl. */
static uint32_t owner_in_word(const struct threads *t, const struct wait *w)
{
	bool is_pi = is_futex_pi(futex_op(&t->classes, w->rec));
	uint32_t id = w->rec->futex_val & FUTEX_TID_MASK;

	if (!is_pi && (!(w->rec->futex_val & FUTEX_WAITERS) || id == MUSL_NOBODY))
		return 0;
	return thread_of(t, w, id);
}

/* __owner of a glibc mutex; without a stack any word that says "locked, with waiters" may be one. */
static uint32_t owner_behind_word(const struct threads *t, const struct wait *w, enum lock_word word)
{
	const struct rec_wait *rec = w->rec;
	bool may_be = word == WORD_MUTEX || word == WORD_COND ||
		      names_futex_class(t->names, rec->tgid, rec->stack) == CLASS_NONE;

	return may_be && rec->futex_val == WORD_LLL_WAITERS ? thread_of(t, w, rec->futex_owner) : 0;
}

static uint32_t find_holder(const struct threads *t, const struct wait *w, enum lock_word word)
{
	uint32_t tid = 0;

	if (w->klass == CLASS_MUTEX && w->rec->why == WAIT_BLOCKED) {
		tid = owner_in_word(t, w);
		if (!tid)
			tid = owner_behind_word(t, w, word);
	}
	return tid == w->rec->tid ? 0 : tid;
}

/* Who wakes somebody is on a CPU. */
static void note_waker(struct threads *t, const struct rec_wait *w)
{
	struct thread *waker = w->woken_by == WOKEN_TASK ? u64map_find(&t->by_tid, w->waker) : NULL;

	if (waker)
		waker->awake_ns = max_u64(waker->awake_ns, w->waking);
}

void thread_find_cause(struct threads *t, struct wait *w)
{
	const struct rec_wait *rec = w->rec;
	enum lock_word word;

	if (rec->why != WAIT_BLOCKED && rec->why != WAIT_UNSEEN)
		return;
	w->klass = class_of_block(&t->classes, rec->syscall);
	if (w->klass != CLASS_FUTEX)
		return;
	w->is_futex = true;
	w->klass = class_of_futex(&t->classes, t->names, rec);
	word = names_lock_word(t->names, rec->tgid, rec->stack);
	w->site = rec->stack ? names_call_site(t->names, rec->tgid, rec->stack) : 0;
	find_lock(t, w, word);
	w->holder = find_holder(t, w, word);
	note_waker(t, rec);
}

/*
 * A Go thread that the runtime sent to sleep waits for a lock, or in one of its notes, whose word is 0 (notetsleep() of
 * runtime/lock_futex.go): the latter is no lock's wait.
 */
static bool is_for_lock(const struct threads *t, const struct wait *w)
{
	const struct rec_wait *rec = w->rec;

	if (w->klass == CLASS_GO_RUNTIME)
		return rec->futex_val || names_futex_class(t->names, rec->tgid, rec->stack) == CLASS_GO_RUNTIME;
	return is_lock_class(w->klass);
}

void thread_emit_lock(struct threads *t, const struct wait *w)
{
	struct span *s = &t->span;

	if (!is_for_lock(t, w))
		return;
	s->metric = METRIC_LOCK_WAIT;
	if (w->holder) {
		holds_make(t, w->holder, s->begin_ns, w->runnable_ns, s->end_ns);
		s->holds = t->holds.rows;
		s->hold_cnt = t->holds.cnt;
	}
	t->sink->span(t->sink->ctx, s);
	s->hold_cnt = 0;
}

/* Who ended the last sleep in the wait: 0: not known, or it did not sleep. */
static uint32_t waker_in(const struct threads *t, const struct rec_klock *r)
{
	const struct thread *th = u64map_find(&t->by_tid, r->tid);
	struct history_walk walk = history_from(&t->sleeps, th ? th->sleeps : 0);
	const struct piece *p = history_older(&walk);

	return p && p->begin_ns >= r->begin && p->end_ns <= r->end ? p->by : 0;
}

int threads_klock(struct threads *t, const struct rec_klock *r)
{
	struct span *s = &t->span;
	uint32_t waker;

	if (!is_tid(r->tid) || !r->end || r->begin > r->end || r->syscall < SYSCALL_UNKNOWN)
		return -EBADMSG;
	if (!r->begin) {
		t->sink->counter(t->sink->ctx, ECOUNT_CENSORED_LOCK, r->tid, 1);
		return 0;
	}
	*s = (struct span){
		.metric = METRIC_LOCK_WAIT, .klass = CLASS_KERNEL, .begin_ns = r->begin, .end_ns = r->end,
		.tid = r->tid, .tgid = r->tgid, .cpu = r->cpu, .lock = r->lock, .lock_space = LOCK_OF_KERNEL,
		.wait_site = r->stack ? names_call_site(t->names, TGID_KERNEL, r->stack) : 0,
		.stack = r->stack, .stack_tgid = r->stack ? TGID_KERNEL : 0,
	};
	threads_describe(t, s);
	s->prio = r->prio;
	s->policy = r->policy;
	waker = waker_in(t, r);
	blame_reset(&t->blame);
	blame_row(&t->blame, waker ? BLAME_WAKER : BLAME_UNKNOWN, waker, r->end - r->begin);
	s->blame = t->blame.rows;
	s->blame_cnt = t->blame.cnt;
	t->sink->span(t->sink->ctx, s);
	return 0;
}
