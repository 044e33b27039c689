// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What futex calls returned. Word and op of a call are in the task's registers, at switch-out and here
 * alike, so the exits are all we attach to: half of what entries too would cost every futex call.
 */
#include "common.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define EAGAIN 11

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct eagain_key);
	__type(value, __u64);
} eagains SEC(".maps");

static __always_inline struct join *join_of_current(void)
{
	__u64 key = bpf_get_current_task();

	if (config.task_storage)
		return bpf_task_storage_get(&joins, bpf_get_current_task_btf(), 0, 0);
	return bpf_map_lookup_elem(&joins_by_task, &key);
}

static __always_inline void count_eagain(void)
{
	struct eagain_key key = {.tgid = bpf_get_current_pid_tgid() >> 32};
	__u64 one = 1, *n;
	__u32 op;

	if (config.task_storage) {
		struct task_struct *cur = bpf_get_current_task_btf();

		read_futex(cur, task_syscall(cur), &key.futex, &op);
	} else {	/* before 5.11 classic programs have no typed current task */
		key.futex = BPF_CORE_READ((struct pt_regs *)stack_regs((void *)bpf_get_current_task()), ARG0);
	}
	n = bpf_map_lookup_elem(&eagains, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else if (bpf_map_update_elem(&eagains, &key, &one, BPF_NOEXIST))
		count(COUNT_futex_eagain_map);
}

static __always_inline int futex_exit(long ret)
{
	struct join *j;

	if (!active)
		return 0;
	j = join_of_current();
	if (!j)
		return 0;
	if (j->late_held)
		release_late(NULL, j, ret);
	else if (ret == -EAGAIN)
		count_eagain();
	return 0;
}

#define ON_FUTEX_EXIT(call) \
	SEC("?tp/syscalls/sys_exit_" #call) \
	int on_exit_##call(struct trace_event_raw_sys_exit *ctx) { return futex_exit(ctx->ret); }

ON_FUTEX_EXIT(futex)
ON_FUTEX_EXIT(futex_wait)
ON_FUTEX_EXIT(futex_waitv)
ON_FUTEX_EXIT(futex_requeue)
