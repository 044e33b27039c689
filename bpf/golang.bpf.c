// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The Go runtime's probes: one program for all places (the cookie says which), which joins what happens to
 * a goroutine and emits one record when it gets to run. An object of its own, loaded when a Go process is to
 * be probed; it shares the maps of the others.
 *
 *	park, gosched      timer      ready        execute
 *	    | left           | fired    | readied     | ran, the record
 *
 * A goroutine's state is keyed by the address of its g: it is waiting or runnable, so its g stays. Writers
 * follow each other, since the runtime's own changes of a goroutine's status do: who readies it has it for
 * himself, then who executes it.
 */
#include "go_world.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Became runnable by the thread that runs us, for the goroutine that it runs. */
static __always_inline void set_ready(const struct hit *h, struct go_state *s, __u8 cause)
{
	s->readied = h->now;
	s->waker_tid = h->tid;
	s->cause = cause;
}

static __always_inline void on_ready(const struct hit *h)
{
	struct go_state *s = state_make(h, h->arg0);
	__u64 waker;

	if (!s)
		return;
	/* of one that was stopped for the garbage collector: resumed */
	set_ready(h, s, s->cause == GO_PREEMPTED && s->left && !s->readied ? GO_PREEMPTED : GO_READIED);
	waker = current_goroutine(h);
	s->waker = (struct go_who){};
	if (waker)
		read_who(h->proc, waker, &s->waker);
}

static __always_inline void on_park(const struct hit *h)
{
	__u64 g = h->arg0;
	struct go_state *s = state_make(h, g);
	__u64 lock;

	note_stop(h, g);
	if (!s)
		return;
	lock = s->has_lock ? s->lock : 0;
	*s = no_state;
	s->lock = lock;
	s->left = h->now;
}

/* Off its thread and runnable at once. */
static __always_inline void on_leave_runnable(const struct hit *h, __u8 cause)
{
	struct go_state *s = state_make(h, h->arg0);

	if (!s)
		return;
	*s = no_state;
	set_ready(h, s, cause);
}

/* Preempted or by its own will: the runtime's wish to preempt it (g.preempt) stands until it runs again. */
static __always_inline void on_gosched(const struct hit *h)
{
	__u64 g = h->arg0;
	__u8 preempt = 0;

	note_stop(h, g);
	bpf_probe_read_user(&preempt, sizeof(preempt), (void *)(g + h->proc->at.g_status + 33));
	on_leave_runnable(h, preempt ? GO_PREEMPTED : GO_YIELDED);
}

static __always_inline void on_preempt_park(const struct hit *h)
{
	__u64 g = h->arg0;
	struct go_state *s = state_make(h, g);

	note_stop(h, g);
	if (!s)
		return;
	*s = no_state;
	s->left = h->now;
	s->cause = GO_PREEMPTED;
}

static __always_inline void on_exit(const struct hit *h)
{
	__u64 g = h->arg0, key = key_of_g(h, g);

	note_stop(h, g);
	bpf_map_delete_elem(&go_states, &key);
	count_here(COUNT_go_deaths);
}

static __always_inline void on_semacquire(const struct hit *h)
{
	struct go_state *s = state_make(h, h->g);

	if (!s)
		return;
	s->lock = h->arg0;
	s->has_lock = 1;
}

/* pd.rg and pd.wg hold a waiting g's address, or a small number (src/runtime/netpoll.go). */
static __always_inline void netpoll_ready(const struct hit *h, __u64 slot)
{
	__u64 g = read_user_u64(slot);
	struct go_state *s = g > 2 ? state_make(h, g) : NULL;

	if (!s)
		return;
	set_ready(h, s, GO_NETPOLL);
	s->waker = (struct go_who){};
}

static __always_inline void on_netpoll(const struct hit *h)
{
	__u64 pd = h->arg1;
	__u32 mode = h->arg2;

	if (mode != 'w')
		netpoll_ready(h, pd + h->proc->at.pollDesc_rg);
	if (mode != 'r')
		netpoll_ready(h, pd + h->proc->at.pollDesc_wg);
}

