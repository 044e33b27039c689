#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""process.stw against what the Go runtime says itself of its pauses, and calls that are known to stop the world."""

from golive import *

COUNT = 20
KINDS = (("stats", "main.statReader", "mem"), ("procs", "main.resizer", "gomaxprocs"))
# From the world's start to the runtime's own clock call it wakes its threads: so much for each pause.
STARTING = 10000


def stops():
    with AwakeCpus() as cpus:
        run = Run("stw", "pauses", COUNT)
    events = run.events("process.stw")
    truth = {t["goroutine"]: t for t in run.truths()}
    told = next(t for t in run.lines if "collections" in t)
    run.check_stages("stw", events)
    run.check("process", {e["entity"] for e in events} == {str(run.pid)}, f"{({e['entity'] for e in events})}")
    left = list(events)
    for kind, goroutine, word in KINDS:
        mine = [e for e in events if word in e["class"].lower()]
        left = [e for e in left if e not in mine]
        run.check_count(kind, len(mine), COUNT)
        own = truth[goroutine]["sum"]
        ours = sum(latencies(mine))
        run.check(f"{kind}_within_calls", 0 < ours <= own, f"{ours}, the calls took {own}")
    run.check_count("collections", len(left), 2 * told["collections"])
    ours, classes = sum(latencies(left)), collections.Counter(e["class"] for e in left)
    # The runtime's own clock call may have had to wait for a CPU.
    agrees = near(ours, told["pause"], 0.05, STARTING * len(left))
    run.check("pauses", agrees or cpus.others > cpus.QUIET and 0 < ours <= told["pause"],
              f"{ours}, the runtime says {told['pause']}: {classes}")
    run.check("kept", told["kept"] in (0, len(events)), f"{len(events)}, the runtime's histograms have {told['kept']}")
    run.check_loss()


main(stops)
