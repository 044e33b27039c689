#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Run-queue delay per wakeup against `perf sched timehist` over the same seconds."""

import bisect
import collections
import re
import shutil

from live import *

LINE = re.compile(r"^\s*(\d+)\.(\d{6})\s+\[\d+\]\s+.*\[(\d+)(?:/\d+)?\]\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)")


def need_tracefs():
    if not os.path.isdir("/sys/kernel/tracing/events/sched"):
        run(["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"], status=None)


def perf_delays(file, tids):
    """tid -> list of (time it ran, run-queue delay), in us. A line is printed when the run ends."""
    text = run(["perf", "sched", "timehist", "-i", file]).stdout
    result = collections.defaultdict(list)
    for match in map(LINE.match, text.splitlines()):
        if match and int(match[3]) in tids:
            ran = int(match[1]) * 1000000 + int(match[2]) - float(match[6]) * 1000
            result[int(match[3])].append((ran, float(match[5]) * 1000))
    return result


def clock_offset(perf, ours):
    """perf's clock less ours: the difference that most pairs share."""
    votes = collections.Counter()
    for ran, _ in perf[10:60]:
        votes.update(round((ran - t) / 4) for t, _ in ours)
    return votes.most_common(1)[0][0] * 4


def compare(perf, ours, offset):
    """Of perf's delays: how many have one of ours at the same time, and of those how many agree."""
    times = [t + offset for t, _ in ours]
    matched = agreed = 0
    for ran, delay in perf:
        i = bisect.bisect_left(times, ran - 10)
        found = [ours[j][1] for j in range(i, min(i + 3, len(ours))) if abs(times[j] - ran) <= 10]
        matched += bool(found)
        agreed += any(near(d, delay, 0.05, 3) for d in found)
    return matched, agreed


def timehist():
    if not shutil.which("perf"):
        return skip("timehist", "no perf (package linux-perf)")
    need_tracefs()
    cpu = last_cpu()
    spinners, _ = start_ready(workload("spin", 2, cpu))
    load, _ = start_ready(["nice", "-n", "19", "taskset", "-c", cpu] + workload("sleepers", 4, 4, 700))
    file, perf_file = path("h.wlag"), path("perf.data")
    with Recording(file, "-p", str(load.pid)):
        run(["perf", "record", "-q", "-a", "-k", "CLOCK_MONOTONIC", "-e",
             "sched:sched_switch,sched:sched_waking,sched:sched_wakeup,sched:sched_wakeup_new,sched:sched_migrate_task",
             "-m", "16M", "-o", perf_file, "--", "sleep", "2"])
    stop(spinners)
    stop(load)
    ours = collections.defaultdict(list)
    for event in export(file, "events", "thread.runq"):
        ours[int(event["entity"])].append((event["t_ns"] / 1000, event["latency_ns"] / 1000))
    perf = perf_delays(perf_file, set(ours))
    first = max(perf, key=lambda tid: len(perf[tid]))
    offset = clock_offset(perf[first], ours[first])
    total = matched = agreed = 0
    for tid, delays in perf.items():
        delays = [d for d in delays[2:] if d[1] > 0]  # the first ones began before perf did
        total += len(delays)
        found = compare(delays, ours[tid], offset)
        matched += found[0]
        agreed += found[1]
    check("timehist_enough", total > 1000, f"perf shows {total} delays")
    check("timehist_found", matched >= 0.99 * total, f"{matched} of {total} wakings found")
    check("timehist_agrees", agreed >= 0.99 * total, f"{agreed} of {total} delays agree")


main(timehist)
