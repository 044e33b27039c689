#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# seconds: 300
"""Go programs are none the worse for being recorded: they go on, their own checks hold, their code is as it was."""

import json
import random
import statistics
import threading

from live import *

GO = os.path.join(WORKLOADS, "go")
ROUNDS = {"churn": 50, "churn_cgo": 50}
LEVELS = ["full"] * 8 + ["light", "auto"]
KILLS = 10
ROUND_SECONDS = 0.1


class Churn:
    """A workload that does everything and checks itself, begun. It leaves a CPU to those who want one."""

    def __init__(self, program="churn", *args, prefix=()):
        self.process, _ = start_ready(["nice"] + list(prefix) + [os.path.join(GO, program)] + list(args), stdin=subprocess.PIPE)
        self.pid = self.process.pid
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        stop(self.process)

    def end(self):
        """Its last word, and how it ended."""
        self.process.stdin.close()
        lines = self.process.stdout.read().splitlines()
        return f"{lines[-1] if lines else ''} status {self.process.wait(timeout=END_SECONDS)}"

    def check_fine(self, name):
        said = self.end()
        words = said.split()
        check(f"{name}_fine", words[0] == "fine" and int(words[1]) > 100 and words[-1] == "0", said)


def changed_code(pid):
    """Addresses at which the code of the program in memory is not that of its file."""
    changed = []
    exe = os.readlink(f"/proc/{pid}/exe")
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory, \
            open(f"/proc/{pid}/exe", "rb", buffering=0) as file:
        for line in maps:
            words = line.split()
            if "x" not in words[1] or words[-1] != exe:
                continue
            begin, end = (int(w, 16) for w in words[0].split("-"))
            memory.seek(begin)
            file.seek(int(words[2], 16))
            there, here = file.read(end - begin), memory.read(end - begin)
            if there != here[:len(there)]:
                changed += [hex(begin + i) for i in range(len(there)) if there[i] != here[i]]
    return changed


def check_code(name, pid):
    """The kernel takes breakpoints out a moment after the last who had them is gone."""
    try:
        wait_for(lambda: not changed_code(pid), 5)
        ok(name)
    except RuntimeError:
        not_ok(name, f"other bytes at {changed_code(pid)}")


def processes(file):
    """What the recording says of each Go process: pid -> its level, version and so on."""
    return {p["pid"]: p for p in json.loads(run([WAKELAG, "export", file, "--format", "json"]).stdout)["go"]}


def functions(file, metric="goroutine.runq", by=None):
    return {r["name"] for r in of_threads(export(file, "stages", metric, by=by))}


def round_trip(file, pid, level):
    """One recording; gives the seconds to attach and to detach."""
    begin = time.monotonic()
    with Recording(file, "-p", pid, "-d", "100ms", "--go", level) as recording:
        attached = time.monotonic()
        status = recording.end(None)
    if status:
        raise RuntimeError(f"status {status}: {recording.talk}")
    return attached - begin, time.monotonic() - attached - ROUND_SECONDS


class Rounds(threading.Thread):
    """Many recordings of one program, one after the other."""

    def __init__(self, program, pid):
        super().__init__()
        self.name, self.pid, self.cnt, self.times, self.problem = program, pid, ROUNDS[program], [], None

    def file(self, level):
        return path(f"{self.name}_{level}.wlag")

    def run(self):
        try:
            for i in range(self.cnt):
                level = LEVELS[i % len(LEVELS)]
                self.times.append(round_trip(self.file(level), self.pid, level))
        except Exception as error:  # pylint: disable=broad-except
            self.problem = f"round {len(self.times)}: {error}"


def median_ms(values):
    return f"{statistics.median(values) * 1000:.0f} ms"


def rounds():
    with Churn("churn") as pure, Churn("churn_cgo") as cgo:
        with Recording(path("during.wlag"), "-p", pure.pid, "--go", "full"):
            check("probes_are_seen", len(changed_code(pure.pid)) > 5, "no code was changed: the checks below see nothing")
        all_rounds = [Rounds("churn", pure.pid), Rounds("churn_cgo", cgo.pid)]
        for each in all_rounds:
            each.start()
        for each in all_rounds:
            each.join()
        for each in all_rounds:
            check(f"rounds_{each.name}", each.problem is None, each.problem)
            for level in ("full", "light"):
                # 100 ms of a busy machine may have no timer
                seen = functions(each.file(level), "goroutine.drift") | functions(each.file(level))
                check(f"rounds_{each.name}_{level}", "main." in " ".join(seen), f"functions {seen}")
            check_code(f"rounds_{each.name}_code", each.pid)
        pure.check_fine("rounds_churn")
        cgo.check_fine("rounds_churn_cgo")
    times = [t for each in all_rounds for t in each.times]
    print(f"# under load, medians: {median_ms([t[0] for t in times])} from start to recording, "
          f"{median_ms([t[1] for t in times])} to end")


