/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The records: what the kernel side emits, what a recording holds, what feed() takes.
 *
 * A record is self-contained: losing one loses that wait (or that slice) and nothing else. Each is
 * a list of fields; struct, file format and the text form of test fixtures come from that list.
 * Numbers of kinds and of enum values are in files: they are never reused.
 *
 * All times are CLOCK_MONOTONIC in ns; 0 means "not there" or "not seen". Thread ids are those of the
 * initial PID namespace; tid 0 is nobody.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

enum rec_kind {
	REC_WAIT_KIND = 1,
	REC_SLICE_KIND = 2,
	REC_MOVE_KIND = 3,
	REC_TASK_KIND = 4,
	REC_TASK_END_KIND = 5,
	REC_COUNT_KIND = 6,
	REC_EAGAIN_KIND = 7,
	REC_OVERRUN_KIND = 8,
	REC_CLOCK_KIND = 9,
	REC_CGROUP_KIND = 10,
	REC_CGSTAT_KIND = 11,
	REC_FACT_KIND = 12,
	REC_END_KIND = 13,
	REC_GO_KIND = 14,
	REC_STACK_KIND = 15,
	REC_STW_KIND = 16,
	REC_SYMBOL_KIND = 17,
	REC_GOPROC_KIND = 18,
	REC_GOWORD_KIND = 19,
	REC_GOSNAP_KIND = 20,
	REC_GOSITE_KIND = 21,
	REC_GOHIST_KIND = 22,
	REC_GOLABEL_KIND = 23,
	REC_LOCK_KIND = 24,
	REC_KLOCK_KIND = 25,
	REC_KIND_END,
};

/* How the thread left its CPU (or did not). */
enum wait_why {
	WAIT_UNSEEN = 0,	/* the switch-out was before the recording: off is 0 */
	WAIT_ON_CPU = 1,	/* a waking found the task on its CPU: off is 0, ran == waking */
	WAIT_BLOCKED = 2,
	WAIT_PREEMPTED = 3,	/* switched out while runnable */
	WAIT_THROTTLED = 4,	/* switched out because the cgroup's CPU quota was spent */
};

enum woken_by {
	WOKEN_NOT = 0,		/* preempted, or the waking was not seen */
	WOKEN_TIMER = 1,
	WOKEN_TASK = 2,
	WOKEN_IRQ = 3,
	WOKEN_NEW = 4,
};

/* Which kernel timer did the waking, told by its function. */
enum timer_kind {
	TIMER_NONE = 0,
	TIMER_SLEEPER = 1,	/* hrtimer_wakeup: the class is the system call waited in */
	TIMER_TIMERFD = 2,
	TIMER_POSIX = 3,
	TIMER_ITIMER = 4,
	TIMER_ALARM = 5,
	TIMER_JIFFIES = 6,	/* timer wheel: asked, due are 0 */
	TIMER_GO = 7,		/* of rec_overrun only: a Go channel timer that fired with nobody waiting */
};

/* Values of rec_wait.goid beside a goroutine's id. */
#define GOID_NONE 0ull			/* no Go thread, or none that we can read */
#define GOID_SCHEDULER 0xffffffffffffffffull	/* a Go thread (M) without a goroutine */
#define GOID_PARKED 0xfffffffffffffffeull	/* the same, in its own futex for idle Ms (m.park) */

/* How a goroutine became runnable. */
enum go_cause {
	GO_UNSEEN = 0,		/* readied is 0, the runtime's own stamp (sampled is 1), or when its timer was run */
	GO_READIED = 1,		/* ready(): by a goroutine, or by a timer or the runtime (waker_goid 0) */
	GO_PREEMPTED = 2,
	GO_YIELDED = 3,
	GO_NEW = 4,
	GO_SYSCALL = 5,		/* came out of a system call and found no P */
	GO_NETPOLL = 6,		/* readied by the network poller */
};

/* What timer made it runnable, by the function that the timer runs. */
enum go_timer {
	GO_TIMER_NONE = 0,
	GO_TIMER_SLEEP = 1,
	GO_TIMER_TIMER = 2,	/* a channel timer without a period */
	GO_TIMER_TICKER = 3,
	GO_TIMER_FUNC = 4,	/* AfterFunc, context deadlines: the goroutine that it started */
	GO_TIMER_DEADLINE = 5,	/* of network I/O */
};

