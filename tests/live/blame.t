#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Spinners planted on the waiter's CPU: each is named, and the blamed times sum to the waits."""

from live import *


def competitors(file, metric, tid):
    """by -> time, of the rows that carry time."""
    result = collections.Counter()
    for row in export(file, "blame", metric):
        if row["waiter"] == str(tid) and row["by_kind"] != "waker":
            result[(row["by_kind"], row["by"], row["by_name"])] += row["sum_ns"]
    return result


def check_blame(name, file, metric, tid, spinners):
    waits = stage_row(export(file, "stages", metric), tid)
    if not check(f"{name}_waits", waits and waits["sum_ns"] > 10000000, f"too little waiting: {waits}"):
        return
    blamed = competitors(file, metric, tid)
    check(f"{name}_sum", sum(blamed.values()) == waits["sum_ns"],
          f"blamed {sum(blamed.values())} of {waits['sum_ns']}: {blamed.most_common(6)}")
    taken = 0
    for spinner in spinners:
        mine = blamed[("competitor", str(spinner["tid"]), spinner["thread"])]
        check(f"{name}_{spinner['thread']}", mine > 0.1 * waits["sum_ns"], f"{mine} of {waits['sum_ns']}: {blamed}")
        taken += mine
    # Not more: on a busy machine others take their part.
    check(f"{name}_most", taken > 0.4 * waits["sum_ns"], f"spinners took {taken} of {waits['sum_ns']}")


def blame():
    cpu = last_cpu()
    process, lines = start_ready(workload("spin", 3, cpu))
    spinners = truths("".join(lines))
    file = path("preempt.wlag")
    victim = truths(record_command(file, "--", *workload("spin", 1, cpu, 2)))[0]
    check_blame("preempted", file, "thread.preempt", victim["tid"], spinners)
    # A nice sleeper does not preempt the spinners: it waits for each of them.
    file = path("runq.wlag")
    victim = truths(record_command(file, "--", "nice", "-n", "19", *workload("absloop", 200, 10000, cpu)))[0]
    check_blame("woken", file, "thread.runq", victim["tid"], spinners)
    stop(process)
    names = {r["by_name"] for r in export(file, "blame", "thread.runq") if r["by_kind"] == "competitor"}
    check("named", {"spin0", "spin1", "spin2"} <= names, f"{names}")


main(blame)
