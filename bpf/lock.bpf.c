// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Waits of tracked tasks for locks of the kernel's own: contention_begin to contention_end (5.19), in system calls and
 * faults; what interrupts wait for is nobody's.
 *
 * Waits nest: a mutex's waiter spins for the lock of the mutex's list, and a mutex begins twice, as it spins and as it
 * sleeps. The outermost is the wait.
 */
#include "paths.bpf.h"

char LICENSE[] SEC("license") = "GPL";

enum {
	/* A stack takes 1 us, and costs more than a shorter wait. */
	KLOCK_STACK_NS = 2000,
	/* As short are most waits for the locks of futex's hash table, one for two calls: counted only. */
	KLOCK_SPIN_NS = 1000,
	/* Frames of the tracepoint and of us, above the function that waits. */
	KLOCK_SKIP = 3,
	MAX_KLOCK_STACKS = 4096,
};

/*
 * Stacks that were given, by id. Nobody else writes here: what our other programs do in maps of theirs can be a wait
 * that ends in us, with a lock of that map held.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_KLOCK_STACKS);
	__type(key, __u32);
	__type(value, __u8);
} klock_stacks SEC(".maps");

static __always_inline bool is_spin(__u32 flags)
{
	return (flags & KLOCK_SPIN) && !(flags & KLOCK_MUTEX);
}

/*
 * The lock of our own ring: when that wait ends it is held, so that nothing can be emitted. Its struct is the first of
 * the ring's pages.
 */
static __always_inline bool is_of_ring(__u64 lock)
{
	__u64 begin = (__u64)((struct bpf_ringbuf_map *)&ring)->rb, end = begin + bpf_core_type_size(struct bpf_ringbuf);

	barrier_var(end);	/* the verifier has nothing against comparing pointers, but against a difference */
	return lock >= begin && lock < end;
}

static __always_inline struct join *join_of_waiter(void)
{
	struct cpu_state *cs = cpu_state(bpf_get_smp_processor_id());

	if (!active || !cs || irq_context(cs) != IN_TASK)
		return NULL;
	return bpf_task_storage_get(&joins, bpf_get_current_task_btf(), 0, 0);
}

SEC("?tp_btf/contention_begin")
int BPF_PROG(on_contention_begin, void *lock, __u32 flags)
{
	struct join *j = join_of_waiter();
	struct klock_wait *w;

	if (!j)
		return 0;
	w = &j->klock;
	/* inside a wait that sleeps; one that spins has none inside, its end was missed */
	if (w->lock && (w->lock == (__u64)lock || (is_spin(flags) && !is_spin(w->flags))))
		return 0;
	if (is_spin(flags) && is_of_ring((__u64)lock))
		return 0;
	w->lock = (__u64)lock;
	w->flags = flags;
	w->begin = bpf_ktime_get_ns();
	return 0;
}

static __always_inline __u32 take_kernel_stack(void *ctx, struct cpu_state *cs)
{
	struct rec_stack r = {.hdr = REC_HDR(STACK, rec_stack), .tgid = TGID_KERNEL};
	__u8 yes = 1;

	if (bpf_get_stack(ctx, &r.pc0, 12 * sizeof(r.pc0), KLOCK_SKIP) <= 0)
		return 0;
	r.id = stack_id(&r);
	if (bpf_map_lookup_elem(&klock_stacks, &r.id))
		return r.id;
	if (bpf_map_update_elem(&klock_stacks, &r.id, &yes, BPF_NOEXIST)) {
		count(COUNT_stack_paths_full);
		return 0;
	}
	if (!bpf_ringbuf_output(&ring, &r, sizeof(r), ring_flags(cs)))
		return r.id;
	bpf_map_delete_elem(&klock_stacks, &r.id);
	count(COUNT_stack_later);
	return 0;
}

SEC("?tp_btf/contention_end")
int BPF_PROG(on_contention_end, void *lock, int ret)
{
	struct join *j = join_of_waiter();
	struct task_struct *p = bpf_get_current_task_btf();
	__u32 cpu = bpf_get_smp_processor_id();
	struct rec_klock r = {.hdr = REC_HDR(KLOCK, rec_klock)};
	struct cpu_state *cs = cpu_state(cpu);

	if (!j || !cs || !lock || j->klock.lock != (__u64)lock)
		return 0;
	j->klock.lock = 0;
	r.tid = p->pid;
	r.tgid = p->tgid;
	r.end = bpf_ktime_get_ns();
	r.begin = j->klock.begin;
	if (is_spin(j->klock.flags) && r.end - r.begin < KLOCK_SPIN_NS) {
		count(COUNT_klock_short);
		return 0;
	}
	r.lock = (__u64)lock;
	r.flags = j->klock.flags;
	r.ret = ret;
	r.syscall = task_syscall(p);
	r.cpu = cpu;
	r.policy = p->policy;
	r.prio = p->prio;
	if (config.stacks && r.end - r.begin >= KLOCK_STACK_NS)
		r.stack = take_kernel_stack(ctx, cs);
	if (bpf_ringbuf_output(&ring, &r, sizeof(r), ring_flags(cs)))
		count(COUNT_ring_klock);
	return 0;
}
