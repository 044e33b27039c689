// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Switches, wakings and migrations: runs the join of join.h for tracked tasks, and remembers for each
 * CPU who had it, so that a wait that ends can say who took the time.
 */
#include "leave.bpf.h"
#include "slices.bpf.h"
#include "ustack.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* One switch or waking of one task, on one CPU. */
struct event_ctx {
	struct task_struct *task;
	struct cpu_state *cs;
	__u64 now;
	struct cpu_load load;	/* of this CPU, now */
	__u32 cpu;
	__u32 out_state;	/* the task's state at switch-out */
};
#define JOIN_CTX struct event_ctx

/* When the wait began to need a CPU; the wait's last CPU since then, or since the last move. */
static __always_inline __u64 runnable_since(const struct join *j, const struct wake *w)
{
	if (j->moves)
		return j->since;
	if (!w || w->waking < j->off)
		return j->off;
	return w->waking;
}

/* The load of that CPU when the wait on it began. */
static __always_inline const struct cpu_load *load_since(const struct join *j, const struct wake *w)
{
	return w && !j->moves && w->waking >= j->off ? &w->base : &j->base;
}

/* The task's own fields; clears the others. */
static __always_inline void fill_task(struct rec_wait *r, struct task_struct *p, struct join *j)
{
	__u64 set = task_css_set(p);

	if (set != j->css_set) {
		j->css_set = set;
		j->cgroup = BPF_CORE_READ(task_cgroup(p), kn, id);
	}
	*r = (struct rec_wait){
		.hdr = REC_HDR(WAIT, rec_wait),
		.tid = p->pid,
		.tgid = p->tgid,
		.policy = p->policy,
		.prio = p->prio,
		.cgroup = j->cgroup,
		.futex_ret = FUTEX_RET_UNKNOWN,
	};
}

static __always_inline void fill_wake(struct rec_wait *r, const struct wake *w)
{
	r->waking = w->waking;
	r->fired = w->fired;
	r->due = w->due;
	r->asked = w->asked;
	r->waker = w->waker;
	r->woken_by = w->by;
	r->timer = w->timer;
	r->cpu_wake = w->cpu;
}

/* A waking that found the task on its CPU. Noinline: it stands in the join in several places. */
static __noinline int emit_stayed(struct event_ctx *ctx, struct join *j, struct wake *w)
{
	__u64 flags = ring_flags(ctx->cs);
	struct rec_wait *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r)
		return 1;
	fill_task(r, ctx->task, j);
	fill_wake(r, w);
	r->why = WAIT_ON_CPU;
	r->ran = w->waking;
	r->cpu = w->cpu;
	r->cpu_off = w->cpu;
	r->syscall = w->syscall;
	bpf_ringbuf_submit(r, flags);
	return 0;
}

static __always_inline void join_stayed(struct event_ctx *ctx, struct join *j, struct wake *w)
{
	add_waiting(w->at, -1);
	if (emit_stayed(ctx, j, w))
		lost_wait(j, true);
}

static __always_inline void fill_finished(struct rec_wait *r, struct event_ctx *ctx, struct join *j, struct wake *w,
					  __u64 since, __u32 by)
{
	fill_task(r, ctx->task, j);
	if (w)
		fill_wake(r, w);
	r->why = j->why;
	r->off = j->off;
	r->ran = ctx->now;
	r->since = j->moves ? j->since : 0;
	r->moves = j->moves;
	r->cpu = ctx->cpu;
	r->cpu_off = j->cpu_off;
	r->prev_state = j->prev_state;
	r->syscall = j->off || !w ? j->syscall : w->syscall;
	r->futex = j->futex;
	r->futex_op = j->futex_op;
	r->futex_val = j->futex_val;
	r->futex_owner = j->futex_owner;
	r->stack = j->stack;
	r->until = j->until;
	r->goid = j->goid;
	r->startpc = j->startpc;
	r->gopc = j->gopc;
	r->by = by;
	if (since)
		SET_LOADS(r, &ctx->load, load_since(j, w));
}

