// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who is who, and who is tracked: all tasks at the start and the tracked ones' open waits at the end
 * (two iterators that the collector reads), and fork, exec, rename and change of cgroup between.
 */
#include "common.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Id of p in the PID namespace of the collector, which is the current task; 0: not in there. */
static __always_inline __u32 id_for_collector(struct task_struct *p)
{
	struct task_struct *self = (void *)bpf_get_current_task();
	struct pid *own = BPF_CORE_READ(self, thread_pid), *pid = BPF_CORE_READ(p, thread_pid);
	__u32 level = BPF_CORE_READ(own, level);
	struct upid mine, its;

	if (!pid || level > 32 || BPF_CORE_READ(pid, level) < level)
		return 0;
	bpf_probe_read_kernel(&mine, sizeof(mine), &own->numbers[0] + level);
	bpf_probe_read_kernel(&its, sizeof(its), &pid->numbers[0] + level);
	return mine.ns == its.ns ? its.nr : 0;
}

static __always_inline bool below_cgroup(struct cgroup *cg)
{
	struct cgroup_subsys_state *css;

	for (int i = 0; i < 16 && cg; i++) {
		if (BPF_CORE_READ(cg, kn, id) == config.cgroup)
			return true;
		css = BPF_CORE_READ(cg, self.parent);
		cg = css ? BPF_CORE_READ(css, cgroup) : NULL;
	}
	return false;
}

/* 1 if equal, without a branch: the verifier would follow both ways of each. */
static __always_inline __u64 is_equal(__u64 a, __u64 b)
{
	__u64 differ = a ^ b;

	barrier_var(differ);
	return (differ - 1) >> 63;
}

/*
 * Shell-like match of a name of at most 15 bytes with comm_glob. All ways through the pattern at once: bit
 * i of `at` says that the pattern's first i characters match what was read.
 */
static __noinline bool comm_matches(const char *comm)
{
	__u64 at = 1, stars = config.comm_stars;

	at |= (at & stars) << 1;
	for (int c = 0; c < 15; c++) {
		__u64 same = config.comm_any;

		if (!comm[c])
			break;
		for (int g = 0; g < 16; g++)
			same |= is_equal((__u8)comm[c], (__u8)config.comm_glob[g]) << g;
		at = ((at & same) << 1) | (at & stars);
		at |= (at & stars) << 1;
	}
	return at >> config.comm_len & 1;
}

static __always_inline void read_comm(struct task_struct *p, char *comm)
{
	BPF_CORE_READ_STR_INTO((char(*)[16])comm, p, comm);
}

/* This tool, in the kernel's ids; never traced: its own wakeups would feed back. Set by dump_tasks. */
int self_tgid;

static __always_inline bool is_self(struct task_struct *p)
{
	/* a child of ours is the symbolizer, or the command, which is asked for by its id */
	if (config.filter != FILTER_IDS && BPF_CORE_READ(p, real_parent, tgid) == self_tgid)
		return true;
	return p->tgid == self_tgid || p->pid == 0;
}

/* Processes that are traced, in the kernel's ids; with FILTER_IDS only. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u8);
} members SEC(".maps");

static __always_inline bool is_member(struct task_struct *p)
{
	__u32 tgid = p->tgid;

	return bpf_map_lookup_elem(&members, &tgid) != NULL;
}

static __always_inline void add_member(struct task_struct *p)
{
	__u32 tgid = p->tgid;
	__u8 yes = 1;

	if (bpf_map_update_elem(&members, &tgid, &yes, BPF_ANY))
		count(COUNT_task_state_full);
}

/* Whether p is to be tracked. Threads asked for by their ids are told at the start, see dump_tasks. */
static __always_inline bool is_target(struct task_struct *p, const char *comm)
{
	if (is_self(p) || (config.has_comm && !comm_matches(comm)))
		return false;
	if (config.filter == FILTER_ALL)
		return true;
	if (config.filter == FILTER_CGROUP)
		return below_cgroup(task_cgroup(p));
	return !config.wanted_threads && is_member(p);
}

/* Whether the user listed p, or its process. */
static __always_inline bool is_wanted(struct task_struct *p)
{
	__u32 id = id_for_collector(config.wanted_threads ? p : BPF_CORE_READ(p, group_leader));

	return id && bpf_map_lookup_elem(&wanted, &id);
}