/* Whose numbers a rec_goword names. */
enum go_word { GO_WORD_REASON = 1, GO_WORD_STW = 2 };

/* Histograms that the Go runtime keeps itself. */
enum go_hist {
	GO_HIST_RUN = 1,	/* sched.timeToRun: runnable to running, of one in eight */
	GO_HIST_STW_STOPPING_GC = 2,
	GO_HIST_STW_STOPPING_OTHER = 3,
	GO_HIST_STW_TOTAL_GC = 4,
	GO_HIST_STW_TOTAL_OTHER = 5,
};

/* How much is probed; values of rec_goproc.level. */
enum go_level { GO_OFF = 0, GO_SNAPSHOT = 1, GO_LIGHT = 2, GO_FULL = 3 };

/* Values of rec_wait.syscall that are no system call number. */
enum {
	SYSCALL_FAULT = -1,	/* in an exception or interrupt of user code */
	SYSCALL_KERNEL = -2,	/* a kernel thread */
	SYSCALL_COMPAT = -3,	/* a 32-bit system call: numbers of another table */
	SYSCALL_UNKNOWN = -4,
};

/* Values of rec_wait.futex_ret: what the futex call that waited returned, or: */
enum { FUTEX_RET_UNKNOWN = 1 << 30 };

/* Instead of a tgid where the code is the kernel's: of its stacks and symbols. */
#define TGID_KERNEL 0xffffffffu

/* Bits of rec_klock.flags: LCB_F_* of include/trace/events/lock.h (5.19, ee042be16cb4). */
enum klock_flags {
	KLOCK_SPIN = 1,
	KLOCK_READ = 2,
	KLOCK_WRITE = 4,
	KLOCK_RT = 8,
	KLOCK_PERCPU = 16,
	KLOCK_MUTEX = 32,
};

/* Value of rec_wait.by and rec_move.by: several tasks ran during the wait, see the slices. */
#define BY_SLICES 0xffffffffu

enum task_flags {
	TASK_TRACKED = 1,
	TASK_KTHREAD = 2,
	TASK_FORKED = 4,	/* born during the recording */
	TASK_EXECED = 8,
};

/* What the task was doing when the recording (or the task) ended; see bpf/join.h for the states. */
enum open_wait {
	OPEN_NOT = 0,
	OPEN_BLOCKED = 1,
	OPEN_WOKEN = 2,		/* a seen waking whose run was not seen */
	OPEN_PREEMPTED = 3,
	OPEN_THROTTLED = 4,
};

enum end_reason {
	END_DURATION = 1,
	END_SIGNAL = 2,
	END_TARGET_EXIT = 3,
	END_COMMAND_EXIT = 4,
	END_FILE_LIMIT = 5,
	END_ERROR = 6,
	END_TRIGGER = 7,	/* what a flight recorder kept, when a trigger tripped */
};

/*
 * Counters of the whole recording: COUNTS(X) rows X(number, name, is_loss, help). Those with is_loss
 * go to the table `loss`, the others to `counters`. "wakings" are of tracked tasks only.
 */