/* Emits the wait that ends with this switch-in; w is NULL if no waking was seen. */
static __always_inline void finish(struct event_ctx *ctx, struct join *j, struct wake *w)
{
	/* a blocked task whose waking was missed: when it could have run is not known */
	__u64 since = w || j->moves || j->why >= WAIT_PREEMPTED ? runnable_since(j, w) : 0;
	__u32 by = since ? ran_since(ctx->cs, ctx->cpu, since) : 0;
	struct rec_wait *r;

	end_preempted(j);
	if (w)
		add_waiting(w->at, -1);
	else if (j->why == WAIT_BLOCKED)
		count(COUNT_missed_waking);

	if (hold_futex && j->why == WAIT_BLOCKED && is_futex_wait(j->syscall)) {
		fill_finished(&j->late, ctx, j, w, since, by);
		j->late_held = 1;
	} else {
		__u64 flags = ring_flags(ctx->cs);

		r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
		if (r) {
			fill_finished(r, ctx, j, w, since, by);
			bpf_ringbuf_submit(r, flags);
		} else {
			lost_wait(j, w);
		}
	}
	j->off = 0;
	j->moves = 0;
	j->why = WAIT_UNSEEN;
	j->syscall = SYSCALL_UNKNOWN;
	clear_futex(j);
	j->goid = GOID_NONE;
	j->startpc = 0;
	j->gopc = 0;
	j->until = 0;
}

static __always_inline void join_count(struct event_ctx *ctx, struct join *j, struct wake *w, __u32 actions)
{
	if (actions & (JOIN_AGAIN | JOIN_OF_PREEMPTED | JOIN_LOST))
		add_waiting(w->at, -1);
	if (actions & JOIN_AGAIN) {
		count(COUNT_waking_again);
		__sync_fetch_and_add(&j->waking_again, 1);
	}
	if (actions & JOIN_OF_PREEMPTED) {
		count(COUNT_waking_preempted);
		__sync_fetch_and_add(&j->waking_preempted, 1);
	}
	if (actions & JOIN_IMPOSSIBLE)
		count(COUNT_join_impossible);
	if (actions & JOIN_LOST) {
		count(COUNT_missed_switch);
		__sync_fetch_and_add(&j->lost_waking, 1);
	}
}

static __always_inline void join_leave(struct event_ctx *ctx, struct join *j)
{
	j->off = ctx->now;
	j->moves = 0;
	j->cpu_off = ctx->cpu;
	j->prev_state = ctx->out_state;
	j->base = ctx->load;
	clear_futex(j);
	end_preempted(j);	/* a missed switch-in left it */
	if (!ctx->out_state) {
		j->at = ctx->cpu + 1;
		add_waiting(ctx->cpu, 1);
		j->why = task_throttled(ctx->task) ? WAIT_THROTTLED : WAIT_PREEMPTED;
		j->syscall = SYSCALL_UNKNOWN;
	} else {
		j->why = WAIT_BLOCKED;
		j->syscall = task_syscall(ctx->task);
		if (is_futex_wait(j->syscall)) {
			read_futex(ctx->task, j->syscall, &j->futex, &j->futex_op);
			read_word(j);
		}
	}
	if (go_cnt)
		read_goroutine(ctx->task, j);
	/* Go's threads without a goroutine wait for work */
	if (config.stacks && j->futex && j->goid != GOID_PARKED && j->goid != GOID_SCHEDULER)
		j->stack = take_path(ctx->task);
}

#include "join_take.h"

