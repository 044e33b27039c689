#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Futex waits on a mutex held for a known time, against what each waiter measured."""

from live import *


def locks():
    file = path("l.wlag")
    text = truths(record_command(file, "--", *workload("locks", 5, 2, 50)))
    word = text[0]["lock"]
    events = export(file, "events", "thread.futex")
    for truth in text[1:]:
        mine = [e for e in events if e["entity"] == str(truth["tid"]) and e["lock"].endswith(word)]
        name = truth["thread"]
        # A waiter that loses the race for the lock sleeps again: more waits, the same time. Where the kernel
        # hides events, waits that end with a switch from process 1 are missed, a few in a row when it is busy.
        share = 0.1 if hides_events() else 0
        check(f"{name}_count", len(mine) >= truth["count"] * (1 - share),
              f"{len(mine)} waits on {word}, {truth['count']} planted, {losses(file)}")
        check(f"{name}_sum", near(sum(e["latency_ns"] for e in mine), truth["sum"], 0.05 + share),
              f"{sum(e['latency_ns'] for e in mine)}, waiter {truth['sum']}")
    rows = [r for r in export(file, "blame", "thread.futex") if r["lock"].endswith(word)]
    check("lock_blame", sum(r["count"] for r in rows) == sum(1 for e in events if e["lock"].endswith(word)),
          "one blame row a wait")
    check("lock_class", {r["class"] for r in rows} == {"mutex"}, f"{rows}")
    count = sum(r["count"] for r in rows)
    holder = [r for r in rows if r["by"] == str(text[0]["holder"]) and r["by_kind"] == "holder"]
    # Who loses that race waits for another waiter.
    check("lock_holder", sum(r["count"] for r in holder) >= 0.95 * count, f"holder {text[0]['holder']}: {rows}")
    check("lock_name", all(r["lock_name"] == "mutex" for r in rows), f"{rows}")


main(locks)
