# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the live tests share: running wakelag and the workloads, reading tables and truth, verdicts.

A test says ok/not_ok/skip per case; nothing here retries. Everything started through start() or
Recording is ended when the test ends, by its own id.
"""

import atexit
import collections
import csv
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("B", "build"))
WAKELAG = os.path.join(BUILD, "wakelag")
WORKLOADS = os.path.join(BUILD, "workloads")
READY = "wakelag: recording"
READY_SECONDS = 20
END_SECONDS = 60
NOBODY = 65534
STAGES = ("busy handoff rounding slack timer wake runq preempt throttle runtime grunq stopping "
          "stopped").split()

directory = tempfile.mkdtemp(prefix="wakelag-test-")
os.chmod(directory, 0o755)
started = []


def clean_up():
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
    shutil.rmtree(directory, ignore_errors=True)


atexit.register(clean_up)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def ok(name):
    print(f"ok {name}", flush=True)


def not_ok(name, reason):
    print(f"not ok {name}: {str(reason).strip()}".replace("\n", "\n# "), flush=True)


def skip(name, reason):
    print(f"skip {name}: {reason}", flush=True)


def check(name, condition, reason=""):
    if condition:
        ok(name)
    else:
        not_ok(name, reason)
    return bool(condition)


def hides_events():
    """Some sandboxes' kernels show tracers nothing that happens in the context of process 1; wakelag says so."""
    if not hasattr(hides_events, "answer"):
        run = subprocess.run([WAKELAG, "record", "-o", path("hides.wlag"), "--", "true"], capture_output=True, text=True)
        hides_events.answer = "without init" in run.stderr
    return hides_events.answer


def check_count(name, found, planted):
    """Exact; where the kernel hides events, one of a hundred, and two, may be missing. True if none is."""
    missing = planted // 100 + 2 if hides_events() else 0
    check(name, planted - missing <= found <= planted, f"{found}, planted {planted}")
    return found == planted


def main(*tests):
    """Runs each test function; one that raises is not ok, the others still run."""
    wanted = sys.argv[1:]
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        try:
            test()
        except Exception as error:  # pylint: disable=broad-except
            import traceback
            where = traceback.extract_tb(error.__traceback__)[-1]
            detail = getattr(error, "stderr", None) or ""
            not_ok(test.__name__, f"{type(error).__name__} {error} (line {where.lineno} of {where.name}) {detail}")


def path(name):
    return os.path.join(directory, name)


def workload(name, *args):
    return [os.path.join(WORKLOADS, name)] + [str(a) for a in args]


def start(command, **options):
    options.setdefault("text", True)
    process = subprocess.Popen([str(c) for c in command], **options)
    started.append(process)
    return process


def start_ready(command, **options):
    """Starts a workload and waits for its line `ready`; gives (process, the lines before it)."""
    process = start(command, stdout=subprocess.PIPE, **options)
    lines = []
    for line in process.stdout:
        if line.strip() == "ready":
            return process, lines
        lines.append(line)
    raise RuntimeError(f"{command[0]} ended before it was ready")


def stop(process):
    if process.poll() is None:
        process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


class AwakeCpus:
    """Keeps the CPUs out of idle with a spinner of SCHED_IDLE each, which gives way to everybody: coming
    out of idle (of a guest: of the host) takes microseconds between `ran` and the thread's own clock call.
    What the spinners did not get, others had: they leave cold caches, which take as long."""

    QUIET = 0.05

    def __enter__(self):
        self.spinners = [start_ready(["chrt", "-i", "0"] + workload("spin", 1, cpu, 100))[0]
                         for cpu in sorted(os.sched_getaffinity(0))]
        self.begin, self.had = time.monotonic(), self.cpu_seconds()
        return self

    def cpu_seconds(self):
        ticks = 0
        for spinner in self.spinners:
            with open(f"/proc/{spinner.pid}/stat", encoding="utf-8") as f:
                ticks += sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def __exit__(self, *_):
        wall = time.monotonic() - self.begin
        self.others = 1 - (self.cpu_seconds() - self.had) / (wall * len(self.spinners))
        for spinner in self.spinners:
            stop(spinner)
        if self.others > self.QUIET:
            print(f"# not a quiet machine: {self.others:.0%} of the CPUs went to others; the bar is 10%, 15 us")

    def ranks(self, outliers):
        """For near_quantile(): on a busy machine so many samples are of a thread that lost the CPU after `ran`."""
        return 0.003 if self.others <= self.QUIET else outliers

    def bar(self):
        """(share, ns) for near(): how well the truth can be known. From `ran` to the thread's own clock call
        a quiet guest was seen to take 1.5 to 6.5 us, so 5 us more than between two clocks in the kernel."""
        return (0.05, 10000) if self.others <= self.QUIET else (0.1, 15000)


def run(command, status=0, timeout=END_SECONDS, **options):
    """Runs to the end; `status` None: any. Gives the CompletedProcess."""
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace", timeout=timeout, **options)
    if status is not None and done.returncode != status:
        raise RuntimeError(f"{' '.join(map(str, command[:4]))}: status {done.returncode}, not {status}: "
                           f"{done.stderr[-500:]}")
    return done


def record_command(file, *args):
    """`wakelag record -- CMD`: gives CMD's stdout."""
    return run([WAKELAG, "record", "-o", file] + list(args)).stdout


