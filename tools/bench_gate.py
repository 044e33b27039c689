# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""How right `wakelag gate --baseline` and `wakelag diff` are: false alarms, power, and the stage they name.

Short recordings are made once into pools, those to be compared in turns, so that both see the same
neighbours; then every one is compared with every other.
"""

import collections
import concurrent.futures
import csv
import io
import itertools
import os
import subprocess

MAX_REGRESS = "10%"
AA_LOADS = (("sleepers", ("sleepers", 10, 1, 1000)), ("mixer", ("mixer", 2)))
# Stage, what is planted in base and new (us), and the statistic that shows it.
SHIFT = ("busy", 1000, 1200)
DOUBLED = (("runq", 1000, 2000, "p99"), ("slack", 200, 400, "p50"), ("busy", 500, 1000, "p99"))
STATUS = {0: "pass", 2: "fail", 3: "inconclusive"}


class Bench:
    def __init__(self, wakelag, workloads, directory, cpu):
        self.wakelag, self.workloads, self.directory, self.cpu = wakelag, workloads, directory, cpu

    def record(self, name, command):
        file = os.path.join(self.directory, name + ".wlag")
        program = [os.path.join(self.workloads, command[0])] + [str(a) for a in command[1:]]
        subprocess.run([self.wakelag, "record", "-q", "-o", file, "--"] + program, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return file

    def planted(self, name, stage, us):
        return self.record(name, ("planted", 2, self.cpu, stage, us))

    def gate(self, pair):
        """The verdict of the second against the first."""
        done = subprocess.run([self.wakelag, "gate", "-q", pair[1], "--baseline", pair[0], "--max-regress",
                               MAX_REGRESS], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode not in STATUS:
            raise RuntimeError(f"gate: status {done.returncode}: {done.stdout[-500:]}")
        return STATUS[done.returncode], done.stdout

    def shifts(self, pair):
        text = subprocess.run([self.wakelag, "diff", "-q", *pair, "--metric", "thread.drift", "--format", "csv",
                               "--tolerance", MAX_REGRESS], check=True, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE).stdout
        return [r for r in csv.DictReader(io.StringIO(text)) if r["gated"] == "1"]

    def each(self, function, pairs):
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            return list(pool.map(function, pairs))

    def verdicts(self, title, pairs):
        count = collections.Counter()
        for pair, (verdict, text) in zip(pairs, self.each(self.gate, pairs)):
            count[verdict] += 1
            if verdict == "fail" and title.startswith("A/A"):
                print(f"  {' '.join(map(os.path.basename, pair))}: {' '.join(text.split())[:300]}")
        self.row(title, len(pairs), *(f"{count[v]} ({count[v] / len(pairs):.1%})" for v in STATUS.values()))
        return count

    @staticmethod
    def row(title, *cells):
        print(f"  {title:<34}" + "".join(f" {c!s:>14}" for c in cells), flush=True)


def verdict(is_kept, bar):
    print(f"  {'kept' if is_kept else 'NOT KEPT'}: {bar}", flush=True)


def false_alarms(bench, cnt):
    """A/A: gates of a workload against another run of itself."""
    total = collections.Counter()
    each = -(-cnt // len(AA_LOADS))
    runs = next(n for n in itertools.count(2) if n * (n - 1) // 2 >= each)
    print(f"gate, A/A: {runs} runs of each workload, --max-regress {MAX_REGRESS}")
    bench.row("", "gates", *STATUS.values())
    pools = [[bench.record(f"aa-{name}-{i}", command) for name, command in AA_LOADS] for i in range(runs)]
    for (name, _), files in zip(AA_LOADS, zip(*pools)):
        total += bench.verdicts(f"A/A, {name}", list(itertools.combinations(files, 2))[:each])
    gates = sum(total.values())
    verdict(total["fail"] <= 0.02 * gates and total["inconclusive"] <= 0.1 * gates,
            "at most 2% fail, at most 10% inconclusive")


def stage_named(bench, stage, base, new, stat, runs):
    """How many pairs show the doubled amount, and name its stage."""
    files = [(bench.planted(f"two-{stage}-{base}-{i}", stage, base),
              bench.planted(f"two-{stage}-{new}-{i}", stage, new)) for i in range(runs)]
    pairs = list(itertools.product([f[0] for f in files], [f[1] for f in files]))
    found = [r for rows in bench.each(bench.shifts, pairs) for r in rows
             if r["name"] == "worker" and r["stat"] == stat and r["verdict"] == "changed"]
    right = sum(r["moved_stage"] == stage for r in found)
    bench.row(f"{stage} {base} us to {new} us, {stat}", len(pairs), len(found), right)
    return right == len(found) and len(found) >= 0.8 * len(pairs)


def power(bench, cnt):
    """A shift of 20% that is there must be found, and a doubled stage be named."""
    runs = next(n for n in itertools.count(2) if n * n >= cnt)
    stage, base, new = SHIFT
    print(f"gate, power: {runs} runs each, --max-regress {MAX_REGRESS}; {stage} of {base} us, and 20% more")
    bench.row("", "gates", *STATUS.values())
    files = [(bench.planted(f"base-{i}", stage, base), bench.planted(f"new-{i}", stage, new)) for i in range(runs)]
    pairs = list(itertools.product([f[0] for f in files], [f[1] for f in files]))[:cnt]
    count = bench.verdicts("20% more", pairs)
    verdict(count["fail"] >= 0.95 * len(pairs), "at least 95% fail")
    bench.row("twice as much", "pairs", "changed", "stage named")
    verdict(all([stage_named(bench, *row, 5) for row in DOUBLED]), "the stage is named")