def idle():
    with Churn("crowd", "-receive", "100", "-timers", "10") as target:
        times = [round_trip(path("idle.wlag"), target.pid, "full") for _ in range(5)]
        bare = [round_trip(path("idle.wlag"), target.pid, "off") for _ in range(5)]
    print(f"# a target that idles, medians: {median_ms([t[0] for t in times])} from start to recording "
          f"({median_ms([t[0] for t in bare])} without goroutines), {median_ms([t[1] for t in times])} to end")
    check("idle_detach", statistics.median(t[1] for t in times) < 0.6, times)


def kills():
    """The collector is killed: while it attaches, and while it records."""
    unreadable, moments = [], random.Random(os.getpid())
    with Churn() as target:
        for i in range(KILLS):
            file = path("killed.wlag")
            if os.path.exists(file):
                os.unlink(file)
            recording = Recording(file, "-p", target.pid, "--go", "full")
            if i % 2:
                recording.__enter__()
                moment = moments.uniform(0, 0.2)
            else:
                recording.process = start(recording.command, stderr=subprocess.DEVNULL)
                moment = moments.uniform(0, 0.4)
            time.sleep(moment)
            stop(recording.process)
            check_code(f"kill_{i}_code", target.pid)
            if i % 2 and run([WAKELAG, "report", file], status=None).returncode:
                unreadable.append(moment)
        check("kill_readable", not unreadable, f"not those killed after {unreadable} s of recording")
        round_trip(path("after.wlag"), target.pid, "full")
        check("kill_recorded_again", functions(path("after.wlag"), "goroutine.lock"), "no goroutine")
        target.check_fine("kill")


