#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A cgroup's CPU quota: thread.throttle against the kernel's own cpu.stat."""

from live import *

PERIOD_US, QUOTA_US = 50000, 10000


def throttled(group):
    """(times, ns)"""
    with open(f"{group}/cpu.stat", encoding="ascii") as f:
        stat = dict(line.split() for line in f)
    return int(stat["nr_throttled"]), int(stat.get("throttled_time", 0)) or int(stat.get("throttled_usec", 0)) * 1000


def throttle():
    group = make_group(QUOTA_US, PERIOD_US)
    if not group:
        return skip("throttle", "no cgroup with a CPU controller")
    try:
        file = path("t.wlag")
        text = record_command(file, "--", "sh", "-c", f"echo $$ >{group}/cgroup.procs; exec \"$@\"", "sh",
                              *workload("spin", 1, last_cpu(), 3))
        times, ns = throttled(group)
    finally:
        os.rmdir(group)
    tid = truths(text)[0]["tid"]
    row = stage_row(export(file, "stages", "thread.throttle"), tid)
    if not check("throttle_found", row, f"no thread.throttle of {tid}; cpu.stat says {times} times {ns} ns"):
        return
    check("throttle_planted", times > 20, f"throttled {times} times only")
    check("throttle_count", abs(row["count"] - times) <= max(2, times // 20), f"{row['count']}, cpu.stat {times}")
    # Ours ends when it runs, cpu.stat's when it may: on a busy machine others have the CPU by then.
    check("throttle_sum", 0.95 * ns <= row["sum_ns"] <= 1.05 * ns + times * 3000000, f"{row['sum_ns']}, cpu.stat {ns}")
    # A throttled task taken for a preempted one would wait for an idle CPU.
    idle = sum(r["sum_ns"] for r in export(file, "blame", "thread.preempt")
               if r["waiter"] == str(tid) and r["by_kind"] == "idle")
    check("throttle_is_no_preempt", idle < 0.05 * ns, f"preempted for {idle} ns by nobody")


main(throttle)
