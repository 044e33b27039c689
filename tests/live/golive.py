# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the truth tests of goroutines share: a Go workload that measures itself is recorded, then compared.

GO_WORKLOADS: another directory of the workloads' programs, as tools/go/check builds them. GO: their toolchain.
"""

from live import *

GO_WORKLOADS = os.environ.get("GO_WORKLOADS", os.path.join(WORKLOADS, "go"))
GO = os.environ.get("GO", "go")
# Built without a go.mod, a program gets the channel timers of old from Go 1.23 and later too, unless asked.
GODEBUG = "asynctimerchan=0"
# Losses that cost a sample of thread.runq, none of a goroutine's.
OF_THREADS = {"waking_slots", "waking_no_state"}
MS = 1000000


class Run:
    """One workload from its line `ready` to its line `done`, all of it recorded; gone when this returns."""

    def __init__(self, case, program, *args, level="full", procs=2, pressure=False):
        self.case, self.file = case, path(f"{case}.wlag")
        self.text = ""
        cpus = sorted(os.sched_getaffinity(0)) if pressure else []
        spinners = [start_ready(workload("spin", 3, cpu))[0] for cpu in cpus]
        env = dict(os.environ, GOMAXPROCS=str(procs), GODEBUG=GODEBUG)
        process, lines = start_ready([os.path.join(GO_WORKLOADS, program)] + [str(a) for a in args],
                                     stdin=subprocess.PIPE, env=env)
        self.pid, self.version = process.pid, truths("".join(lines))[0]["version"]
        try:
            with Recording(self.file, "-p", str(process.pid), "--go", level):
                process.stdin.write("\n")
                process.stdin.flush()
                self.read(process)
        finally:
            process.stdin.close()
            for other in [process] + spinners:
                stop(other)
        self.lines = truths(self.text)

    def read(self, process):
        for line in process.stdout:
            if line.strip() == "done":
                return
            self.text += line
        raise RuntimeError(f"{self.case}: the workload ended early, status {process.wait()}")

    def check(self, name, condition, reason=""):
        return check(f"{self.case}_{name}", condition, reason)

    def truths(self):
        """The lines of goroutines that measured something, with `list` as numbers."""
        return [dict(t, list=[int(n) for n in str(t["list"]).split(",")]) for t in self.lines if "list" in t]

    def events(self, metric, name=None, klass=None, by=None):
        """In order of their ends; `name` as is_function() wants it."""
        return [e for e in export(self.file, "events", metric, by=by)
                if (name is None or is_function(e["name"], name)) and klass in (None, e["class"])]

    def check_loss(self):
        lost = {c: n for c, n in lost_waits(self.file).items() if c not in OF_THREADS}
        self.check("loss", not lost, f"{lost}")

    def check_stages(self, what, events):
        """They add up and none is negative."""
        wrong = [e for e in events if sum(e[s] or 0 for s in STAGES) != e["latency_ns"] or
                 min(e[s] or 0 for s in STAGES) < 0]
        self.check(f"{what}_stages", events and not wrong, f"{len(wrong)} of {len(events)} are wrong: {wrong[:2]}")

    def check_count(self, what, found, planted, slop=0):
        slop += planted // 1000
        self.check(f"{what}_count", abs(found - planted) <= slop, f"{found}, planted {planted}")

    def check_quantiles(self, what, late, own, bar, ranks, quantiles=(50, 90, 99)):
        """Ours against the program's own, in any order; it must have some."""
        if not self.check(f"{what}_seen", late, "no sample"):
            return
        late, own = sorted(late), sorted(own)
        for percent in quantiles:
            ours = quantile(late, percent / 100)
            self.check(f"{what}_p{percent}", near_quantile(ours, own, percent / 100, *bar, ranks),
                       f"{ours}, the program {quantile(own, percent / 100)}")


def is_function(name, wanted):
    """Closures and wrappers of a function are called after it; `*` at the end: whatever begins so."""
    return name == wanted or name.startswith(wanted[:-1] if wanted.endswith("*") else wanted + ".")


def latencies(events):
    return [e["latency_ns"] for e in events]