static __always_inline void emit_end(struct event_ctx *ctx, struct join *j)
{
	struct rec_task_end r;

	fill_end(&r, ctx->task, j, ctx->now);
	r.exited = 1;
	if (bpf_ringbuf_output(&ring, &r, sizeof(r), ring_flags(ctx->cs)))
		count(COUNT_ring_task);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct cpu_state *cs = cpu_state(cpu);
	struct event_ctx c = {};
	enum join_event ev;
	struct join *j;
	__u32 actions;

	if (!active || !cs)
		return 0;
	c.cs = cs;
	c.cpu = cpu;
	c.now = bpf_ktime_get_ns();
	/* a switch is in no interrupt: what still counts as one lost its end */
	cs->irq_depth = 0;
	cs->softirq_since = 0;
	if (!cs->rq)
		cs->rq = rq_of(next);
	c.load = load_now(cs, c.now);
	push_slice(cs, c.now, next->pid, &c.load);
	keep_slices(cs, cpu);

	j = join_of(prev);
	if (j) {
		c.task = prev;
		if (!preempt)
			c.out_state = config.switch_has_state ? (__u32)ctx[3] : task_state(prev);
		if (j->late_held)
			release_late(cs, j, FUTEX_RET_UNKNOWN);	/* still in its call */
		ev = c.out_state & TASK_DEAD ? JOIN_OUT_DEAD : c.out_state ? JOIN_OUT_BLOCKED : JOIN_OUT_RUNNABLE;
		if (join_take(&c, j, ev) & JOIN_LEAVE)
			join_leave(&c, j);
		if (ev == JOIN_OUT_DEAD) {
			end_preempted(j);
			emit_end(&c, j);
			join_drop(prev);
		}
	}
	j = join_of(next);
	if (j) {
		c.task = next;
		actions = join_take(&c, j, JOIN_IN);
		if (actions & JOIN_FINISH)
			finish(&c, j, actions & JOIN_HELD ? &j->wakes[j->held & (WAKE_SLOTS - 1)] : NULL);
	}
	return 0;
}

/* The timer that does this waking, if one does: its handler runs on this CPU, for this task. */
static __always_inline void take_timer(struct cpu_state *cs, struct task_struct *p, struct wake *w)
{
	struct timer_slot *slot = &cs->timers[irq_context(cs)];

	if (slot->timer == TIMER_NONE || (slot->task && slot->task != (__u64)p))
		return;
	slot->woke = 1;
	w->syscall = task_syscall(p);
	w->by = WOKEN_TIMER;
	w->timer = slot->timer;
	w->asked = slot->asked;
	w->due = slot->due;
	w->fired = slot->fired;
}

/* j->seq counts the appended wakings; j->waking those that are not, see fill_end(). */
static __always_inline void wake_up(struct join *j, struct wake *w)
{
	count(COUNT_waking);
	w->at = w->cpu;
	if (join_append(j, w)) {
		add_waiting(w->at, 1);
		return;
	}
	count(COUNT_waking_slots);
	__sync_fetch_and_add(&j->waking, 1);
	__sync_fetch_and_add(&j->lost_waking, 1);
}

SEC("tp_btf/sched_waking")
int BPF_PROG(on_sched_waking, struct task_struct *p)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct cpu_state *cs = cpu_state(cpu), *target;
	struct wake w = {.by = WOKEN_TASK, .syscall = SYSCALL_UNKNOWN};
	struct event_ctx c = {};
	struct join *j;

	if (!active || !cs)
		return 0;
	if (irq_context(cs) != IN_TASK)
		w.by = WOKEN_IRQ;
	take_timer(cs, p, &w);
	j = join_of(p);
	if (!j)
		return 0;
	w.waking = bpf_ktime_get_ns();
	w.cpu = task_cpu(p);
	if (w.by == WOKEN_TASK)
		w.waker = bpf_get_current_pid_tgid();
	if ((__u64)p == bpf_get_current_task()) {	/* on its CPU, and stays: no lock, no state */
		count(COUNT_waking);
		__sync_fetch_and_add(&j->waking, 1);
		c.task = p;
		c.cs = cs;
		c.cpu = cpu;
		if (emit_stayed(&c, j, &w))
			lost_wait(j, true);
		return 0;
	}
	target = cpu_state(w.cpu);
	if (target)
		w.base = load_now(target, w.waking);
	wake_up(j, &w);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_sched_wakeup_new, struct task_struct *p)
{
	struct cpu_state *cs = cpu_state(bpf_get_smp_processor_id()), *target;
	struct wake w = {.by = WOKEN_NEW, .syscall = SYSCALL_UNKNOWN};
	struct join *j;

	if (!active || !cs)
		return 0;
	j = join_of(p);
	if (!j)
		return 0;
	w.waking = bpf_ktime_get_ns();
	w.cpu = task_cpu(p);
	w.waker = bpf_get_current_pid_tgid();
	target = cpu_state(w.cpu);
	if (target)
		w.base = load_now(target, w.waking);
	wake_up(j, &w);
	return 0;
}

