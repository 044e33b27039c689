#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The main job in one go; headers of every table; tables that tell the same story."""

import stat

from live import *

HEADERS = {
    "heatmap": "metric,class,entity,name,t_start_ns,t_end_ns,lat_lo_ns,lat_hi_ns,count,sum_ns,max_ns",
    "stages": "metric,class,entity,name,stage,count,sum_ns,p50_ns,p90_ns,p99_ns,p999_ns,max_ns",
    "blame": "metric,class,waiter,waiter_name,by,by_name,by_kind,lock,lock_name,count,sum_ns,max_ns",
    "events": "metric,class,entity,name,t_ns,latency_ns,cpu,by,lock," + ",".join(STAGES),
    "periodic": "entity,name,period_ns,ticks,missed,drift_ns,streak_max",
    "counters": "counter,entity,name,count",
    "loss": "cause,count",
}


def main_job():
    load, _ = start_ready(workload("sleepers", 3, 60))
    file, out = path("m.wlag"), path("m.csv")
    done = run([WAKELAG, "-p", load.pid, "-d", "1s", "-o", file, "--csv", out])
    stop(load)
    check("report_on_stdout", "thread.drift" in done.stdout and "sleepers" in done.stdout, done.stdout)
    with open(out, encoding="utf-8", newline="") as f:
        text = f.read()
    check("csv_is_heatmap", text == export_text(file), "--csv differs from export")
    check("report_is_replay", run([WAKELAG, "report", file]).stdout == done.stdout, "report differs from replay")
    check("no_colour", "\x1b" not in done.stdout + done.stderr, "escape sequences into a pipe")
    tables(file)
    consistent(file)
    shapes(file)
    device(file)


def tables(file):
    for table, header in HEADERS.items():
        text = export_text(file, "--table", table)
        check(f"header_{table}", text.split("\n", 1)[0] == header, text.split("\n", 1)[0])
        check(f"lines_{table}", text.endswith("\n") and "\r" not in text, "not LF lines")
    out = path("out.csv")
    run([WAKELAG, "export", file, "--format", "csv", "--table", "stages", "-o", out])
    with open(out, encoding="utf-8", newline="") as f:
        check("export_to_file", f.read() == export_text(file, "--table", "stages"), "-o differs from stdout")


def consistent(file):
    heatmap, stages, events = (export(file, t) for t in ("heatmap", "stages", "events"))
    for column in ("count", "sum_ns"):
        cells, totals, samples = collections.Counter(), collections.Counter(), collections.Counter()
        for r in heatmap:
            cells[(r["metric"], r["class"], r["entity"])] += r[column]
        for r in of_threads(stages):
            if r["stage"] == "total":
                totals[(r["metric"], r["class"], r["entity"])] += r[column]
        for e in events:
            samples[(e["metric"], e["class"], e["entity"])] += 1 if column == "count" else e["latency_ns"]
        check(f"heatmap_is_events_{column}", +cells == +samples, f"{list((cells - samples).items())[:3]}")
        check(f"stages_is_events_{column}", +totals == +samples, f"{list((totals - samples).items())[:3]}")
    wide = [r for r in heatmap if r["count"] and not r["lat_lo_ns"] <= r["max_ns"] < r["lat_hi_ns"]]
    check("buckets_hold_their_max", not wide, f"{wide[:2]}")
    coarse = [r for r in heatmap if r["lat_hi_ns"] - r["lat_lo_ns"] > max(1, 0.064 * r["lat_hi_ns"])]
    check("buckets_are_fine", not coarse, f"{coarse[:2]}")
    check("events_sorted", all(a["t_ns"] <= b["t_ns"] for a, b in zip(events, events[1:])), "not by end")


def shapes(file):
    wide = export_text(file, "--metric", "thread.drift", "--shape", "wide").splitlines()
    check("wide", len(wide) > 1 and len({l.count(",") for l in wide}) == 1, wide[:2])
    pairs = export_text(file, "--metric", "thread.drift", "--shape", "pairs").splitlines()
    samples = len(export(file, "events", "thread.drift"))
    good = [l for l in pairs if len(l.split()) == 2 and all(w.isdigit() for w in l.split())]
    check("pairs", len(good) == samples and len(pairs) - len(good) <= 1, f"{len(good)} pairs of {samples} samples")
    for by in ("cpu", "cgroup", "prio"):
        rows = list(csv.DictReader(io.StringIO(export_text(file, "--table", "stages", "--by", by))))
        check(f"by_{by}", rows, "no rows")
    top = list(csv.DictReader(io.StringIO(export_text(file, "--metric", "thread.drift", "--top", "1"))))
    check("top", {r["entity"] for r in top} >= {"rest"} and len({r["entity"] for r in top}) == 2,
          f"{ {r['entity'] for r in top} }")


def device(file):
    """What is no file is written to, never replaced."""
    node = path("null")
    os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    run([WAKELAG, "export", file, "--format", "csv", "-o", node])
    check("device_stays", stat.S_ISCHR(os.stat(node).st_mode), oct(os.stat(node).st_mode))


def cost():
    """The report says what the recording cost."""
    file = path("cost.wlag")
    record_command(file, "--", *workload("sleepers", 2, 2))
    report = run([WAKELAG, "report", file]).stdout
    cost_lines = report[report.rindex("  cost: "):]
    check("cost_said", all(w in cost_lines for w in ("bpf programs", "collector cpu", "bytes")), cost_lines)


main(cost, main_job)
