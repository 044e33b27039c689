#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Ten thousand threads: every one is seen, and memory stays bounded while recording and in replay."""

import threading

from live import *

THREADS = 10000
LIMIT_KB = 64 * 1024


class Memory(threading.Thread):
    """The most anonymous memory that a process was seen with, in kB."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak = pid, 0
        self.start()

    def run(self):
        while True:
            try:
                with open(f"/proc/{self.pid}/status", encoding="utf-8") as f:
                    found = [int(line.split()[1]) for line in f if line.startswith("RssAnon:")]
            except OSError:
                return
            if not found:  # a zombie has none
                return
            self.peak = max(self.peak, found[0])
            time.sleep(0.01)


def ten_thousand():
    file = path("t.wlag")
    load, _ = start_ready(workload("sleepers", THREADS, 60, 100000))
    wait_for(lambda: len(os.listdir(f"/proc/{load.pid}/task")) > THREADS, what="threads")
    with Recording(file, "-p", str(load.pid), "-d", "2s") as recording:
        memory = Memory(recording.process.pid)
        status = recording.end(None)
        memory.join()
    stop(load)
    check("bounded_status", status == 0, f"{status} {recording.talk}")
    check("bounded_record", 0 < memory.peak <= LIMIT_KB, f"{memory.peak} kB anonymous")
    for name, args in (("report", ["report", file]), ("export", ["export", file, "--format", "csv"])):
        process = start([WAKELAG] + args, stdout=subprocess.DEVNULL)
        memory = Memory(process.pid)
        process.wait()
        memory.join()
        check(f"bounded_{name}", process.returncode == 0 and memory.peak <= LIMIT_KB, f"{memory.peak} kB anonymous")
    seen = {e["entity"] for e in export(file, "events", "thread.drift")}
    check("bounded_all_seen", len(seen) == THREADS, f"{len(seen)} threads of {THREADS}")


main(ten_thousand)