/* The waking that the waiting task waits with; NULL: it was preempted, or does not wait. See the table. */
static __always_inline struct wake *waiting_with(struct join *j)
{
	__u32 state = j->state;

	if (j->seq != j->taken && (state == JOIN_BLOCKED || state == JOIN_UNKNOWN || state == JOIN_WOKEN_OUT))
		return &j->wakes[j->taken & (WAKE_SLOTS - 1)];
	if (join_holds(state) && state != JOIN_WOKEN_EARLY)
		return &j->wakes[j->held & (WAKE_SLOTS - 1)];
	return NULL;
}

/* A queued task moves to another CPU: the run queue of the one it leaves is locked by the mover. */
static __always_inline void move_waiting(struct task_struct *p, struct join *j, __u32 to)
{
	struct wake *w = waiting_with(j);
	__u32 from = task_cpu(p);
	struct cpu_state *cs = cpu_state(from), *target = cpu_state(to);
	__u64 now = bpf_ktime_get_ns(), since = runnable_since(j, w);
	const struct cpu_load *base = load_since(j, w);
	struct cpu_load load;

	if (!cs || !target || !since || (!w && j->state != JOIN_PREEMPTED))
		return;
	load = load_now(cs, now);
	/* cut the slice under way here, so that what ran up to now can be emitted */
	push_slice(cs, now, cs->slices[(cs->head - 1) & (HIST_SLICES - 1)].tid, &load);

	struct rec_move r = {
		.hdr = REC_HDR(MOVE, rec_move),
		.tid = p->pid,
		.start = since,
		.end = now,
		.by = ran_since(cs, from, since),
		.cpu = from,
		.cpu_to = to,
	};
	SET_LOADS(&r, &load, base);
	if (bpf_ringbuf_output(&ring, &r, sizeof(r), BPF_RB_NO_WAKEUP))
		count(COUNT_ring_move);
	j->since = now;
	j->base = load_now(target, now);
	add_waiting(from, -1);
	add_waiting(to, 1);
	if (w)
		w->at = to;
	else
		j->at = to + 1;
	if (j->moves < 255)
		j->moves++;
}

SEC("tp_btf/sched_migrate_task")
int BPF_PROG(on_sched_migrate_task, struct task_struct *p, int dest_cpu)
{
	struct cpu_state *target;
	struct join *j;
	struct wake *w;

	if (!active)
		return 0;
	j = join_of(p);
	if (!j)
		return 0;
	if (!(task_state(p) & TASK_WAKING)) {
		move_waiting(p, j, dest_cpu);
		return 0;
	}
	/* its waking places it: it waits there from the start */
	if (j->seq == j->oldest)
		return 0;
	w = &j->wakes[(j->seq - 1) & (WAKE_SLOTS - 1)];
	w->cpu = dest_cpu;
	add_waiting(w->at, -1);
	w->at = dest_cpu;
	add_waiting(w->at, 1);
	target = cpu_state(dest_cpu);
	if (target)
		w->base = load_now(target, w->waking);
	return 0;
}
