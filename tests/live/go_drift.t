#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""goroutine.drift against Go programs that measure how late their own timers are."""

from golive import *

ALL = "sleep,timer,ticker,afterfunc,context,deadline"
# A context's timer starts a goroutine, which is the sample; who waits for the context runs after that.
AFTER = 20000


def compare(run, truth, cpus):
    """One goroutine function's drift. Between `ran` and its own clock a goroutine may lose its CPU."""
    name, chained = truth["goroutine"], "by" in truth
    what = name.removeprefix("main.").split(".")[0]
    mine = run.events("goroutine.drift", truth.get("by", name), truth["class"])
    run.check_count(what, len(mine), truth["count"])
    share, slop = cpus.bar()
    run.check_quantiles(what, latencies(mine), truth["list"], (share, AFTER if chained else slop), cpus.ranks(0.02),
                        (50, 90) if chained else (50, 90, 99))
    run.check_stages(what, mine)
    if truth["goroutines"] > 1 or chained or len(mine) != truth["count"]:
        return
    over = [(w, o) for w, o in zip(latencies(mine), truth["list"]) if w > o + 1000]
    run.check(f"{what}_never_over", len(over) <= 0.01 * len(mine), f"{len(over)} later than it saw: {over[:5]}")


def drift(case, modes, goroutines, period_us, count, **options):
    with AwakeCpus() as cpus:
        run = Run(case, "timers", modes, goroutines, period_us, count, **options)
    for truth in run.truths():
        compare(run, truth, cpus)
    run.check_loss()
    return run


def each_kind():
    drift("drift_kinds", ALL, 1, 5000, 150)


def each_kind_light():
    drift("drift_light", ALL, 1, 5000, 100, level="light", procs=1)


def hundred():
    drift("drift_100", "sleep,ticker,timer", 100, 20000, 20, level="light")


def thousand():
    """Each goroutine has its own count, too."""
    run = drift("drift_1000", "sleep", 1000, 50000, 15)
    events = run.events("goroutine.drift", "main.sleeper", "sleep", by="goid")
    counts = collections.Counter(collections.Counter(e["entity"] for e in events).values())
    run.check("each", counts == {15: 1000}, f"{counts}")


def under_pressure():
    """Late because others have the CPUs: the stages say so, and the blame names them."""
    run = drift("drift_pressure", "sleep,timer", 100, 20000, 20, pressure=True)
    mine = run.events("goroutine.drift", "main.sleeper")
    share = sum((e["runq"] or 0) + (e["preempt"] or 0) for e in mine) / max(1, sum(latencies(mine)))
    run.check("runq", share > 0.1, f"{share:.0%} of the time in runq and preempt")
    blame = [r for r in export(run.file, "blame", "goroutine.drift") if r["waiter_name"] == "main.sleeper"]
    took = sum(r["sum_ns"] for r in blame if (r["by_kind"], r["by_name"]) == ("competitor", "spin0"))
    run.check("competitor", took > 10 * MS, f"{took} ns taken by spin0: {blame[:5]}")


def thousand_under_pressure():
    drift("drift_1000_pressure", "sleep", 1000, 100000, 8, level="light", procs=1, pressure=True)


main(each_kind, each_kind_light, hundred, thousand, under_pressure, thousand_under_pressure)
