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
import statistics
import subprocess

# A sandbox that hides events loses some of any recording: what is measured here is not that.
OPTIONS = ("--max-regress", "10%", "--max-loss", "1%")
TOLERANCE = "10%"
SECONDS = 4
# Threads that are free to share a CPU differ from run to run, for all of a run.
FREE_MIXER = ("mixer", ("mixer", SECONDS))
BASELINES = 3
# Stage, and what is planted in base and new (us).
SHIFTS = (("busy", 1000, 1200), ("runq", 1000, 1200))
# The same, the statistic that shows it, and recordings of each.
DOUBLED = (("runq", 1000, 2000, "p99"), ("slack", 200, 400, "p50"), ("busy", 500, 1000, "p99"))
DOUBLED_RUNS = 5
STATUS = {0: "pass", 2: "fail", 3: "inconclusive"}


class Bench:
    """Recordings that are in the directory already are taken as they are."""

    def __init__(self, wakelag, workloads, directory, cpu):
        self.wakelag, self.workloads, self.directory, self.cpu = wakelag, workloads, directory, cpu

    def record(self, name, command):
        file = os.path.join(self.directory, name)
        if os.path.exists(file + ".wlag"):
            return file + ".wlag"
        program = [os.path.join(self.workloads, command[0])] + [str(a) for a in command[1:]]
        with open(file + ".truth", "w", encoding="ascii") as truth:
            subprocess.run([self.wakelag, "record", "-q", "-o", file + ".part", "--"] + program, check=True,
                           stdin=subprocess.DEVNULL, stdout=truth)
        os.rename(file + ".part", file + ".wlag")
        return file + ".wlag"

    def planted(self, stage, us):
        return f"{stage}-{us}", ("planted", SECONDS, self.cpu, stage, us)

    def pools(self, loads, runs):
        """The recordings of each load, all loads in each round."""
        rounds = [[self.record(f"{name}-{i}", command) for name, command in loads] for i in range(runs)]
        return list(zip(*rounds))

    def gate(self, files):
        """The verdict of the last against the others."""
        bases = [word for file in files[:-1] for word in ("--baseline", file)]
        done = subprocess.run([self.wakelag, "gate", "-q", files[-1], *bases, *OPTIONS], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode not in STATUS:
            raise RuntimeError(f"gate: status {done.returncode}: {done.stdout[-500:]}")
        return STATUS[done.returncode], done.stdout

    def shifts(self, pair):
        text = subprocess.run([self.wakelag, "diff", "-q", *pair, "--metric", "thread.drift", "--format", "csv",
                               "--tolerance", TOLERANCE], check=True, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE).stdout
        return [r for r in csv.DictReader(io.StringIO(text)) if r["gated"] == "1"]

    def each(self, function, pairs):
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            return list(pool.map(function, pairs))

    def verdicts(self, title, pairs, wanted):
        """Counts them; those that are the worst that can be are told."""
        count = collections.Counter()
        for pair, (verdict, text) in zip(pairs, self.each(self.gate, pairs)):
            count[verdict] += 1
            if {verdict, wanted} == {"pass", "fail"}:
                print(f"  {' '.join(map(os.path.basename, pair))}: {' '.join(text.split())[:400]}")
        self.row(title, len(pairs), *(f"{count[v]} ({count[v] / len(pairs):.1%})" for v in STATUS.values()))
        return count

    @staticmethod
    def row(title, *cells):
        print(f"  {title:<34}" + "".join(f" {c!s:>14}" for c in cells), flush=True)


def verdict(is_kept, bar):
    print(f"  {'kept' if is_kept else 'NOT KEPT'}: {bar}", flush=True)


def measured_p99(file):
    """What the program measured itself, us."""
    with open(file.removesuffix(".wlag") + ".truth", encoding="ascii") as f:
        words = f.read().split()
    return int(words[words.index("p99") + 1]) / 1000


def runs_for(pairs_of, cnt):
    """The fewest recordings that make so many pairs."""
    return next(n for n in itertools.count(2) if pairs_of(n) >= cnt)


def false_alarms(bench, cnt):
    """A/A: gates of a workload against another run of itself."""
    loads = [("sleepers", ("sleepers", 10, SECONDS, 1000)), ("pinned", ("mixer", SECONDS, bench.cpu))]
    loads += [bench.planted(stage, us) for stage, us, _ in SHIFTS]
    each = -(-cnt // len(loads))
    runs = runs_for(lambda n: n * (n - 1) // 2, each)
    total = collections.Counter()
    print(f"gate, A/A: {runs} runs of {SECONDS} s of each workload, {' '.join(OPTIONS)}")
    bench.row("", "gates", *STATUS.values())
    *pools, free = bench.pools(loads + [FREE_MIXER], runs)
    for (name, _), files in zip(loads, pools):
        total += bench.verdicts(name, list(itertools.combinations(files, 2))[:each], "pass")
    gates = sum(total.values())
    bench.row("all", gates, *(f"{total[v]} ({total[v] / gates:.1%})" for v in STATUS.values()))
    verdict(total["fail"] <= 0.02 * gates and total["inconclusive"] <= 0.1 * gates,
            "at most 2% fail, at most 10% inconclusive")
    bench.verdicts("not pinned", list(itertools.combinations(free, 2))[:each], "pass")
    several = [free[i:i + BASELINES] + (free[j],) for i in range(runs) for j in range(i + BASELINES, runs)]
    bench.verdicts(f"not pinned, {BASELINES} baselines", several, "pass")


def planted_pairs(bench, stage, base, new, runs):
    return list(itertools.product(*bench.pools([bench.planted(stage, base), bench.planted(stage, new)], runs)))


def shift_found(bench, stage, base, new, cnt):
    """How many gates fail, of two that differ by 20%."""
    pairs = planted_pairs(bench, stage, base, new, runs_for(lambda n: n * n, cnt))[:cnt]
    truth = [statistics.median(map(measured_p99, {p[i] for p in pairs})) for i in (0, 1)]
    count = bench.verdicts(f"{stage}: p99 {truth[0]:.0f} us to {truth[1]:.0f} us", pairs, "fail")
    return count["fail"]


def stage_named(bench, stage, base, new, stat):
    """How many pairs show the doubled amount, and name its stage."""
    pairs = planted_pairs(bench, stage, base, new, DOUBLED_RUNS)
    found = [r for rows in bench.each(bench.shifts, pairs) for r in rows
             if r["name"] == "worker" and r["stat"] == stat and r["verdict"] == "changed"]
    right = sum(r["moved_stage"] == stage for r in found)
    bench.row(f"{stage} {base} us to {new} us, {stat}", len(pairs), len(found), right)
    return right == len(found) and len(found) >= 0.8 * len(pairs)


def power(bench, cnt):
    """A shift of 20% that is there must be found, and a doubled stage be named."""
    each = -(-cnt // len(SHIFTS))
    print(f"gate, power: 20% more, runs of {SECONDS} s, {' '.join(OPTIONS)}")
    bench.row("as the program measured it", "gates", *STATUS.values())
    failed = sum(shift_found(bench, *shift, each) for shift in SHIFTS)
    verdict(failed >= 0.95 * each * len(SHIFTS), "at least 95% fail")
    bench.row("twice as much", "pairs", "changed", "stage named")
    verdict(all([stage_named(bench, *row) for row in DOUBLED]), "the stage is named")
