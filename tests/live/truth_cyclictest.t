#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""thread.drift against cyclictest's own histogram, per measuring thread."""

import shutil

from live import *

LOOPS = 4000


def histograms(text):
    """Per thread the sorted latencies in whole us, as cyclictest -h prints them."""
    result = [[], []]
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and all(w.isdigit() for w in words):
            for thread, count in enumerate(words[1:]):
                result[thread] += [int(words[0])] * int(count)
    return result


def cyclictest():
    if not shutil.which("cyclictest"):
        return skip("cyclictest", "no cyclictest (package rt-tests)")
    file = path("c.wlag")
    with AwakeCpus() as cpus:
        text = record_command(file, "--", "cyclictest", "-q", "-t2", "-i", "2000", "-l", str(LOOPS), "-h", "20000")
    rows = export(file, "stages", "thread.drift")
    # The main thread, the oldest, sleeps too; the measuring ones follow in their order.
    tids = sorted({int(r["entity"]) for r in of_threads(rows)})[1:3]
    if not check("cyclictest_threads", len(tids) == 2, f"measuring threads {tids}"):
        return
    for thread, (tid, truth) in enumerate(zip(tids, histograms(text))):
        row = stage_row(rows, tid, "total", "nanosleep")
        if not row:
            not_ok(f"cyclictest_{thread}", f"no class nanosleep for {tid}")
            continue
        if abs(row["count"] - len(truth)) > LOOPS // 1000:
            check_count(f"cyclictest_{thread}_count", row["count"], len(truth))
        else:
            ok(f"cyclictest_{thread}_count")
        for name, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            # cyclictest cuts to whole us: the truth lies in the middle of one.
            own = [us * 1000 + 500 for us in truth]
            check(f"cyclictest_{thread}_{name}_not_over", row[name + "_ns"] <= quantile(own, q) * 1.035 + 1500,
                  f"{row[name + '_ns']} ns, later than cyclictest saw: {quantile(own, q)} ns")
            check(f"cyclictest_{thread}_{name}", near_quantile(row[name + "_ns"], own, q, *cpus.bar()),
                  f"{row[name + '_ns']} ns, cyclictest {quantile(own, q)} ns")
    lost = sum(lost_waits(file).values())
    check("cyclictest_loss", lost <= 2 * LOOPS // 1000, f"{lost_waits(file)}")


main(cyclictest)