#define COUNTS(X) \
	X(0, waking, 0, "wakings of tracked tasks") \
	X(1, waking_again, 0, "wakings of tasks that had not run since the last one") \
	X(2, waking_preempted, 0, "wakings of preempted tasks") \
	X(3, join_impossible, 0, "events that the join's table calls impossible (a missed event)") \
	X(4, missed_switch, 1, "waits whose end no switch showed: events that the kernel did not give us") \
	X(5, ring_waking, 1, "ring full: a wait that a waking ended") \
	X(6, ring_preempt, 1, "ring full: a preemption") \
	X(7, ring_slice, 1, "ring full: a run slice") \
	X(8, ring_move, 1, "ring full: a migration of a waiting task") \
	X(9, ring_task, 1, "ring full: a task's name or end") \
	X(10, slice_history, 1, "run slices older than a CPU's history, needed by a long wait") \
	X(11, waking_slots, 1, "wakings of a task that was on its CPU, too many at once") \
	X(12, waking_no_state, 1, "wakings of tasks whose state could not be stored") \
	X(13, task_state_full, 1, "tasks that could not be tracked: no room for their state") \
	X(14, recursion, 1, "events that came inside a program of ours (BPF recursion)") \
	X(15, futex_eagain_map, 1, "EAGAIN counts of futexes: table full") \
	X(16, overrun_map, 1, "timer overruns: table full") \
	X(17, file_cut, 1, "the recording was cut off: what came after is not there") \
	X(18, file_bad_record, 1, "records that could not be decoded") \
	X(19, missed_waking, 1, "waits that ended with no waking seen: the kernel did not give us the event") \
	X(20, ring_goroutine, 1, "ring full: a goroutine's wait, a stop-the-world or a stack") \
	X(21, goroutine_full, 1, "goroutines that could not be followed: table full") \
	X(22, stack_full, 1, "call stacks that could not be kept: table full") \
	X(23, go_unreadable, 1, "Go probes whose goroutine could not be read (memory not resident)") \
	X(24, go_hits, 0, "hits of probes in Go processes") \
	X(25, go_births, 0, "goroutines started") \
	X(26, go_deaths, 0, "goroutines ended") \
	X(27, stack_paths_full, 1, "call paths of waits whose stack could not be kept: table full") \
	X(28, stack_later, 0, "stacks not copied at once (ring too full): tried again at the path's next wait") \
	X(29, stack_unreadable, 0, "stacks that could not be read (memory not resident)") \
	X(30, ring_klock, 1, "ring full: a wait for a kernel lock") \
	X(31, klock_short, 0, "waits under 1 us for spin locks of the kernel: no records")

enum count_id {
#define X(number, name, is_loss, help) COUNT_##name = number,
	COUNTS(X)
#undef X
	COUNT_CNT
};

struct rec_hdr {
	__u16 kind;
	__u16 len;	/* of the whole record, the header included */
};

/*
 * Field lists: F(type, name, codec, ref) and T(name, size) for text (NUL-padded bytes).
 * codec: how the file predicts the value (a field equal to its prediction takes one bit):
 *   ZERO  0                              PREV  the same field of the last record of this kind
 *   LAST  the same field of the last record of this kind and tid (needs a field `tid`, first)
 *   TIME  never equal: the delta to the last TIME of the stream
 *   FROM  0; if not 0, the delta to the earlier field `ref` is written
 * Order is the order on the wire; new fields go to the end of a list (files carry the count).
 */

/* One finished wait of one task; see product words asked, due, fired, waking, ran. */
#define REC_WAIT(F, T) \
	F(__u32, tid, PREV, hdr) \
	F(__u64, ran, TIME, hdr) \
	F(__u64, waking, FROM, ran) \
	F(__u64, off, FROM, ran) \
	F(__u64, fired, FROM, waking) \
	F(__u64, due, FROM, fired) \
	F(__u64, asked, FROM, due) \
	F(__u64, since, FROM, ran)		/* last arrival on the CPU it then ran on, 0 if moves is 0 */ \
	F(__u64, futex, LAST, hdr)		/* the futex word's address, 0 if it waited in no futex */ \
	F(__u64, cgroup, LAST, hdr)		/* id of the CPU controller's cgroup */ \
	F(__u32, tgid, LAST, hdr) \
	F(__u32, waker, LAST, hdr)		/* 0 unless woken_by is WOKEN_TASK or WOKEN_NEW */ \
	F(__u32, by, LAST, hdr)			/* the one task that ran while this was runnable, or BY_SLICES */ \
	F(__u32, irq_ns, ZERO, hdr)		/* of the runnable time on the last CPU */ \
	F(__u32, softirq_ns, ZERO, hdr) \
	F(__u32, steal_ns, ZERO, hdr) \
	F(__u32, futex_op, LAST, hdr) \
	F(__s32, futex_ret, LAST, hdr) \
	F(__s16, syscall, LAST, hdr)		/* number of the host's native table, or SYSCALL_* */ \
	F(__u16, prev_state, LAST, hdr)		/* low 16 bits of the kernel's task state at switch-out */ \
	F(__u16, cpu_off, LAST, hdr)		/* where it left */ \
	F(__u16, cpu_wake, LAST, hdr)		/* where it was placed by the waking */ \
	F(__u16, cpu, LAST, hdr)		/* where it ran */ \
	F(__u8, why, LAST, hdr)			/* enum wait_why */ \
	F(__u8, woken_by, LAST, hdr)		/* enum woken_by */ \
	F(__u8, timer, LAST, hdr)		/* enum timer_kind */ \
	F(__u8, policy, LAST, hdr)		/* SCHED_* */ \
	F(__u8, prio, LAST, hdr)		/* kernel priority: 0..99 real time, 100..139 nice */ \
	F(__u8, moves, ZERO, hdr)		/* migrations while runnable: that many REC_MOVE belong to it */ \
	F(__u64, until, FROM, ran)		/* a Go thread's epoll wait: when its own timeout would end it, about */ \
	F(__u64, goid, LAST, hdr)		/* of the goroutine that was running at off, or GOID_* */ \
	F(__u64, startpc, LAST, hdr)		/* its function, as in REC_GO */ \
	F(__u64, gopc, LAST, hdr)		/* and where it was created */ \
	F(__u32, futex_val, LAST, hdr)		/* the futex word when the wait began; 0 too if it could not be read */ \
	F(__u32, futex_owner, LAST, hdr)	/* the 4 bytes 8 behind the word: of a glibc mutex its __owner */ \
	F(__u32, stack, LAST, hdr)		/* id of a REC_STACK: where a futex wait began; 0: not taken */ \
	F(__u32, pad, ZERO, hdr)