static __always_inline void fill_identity(struct rec_task *r, struct task_struct *p, const char *comm, __u32 flags)
{
	*r = (struct rec_task){
		.hdr = REC_HDR(TASK, rec_task),
		.tid = p->pid,
		.tgid = p->tgid,
		.time = bpf_ktime_get_ns(),
		.parent = BPF_CORE_READ(p, real_parent, tgid),
		.ns_tid = id_inside(p),
		.ns_tgid = id_inside(BPF_CORE_READ(p, group_leader)),
		.cgroup = BPF_CORE_READ(task_cgroup(p), kn, id),
		.flags = flags | (p->flags & PF_KTHREAD ? TASK_KTHREAD : 0) | (join_of(p) ? TASK_TRACKED : 0),
	};
	__builtin_memcpy(r->comm, comm, sizeof(r->comm));
}

/* An exec wakes the collector: it may be of a program that it wants to probe. */
static __always_inline void emit_identity(struct task_struct *p, const char *comm, __u32 flags)
{
	struct rec_task r;

	fill_identity(&r, p, comm, flags);
	if (bpf_ringbuf_output(&ring, &r, sizeof(r), flags & TASK_EXECED ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP))
		count(COUNT_ring_task);
}

/* All tasks; makes the targets tracked. */
SEC("iter/task")
int dump_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *p = ctx->task;
	struct rec_task r;
	char comm[16];

	if (!p)
		return 0;
	self_tgid = bpf_get_current_pid_tgid() >> 32;
	read_comm(p, comm);
	if (config.filter == FILTER_IDS && is_wanted(p)) {
		if (!config.wanted_threads)
			add_member(p);
		else if (!config.has_comm || comm_matches(comm))
			join_make(p);
	}
	if (is_target(p, comm))
		join_make(p);
	fill_identity(&r, p, comm, 0);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

/* What the tracked tasks were in when the recording ended; held futex waits come first. */
SEC("iter/task")
int dump_ends(struct bpf_iter__task *ctx)
{
	struct task_struct *p = ctx->task;
	struct rec_task_end r;
	struct join *j;

	if (!p)
		return 0;
	j = join_of(p);
	if (!j)
		return 0;
	if (j->late_held) {
		bpf_seq_write(ctx->meta->seq, &j->late, sizeof(j->late));
		j->late_held = 0;
	}
	fill_end(&r, p, j, bpf_ktime_get_ns());
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

/* What a thread that was asked for by its id starts. */
static __always_inline bool follows_thread(struct task_struct *parent, const char *comm)
{
	return config.filter == FILTER_IDS && config.wanted_threads && config.follow && join_of(parent) &&
	       (!config.has_comm || comm_matches(comm));
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 id = child->tgid;
	char comm[16];

	read_comm(child, comm);
	if (config.filter == FILTER_IDS && !config.wanted_threads && child->pid == child->tgid) {
		if (config.follow && is_member(parent))
			add_member(child);
		else
			bpf_map_delete_elem(&members, &id);	/* of a process long gone */
	}
	if (is_target(child, comm) || follows_thread(parent, comm))
		join_make(child);
	emit_identity(child, comm, TASK_FORKED);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_sched_process_exec, struct task_struct *p)
{
	char comm[16];

	read_comm(p, comm);
	emit_identity(p, comm, TASK_EXECED);	/* a thread that execs takes its process's id */
	return 0;
}

/* Tracked or not changes with the name or the cgroup; what leaves is told as at its end. */
static __always_inline void retrack(struct task_struct *p, const char *comm)
{
	bool target = is_target(p, comm) ||
		      (config.filter == FILTER_IDS && config.wanted_threads && join_of(p) && comm_matches(comm));
	struct join *j = join_of(p);
	struct rec_task_end r;

	if (target && !j)
		join_make(p);
	if (!target && j) {
		if (j->late_held)
			release_late(NULL, j, FUTEX_RET_UNKNOWN);
		fill_end(&r, p, j, bpf_ktime_get_ns());
		if (bpf_ringbuf_output(&ring, &r, sizeof(r), BPF_RB_NO_WAKEUP))
			count(COUNT_ring_task);
		end_waiting(j);
		join_drop(p);
	}
	emit_identity(p, comm, 0);
}

SEC("tp_btf/task_rename")
int BPF_PROG(on_task_rename, struct task_struct *p, const char *to)
{
	char comm[16] = {};

	bpf_probe_read_kernel_str(comm, sizeof(comm), to);
	if (config.has_comm)
		retrack(p, comm);
	else
		emit_identity(p, comm, 0);
	return 0;
}

SEC("?tp_btf/cgroup_attach_task")
int BPF_PROG(on_cgroup_attach_task, void *cgroup, const char *path, struct task_struct *p)
{
	char comm[16];

	read_comm(p, comm);
	if (config.filter == FILTER_CGROUP)
		retrack(p, comm);
	else
		emit_identity(p, comm, 0);
	return 0;
}