class Recording:
    """A `wakelag record` in the background; entering waits until all is attached."""

    def __init__(self, file, *args, prefix=(), **options):
        self.file = file
        self.talk = ""
        self.command = list(prefix) + [WAKELAG, "record", "-o", file] + list(args)
        self.options = options

    def __enter__(self):
        self.process = start(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, **self.options)
        for line in self.process.stderr:
            self.talk += line
            if line.startswith(READY):
                return self
        raise RuntimeError(f"record ended before it recorded, status {self.process.wait()}: {self.talk}")

    def end(self, sig=signal.SIGINT):
        """Ends it (sig None: waits for its own end); gives its status."""
        if sig and self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            self.talk += self.process.communicate(timeout=END_SECONDS)[1] or ""
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode

    def __exit__(self, kind, *_):
        if self.process.returncode is None:
            status = self.end()
            if status and not kind:
                raise RuntimeError(f"record: status {status}: {self.talk}")


def export_text(file, *args, prefix=()):
    return run(list(prefix) + [WAKELAG, "export", file, "--format", "csv"] + list(args)).stdout


def export(file, table, metric=None, top=10000, by=None):
    """The rows of a table as dicts; columns that end in _ns, counts and stages are numbers."""
    args = ["--table", table, "--top", str(top)] + (["--metric", metric] if metric else [])
    args += ["--by", by] if by else []
    rows = list(csv.DictReader(io.StringIO(export_text(file, *args), newline="")))
    for row in rows:
        for column, value in row.items():
            if column.endswith("_ns") or column == "count" or column in STAGES:
                row[column] = int(value) if value not in ("", None) else None
    return rows


def truths(text):
    """A workload's `key value ...` lines as dicts."""
    result = []
    for line in text.splitlines():
        words = line.split()
        if len(words) % 2 == 0:
            result.append({k: int(v) if v.isdigit() else v for k, v in zip(words[::2], words[1::2])})
    return result


def stage_row(rows, entity, stage="total", klass=None):
    """One entity's row of table `stages`, None if there is none; of several classes: count and sum only."""
    found = [r for r in rows if r["entity"] == str(entity) and r["stage"] == stage and klass in (None, r["class"])]
    if len(found) < 2:
        return found[0] if found else None
    return {"count": sum(r["count"] for r in found), "sum_ns": sum(r["sum_ns"] for r in found)}


def of_threads(rows):
    """The rows that are no totals over all entities."""
    return [r for r in rows if r["entity"] not in ("*", "rest")]


def near(value, truth, share=0.05, slop=5000):
    return abs(value - truth) <= max(share * truth, slop)


def quantile(sorted_values, q):
    """Nearest rank."""
    return sorted_values[max(0, -(-int(len(sorted_values) * q * 1000) // 1000) - 1)]


def near_quantile(value, truth, q, share, slop, ranks=0.003):
    """Whether value agrees with the truth's quantile, or with one `ranks` or one sample of rank away from it."""
    truth = sorted(truth)
    at, off = int(len(truth) * q), max(1, int(len(truth) * ranks))
    low, high = truth[max(0, at - 1 - off)], truth[min(len(truth) - 1, at + off)]
    return near(min(max(value, low), high), value, share, slop)


# What may stand for a waking that is no sample.
LOST_WAKINGS = ("ring_waking", "waking_slots", "waking_no_state", "missed_switch")


def losses(file):
    """cause -> count, of those that happened."""
    return {r["cause"]: r["count"] for r in export(file, "loss") if r["count"]}


def lost_waits(file):
    """The losses that cost a sample: not those that only leave its blame unknown, nor those of a sandbox."""
    free = {"ring_slice", "slice_history"} | ({"missed_waking", "missed_switch"} if hides_events() else set())
    return {c: n for c, n in losses(file).items() if c not in free}


def counters(file, name):
    """entity -> count of one counter; the whole recording's is entity ''."""
    result = collections.Counter()
    for row in export(file, "counters"):
        if row["counter"] == name:
            result[row["entity"]] += row["count"]
    return result


GROUPS_V1, GROUPS_V2 = "/sys/fs/cgroup/cpu", "/sys/fs/cgroup"


def write(file, text):
    with open(file, "w", encoding="ascii") as f:
        f.write(str(text))


def make_group(quota_us, period_us):
    """A cgroup with that CPU quota, for the caller to remove, or None where there is no CPU controller."""
    name = f"wakelag-test-{os.getpid()}"
    if os.path.exists(f"{GROUPS_V1}/cpu.cfs_period_us") or os.path.exists(f"{GROUPS_V1}/cpu.shares"):
        group = f"{GROUPS_V1}/{name}"
        os.mkdir(group)
        write(f"{group}/cpu.cfs_period_us", period_us)
        write(f"{group}/cpu.cfs_quota_us", quota_us)
        return group
    try:
        with open(f"{GROUPS_V2}/cgroup.subtree_control", encoding="ascii") as f:
            if "cpu" not in f.read().split():
                return None
    except OSError:
        return None
    group = f"{GROUPS_V2}/{name}"
    os.mkdir(group)
    write(f"{group}/cpu.max", f"{quota_us} {period_us}")
    return group


def last_cpu():
    return max(os.sched_getaffinity(0))


def wait_for(condition, seconds=READY_SECONDS, what="condition"):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"no {what} within {seconds} s")
        time.sleep(0.005)
