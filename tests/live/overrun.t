#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Timers that fire with nobody waiting are counted to the unit, and are no samples."""

from live import *

COUNT = 100


def overrun(kind, expected):
    file = path(f"{kind}.wlag")
    truth = truths(record_command(file, "--", *workload("overrun", kind, COUNT)))[0]
    found = counters(file, "overrun")
    known = found[str(truth["tid"])] + (found[str(truth["pid"])] if truth["pid"] != truth["tid"] else 0)
    check_count(f"overrun_{kind}", known, expected)
    check(f"overrun_{kind}_others", sum(found.values()) == known, f"{dict(found)}, planted in {truth['tid']}")
    samples = [e for e in export(file, "events", "thread.drift") if e["entity"] == str(truth["tid"])]
    check_count(f"overrun_{kind}_samples", len(samples), COUNT - expected)


def late_timerfd():
    overrun("timerfd", COUNT)


def signal_to_running():
    overrun("posix", COUNT)


def itimer_to_running():
    overrun("itimer", COUNT)


def timerfd_in_time():
    overrun("ontime", 0)


main(late_timerfd, signal_to_running, itimer_to_running, timerfd_in_time)
