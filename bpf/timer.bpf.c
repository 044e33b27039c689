// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which timer woke whom. While a timer's expiry handler runs, its slot of this CPU and context says
 * what was asked; sched_waking takes it from there if the woken task is the one that slept for it.
 */
#include "common.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Kind by the function's address; learnt by name at first sight, or filled in by the collector. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} timer_functions SEC(".maps");

/* Who armed a timerfd: the kernel's timer does not say. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u32);
} timerfd_owners SEC(".maps");

static __always_inline bool starts_with(const char *s, const char *prefix, __u32 len)
{
	for (__u32 i = 0; i < len; i++)
		if (s[i] != prefix[i])
			return false;
	return true;
}

/* bpf_snprintf (5.13) writes the symbol's name; the comparison is by prefix: LTO adds suffixes. */
static __noinline __u8 learn_function(__u64 function)
{
	char name[32] = {};
	__u64 args[] = {function};
	__u8 kind = TIMER_NONE;

	if (!bpf_core_enum_value_exists(enum bpf_func_id___present, BPF_FUNC_snprintf___present) ||
	    !config.task_storage)
		return kind;
	static const char fmt[] = "%ps";

	bpf_snprintf(name, sizeof(name), fmt, args, sizeof(args));
#define X(text, id) \
	if (starts_with(name, text, sizeof(text) - 1)) \
		kind = id;
	TIMER_FUNCTIONS(X)
#undef X
	bpf_map_update_elem(&timer_functions, &function, &kind, BPF_ANY);
	return kind;
}

static __always_inline __u8 timer_kind(void *function)
{
	__u64 key = (__u64)function;
	__u8 *kind = bpf_map_lookup_elem(&timer_functions, &key);

	return kind ? *kind : learn_function(key);
}

static __always_inline struct timer_slot *this_slot(void)
{
	struct cpu_state *cs = cpu_state(bpf_get_smp_processor_id());

	return cs ? &cs->timers[irq_context(cs)] : NULL;
}

/* Who gets the overrun of a timer that fired with nobody waiting. */
static __always_inline void overrun(struct timer_slot *slot, struct hrtimer *timer)
{
	struct overrun_key key = {.timer = slot->timer};
	__u64 addr = (__u64)timer, one = 1, *n;
	struct pid *pid = NULL;
	__u32 *owner;

	if (slot->timer == TIMER_TIMERFD) {
		owner = bpf_map_lookup_elem(&timerfd_owners, &addr);
		key.id = owner ? *owner : 0;
		key.is_thread = 1;
	} else if (slot->timer == TIMER_POSIX) {
		struct k_itimer *it = (void *)timer - bpf_core_field_offset(struct k_itimer, it.real.timer);

		pid = BPF_CORE_READ(it, it_pid);
		/* include/uapi/asm-generic/siginfo.h: SIGEV_THREAD_ID */
		key.is_thread = BPF_CORE_READ(it, it_sigev_notify) == 4;
	} else if (slot->timer == TIMER_ITIMER) {
		struct signal_struct *sig = (void *)timer - bpf_core_field_offset(struct signal_struct, real_timer);

		pid = BPF_CORE_READ(sig, pids[1]);	/* PIDTYPE_TGID */
	}
	if (pid)
		key.id = BPF_CORE_READ(pid, numbers[0].nr);
	if (!key.id)
		return;
	n = bpf_map_lookup_elem(&overruns, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else if (bpf_map_update_elem(&overruns, &key, &one, BPF_NOEXIST))
		count(COUNT_overrun_map);
}

SEC("tp_btf/hrtimer_expire_exit")
int BPF_PROG(on_hrtimer_expire_exit, struct hrtimer *timer)
{
	struct timer_slot *slot = this_slot();

	if (!slot || slot->timer == TIMER_NONE)
		return 0;
	if (!slot->woke && active && slot->timer != TIMER_SLEEPER && slot->timer != TIMER_JIFFIES)
		overrun(slot, timer);
	slot->timer = TIMER_NONE;
	return 0;
}

SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(on_hrtimer_expire_entry, struct hrtimer *timer)
{
	struct timer_slot *slot;
	ktime_t offset;
	__u8 kind;

	if (!active)
		return 0;
	kind = timer_kind(timer->function);
	slot = this_slot();
	if (kind == TIMER_NONE || !slot)
		return 0;
	/* REALTIME, BOOTTIME and TAI timers: their base's offset brings them to MONOTONIC */
	offset = BPF_CORE_READ(timer, base, offset);
	slot->asked = timer->_softexpires - offset;
	slot->due = timer->node.expires - offset;
	slot->fired = bpf_ktime_get_ns();
	slot->woke = 0;
	slot->task = 0;
	if (kind == TIMER_SLEEPER) {	/* cleared before the waking, so read here */
		struct hrtimer_sleeper *sl = (void *)timer - bpf_core_field_offset(struct hrtimer_sleeper, timer);

		slot->task = (__u64)BPF_CORE_READ(sl, task);
		if (!slot->task)
			return 0;
	}
	slot->timer = kind;
	return 0;
}

SEC("tp_btf/timer_expire_exit")
int BPF_PROG(on_timer_expire_exit, struct timer_list *timer)
{
	struct timer_slot *slot = this_slot();

	if (slot)
		slot->timer = TIMER_NONE;
	return 0;
}

SEC("tp_btf/timer_expire_entry")
int BPF_PROG(on_timer_expire_entry, struct timer_list *timer)
{
	struct process_timer *pt = (void *)timer - bpf_core_field_offset(struct process_timer, timer);
	struct timer_slot *slot;

	if (!active || timer_kind(timer->function) != TIMER_JIFFIES)
		return 0;
	slot = this_slot();
	if (!slot)
		return 0;
	slot->asked = 0;
	slot->due = 0;
	slot->fired = bpf_ktime_get_ns();
	slot->task = (__u64)BPF_CORE_READ(pt, task);
	slot->timer = TIMER_JIFFIES;
	return 0;
}

SEC("tp_btf/hrtimer_start")
int BPF_PROG(on_hrtimer_start, struct hrtimer *timer)
{
	__u64 key = (__u64)timer;
	__u32 tid;

	if (!active || timer_kind(timer->function) != TIMER_TIMERFD)
		return 0;
	tid = bpf_get_current_pid_tgid();
	bpf_map_update_elem(&timerfd_owners, &key, &tid, BPF_ANY);
	return 0;
}