/* A goroutine that waits for a timer; its status says whether it still does (4: _Gwaiting). */
static __always_inline bool timer_wakes(const struct hit *h, __u64 g, const struct go_timer_run *t)
{
	struct go_state *s;
	__u32 status = 0;

	if (g <= 2 || bpf_probe_read_user(&status, sizeof(status), (void *)(g + h->proc->at.g_status)) ||
	    (status & 0xfff) != 4)
		return false;
	s = state_make(h, g);
	if (!s)
		return true;
	s->timer = *t;
	set_ready(h, s, GO_READIED);	/* within a microsecond; a probe of ready() says it better */
	s->waker = (struct go_who){};
	return true;
}

static __always_inline void timer_overrun(const struct hit *h)
{
	struct overrun_key key = {.id = h->tgid, .timer = TIMER_GO};
	__u64 one = 1, *n = bpf_map_lookup_elem(&overruns, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
	else if (bpf_map_update_elem(&overruns, &key, &one, BPF_NOEXIST))
		count_here(COUNT_overrun_map);
}

static __always_inline void on_timer(const struct hit *h)
{
	const struct go_functions *fn = &h->proc->fn;
	struct go_timer_run run = {.fired = h->now, .by = h->tid};
	struct {
		__u64 when, period, f, type, data;
	} t;	/* runtime.timer from `when` on, as every version has it */
	__u64 timer = h->proc->at.timer_arg_no ? h->arg1 : h->arg0, code, sudog;

	if (bpf_probe_read_user(&t, sizeof(t), (void *)(timer + h->proc->at.timer_when))) {
		count_here(COUNT_go_unreadable);
		return;
	}
	/* run by a goroutine that looks at its channel (1.23): nobody waited for it */
	if (current_goroutine(h) == h->g)
		return;
	run.when = t.when;
	run.period = t.period;
	code = read_user_u64(t.f) - h->bias;
	if (code == fn->goroutineReady) {
		run.kind = GO_TIMER_SLEEP;
		timer_wakes(h, t.data, &run);
	} else if (code == fn->sendTime) {
		run.kind = t.period ? GO_TIMER_TICKER : GO_TIMER_TIMER;
		sudog = read_user_u64(t.data + h->proc->at.hchan_recvq);
		if (!sudog || !timer_wakes(h, read_user_u64(sudog), &run))
			timer_overrun(h);
	} else if (code == fn->goFunc) {
		struct go_func_run f = {.timer = run, .fn = t.data};
		__u32 tid = h->tid;

		f.timer.kind = GO_TIMER_FUNC;
		bpf_map_update_elem(&go_func_runs, &tid, &f, BPF_ANY);
	} else if (code == fn->readDeadline || code == fn->writeDeadline || code == fn->deadline) {
		__u64 pd = read_user_u64(t.data);	/* indirect: it is not of the heap, see pollDesc.self */

		run.kind = GO_TIMER_DEADLINE;
		if (code != fn->writeDeadline)
			timer_wakes(h, read_user_u64(pd + h->proc->at.pollDesc_rg), &run);
		if (code != fn->readDeadline)
			timer_wakes(h, read_user_u64(pd + h->proc->at.pollDesc_wg), &run);
	}
}

/*
 * The id that newproc1 will give: the P's next one, or if it has none left the first of its next batch of
 * 16 (src/runtime/proc.go). Another P may take that batch meanwhile; who executes it compares the function.
 */
static __always_inline __u64 next_goid(const struct hit *h, __u64 m)
{
	struct {
		__u64 next, end;
	} cache;
	__u64 p = m ? read_user_u64(m + h->proc->at.m_p) : 0;

	if (!p || h->proc->at.p_goidcache == GO_NO_OFFSET ||
	    bpf_probe_read_user(&cache, sizeof(cache), (void *)(p + h->proc->at.p_goidcache)))
		return 0;
	if (cache.next != cache.end)
		return cache.next;
	return h->proc->goidgen ? read_user_u64(h->proc->goidgen + h->bias) + 1 : 0;
}

static __always_inline void on_newproc(const struct hit *h)
{
	__u64 m = read_user_u64(h->g + G_M), curg = m ? read_user_u64(m + h->proc->at.m_curg) : 0;
	struct go_func_run *run = NULL;
	struct go_state s = {};
	__u32 tid = h->tid;
	__u64 goid, key;

	if (!curg)
		run = bpf_map_lookup_elem(&go_func_runs, &tid);
	if (run && run->fn != h->arg0)
		run = NULL;
	if (h->proc->level == GO_FULL)
		count_here(COUNT_go_births);
	else if (!run)
		return;
	goid = next_goid(h, m);
	if (!goid)
		return;
	key = h->slot | goid;
	set_ready(h, &s, GO_NEW);
	s.startpc = read_user_u64(h->arg0);	/* a funcval begins with its code's address */
	if (curg)
		read_who(h->proc, curg, &s.waker);
	if (run) {
		s.timer = run->timer;
		bpf_map_delete_elem(&go_func_runs, &tid);
	}
	if (bpf_map_update_elem(&go_births, &key, &s, BPF_ANY))
		count_here(COUNT_goroutine_full);
	else
		__sync_fetch_and_add(&birth_cnt, 1);
}

/* The runtime's own stamp of when it became runnable, of one in eight; 0: none. */
static __always_inline __u64 own_stamp(const struct hit *h, __u64 g)
{
	__u32 flag = h->proc->at.g_tracking - (h->proc->at.g_stamp - 16);
	union {
		__u8 bytes[24];
		__u64 words[3];
	} near;	/* the flag lies in the 16 bytes before the stamp */

	if (bpf_probe_read_user(&near, sizeof(near), (void *)(g + h->proc->at.g_stamp - 16)))
		return 0;
	return near.bytes[flag & 15] ? near.words[2] : 0;
}

/* A goroutine that was not seen waiting: perhaps it is new. */
static __always_inline void take_birth(const struct hit *h, const struct go_who *who, struct go_state *s)
{
	__u64 key = h->slot | who->goid;
	struct go_state *b = bpf_map_lookup_elem(&go_births, &key);

	if (!b)
		return;
	if (b->startpc == who->startpc)
		*s = *b;
	bpf_map_delete_elem(&go_births, &key);
	__sync_fetch_and_sub(&birth_cnt, 1);
}

static __always_inline void emit_go(const struct hit *h, __u64 g, const struct go_state *s, const struct go_who *who,
				    __u64 stamp, __u32 stack, __u8 reason)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 flags = ring_flags(cpu_state(cpu));
	struct rec_go *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		count_here(COUNT_ring_goroutine);
		return;
	}
	*r = (struct rec_go){
		.hdr = REC_HDR(GO, rec_go),
		.tid = h->tid,
		.tgid = h->tgid,
		.ran = h->now,
		.readied = stamp ? stamp : s->readied,
		.left = s->left,
		.fired = s->timer.fired,
		.when = s->timer.when,
		.period = s->timer.period,
		.fired_by = s->timer.by,
		.timer = s->timer.kind,
		.goid = who->goid,
		.startpc = who->startpc,
		.gopc = who->gopc,
		.lock = s->lock,
		.waker_goid = s->waker.goid,
		.waker_startpc = s->waker.startpc,
		.waker_gopc = s->waker.gopc,
		.waker = s->waker_tid,
		.stack = stack,
		.cpu = cpu,
		.cause = h->proc->level == GO_FULL ? s->cause : GO_UNSEEN,
		.reason = reason,
		.sampled = stamp != 0,
	};
	if (h->proc->at.g_labels != GO_NO_OFFSET)
		r->labels = read_user_u64(g + h->proc->at.g_labels);
	bpf_ringbuf_submit(r, flags);
}

