#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Stories of Go timers: what made each late is planted, and wakelag names it."""

from story import *


def mixer():
    story = Story("story_timers", "mixer", 1500)
    rows = {r["name"]: r for r in story.rows("periodic")}
    for name, ticks in (("main.mixRearmed", story.truth["rearmed"]), ("main.mixTicked", story.truth["ticked"])):
        if story.expect(f"{name} is periodic", name in rows, list(rows)):
            story.expect_near(f"{name} period", rows[name]["period_ns"], 10 * MS, 0.001)
            story.expect_near(f"{name} ticks", int(rows[name]["ticks"]), ticks, 0.1, 2)
    if not story.wrong:
        # On a busy machine a frame may be so late that its successor counts as missed.
        rearmed = rows["main.mixRearmed"]["drift_ns"] + int(rows["main.mixRearmed"]["missed"]) * 10 * MS
        story.expect_near("drift of the re-armed", rearmed, story.truth["drift_ns"], 0.02, MS)
        story.expect_near("drift of the Ticker", rows["main.mixTicked"]["drift_ns"], 0, 0, MS)
    story.expect_said("main.mixRearmed")
    story.verdict()


def tickers():
    story = Story("story_timers", "tickers", 1500)
    values = [value for _, value in story.gauge("timers")]
    story.expect("timers grow", values and values[-1] - values[0] >= 0.9 * story.truth["tickers"],
                 f"{values}, planted {story.truth['tickers']}")
    # They tick on until the recording ends; one whose tick is late by more than its period leaves out the next.
    found, planted = counters(story.file, "overrun")[str(story.pid)], story.truth["unread"]
    story.expect("ticks with nobody waiting", planted // 2 < found < 1.5 * planted, f"{found}, planted {planted}")
    story.verdict()


def heap():
    story = Story("story_timers", "heap", 2200)
    story.expect("timers in the heaps", story.most("timers") > 1000, story.gauge("timers"))
    story.expect_near("goroutines", story.most("goroutines_at", "main.crowdSleeper"), 5000, 0)
    count, _ = story.samples("goroutine.drift", "main.crowdSleeper", "sleep")
    story.expect_near("samples", count, story.truth["count"], 0.001)
    row = story.rows("stages", "goroutine.drift", name="main.crowdSleeper", stage="total")
    story.expect_near("p50", row[0]["p50_ns"] if row else 0, story.truth["p50"], 0.1, MS)
    kernel = story.stage_share("goroutine.drift", "main.crowdSleeper", "rounding", "slack", "timer", "wake")
    story.expect("it is not the kernel's timers", kernel < 0.1, kernel)
    story.verdict()


def hog():
    story = Story("story_timers", "hog", 1500, env={"GOMAXPROCS": "1"})
    count, ns = story.samples("goroutine.drift", "main.sleeper", "sleep")
    story.expect_near("samples", count, story.truth["count"], 0, 2)
    # What others of this machine take from the thread that has the P is its preempt.
    held = story.stage_share("goroutine.drift", "main.sleeper", "busy", "preempt")
    story.expect("late because the P was held", held > 0.8, f"{held} of {ns} ns")
    busy = story.rows("stages", "goroutine.drift", name="main.sleeper", stage="busy")
    story.expect("busy", busy and busy[0]["p50_ns"] > 2 * MS, busy)
    story.expect("spinner preempted", story.samples("goroutine.runq", "main.spinner", "preempted")[0] >= count // 2,
                 story.rows("stages", "goroutine.runq", name="main.spinner", stage="total"))
    # A few sleepers waited a whole slice in the run queue: more than any was held up, and not what made all late.
    headline = " ".join(story.report().split("\n\n")[0].split())
    late = "woke up" not in headline or "of it busy" in headline or "of it preempt" in headline
    story.expect("headline", "main.sleeper" in headline and late, headline)
    story.verdict()


def quota():
    group = make_group(10000, 50000)
    if not group:
        return skip("story_quota", "no cgroup with a CPU controller")
    try:
        story = Story("story_timers", "hog", 1500, name="quota", env={"GOMAXPROCS": "1"},
                      prefix=["sh", "-c", f"echo $$ >{group}/cgroup.procs; exec \"$@\"", "sh"])
    finally:
        os.rmdir(group)
    throttled = story.stage_share("goroutine.drift", "main.sleeper", "throttle")
    story.expect("throttled", throttled > 0.2, f"{throttled} of {story.samples('goroutine.drift', 'main.sleeper')}")
    story.expect_said("main.sleeper (story_timers.go:")
    story.expect_said("throttle ", "█")
    story.verdict()


def neighbours():
    spinners = [workload("spin", 2, cpu, 20) for cpu in sorted(os.sched_getaffinity(0))]
    story = Story("story_timers", "brief", 1500, name="neighbours", also=spinners)
    waits = story.stage_share("goroutine.drift", "main.briefSleeper", "runq", "preempt")
    story.expect("late for want of a CPU", waits > 0.1, waits)
    blame = story.rows("blame", "goroutine.drift", waiter_name="main.briefSleeper", by_kind="competitor")
    took = collections.Counter()
    for row in blame:
        took[row["by_name"]] += row["sum_ns"]
    story.expect("spinners named", {"spin0", "spin1"} <= {name for name, _ in took.most_common(5)}, took.most_common(7))
    story.verdict()


def brief():
    story = Story("story_timers", "brief", 1000)
    rounding = story.stage_share("goroutine.drift", "main.briefSleeper", "rounding")
    story.expect("rounded up to a millisecond", rounding > 0.5, rounding)
    story.verdict()


def locked():
    story = Story("story_timers", "locked", 1000)
    story.expect("a locked thread", story.most("threads_locked") >= 1, story.gauge("threads_locked"))
    rows = [r for r in export(story.file, "events", "goroutine.drift", by="tid")]
    tids = {klass: {r["entity"] for r in rows if r["class"] == klass} for klass in ("sleep", "func")}
    tid = str(story.truth["locked"])
    story.expect("the goroutine runs on its thread", tid in tids["sleep"], tids)
    story.expect("its callbacks do not", tids["func"] and tid not in tids["func"], tids)
    story.verdict()


main(mixer, tickers, heap, hog, quota, neighbours, brief, locked)