/* A task had the CPU in [start, end); emitted only where a tracked task waited for that CPU. */
#define REC_SLICE(F, T) \
	F(__u32, tid, PREV, hdr)		/* 0: idle */ \
	F(__u64, end, TIME, hdr) \
	F(__u64, start, FROM, end) \
	F(__u32, irq_ns, ZERO, hdr)		/* inside the slice */ \
	F(__u32, softirq_ns, ZERO, hdr) \
	F(__u32, steal_ns, ZERO, hdr) \
	F(__u16, cpu, PREV, hdr) \
	F(__u16, pad, ZERO, hdr)

/* A runnable task waited on `cpu` in [start, end) and was then moved to another run queue. */
#define REC_MOVE(F, T) \
	F(__u32, tid, PREV, hdr) \
	F(__u64, end, TIME, hdr) \
	F(__u64, start, FROM, end) \
	F(__u32, by, ZERO, hdr) \
	F(__u32, irq_ns, ZERO, hdr) \
	F(__u32, softirq_ns, ZERO, hdr) \
	F(__u32, steal_ns, ZERO, hdr) \
	F(__u16, cpu, PREV, hdr) \
	F(__u16, cpu_to, PREV, hdr) \
	F(__u32, pad, ZERO, hdr)

/* A task's identity: at the start (all tasks), at fork, exec, rename and change of cgroup. */
#define REC_TASK(F, T) \
	F(__u32, tid, PREV, hdr) \
	F(__u64, time, TIME, hdr) \
	F(__u64, cgroup, PREV, hdr) \
	F(__u32, tgid, PREV, hdr) \
	F(__u32, ns_tid, ZERO, hdr)		/* in its own PID namespace; 0 if that is the initial one */ \
	F(__u32, ns_tgid, ZERO, hdr) \
	F(__u32, parent, PREV, hdr)		/* tgid of the parent */ \
	F(__u32, flags, PREV, hdr)		/* enum task_flags */ \
	F(__u32, pad, ZERO, hdr) \
	T(comm, 16)

/* A tracked task ended, or the recording did while it lived. */
#define REC_TASK_END(F, T) \
	F(__u32, tid, PREV, hdr) \
	F(__u64, time, TIME, hdr) \
	F(__u64, waking, ZERO, hdr)		/* this task's share of the counters of the same name */ \
	F(__u64, waking_again, ZERO, hdr) \
	F(__u64, waking_preempted, ZERO, hdr) \
	F(__u64, lost_waking, ZERO, hdr)	/* samples of its wakings lost: ring full, slots full */ \
	F(__u64, open_off, FROM, time)		/* when the open wait began, 0 if not seen */ \
	F(__u32, tgid, PREV, hdr) \
	F(__u32, open_wakings, ZERO, hdr)	/* seen wakings that no record, counter or loss accounts for */ \
	F(__s16, syscall, ZERO, hdr)		/* of the open wait */ \
	F(__u8, open, ZERO, hdr)		/* enum open_wait */ \
	F(__u8, exited, ZERO, hdr)		/* 1: the task ended; 0: the recording did */ \
	F(__u32, pad, ZERO, hdr)

