#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What must add up, to the unit and to the ns, under loads that try to break it."""

import shutil

from live import *


def total(file, counter):
    found = counters(file, counter)
    return found[""] if "" in found else sum(found.values())


def check_wakings(name, file):
    """Wakings, less repeats and those of preempted tasks, are samples, censored or lost."""
    samples = sum(r["count"] for r in export(file, "heatmap", "thread.runq"))
    lost = sum(losses(file).get(c, 0) for c in LOST_WAKINGS)
    censored = total(file, "censored.thread.runq")
    waking, again, preempted = (total(file, c) for c in ("waking", "waking_again", "waking_preempted"))
    check(f"{name}_wakings", waking > 0 and samples + censored + lost == waking - again - preempted,
          f"samples {samples} + censored {censored} + lost {lost} != "
          f"waking {waking} - again {again} - preempted {preempted}")
    # Both edges of the recording, and two CPUs that handle one task at once, make a few of these.
    impossible = total(file, "join_impossible")
    check(f"{name}_join", impossible <= 10 + waking // 5000, f"impossible {impossible} of {waking}")


def check_stages(name, file):
    """Each sample's stages are a partition of it."""
    for metric in ("thread.drift", "thread.runq"):
        events = export(file, "events", metric)
        wrong = [e for e in events if sum(e[s] or 0 for s in STAGES) != e["latency_ns"]]
        check(f"{name}_stages_{metric}", not wrong, f"{len(wrong)} of {len(events)}: {wrong[:1]}")


def by_waiter(rows, column):
    result = collections.Counter()
    for row in rows:
        result[(row["class"], row.get("waiter") or row.get("entity"))] += row[column]
    return +result


def check_blame(name, file):
    """What is blamed is what was waited, per waiter."""
    for metric in ("thread.runq", "thread.preempt", "thread.futex", "thread.block"):
        waits = by_waiter(export(file, "heatmap", metric), "sum_ns")
        rows = [r for r in export(file, "blame", metric) if r["by_kind"] != "waker" or metric != "thread.runq"]
        blamed = by_waiter(rows, "sum_ns")
        wrong = [(k, waits[k], blamed[k]) for k in waits.keys() | blamed.keys() if waits[k] != blamed[k]]
        check(f"{name}_blame_{metric}", not wrong, f"{len(wrong)} of {len(waits)}: {wrong[:3]}")


def check_all(name, *command):
    file = path(f"{name}.wlag")
    record_command(file, "--", *command)
    check_wakings(name, file)
    check_stages(name, file)
    check_blame(name, file)


def hackbench():
    if not shutil.which("hackbench"):
        return skip("hackbench", "no hackbench (package rt-tests)")
    check_all("hackbench", "hackbench", "-g", "2", "-l", "1000")


def forkstorm():
    check_all("forkstorm", *workload("forkstorm", 5000, 500))


def stress_switch():
    if not shutil.which("stress-ng"):
        return skip("stress_switch", "no stress-ng")
    check_all("stress_switch", "stress-ng", "--switch", "2", "--switch-ops", "20000", "-t", "3")


def everything():
    """All tasks of the machine, some of them in the middle of a wait at both edges."""
    file = path("all.wlag")
    load, _ = start_ready(workload("sleepers", 10, 10, 500))
    with Recording(file, "-a", "-d", "2s") as recording:
        recording.end(None)
    stop(load)
    check_wakings("all", file)
    check_stages("all", file)
    check_blame("all", file)


main(hackbench, forkstorm, stress_switch, everything)
