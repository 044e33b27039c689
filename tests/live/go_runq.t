#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""goroutine.runq against goroutines that measure themselves, the runtime's own histogram and its execution trace."""

import re

from golive import *

LONG = 5 * MS
SAMPLED = 8     # the runtime stamps one in so many departures from running, and so does its histogram
# How go tool trace prints the events of a trace, by versions: from 1.24 on, 1.22 and 1.23, before.
TRACE = ("-d=parsed", "-d=1", "-d")
EVENT_OLD = re.compile(r"(\d+) (GoSched|GoPreempt|GoStart|GoCreate|GoUnblock) p=\d+ g=(\d+) off=\d+(?: g=(\d+))?")
EVENT = re.compile(r"StateTransition Time=(\d+).*?GoID=(\d+) \w+->(Runnable|Running)\b")


def histogram(run):
    return [(t["latency_lo"], t["latency_hi"], t["count"]) for t in run.lines if "latency_lo" in t]


def check_histogram(run, late, bar):
    """Ours lies in the bucket that the runtime's quantile is in, or in one a few ranks away."""
    rows = histogram(run)
    total = sum(n for _, _, n in rows)
    run.check("histogram_count", near(total * SAMPLED, len(late), 0.3, 50),
              f"the runtime counts {total} of one in {SAMPLED}, we {len(late)}")
    late = sorted(late)
    for percent in (50, 90):
        ours, off = quantile(late, percent / 100), 0.04 * total
        low, high = bucket(rows, total * percent / 100 - off)[0], bucket(rows, total * percent / 100 + off)[1]
        run.check(f"histogram_p{percent}", low * (1 - bar[0]) - bar[1] <= ours <= high * (1 + bar[0]) + bar[1],
                  f"{ours}, the runtime's is in [{low}, {high})")


def bucket(rows, rank):
    """The (low, high) that has that rank."""
    for low, high, n in rows:
        rank -= n
        if rank <= 0:
            return low, high
    return rows[-1][:2]


def own_delays(text):
    """goid -> its delays from runnable to running, in order, from a trace as text."""
    ready, delays = {}, collections.defaultdict(list)
    for line in text.splitlines():
        event = EVENT.search(line)
        if event:
            ns, goid, runs = int(event[1]), event[2], event[3] == "Running"
        elif event := EVENT_OLD.match(line):
            ns, goid, runs = int(event[1]), event[4] or event[3], event[2].startswith("GoStart")
        else:
            continue
        if not runs:
            ready[goid] = ns
        elif goid in ready:
            delays[goid].append(ns - ready.pop(goid))
    return delays


def read_trace(file):
    for option in TRACE:
        done = run_tool([GO, "tool", "trace", option, file])
        delays = own_delays(done)
        if delays:
            return delays
    return None


def run_tool(command):
    cache = os.environ.get("GOCACHE", os.path.join(BUILD, "go-cache"))     # newer versions build the tool
    return run(command, None, env=dict(os.environ, GOTOOLCHAIN="local", GOCACHE=cache)).stdout


def check_trace(run, file, bar):
    delays = read_trace(file)
    if not delays:
        return skip(f"{run.case}_trace", f"{GO} tool trace prints nothing that is known")
    ours = collections.defaultdict(list)
    for e in run.events("goroutine.runq", "main.yielder", by="goid"):
        ours[e["entity"]].append(e["latency_ns"])
    run.check("trace_goroutines", len(ours) == 4 and set(ours) <= set(delays),
              f"{sorted(ours)}, trace {sorted(delays)}")
    for at, goid in enumerate(sorted(ours)):
        run.check_count(f"trace_{at}", len(ours[goid]), len(delays.get(goid, [])), 1)
        run.check_quantiles(f"trace_{at}", ours[goid], delays.get(goid) or [0], bar, 0.01)


def yielded():
    """Each Gosched is one sample; beside the runtime's histogram and trace of the same time."""
    file = path("yield.trace")
    with AwakeCpus() as cpus:
        run = Run("runq_yield", "sched", "yield", 4, 2000, file)
    truth = run.truths()[0]
    mine = run.events("goroutine.runq", "main.yielder", "yielded")
    run.check_count("yielder", len(mine), truth["count"])
    run.check_quantiles("yielder", latencies(mine), truth["list"], cpus.bar(), cpus.ranks(0.02))
    run.check_stages("yielder", mine)
    check_histogram(run, latencies(run.events("goroutine.runq")), cpus.bar())
    check_trace(run, file, cpus.bar())
    run.check_loss()


def sampled():
    """With the light probes: the runtime's own stamps, scaled nowhere."""
    with AwakeCpus() as cpus:
        run = Run("runq_light", "sched", "yield", 4, 2000, level="light")
    truth = run.truths()[0]
    mine = run.events("goroutine.runq", "main.yielder")
    run.check("class", {e["class"] for e in mine} == {"sampled"}, f"{({e['class'] for e in mine})}")
    run.check("one_in_8", near(len(mine) * SAMPLED, truth["count"], 0.1), f"{len(mine)} of {truth['count']}")
    run.check_quantiles("yielder", latencies(mine), truth["list"], cpus.bar(), cpus.ranks(0.05), (50, 90))


def spawned():
    with AwakeCpus() as cpus:
        run = Run("runq_new", "sched", "spawn", 1, 500)
    truth = run.truths()[0]
    mine = run.events("goroutine.runq", "main.child", "new")
    run.check_count("child", len(mine), truth["count"])
    run.check_quantiles("child", latencies(mine), truth["list"], cpus.bar(), cpus.ranks(0.02), (50, 90))
    run.check_stages("child", mine)


def preempted():
    """Four that use the CPU on two Ps: each sees gaps, for want of a P or of a CPU."""
    run = Run("runq_preempted", "sched", "hog", 4, 400)
    own = run.truths()[0]
    waits = latencies(run.events("goroutine.runq", "main.hog", "preempted"))
    off = latencies(run.events("goroutine.offcpu", "main.hog"))
    run.check("hog_gaps", near(sum(waits + off), own["sum"]), f"{sum(waits)} ns and {sum(off)}, gaps {own['sum']}")
    long, gaps = (sum(1 for ns in ours if ns > LONG) for ours in (waits + off, own["list"]))
    run.check("hog_count", waits and near(long, gaps, 0.1, 4), f"{long} over {LONG} ns, gaps {gaps}")


def out_of_syscalls():
    """In the kernel the goroutine's thread is off the CPU; out of it, it waits for a P."""
    run = Run("runq_syscall", "sched", "syscall", 2, 25)
    own = run.truths()[0]
    waits = latencies(run.events("goroutine.runq", "main.caller", "syscall"))
    off = latencies(run.events("goroutine.offcpu", "main.caller"))
    run.check("caller_count", own["count"] / 2 <= len(waits) <= own["count"], f"{len(waits)} of {own['count']} calls")
    planted = own["sum"] + own["count"] * own["slept"]
    run.check("caller_sum", near(sum(waits + off), planted), f"{sum(waits)} ns and {sum(off)}, planted {planted}")


main(yielded, sampled, spawned, preempted, out_of_syscalls)