/* A counter's value so far, about once a second and at the end; `id` is enum count_id. */
#define REC_COUNT(F, T) \
	F(__u32, id, PREV, hdr) \
	F(__u64, time, TIME, hdr) \
	F(__u64, value, ZERO, hdr)

/* Futex calls that returned EAGAIN on this word so far. */
#define REC_EAGAIN(F, T) \
	F(__u32, tgid, PREV, hdr) \
	F(__u64, time, TIME, hdr) \
	F(__u64, futex, PREV, hdr) \
	F(__u64, count, ZERO, hdr)

/* Timer firings with nobody waiting so far, of a thread (is_thread) or of a process. */
#define REC_OVERRUN(F, T) \
	F(__u32, id, PREV, hdr) \
	F(__u64, time, TIME, hdr) \
	F(__u64, count, ZERO, hdr) \
	F(__u32, is_thread, PREV, hdr) \
	F(__u32, timer, PREV, hdr)		/* enum timer_kind */

/* Clock offsets: clock = CLOCK_MONOTONIC + offset. At start, end, and when one stepped. */
#define REC_CLOCK(F, T) \
	F(__u32, pad, ZERO, hdr) \
	F(__u64, time, TIME, hdr) \
	F(__s64, realtime, ZERO, hdr) \
	F(__s64, boottime, ZERO, hdr) \
	F(__s64, tai, ZERO, hdr)

/* A cgroup's path below its hierarchy's root. */
#define REC_CGROUP(F, T) \
	F(__u32, pad, ZERO, hdr) \
	F(__u64, id, ZERO, hdr) \
	T(path, 256)

/* cpu.stat of a cgroup that has a quota, about once a second. */
#define REC_CGSTAT(F, T) \
	F(__u32, pad, ZERO, hdr) \
	F(__u64, time, TIME, hdr) \
	F(__u64, id, PREV, hdr) \
	F(__u64, nr_periods, ZERO, hdr) \
	F(__u64, nr_throttled, ZERO, hdr) \
	F(__u64, throttled_ns, ZERO, hdr)

/* A fact of the host, kernel, tool or an option: name and value, both text. */
#define REC_FACT(F, T) \
	F(__u32, pad, ZERO, hdr) \
	T(name, 40) \
	T(value, 216)

/* The last record of a recording that was not cut off. */
#define REC_END(F, T) \
	F(__u32, reason, ZERO, hdr)		/* enum end_reason */ \
	F(__u64, time, TIME, hdr) \
	F(__s32, status, ZERO, hdr)		/* the command's wait status, if there was one */ \
	F(__u32, pad, ZERO, hdr)

/*
 * A goroutine got to run (_Grunnable to _Grunning): everything about the wait that ended. With the light
 * probes only those that a timer made runnable, and those that the runtime itself stamped (sampled).
 *
 *	left            readied         ran		when     fired   readied   ran
 *	 |    waiting      |  runnable   |		 | late     |  ready  |  runnable |
 */
