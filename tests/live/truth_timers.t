#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Every kind of wait that a timer ends: planted, counted, classed, and late as the thread itself saw it."""

from live import *

# Between "ran" and its own clock call a thread comes back to user space with cold caches, or loses the CPU
# again: a bar wide enough for the one, and so many of a thread's samples for the other. An `asked` of the
# wrong clock, or a forgotten slack of 50 us, is far outside.
BAR = (0.1, 15000)
OUTLIERS = 0.1


def check_samples(name, late, own, ranks):
    """Each wait in order: its drift is the lateness that the thread measured, less a system call's exit."""
    over = [(w, o) for w, o in zip(late, own) if w > o + 1000]
    check(f"{name}_never_over", not over, f"{len(over)} of {len(own)} later than the thread saw: {over[:5]}")
    off = [(w, o) for w, o in zip(late, own) if not near(w, o, *BAR)]
    check(f"{name}_each_wait", len(off) <= OUTLIERS * len(own), f"{len(off)} of {len(own)} differ: {off[:5]}")
    for q, label in ((0.5, "p50"), (0.9, "p90")):
        ours = quantile(sorted(late), q)
        check(f"{name}_{label}", near_quantile(ours, own, q, *BAR, ranks), f"{ours}, thread {quantile(sorted(own), q)}")


def check_kind(file, truth, rows, events, ranks):
    name, tid = truth["thread"], str(truth["tid"])
    if truth["class"] == "jiffies":
        check_count(f"{name}_counted", counters(file, "jiffies")[tid], truth["count"])
        check(f"{name}_no_sample", not [e for e in events if e["entity"] == tid], "timer wheel in drift")
        return
    mine = [e for e in events if e["entity"] == tid]
    classes = {e["class"] for e in mine}
    check(f"{name}_class", classes and classes <= set(truth["class"].split("|")), f"{classes}, not {truth['class']}")
    own = [int(n) for n in str(truth["list"]).split(",")]
    if not check_count(f"{name}_count", len(mine), len(own)):
        return      # one by one, they no longer match
    check_samples(name, [e["latency_ns"] for e in mine], own, ranks)
    slack = quantile(sorted(e["slack"] for e in mine), 0.5)
    check(f"{name}_slack", near(slack, truth["slack"], 0.02, 2000), f"{slack}, not {truth['slack']}")
    check(f"{name}_stages", all(sum(e[s] or 0 for s in STAGES) == e["latency_ns"] for e in mine), "sum differs")
    total = stage_row(rows, tid)
    exact = quantile(sorted(e["latency_ns"] for e in mine), 0.5)
    check(f"{name}_p50_row", total and near(total["p50_ns"], exact, 0.04, 2000), f"{total}, events say {exact}")


def timers(slack, *kinds):
    file = path(f"t{slack}.wlag")
    with AwakeCpus() as cpus:
        text = record_command(file, "--", *workload("timers", 50, 2, slack, *kinds))
    rows, events = export(file, "stages", "thread.drift"), export(file, "events", "thread.drift")
    for truth in truths(text):
        if slack != 50000:
            truth["thread"] += f"_slack{slack}"
        check_kind(file, truth, rows, events, cpus.ranks(OUTLIERS))
    check(f"timers_loss_{slack}", not lost_waits(file), f"{lost_waits(file)}")


def default_slack():
    timers(50000)


def long_slack():
    timers(400000, "nanosleep", "poll", "epoll", "futex_abs", "cond", "sigtimedwait")


main(default_slack, long_slack)
