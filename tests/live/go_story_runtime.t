#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Stories of what the Go runtime does to goroutines: wakelag names the cause."""

from story import *


def gc():
    story = Story("story_runtime", "gc", 1500)
    stops = collections.Counter()
    for row in story.rows("stages", "process.stw", stage="total"):
        stops[row["class"]] += row["count"]
    looks = stops["ReadMemStats"]
    story.expect_near("the monitor's stops", looks, story.truth["looks"], 0, 2)
    # Each cycle stops the world twice.
    story.expect_near("the collector's stops", sum(stops.values()) - looks, 2 * story.truth["cycles"], 0, 3)
    ns = sum(r["sum_ns"] for r in story.rows("stages", "process.stw", stage="total") if r["class"] != "ReadMemStats")
    story.expect_near("the collector's pauses", ns, story.truth["pause_ns"], 0.25)
    story.expect_said("ReadMemStats")
    story.verdict()


def finalizer():
    story = Story("story_runtime", "finalizer", 1500)
    story.expect("none ran behind it", story.truth["finalized"] == 0, story.truth)
    rows = [r for r in story.rows("stages", "goroutine.runq", stage="total")
            if "runtime.createfing" in r["entity"] and r["class"] == "preempted"]
    story.expect("finalizer preempted", story.sum(rows, "count") > 20, rows)
    story.expect_said("runtime.runfinq")
    story.verdict()


def syscalls():
    story = Story("story_runtime", "syscalls", 1500)
    story.expect("threads", story.most("threads") >= 40, story.gauge("threads"))
    story.expect("in system calls", story.most("threads_syscall") >= 30, story.gauge("threads_syscall"))
    count, ns = story.samples("goroutine.runq", "main.blockedReader", "syscall")
    reads = story.truth["reads"]
    story.expect("out of a system call, no P", count > reads // 8 and ns > MS * count, f"{count} of {reads}, {ns} ns")
    count, _ = story.samples("goroutine.offcpu", "main.blockedReader", "blocked")
    # Who comes late to its pipe has its byte at once.
    story.expect("blocked", reads // 2 < count <= reads + 40, f"{count} of {reads}")
    story.expect_said("main.blockedReader")
    story.verdict()


def netpoll():
    story = Story("story_runtime", "netpoll", 1500)
    begin = min([e["t_ns"] for e in story.rows("events", "goroutine.runq", name="main.shortLived")], default=0)
    quiet, starved = [], []
    for event in story.rows("events", "goroutine.runq", name="main.longLived"):
        if event["class"] == "readied":
            (quiet if event["t_ns"] < begin else starved).append(event["latency_ns"])
    if story.expect("its waits for a P", len(quiet) > 20 and len(starved) > 20, f"{len(quiet)}, {len(starved)}"):
        before, beside = quantile(sorted(quiet), 0.9), quantile(sorted(starved), 0.9)
        story.expect("they grow", beside > 3 * before, f"{before} ns, {beside} ns")
    births = story.samples("goroutine.runq", "main.echo", "new")[0]
    story.expect_near("connections", births, story.truth["conns"], 0.02, 20)
    story.verdict()


main(gc, finalizer, syscalls, netpoll)
