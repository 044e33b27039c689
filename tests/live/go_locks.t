#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""goroutine.lock and goroutine.chan against planted waits: class, length, place, waker, lock."""

from golive import *

METRIC = {"send": "goroutine.chan", "receive": "goroutine.chan", "select": "goroutine.chan"}
LOCK_BYTES = 32     # sync.RWMutex has 24, with two semaphores


def compare(run, truth, rows):
    name, klass = truth["goroutine"], truth["class"]
    what = name.removeprefix("main.")
    metric = METRIC.get(klass, "goroutine.lock")
    mine = run.events(metric, name)
    classes = collections.Counter(e["class"] for e in mine)
    run.check(f"{what}_class", set(classes) == {klass}, f"{classes}")
    run.check_count(what, len(mine), truth["count"])
    run.check_quantiles(what, latencies(mine), truth["list"], (0.05, 50000), 0.02, (50, 90))
    mine = [r for r in rows if r["metric"] == metric and is_function(r["waiter_name"], name)]
    wakers = {(r["by_kind"], r["by_name"]) for r in mine}
    run.check(f"{what}_waker", wakers == {("waker", truth["waker"])}, f"{wakers}, planted {truth['waker']}")
    count, ns = sum(r["count"] for r in mine), sum(r["sum_ns"] for r in mine)
    run.check(f"{what}_blame", count == truth["count"] and near(ns, truth["sum"]),
              f"{count} and {ns} ns, planted {truth['count']} and {truth['sum']} ns")
    run.check(f"{what}_place", mine and all(truth["place"] in r["lock_name"] for r in mine), f"{mine[:1]}")
    lock = int(truth["lock"], 16)
    if not lock:
        return
    found = {int(r["lock"].rpartition(":")[2], 16) for r in mine if r["lock"]}
    run.check(f"{what}_lock", len(found) == 1 and 0 <= min(found) - lock < LOCK_BYTES,
              f"{found}, planted {lock:#x}")


def locks():
    run = Run("locks", "locks", 20, 20000)
    rows = export(run.file, "blame")
    for truth in run.truths():
        compare(run, truth, rows)
    run.check_loss()


main(locks)