def exits():
    """The target ends while it is attached to: no more than an error, and said."""
    moments, wrong = random.Random(os.getpid()), []
    for _ in range(8):
        with Churn() as target:
            recorder = start([WAKELAG, "record", "-p", target.pid, "--go", "full", "-o", path("exits.wlag")],
                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
            moment = moments.uniform(0, 0.3)
            time.sleep(moment)
            stop(target.process)
            talk = recorder.communicate(timeout=END_SECONDS)[1]
            if recorder.returncode not in (0, 1) or (recorder.returncode and str(target.pid) not in talk):
                wrong.append(f"after {moment} s: status {recorder.returncode}: {talk}")
    check("target_exits", not wrong, wrong)


def execs():
    """It becomes another program in the midst of all: one in Go, one in C, itself."""
    pair, c = [os.path.join(GO, "bench_sleepers"), "200", "50"], workload("sleepers", 2, 1)
    for name, next_one in (("go", pair), ("c", c), ("itself", [os.path.join(GO, "churn")])):
        file = path(f"exec_{name}.wlag")
        with Churn("churn", *next_one) as target:
            with Recording(file, "-p", target.pid, "--go", "full", "-d", "20s") as recording:
                target.process.stdin.close()
                said = target.process.stdout.read().split()
                status = target.process.wait(timeout=END_SECONDS)
                recording.end(None)
        check(f"exec_{name}", status == 0 and "ready" in said and recording.process.returncode == 0,
              f"status {status}: {said}; {recording.talk}")
        check(f"exec_{name}_talk", "without goroutines of" not in recording.talk, recording.talk)
        seen = functions(file)
        check(f"exec_{name}_before", any(f.startswith("main.births") for f in seen), seen)
        if name == "go":
            drift = functions(file, "goroutine.drift")
            check(f"exec_{name}_after", "main.sleeper" in " ".join(drift | seen), drift | seen)
        if name == "c":
            threads = sum(r["count"] for r in export(file, "heatmap", "thread.drift") if r["name"] == "sleepers")
            check(f"exec_{name}_after", threads > 100, f"{threads} samples")


def check_both(name, file, pids):
    found = processes(file)
    check(f"{name}_known", all(found.get(p, {}).get("checked") and found[p]["level"] == "full" for p in pids), found)
    counts = collections.Counter()
    for row in of_threads(export(file, "stages", "goroutine.runq", by="pid")):
        counts[row["entity"]] += row["count"] if row["stage"] == "total" else 0
    check(f"{name}_samples", all(counts[str(p)] > 100 for p in pids), f"{counts}, pids {pids}")


def two_targets():
    with Churn() as one, Churn() as same, Churn("churn_cgo") as other:
        for name, second in (("one_binary", same), ("two_binaries", other)):
            file = path(f"{name}.wlag")
            run([WAKELAG, "record", "-p", f"{one.pid},{second.pid}", "-d", "300ms", "--go", "full", "-o", file])
            check_both(name, file, (one.pid, second.pid))
            names = {p["name"] for p in processes(file).values()}
            check(f"{name}_names", names == {os.path.basename(os.readlink(f"/proc/{p.pid}/exe")) for p in (one, second)},
                  names)
        for name, target in (("one_binary", one), ("one_binary_second", same), ("two_binaries", other)):
            check_code(f"{name}_code", target.pid)
            target.check_fine(name)


def shell():
    """Children of a C program, one after the other."""
    file, program = path("shell.wlag"), " ".join([os.path.join(GO, "bench_sleepers"), "200", "40"])
    said = record_command(file, "--go", "full", "--", "sh", "-c", f"{program} </dev/null; {program} </dev/null; true")
    found = processes(file)
    pids = [t["process"] for t in truths(said) if "process" in t]
    check("shell_known", len(pids) == 2 and all(found.get(p, {}).get("checked") for p in pids), f"{pids}: {found}")
    counts = {r["entity"]: r["count"] for r in of_threads(export(file, "stages", "goroutine.drift", by="pid"))
              if r["stage"] == "total"}
    check("shell_samples", all(counts.get(str(p), 0) > 1000 for p in pids), f"{counts}, pids {pids}")


def rights():
    """Another user's process, with the rights for BPF only; then with that to look into processes; then one's own."""
    home, own = path("home"), path("wakelag")
    os.mkdir(home)
    os.chown(home, NOBODY, NOBODY)
    shutil.copy(WAKELAG, own)
    os.chmod(own, 0o755)
    file = os.path.join(home, "r.wlag")
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    program = path("churn")
    shutil.copy(os.path.join(GO, "churn"), program)
    with Churn() as roots, Churn(program, prefix=nobody) as theirs:
        for name, target, caps in (("lacks", roots, "+bpf,+perfmon"), ("ptrace", roots, "+bpf,+perfmon,+sys_ptrace"),
                                   ("own", theirs, "+bpf,+perfmon")):
            done = run(nobody + [f"--inh-caps={caps}", f"--ambient-caps={caps}", own, "record", "-p", target.pid, "-d",
                                 "300ms", "--go", "full", "-o", file], status=None, cwd="/")
            threads = sum(r["count"] for r in export(file, "heatmap", "thread.runq"))
            check(f"rights_{name}_threads", done.returncode == 0 and threads > 10, f"{threads} samples: {done.stderr}")
            found, report = processes(file), run([WAKELAG, "report", file]).stdout
            if name == "lacks":
                check("rights_lacks_said", "CAP_SYS_PTRACE" in done.stderr and "CAP_SYS_PTRACE" in report and not found,
                      f"{done.stderr} {found}")
            else:
                check(f"rights_{name}_goroutines", found.get(target.pid, {}).get("level") == "full" and functions(file) and
                      "CAP_SYS_PTRACE" not in done.stderr, f"{done.stderr} {found}")


def yama():
    """As root nothing is refused, whatever it says; it is not for a test to change."""
    scope = "/proc/sys/kernel/yama/ptrace_scope"
    if not os.path.exists(scope):
        skip("ptrace_scope", "this kernel has no Yama")
        return
    with open(scope, encoding="ascii") as f:
        value = f.read().strip()
    if value == "0":
        skip("ptrace_scope", "it is 0 here")
        return
    with Churn() as target:
        round_trip(path("yama.wlag"), target.pid, "full")
        check("ptrace_scope", processes(path("yama.wlag"))[target.pid]["checked"], f"it is {value}")


def at_once():
    """The second recording of a target finds the probes of the first: it goes on without."""
    first, second = path("first.wlag"), path("second.wlag")
    with Churn() as target:
        with Recording(first, "-p", target.pid, "--go", "full"):
            done = run([WAKELAG, "record", "-p", target.pid, "-d", "300ms", "--go", "full", "-o", second])
        found = processes(second)[target.pid]
        check("at_once_said", "traced by somebody else" in done.stderr and "traced by somebody else" in found["why"],
              f"{done.stderr} {found['why']}")
        check("at_once_snapshots", found["level"] == "snapshot" and found["gauges"]["goroutines"]["last"] > 10, found)
        check("at_once_threads", export(second, "stages", "thread.runq"), "no samples")
        check("at_once_first", processes(first)[target.pid]["level"] == "full" and functions(first, "goroutine.lock"),
              processes(first))
        check_code("at_once_code", target.pid)
        target.check_fine("at_once")


main(rounds, idle, kills, exits, execs, two_targets, shell, rights, yama, at_once)
