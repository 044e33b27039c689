#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Stories of goroutines and threads that become more and more: wakelag names where they are started."""

from story import *

SECOND = 1000 * MS


def slope(points):
    """A second, between the first and the last."""
    (begin, first), (end, last) = points[0], points[-1]
    return (last - first) * SECOND / (end - begin) if end > begin else 0


def storm():
    story = Story("story_growth", "storm", 2400)
    points = story.gauge("goroutines_at", "main.signal")
    story.expect_near("goroutines", story.last("goroutines_at", "main.signal"), story.truth["goroutines"], 0.05)
    story.expect("growth", points and slope(points) > 500, points)
    # Requests are few until a third of the time is over: then the wait for a P leaves its base.
    events = story.rows("events", "goroutine.runq", name="main.signal")
    worst = collections.defaultdict(int)
    for event in events:
        tenth = event["t_ns"] // (SECOND // 10)
        worst[tenth] = max(worst[tenth], event["latency_ns"])
    left = [tenth for tenth, ns in sorted(worst.items()) if ns > 50 * MS]
    story.expect("goroutine.runq over 50 ms, and from when on", left and 8 <= left[0] <= 12, dict(worst))
    story.expect_said("main.signal")
    story.verdict()


def leak():
    story = Story("story_growth", "leak", 2000)
    for name in ("main.mediaReader", "main.mediaWaiter"):
        points = story.gauge("waiting_at", name)
        story.expect_near(name, story.last("waiting_at", name), story.truth["calls"], 0, 1)
        story.expect(f"{name} grows", points and slope(points) > 20, points)
    story.expect_said("main.mediaReader", "IO wait")
    story.expect_said("main.mediaWaiter", "select")
    story.verdict()


def jobs():
    story = Story("story_growth", "jobs", 2200)
    points = story.gauge("goroutines_at", "main.job")
    story.expect_near("jobs", story.last("goroutines_at", "main.job"), story.truth["jobs"], 0, 1)
    story.expect_near("a second", slope(points or [(0, 0)]), 200, 0.1)
    story.expect_said("main.job", "main.schedule")
    story.verdict()


def cgo():
    story = Story("story_cgo", 2000, name="cgo")
    points = story.gauge("threads")
    story.expect("threads", points and points[0][1] <= 15 and points[-1][1] >= 30, points)
    story.expect("in C", story.most("threads_syscall") >= 20, story.gauge("threads_syscall"))
    story.expect("goroutines in C", story.most("goroutines_syscall") >= 20, story.gauge("goroutines_syscall"))
    story.verdict()


main(storm, leak, jobs, cgo)
