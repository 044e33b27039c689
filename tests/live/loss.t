#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A tiny ring and a collector that is stopped for a second: every loss counted, no outlier made."""

from live import *


def counted():
    file, text = path("c.wlag"), path("truth")
    with open(text, "w", encoding="utf-8") as out:
        process = start([WAKELAG, "record", "-o", file, "--ring-size", "65536", "--"] +
                        workload("sleepers", 4, 3, 200), stdout=out, stderr=subprocess.PIPE)
        for line in process.stderr:
            if line.startswith(READY):
                break
        wait_for(lambda: "ready" in open(text, encoding="utf-8").read(), what="workload")
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(1)  # the plan, not a wait: a collector that is away for a second
        os.kill(process.pid, signal.SIGCONT)
        talk = process.communicate(timeout=END_SECONDS)[1]
    check("loss_status", process.returncode == 0, talk)
    check("loss_said", "lost" in talk or "loss" in talk, f"the talk does not say it: {talk}")
    with open(text, encoding="utf-8") as f:
        truth = [t for t in truths(f.read()) if "tid" in t]
    lost = losses(file)
    lost_wakings = sum(lost.get(c, 0) for c in LOST_WAKINGS)
    check("loss_happened", lost_wakings > 1000, f"{lost}")
    picture = run([WAKELAG, "export", file, "--format", "svg"]).stdout
    check("loss_in_the_picture", " lost between " in picture, "no strip that says when")
    rows = export(file, "heatmap", "thread.runq")
    totals = {c: counters(file, c) for c in ("waking", "waking_again", "waking_preempted", "censored.thread.runq")}
    value = {c: t[""] if "" in t else sum(t.values()) for c, t in totals.items()}
    samples = sum(r["count"] for r in rows)
    check("loss_exact", samples + value["censored.thread.runq"] + lost_wakings ==
          value["waking"] - value["waking_again"] - value["waking_preempted"],
          f"samples {samples} lost {lost_wakings} {value}")
    tids = {str(t["tid"]): t for t in truth}
    drift = [e for e in export(file, "events", "thread.drift") if e["entity"] in tids]
    planted = sum(t["count"] for t in truth)
    # Threads also wake to start and to end.
    check("loss_of_drift", abs(len(drift) + lost_wakings - planted) <= 5 * len(truth) + planted // 1000,
          f"{len(drift)} samples + {lost_wakings} lost, planted {planted}")
    late = [(e["entity"], e["latency_ns"]) for e in drift if e["latency_ns"] > tids[e["entity"]]["max"] * 1.05 + 5000]
    check("loss_makes_no_outlier", not late, f"{len(late)} later than the thread ever was: {late[:3]}")


main(counted)
