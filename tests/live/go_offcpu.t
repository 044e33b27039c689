#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""goroutine.offcpu: a goroutine's thread that is off its CPU, blocked or preempted, as the goroutine sees it."""

from golive import *


def blocked():
    """Without any probe in the target."""
    run = Run("offcpu", "sched", "blocked", 1, 60, level="snapshot")
    for truth in run.truths():
        what = truth["goroutine"].removeprefix("main.")
        mine = run.events("goroutine.offcpu", truth["goroutine"], "blocked")
        run.check_count(what, len(mine), truth["count"], 1)
        run.check_quantiles(what, latencies(mine), truth["list"], (0.05, 50000), 0.02, (50, 90))
    run.check_loss()


def preempted():
    run = Run("offcpu", "sched", "hog", 2, 400, pressure=True)
    own = run.truths()[0]
    waits = sum(latencies(run.events("goroutine.runq", "main.hog")))
    off = sum(latencies(run.events("goroutine.offcpu", "main.hog", "preempted")))
    run.check("preempted", off > 0.3 * own["sum"], f"{off} ns, gaps {own['sum']} ns")
    run.check("gaps", near(off + waits, own["sum"]), f"{off} ns off the CPU and {waits} runnable, gaps {own['sum']}")


main(blocked, preempted)
