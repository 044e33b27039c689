#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Stories of goroutines that wait for each other: wakelag names the place, and who let them wait."""

from story import *


def convoy():
    story = Story("story_locks", "convoy", 1000)
    count, ns = story.samples("goroutine.lock", "main.publisher", "mutex")
    story.expect_near("time waited", ns, story.truth["sum_ns"], 0.02)
    story.expect("waits", count >= story.truth["count"], f"{count}, planted {story.truth['count']}")
    rows = story.rows("blame", "goroutine.lock", waiter_name="main.publisher")
    named = story.rows("blame", "goroutine.lock", waiter_name="main.publisher", by_kind="waker",
                       by_name="main.publisher")
    story.expect("waker named", story.sum(named) > 0.95 * story.sum(rows) > 0, [(r["by_kind"], r["by_name"],
                                                                               r["sum_ns"]) for r in rows])
    story.expect("place named", rows and all("main.(*room).publish" in r["lock_name"] for r in rows),
                 {r["lock_name"] for r in rows})
    story.expect("the queue", story.most("waiting_at", "main.publisher") >= 50,
                 story.gauge("waiting_at", "main.publisher"))
    story.expect_said("main.publisher (story_locks.go:")
    story.verdict()


def logger():
    story = Story("story_locks", "logger", 1000)
    for line in story.lines:
        _, ns = story.samples("goroutine.lock", line["waits"], "mutex")
        story.expect_near(f"time waited of {line['waits']}", ns, line["sum_ns"], 0.03, 5 * MS)
    rows = [r for r in story.rows("blame", "goroutine.lock") if r["class"] == "mutex"]
    locks = collections.Counter()
    for row in rows:
        locks[row["lock_name"]] += row["sum_ns"]
    (worst, ns), = locks.most_common(1) or [("", 0)]
    story.expect("one lock", "main.(*logger).write" in worst and ns > 0.95 * sum(locks.values()), dict(locks))
    by = {r["by_name"] for r in rows if r["waiter_name"] == "main.health" and r["sum_ns"] > 10 * MS}
    story.expect("the health check waits for handlers", by == {"main.handler"}, by)
    story.expect_said("main.health (story_locks.go:")
    story.verdict()


def senders():
    story = Story("story_locks", "senders", 500)
    story.expect_near("waiting", story.last("waiting_at", "main.sender"), story.truth["senders"], 0)
    story.expect_said("main.sender", "1000", "chan send")
    story.verdict()


def pool():
    story = Story("story_locks", "pool", 2000)
    waiting = [value for _, value in story.gauge("waiting_at", "main.handle")]
    story.expect("growing", len(waiting) > 1 and waiting == sorted(waiting) and waiting[0] < 0.7 * waiting[-1], waiting)
    story.expect_near("waiting", story.last("waiting_at", "main.handle"), story.truth["handlers"], 0, 1)
    story.expect_said("main.handle", "chan receive")
    story.verdict()


main(convoy, logger, senders, pool)