#define REC_GO(F, T) \
	F(__u32, tid, PREV, hdr)		/* the thread (M) that runs it */ \
	F(__u64, ran, TIME, hdr) \
	F(__u64, readied, FROM, ran)		/* became runnable; 0: not seen */ \
	F(__u64, left, FROM, readied)		/* stopped running; 0: not seen, or new */ \
	F(__u64, fired, FROM, readied)		/* its timer was run; 0: no timer */ \
	F(__u64, when, FROM, fired)		/* asked: the timer's `when` */ \
	F(__u64, period, LAST, hdr)		/* of the timer, ns */ \
	F(__u64, goid, LAST, hdr) \
	F(__u64, startpc, LAST, hdr)		/* the function that it was created with */ \
	F(__u64, gopc, LAST, hdr)		/* return address of the go statement */ \
	F(__u64, labels, LAST, hdr)		/* address of its pprof labels, see REC_GOLABEL; 0: none */ \
	F(__u64, lock, LAST, hdr)		/* semaphore waited for; 0: none */ \
	F(__u64, waker_goid, LAST, hdr)		/* 0: no goroutine: a timer, the poller, the scheduler */ \
	F(__u64, waker_startpc, LAST, hdr) \
	F(__u64, waker_gopc, LAST, hdr) \
	F(__u32, tgid, LAST, hdr) \
	F(__u32, waker, LAST, hdr)		/* thread that readied it; 0: not seen */ \
	F(__u32, fired_by, LAST, hdr)		/* thread that ran the timer */ \
	F(__u32, stack, LAST, hdr)		/* id of a REC_STACK: where it waits; 0: not taken */ \
	F(__u16, cpu, LAST, hdr) \
	F(__u8, cause, LAST, hdr)		/* enum go_cause */ \
	F(__u8, timer, LAST, hdr)		/* enum go_timer */ \
	F(__u8, reason, LAST, hdr)		/* of its last wait, the runtime's number, see REC_GOWORD */ \
	F(__u8, sampled, LAST, hdr)		/* 1: readied is the runtime's own stamp, of one in eight */ \
	F(__u16, pad, ZERO, hdr)

/*
 * A call stack of a goroutine, of a thread that waited in a futex, or (tgid is TGID_KERNEL) of the kernel: return
 * addresses, the innermost first, 0 behind the last. Given before what refers to it.
 */
#define REC_STACK(F, T) \
	F(__u32, tgid, PREV, hdr) \
	F(__u32, id, ZERO, hdr) \
	F(__u32, pad, ZERO, hdr) \
	F(__u64, pc0, ZERO, hdr) F(__u64, pc1, ZERO, hdr) F(__u64, pc2, ZERO, hdr) F(__u64, pc3, ZERO, hdr) \
	F(__u64, pc4, ZERO, hdr) F(__u64, pc5, ZERO, hdr) F(__u64, pc6, ZERO, hdr) F(__u64, pc7, ZERO, hdr) \
	F(__u64, pc8, ZERO, hdr) F(__u64, pc9, ZERO, hdr) F(__u64, pc10, ZERO, hdr) F(__u64, pc11, ZERO, hdr)

/* The Go world was stopped and is started again. */
#define REC_STW(F, T) \
	F(__u32, tid, PREV, hdr)		/* the thread that stopped it */ \
	F(__u64, end, TIME, hdr) \
	F(__u64, stopped, FROM, end)		/* all had stopped; 0: not seen */ \
	F(__u64, start, FROM, stopped)		/* stopping began */ \
	F(__u64, goid, PREV, hdr)		/* the goroutine that stopped it, 0: none */ \
	F(__u64, last_goid, ZERO, hdr)		/* who stopped last; 0: not seen */ \
	F(__u64, last_startpc, ZERO, hdr) \
	F(__u64, last_gopc, ZERO, hdr) \
	F(__u32, tgid, PREV, hdr) \
	F(__u32, last_tid, ZERO, hdr) \
	F(__u32, reason, PREV, hdr)		/* the runtime's number, see REC_GOWORD; 0: before 1.21, see stack */ \
	F(__u32, stack, PREV, hdr)

/*
 * A place in the code of a process. A pc with inlined calls is several, the innermost has depth 0.
 * Given before the first record that has the pc. The last frame of a pc has last set.
 */
#define REC_SYMBOL(F, T) \
	F(__u32, tgid, PREV, hdr) \
	F(__u64, pc, PREV, hdr)			/* as in the record that has it: a return address or a function's begin */ \
	F(__u32, line, ZERO, hdr)		/* 0: not known */ \
	F(__u16, depth, ZERO, hdr) \
	F(__u16, last, ZERO, hdr) \
	T(func, 200)				/* demangled; "" if it has no name */ \
	T(file, 200) \
	T(module, 64)				/* base name of the file that the code is of; "" in older files, and for Go */

