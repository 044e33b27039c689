#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""wakelag diff: a lateness planted in one stage is found and named; the same again is not."""

import json
import xml.etree.ElementTree

from live import *

SECONDS = 2


def planted(stage, us):
    file = path(f"{stage}-{us}.wlag")
    if not os.path.exists(file):
        record_command(file, "--", *workload("planted", SECONDS, last_cpu(), stage, us))
    return file


def shifts(base, new, *args):
    """(name, stage, stat) -> row of one class of one name, numbers as numbers."""
    text = run([WAKELAG, "diff", base, new, "--metric", "thread.drift", "--format", "csv", *args]).stdout
    rows = [r for r in csv.DictReader(io.StringIO(text)) if r["class"] == "nanosleep"]
    for row in rows:
        row.update({k: int(v) for k, v in row.items() if k.endswith("_ns") or k.endswith("_count")})
    return {(r["name"], r["stage"], r["stat"]): r for r in rows}


def finds_stage(stage, base_us, new_us, stat):
    """A machine that was busy elsewhere may leave it unknown, and then says so."""
    rows = shifts(planted(stage, base_us), planted(stage, new_us))
    row = rows["worker", "total", stat]
    if row["verdict"] == "unknown":
        skip(f"{stage}_is_found", row["why"])
        return
    check(f"{stage}_is_found", row["verdict"] == "changed" and row["own_lo_ns"] > 0, row)
    check(f"{stage}_is_named", row["moved_stage"] == stage, row)
    check(f"{stage}_by_how_much", near(row["own_shift_ns"], (new_us - base_us) * 1000, 0.5), row)


def stages():
    finds_stage("busy", 500, 1000, "p99")
    finds_stage("runq", 1000, 2000, "p99")


def same():
    """Against itself nothing changed, to the byte alike each time."""
    file = planted("busy", 500)
    rows = shifts(file, file)
    check("itself_is_unchanged", not any(r["verdict"] == "changed" or r["shift_ns"] for r in rows.values()), rows)
    texts = [run([WAKELAG, "diff", file, planted("busy", 1000)]).stdout for _ in range(2)]
    check("same_bytes", texts[0] == texts[1], texts)
    check("text_has_both", all(f in texts[0] for f in (file, planted("busy", 1000))), texts[0])


def formats():
    pair = [planted("busy", 500), planted("busy", 1000)]
    rows = json.loads(run([WAKELAG, "diff", *pair, "--format", "json"]).stdout)
    check("json", {"metric", "shift_ns", "verdict"} <= set(rows[0]), rows[0])
    out = path("diff.svg")
    run([WAKELAG, "diff", *pair, "--format", "svg", "-o", out])
    root = xml.etree.ElementTree.parse(out).getroot()
    check("svg", root.tag.endswith("svg") and len(list(root.iter())) > 100, root.tag)
    cells = run([WAKELAG, "diff", *pair, "--format", "csv", "--table", "heatmap", "--metric", "thread.drift"]).stdout
    cells = list(csv.DictReader(io.StringIO(cells)))
    totals = [sum(int(c[k]) for c in cells) for k in ("base_count", "new_count")]
    counts = [sum(r["count"] for r in export(f, "heatmap", "thread.drift")) for f in pair]
    check("heatmap_has_all", totals == counts, f"{totals}, planted {counts}")


def usage():
    file = planted("busy", 500)
    for name, args in (("one_file", [file]), ("three_files", [file] * 3), ("table", [file, file, "--table", "events"]),
                       ("tolerance", [file, file, "--tolerance", "5"]), ("format", [file, file, "--format", "html"]),
                       ("other_format", [file, file, "--format", "openmetrics"])):
        run([WAKELAG, "diff", *args], status=64)
        ok(f"usage_{name}")
    run([WAKELAG, "diff", file, path("none.wlag")], status=1)


main(stages, same, formats, usage)