/* What a wait was for decides whether it is worth a look at where. */
static __always_inline bool wants_stack(const struct hit *h, const struct go_state *s, __u8 reason)
{
	__u64 bit = 1ull << (reason & 63);

	if (!s->left || !(h->proc->stack_reasons & bit))
		return false;
	return h->proc->class_reasons & bit || h->now - s->left >= STACK_MIN_NS;
}

/* With the light probes only a timer's goroutine, or one that the runtime stamped. */
static __always_inline void on_execute(const struct hit *h)
{
	bool full = h->proc->level == GO_FULL;
	__u64 g = h->arg0, stamp = full ? 0 : own_stamp(h, g);
	struct go_state *found = state_of(h, g), s = {};
	struct {
		__u32 status, pad;
		__u64 goid, schedlink, waitsince;
		__u8 reason;
	} near;	/* neighbours in every version, see go.h */
	struct go_who who = {};
	__u32 stack = 0;

	if (!full && !found && !birth_cnt && !stamp)
		return;
	if (bpf_probe_read_user(&near, 33, (void *)(g + h->proc->at.g_status)) ||
	    read_creation(h->proc, g, &who)) {
		count_here(COUNT_go_unreadable);
		return;
	}
	who.goid = near.goid;
	if (found) {
		s = *found;
		*found = no_state;
	}
	if (birth_cnt && !s.readied)
		take_birth(h, &who, &s);
	if (!full && !stamp && !s.timer.kind)
		return;
	if (wants_stack(h, &s, near.reason))
		stack = take_stack(h->tgid, read_user_u64(g + G_SCHED_PC),
				   read_user_u64(g + h->proc->at.g_sched_bp));
	if (!(h->proc->lock_reasons >> (near.reason & 63) & 1))
		s.lock = 0;	/* of a semaphore that it got at once */
	emit_go(h, g, &s, &who, stamp, stack, near.reason);
}

