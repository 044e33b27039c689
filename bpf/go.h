/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One Go process as the programs see it: where in memory the runtime keeps what. User space resolves it
 * (src/go/) and puts it into the map go_procs by tgid. Offsets are in bytes; 0xffff: this version has none.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define GO_NO_OFFSET 0xffff

/*
 * Offsets in the runtime's structs that change between versions. X(struct, field, name of the field).
 * Those that don't (Go 1.17 to 1.27): g.m 48, g.sched.sp 56, g.sched.pc 64, m.g0 0, sudog.g 0, p.id 0,
 * p.status 4, p.schedtick 16; and goid is 8, waitsince 24, waitreason (a byte) 32 and preempt (a byte) 33
 * behind g.atomicstatus.
 */
#define GO_OFFSETS(X) \
	X(g, status, "atomicstatus") \
	X(g, sched_bp, "sched.bp") \
	X(g, tracking, "tracking") \
	X(g, stamp, "trackingStamp")		/* runnableStamp until 1.19 */ \
	X(g, lockedm, "lockedm") \
	X(g, gopc, "gopc") \
	X(g, startpc, "startpc") \
	X(g, waiting, "waiting") \
	X(g, labels, "labels") \
	X(m, procid, "procid") \
	X(m, curg, "curg") \
	X(m, p, "p") \
	X(m, spinning, "spinning") \
	X(m, blocked, "blocked") \
	X(m, incgo, "incgo") \
	X(m, park, "park") \
	X(m, alllink, "alllink") \
	X(m, lockedg, "lockedg") \
	X(p, m, "m") \
	X(p, goidcache, "goidcache") \
	X(p, runqhead, "runqhead") \
	X(p, runnext, "runnext") \
	X(p, timers_len, "timers.len")		/* of the slice; from 1.23 on of p.timers.heap */ \
	X(sched, nmidle, "nmidle") \
	X(sched, npidle, "npidle") \
	X(sched, nmspinning, "nmspinning") \
	X(sched, runqsize, "runqsize")		/* runq.size from 1.25 on */ \
	X(sched, gcwaiting, "gcwaiting") \
	X(sched, timeToRun, "timeToRun") \
	X(sched, totalMutexWaitTime, "totalMutexWaitTime") \
	X(sched, stwStoppingTimeGC, "stwStoppingTimeGC") \
	X(sched, stwStoppingTimeOther, "stwStoppingTimeOther") \
	X(sched, stwTotalTimeGC, "stwTotalTimeGC") \
	X(sched, stwTotalTimeOther, "stwTotalTimeOther") \
	X(timer, when, "when") \
	X(timer, period, "period") \
	X(timer, f, "f") \
	X(timer, arg, "arg") \
	X(hchan, recvq, "recvq") \
	X(pollDesc, rg, "rg") \
	X(pollDesc, wg, "wg")

/* Which register of startTheWorldWithSema tells when it began to stop. */
enum go_stw_args {
	GO_STW_NONE,		/* until 1.21: nothing */
	GO_STW_START,		/* 1.22: the third argument is the start of stopping */
	GO_STW_ALL,		/* from 1.23 on: also when all had stopped, the fourth */
};

struct go_layout {
#define X(type, field, name) __u16 type##_##field;
	GO_OFFSETS(X)
#undef X
	__u16 timer_arg_no;	/* the timer's probe has it in argument 0 (AX), or 1 (BX, until 1.22) */
	__u16 stw_args;		/* enum go_stw_args */
	__u16 stw_reason;	/* stopTheWorldWithSema has it (1.21) */
	__u16 g_size, m_size;
	__u16 hist_sub;		/* sub-buckets of runtime.timeHistogram: 16 until 1.19, then 4 */
	__u16 waitreason_lock_only_by_stack;	/* until 1.19 all of package sync has one reason */
	__u16 labels_map;	/* g.labels is a *map[string]string (until 1.23), not a *struct { []struct { key, value string } } */
	__u16 pad[1];
};

/* The functions that timers run, by their addresses in the file; those not found are 1, which none is at. */
struct go_functions {
	__u64 goroutineReady, sendTime, goFunc, readDeadline, writeDeadline, deadline;
};

struct go_proc {
	__s32 tls;		/* the g of a thread is at its fs base + tls */
	__u32 level;		/* enum go_level */
	__u32 gen;		/* not 0, nor the same for two processes that had this id */
	__u32 tgid;
	__u64 stack_reasons;	/* bit i: the stack of waits with reason i is taken */
	__u64 class_reasons;	/* bit i: only the stack tells what reason i was */
	__u64 lock_reasons;	/* bit i: reason i is a wait in semacquire1 */
	__u64 goidgen;		/* address of sched.goidgen in the file, 0: not known */
	struct go_functions fn;
	struct go_layout at;
};

/*
 * Where probes are: X(id, symbols, level, help). Several names, separated by '|', are those that versions
 * have had; at most one is there. level: the first that needs it.
 */
#define GO_SITES(X) \
	X(EXECUTE, "runtime.execute", LIGHT, "a goroutine gets to run") \
	X(NEWPROC, "runtime.newproc1", LIGHT, "a goroutine is started") \
	X(TIMER, "runtime.runOneTimer|runtime.(*timer).unlockAndRun", LIGHT, "a timer is run") \
	X(READY, "runtime.ready", FULL, "a goroutine becomes runnable") \
	X(PARK, "runtime.park_m", FULL, "a goroutine waits") \
	X(EXIT, "runtime.goexit0", FULL, "a goroutine ends") \
	X(GOSCHED, "runtime.goschedImpl", FULL, "a goroutine is preempted, or yields") \
	X(GOYIELD, "runtime.goyield_m", FULL, "a goroutine yields to another") \
	X(PREEMPT_PARK, "runtime.preemptPark", FULL, "a goroutine is stopped for the garbage collector") \
	X(EXITSYSCALL, "runtime.exitsyscall0|runtime.exitsyscallNoP", FULL, "a system call ends, no P is free") \
	X(NETPOLL, "runtime.netpollready", FULL, "the network poller wakes a goroutine") \
	X(SEMACQUIRE, "runtime.semacquire1", FULL, "a goroutine has to wait for a semaphore") \
	X(STW_STOP, "runtime.stopTheWorldWithSema", FULL, "the world is being stopped") \
	X(STW_STOPPED, "", FULL, "the world has stopped: inside stopTheWorldWithSema, until 1.22") \
	X(STW_START, "runtime.startTheWorldWithSema", FULL, "the world starts again")

enum go_site_id {
#define X(id, symbols, level, help) GO_SITE_##id,
	GO_SITES(X)
#undef X
	GO_SITE_CNT
};

/* Probed processes at a time, and a probe's cookie: the site, the process's slot, the site's address in the file. */
enum { GO_SLOTS = 256, GO_COOKIE_SLOT = 4, GO_COOKIE_ADDR = 12 };

_Static_assert(GO_SITE_CNT <= 1 << GO_COOKIE_SLOT, "a site fits into its bits");
_Static_assert(GO_SLOTS <= 1 << (GO_COOKIE_ADDR - GO_COOKIE_SLOT), "a slot fits into its bits");

/* Goroutines of all slots share tables: in their keys the slot is above what is the process's own. */
enum { KEY_SLOT_SHIFT = 48 };

static inline __u64 go_cookie(enum go_site_id site, __u32 slot, __u64 addr)
{
	return site | (__u64)slot << GO_COOKIE_SLOT | addr << GO_COOKIE_ADDR;
}
