#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# seconds: 200
"""Every kind of lock of the C library held for 20 ms: class, count, time, holder, names of each waiter's waits."""

from locklive import *

HOLD_US, ROUNDS = 20000, 25


def all_cases():
    run = LockRun("glibc", workload("lock_truth", HOLD_US, ROUNDS))
    for truth in run.waiters():
        check_waiter(run, Variant("lock_truth"), truth)
    lost = lost_waits(run.file)
    run.check("loss", not lost, f"{lost}")


def one_site():
    """Two locks of one place are two by address, and one by site."""
    run = LockRun("site", workload("lock_truth", 2000, 10, "heap"))
    locks = [r for r in run.rows("locks") if r["class"] == "mutex"]
    run.check("locks", len(locks) == 2 and all("wait_heap" in r["name"] for r in locks), f"{locks}")
    sites = [r for r in run.rows("locks", by="site") if r["class"] == "mutex"]
    run.check("merged", len(sites) == 1 and "wait_heap" in sites[0]["name"], f"{sites}")
    run.check("sums", sum(r["count"] for r in locks) == sum(r["count"] for r in sites) > 0 and
              sum(r["sum_ns"] for r in locks) == sum(r["sum_ns"] for r in sites), f"{locks}, {sites}")


main(all_cases, one_site)