/* The verifier wants each register read at a fixed place: not after a choice between two. */
#define READ_REG(to, from) ({ (to) = (from); barrier_var(to); })

/* The cookie, see go_cookie(). */
SEC("?uprobe")
int on_go(struct uprobe_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), id = bpf_get_current_pid_tgid();
	__u32 slot = cookie >> GO_COOKIE_SLOT & (GO_SLOTS - 1);
	struct hit h = {.tgid = id >> 32, .tid = id, .slot = (__u64)slot << KEY_SLOT_SHIFT};

	if (!active)
		return 0;
	h.proc = bpf_map_lookup_elem(&go_slots, &slot);
	if (!h.proc || h.proc->tgid != h.tgid)	/* a child that has the same memory */
		return 0;
	h.now = bpf_ktime_get_ns();
	READ_REG(h.arg0, GO_ARG0(ctx));
	READ_REG(h.arg1, GO_ARG1(ctx));
	READ_REG(h.arg2, GO_ARG2(ctx));
	READ_REG(h.arg3, GO_ARG3(ctx));
	READ_REG(h.g, GO_G(ctx));
	READ_REG(h.bias, GO_IP(ctx));
	h.bias -= cookie >> GO_COOKIE_ADDR;
	count_here(COUNT_go_hits);
	switch (cookie & ((1 << GO_COOKIE_SLOT) - 1)) {
	case GO_SITE_EXECUTE:
		on_execute(&h);
		break;
	case GO_SITE_READY:
		on_ready(&h);
		break;
	case GO_SITE_PARK:
		on_park(&h);
		break;
	case GO_SITE_NEWPROC:
		on_newproc(&h);
		break;
	case GO_SITE_TIMER:
		on_timer(&h);
		break;
	case GO_SITE_EXIT:
		on_exit(&h);
		break;
	case GO_SITE_GOSCHED:
		on_gosched(&h);
		break;
	case GO_SITE_GOYIELD:
		on_leave_runnable(&h, GO_YIELDED);
		break;
	case GO_SITE_PREEMPT_PARK:
		on_preempt_park(&h);
		break;
	case GO_SITE_EXITSYSCALL:
		on_leave_runnable(&h, GO_SYSCALL);
		break;
	case GO_SITE_NETPOLL:
		on_netpoll(&h);
		break;
	case GO_SITE_SEMACQUIRE:
		on_semacquire(&h);
		break;
	case GO_SITE_STW_STOP:
		on_stw_stop(&h);
		break;
	case GO_SITE_STW_STOPPED:
		on_stw_stopped(&h);
		break;
	case GO_SITE_STW_START:
		on_stw_start(&h);
		break;
	}
	return 0;
}
