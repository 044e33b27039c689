#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""An absolute 500 us loop under four spinners: lateness it measures itself, overruns of its own included."""

from live import *

LOOPS = 5000


def absloop():
    cpu = last_cpu()
    spinners, _ = start_ready(workload("spin", 4, cpu))
    file = path("a.wlag")
    truth = truths(record_command(file, "--", *workload("absloop", LOOPS, 500, cpu)))[0]
    stop(spinners)
    rows = export(file, "stages", "thread.drift")
    row = stage_row(rows, truth["tid"], "total", "nanosleep")
    if not check("absloop_found", row, f"no class nanosleep for {truth['tid']}"):
        return
    check("absloop_is_late", truth["max"] > 2000000, f"the loop was never late: {truth}")
    check("absloop_count", abs(row["count"] - truth["count"]) <= LOOPS // 1000, f"{row['count']}, {truth}")
    for name in ("p50", "p90", "p99", "max"):
        check(f"absloop_{name}", near(row[name + "_ns"], truth[name]), f"{row[name + '_ns']}, loop {truth[name]}")
    check("absloop_sum", near(row["sum_ns"], truth["sum"]), f"{row['sum_ns']}, loop {truth['sum']}")
    busy = stage_row(rows, truth["tid"], "busy", "nanosleep")
    check("absloop_busy", busy and busy["sum_ns"] > 0, f"it fell behind, but stage busy is {busy}")


main(absloop)