/*
 * What a futex word belongs to. Given before the first record that has the word, if there is something to say: it lies
 * in a named object of a program or library, or in memory that is shared by way of a file.
 */
#define REC_LOCK(F, T) \
	F(__u32, tgid, PREV, hdr) \
	F(__u64, futex, PREV, hdr) \
	F(__u64, base, ZERO, hdr)		/* where the object begins; 0: not in a named object */ \
	F(__u64, inode, ZERO, hdr)		/* of the shared mapping; 0: private memory, or a private futex */ \
	F(__u64, offset, ZERO, hdr)		/* of the word in that file */ \
	T(name, 200)				/* the object's symbol, demangled: "queue_lock", "pool+0x40" */ \
	T(module, 64)

/* A tracked task waited for a lock of the kernel's own (contention_begin to contention_end). */
#define REC_KLOCK(F, T) \
	F(__u32, tid, PREV, hdr) \
	F(__u64, end, TIME, hdr) \
	F(__u64, begin, FROM, end) \
	F(__u64, lock, LAST, hdr)		/* the lock's address, to tell locks apart */ \
	F(__u32, tgid, LAST, hdr) \
	F(__u32, flags, LAST, hdr)		/* enum klock_flags */ \
	F(__u32, stack, LAST, hdr)		/* of the kernel, see REC_STACK; 0: not taken */ \
	F(__s32, ret, LAST, hdr)		/* not 0: it gave up, by a signal say */ \
	F(__s16, syscall, LAST, hdr) \
	F(__u16, cpu, LAST, hdr) \
	F(__u8, policy, LAST, hdr) \
	F(__u8, prio, LAST, hdr) \
	F(__u16, pad, ZERO, hdr)

/* A process is a Go program; again whenever the level changes. */
#define REC_GOPROC(F, T) \
	F(__u32, tgid, PREV, hdr) \
	F(__u64, time, TIME, hdr) \
	F(__u32, level, ZERO, hdr)		/* enum go_level */ \
	F(__u32, checked, ZERO, hdr)		/* 1: the layout agrees with the live process */ \
	T(version, 64) \
	T(why, 200)				/* of this level, or why it can't be more; for people */

/* What a number of the Go runtime of a process means, as the runtime itself calls it ("chan receive"). */
#define REC_GOWORD(F, T) \
	F(__u32, tgid, PREV, hdr) \
	F(__u32, word, PREV, hdr)		/* enum go_word */ \
	F(__u32, number, ZERO, hdr) \
	T(text, 64)

/* A Go process's scheduler as read from outside at one moment. */
#define REC_GOSNAP(F, T) \
	F(__u32, tgid, PREV, hdr) \
	F(__u64, time, TIME, hdr) \
	F(__u64, took_ns, ZERO, hdr)		/* to read it */ \
	F(__u32, goroutines, PREV, hdr)		/* all but dead ones; system goroutines too */ \
	F(__u32, runnable, PREV, hdr) \
	F(__u32, running, PREV, hdr) \
	F(__u32, in_syscall, PREV, hdr) \
	F(__u32, waiting, PREV, hdr) \
	F(__u32, ms, PREV, hdr)			/* threads that the runtime has */ \
	F(__u32, ms_idle, PREV, hdr) \
	F(__u32, ms_spinning, PREV, hdr) \
	F(__u32, ms_syscall, PREV, hdr)		/* in a system call or C code */ \
	F(__u32, ms_locked, PREV, hdr)		/* LockOSThread */ \
	F(__u32, ps, PREV, hdr)			/* GOMAXPROCS */ \
	F(__u32, ps_idle, PREV, hdr) \
	F(__u32, ps_running, PREV, hdr) \
	F(__u32, ps_syscall, PREV, hdr) \
	F(__u32, ps_stopped, PREV, hdr)		/* for the garbage collector */ \
	F(__u32, runq_global, PREV, hdr) \
	F(__u32, runq_local, PREV, hdr)		/* sum over the Ps */ \
	F(__u32, timers, PREV, hdr)		/* in all heaps */ \
	F(__u32, timers_max, PREV, hdr)		/* in the fullest heap */ \
	F(__u32, gc_waiting, PREV, hdr)		/* 1: the world is being stopped, or is */ \
	F(__u32, gc_cycles, PREV, hdr)		/* so far; 0: not known */ \
	F(__u32, pad, ZERO, hdr) \
	F(__u64, sched_ticks, PREV, hdr)	/* goroutines scheduled so far, sum over the Ps */ \
	F(__u64, mutex_wait_ns, PREV, hdr)	/* the runtime's estimate, so far */ \
	F(__u64, partial, ZERO, hdr)		/* goroutines that were not looked at: too many, or in change */

