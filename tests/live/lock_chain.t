#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the holder of a lock did meanwhile: it ran, was preempted, slept, or waited for a lock itself."""

from locklive import *

HOLD_US, ROUNDS = 20000, 10


class Chain:
    def __init__(self, mode):
        self.run = LockRun(mode, workload("lock_chain", mode, HOLD_US, ROUNDS))
        self.parties = {t["thread"]: t for t in self.run.lines}
        self.waiter, self.holder = self.parties["waiter"], self.parties["holder"]
        rows = self.run.rows("holders")
        self.rows = [r for r in rows if address(r["entity"]) == int(self.waiter["outer"], 16)]
        self.sum = sum(r["sum_ns"] for r in self.rows)
        self.held = sum(r["sum_ns"] for r in self.rows if r["holder"] == str(self.holder["tid"]))

    def ns(self, *doing):
        return sum(r["sum_ns"] for r in self.rows if r["doing"] in doing)

    def brief(self):
        columns = ("name", "holder_name", "doing", "doing_class", "root_name", "sum_ns")
        return [tuple(r[c] for c in columns) for r in self.rows]

    def check_all(self):
        """All that was waited for that lock is the holder's, and is told apart."""
        waits = [e for e in self.run.rows("events", "lock.wait", by="tid") if
                 address(e["lock"]) == int(self.waiter["outer"], 16)]
        self.run.check("all", waits and latency(waits) == self.sum, f"{latency(waits)}, {self.brief()}")
        self.run.check("holder", self.held >= 0.99 * self.sum > 0, f"holder {self.holder['tid']}: {self.brief()}")
        self.run.check("waited", near(self.sum, self.waiter["sum"], 0.05, 5000 * ROUNDS) or self.run.missing(ROUNDS),
                       f"{self.sum}, waiter {self.waiter['sum']}")

    def check_doing(self, name, found, planted, share=0.1):
        self.run.check(name, near(found, planted, share), f"{found}, planted {planted}: {self.brief()}")

    def check_awake(self):
        """It had the CPU for as long as it says, less what the waiter came late; and else it wanted it."""
        running, planted = self.ns("running"), self.holder["sum"]
        late = max(0, self.holder["held"] - self.sum)
        self.run.check("running", 0.9 * planted - late <= running <= 1.1 * planted,
                       f"{running}, planted {planted}, late {late}: {self.brief()}")
        self.check_doing("runnable", self.ns("running", "runq", "preempt"), self.sum - self.ns("woken"))


def running():
    chain = Chain("running")
    chain.check_all()
    chain.check_awake()


def preempt():
    """It is pushed off when it lets the other in, as long as that spins."""
    chain = Chain("preempt")
    chain.check_all()
    chain.check_awake()
    other = chain.parties["other"]["sum"]
    chain.run.check("preempted", chain.ns("preempt") >= 0.9 * other, f"by {other}: {chain.brief()}")


def blocked():
    chain = Chain("blocked")
    chain.check_all()
    chain.check_doing("blocked", chain.ns("blocked", "runq"), chain.sum - chain.ns("woken"))
    chain.run.check("read", {r["doing_class"] for r in chain.rows if r["doing"] == "blocked"} == {"read"},
                    f"{chain.brief()}")


def lock():
    """The root is who holds the other lock."""
    chain = Chain("lock")
    chain.check_all()
    rows = [r for r in chain.rows if r["doing"] == "lock"]
    # its own way back to a CPU, once it has the inner lock, is no wait for it
    chain.check_doing("lock", chain.ns("lock", "runq", "preempt"), chain.sum - chain.ns("woken"))
    chain.run.check("lock_most", chain.ns("lock") >= chain.sum / 2, f"{chain.brief()}")
    chain.run.check("root", rows and {r["root"] for r in rows} == {str(chain.parties["other"]["tid"])},
                    f"root {chain.parties['other']['tid']}: {chain.brief()}")
    report = run([WAKELAG, "report", chain.run.file]).stdout
    chain.run.check("report", "outer_lock" in report and "holder" in report and "other" in report, report)


main(running, preempt, blocked, lock)
