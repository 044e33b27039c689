#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Locks of the kernel that a program's own system calls and faults wait for."""

from locklive import *

MMAP_LOCK = ("mmap", "munmap", "brk", "fault", "mm_", "vma", "vm_")


def mmap_lock():
    if not os.path.exists("/sys/kernel/tracing/events/lock/contention_begin") and \
       "contention_begin" not in run([WAKELAG, "doctor"], status=None).stdout:
        skip("mmap_lock", "this kernel has no lock:contention_begin")
        return
    run_ = LockRun("kernel", workload("lock_kernel", 8, 500))
    rows = [r for r in run_.rows("locks") if r["class"] == "kernel"]
    if not run_.check("rows", rows, f"no kernel lock in {run_.rows('locks')}"):
        return
    run_.check("entity", all(r["entity"].startswith("kernel:0x") for r in rows if r["entity"] != "rest"), f"{rows[:2]}")
    sites = [r for r in run_.rows("stages", "lock.wait", by="site") if r["class"] == "kernel" and r["stage"] == "total"]
    names = " ".join(r["name"] for r in sites)
    run_.check("site", any(word in names for word in MMAP_LOCK), f"{sites[:4]}")
    waits = [e for e in run_.rows("events", "lock.wait") if e["class"] == "kernel"]
    run_.check("events", len(waits) == sum(r["count"] for r in rows) and
               all(0 < e["latency_ns"] < 10**9 for e in waits),
               f"{len(waits)} of {sum(r['count'] for r in rows)}")


main(mmap_lock)
