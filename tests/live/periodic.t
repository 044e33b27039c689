#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Periodic timers: drift of a loop that arms itself relative to now against one on a grid, and missed frames."""

from live import *

SECONDS = 2


def periodic_rows(file, *args):
    """entity -> row of table `periodic`, numbers as numbers."""
    text = export_text(file, "--table", "periodic", *args)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    return {r["entity"]: {k: v if k in ("entity", "name") else int(v) for k, v in r.items()} for r in rows}


def mixer(mode):
    file = path(f"{mode}.wlag")
    truth = truths(record_command(file, "--", *workload("mixer", SECONDS, last_cpu(), mode)))[-1]
    truth["drift"] = int(truth["drift"])
    row = periodic_rows(file).get(str(truth["tid"]))
    if not check(f"{mode}_found", row, f"no row for {truth}"):
        return None, truth, file
    check(f"{mode}_name", row["name"] == "mixer", row)
    check(f"{mode}_period", row["period_ns"] == truth["period"], f"{row}, planted {truth}")
    check_count(f"{mode}_ticks", row["ticks"], truth["count"])
    return row, truth, file


def check_drift(mode, row, truth):
    """To the ns; where a frame is missing, the first or the last may be it, and how late that was."""
    slop = 0 if row["ticks"] == truth["count"] else max(5000000, truth["drift"] // 10)
    check(f"{mode}_drift", abs(row["drift_ns"] - truth["drift"]) <= slop, f"{row}, planted {truth}")


def grid():
    row, truth, file = mixer("grid")
    if not row:
        return
    check("grid_has_no_drift", row["drift_ns"] == 0, row)
    others = {r["name"]: r for r in periodic_rows(file).values()}
    check("grid_of_another", "network" in others and others["network"]["period_ns"] == 5000000, others)
    given = periodic_rows(file, "--period", "5ms")
    check("given_period_chooses", {r["name"] for r in given.values()} == {"network"}, given)
    late = [periodic_rows(file, "--late", t)[str(truth["tid"])]["streak_max"] for t in ("1ns", "10s")]
    check("late_is_a_threshold", late[0] == row["ticks"] and late[1] == 0, late)


def rearm():
    row, truth, file = mixer("rearm")
    if not row:
        return
    check_drift("rearm", row, truth)
    check("rearm_drifts", row["drift_ns"] > 2 * 1000 * truth["count"], f"{row}: no lateness added up?")
    report = run([WAKELAG, "report", file]).stdout
    check("report_has_it", any("mixer" in line and "10.0ms" in line and "+" in line for line in
                               report.partition("\nperiodic timers")[2].splitlines()), report)
    svg = run([WAKELAG, "export", file, "--format", "svg", "--metric", "thread.drift"]).stdout
    check("svg_has_a_line", "<polyline" in svg and ": drift +" in svg, "no line of drift")


def skip_frames():
    row, truth, file = mixer("skip")
    if not row:
        return
    check_drift("skip", row, truth)
    lost = sum(losses(file).values())
    check("skip_planted", truth["missed"] > 10, truth)
    check("skip_missed", row["missed"] == truth["missed"] if not lost else
          abs(row["missed"] - truth["missed"]) <= lost, f"{row}, planted {truth}, lost {lost}")
    counted = counters(file, "missed_tick")
    check("skip_counted", counted[str(truth["tid"])] == row["missed"], dict(counted))


main(grid, rearm, skip_frames)