/* So many goroutines of a snapshot (same tgid, time) have the same creation site, status and reason. */
#define REC_GOSITE(F, T) \
	F(__u32, tgid, PREV, hdr) \
	F(__u64, time, TIME, hdr) \
	F(__u64, startpc, ZERO, hdr)		/* 0 with gopc 0: the sum of all small ones */ \
	F(__u64, gopc, ZERO, hdr) \
	F(__u64, oldest_ns, ZERO, hdr)		/* the longest that one of them has been waiting, as far as known */ \
	F(__u64, labels, ZERO, hdr) \
	F(__u32, count, ZERO, hdr) \
	F(__u32, stack, ZERO, hdr)		/* where one of them waits; 0: not taken */ \
	F(__u32, status, ZERO, hdr)		/* the runtime's: 1 runnable, 2 running, 3 syscall, 4 waiting, ... */ \
	F(__u32, reason, ZERO, hdr)		/* the runtime's wait reason if it waits */

/* A bucket of one of the runtime's own histograms grew. */
#define REC_GOHIST(F, T) \
	F(__u32, tgid, PREV, hdr) \
	F(__u64, time, TIME, hdr) \
	F(__u64, lo_ns, ZERO, hdr)		/* [lo, hi) */ \
	F(__u64, hi_ns, FROM, lo_ns) \
	F(__u64, count, ZERO, hdr)		/* by so much since the last of its kind, or since the first snapshot */ \
	F(__u32, which, PREV, hdr)		/* enum go_hist */ \
	F(__u32, pad, ZERO, hdr)

/* The pprof labels at an address, "key=value,key=value" sorted by key. */
#define REC_GOLABEL(F, T) \
	F(__u32, tgid, PREV, hdr) \
	F(__u64, labels, ZERO, hdr) \
	T(text, 200)

#define RECORDS(X) \
	X(WAIT, wait) X(SLICE, slice) X(MOVE, move) X(TASK, task) X(TASK_END, task_end) \
	X(COUNT, count) X(EAGAIN, eagain) X(OVERRUN, overrun) X(CLOCK, clock) X(CGROUP, cgroup) \
	X(CGSTAT, cgstat) X(FACT, fact) X(END, end) X(GO, go) X(STACK, stack) X(STW, stw) \
	X(SYMBOL, symbol) X(GOPROC, goproc) X(GOWORD, goword) X(GOSNAP, gosnap) X(GOSITE, gosite) \
	X(GOHIST, gohist) X(GOLABEL, golabel) X(LOCK, lock) X(KLOCK, klock)

#define REC_MEMBER(type, name, codec, ref) type name;
#define REC_TEXT_MEMBER(name, size) char name[size];
#define X(upper, lower) \
	struct rec_##lower { \
		struct rec_hdr hdr; \
		REC_##upper(REC_MEMBER, REC_TEXT_MEMBER) \
	};
RECORDS(X)
#undef X

_Static_assert(sizeof(struct rec_wait) == 176, "rec_wait has no holes");
_Static_assert(sizeof(struct rec_klock) == 56, "rec_klock has no holes");
_Static_assert(sizeof(struct rec_slice) == 40, "rec_slice has no holes");
_Static_assert(sizeof(struct rec_move) == 48, "rec_move has no holes");
_Static_assert(sizeof(struct rec_task) == 64, "rec_task has no holes");
_Static_assert(sizeof(struct rec_task_end) == 72, "rec_task_end has no holes");
_Static_assert(sizeof(struct rec_go) == 144, "rec_go has no holes");
_Static_assert(sizeof(struct rec_stack) == 112, "rec_stack has no holes");
_Static_assert(sizeof(struct rec_stw) == 80, "rec_stw has no holes");
