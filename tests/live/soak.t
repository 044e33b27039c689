#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Recordings of days, in seconds: files that follow each other, a flight recorder, waiting for a process, few rights."""

import glob
import random
import re
import threading

from live import *

COPY = path("wakelag")  # where any user can run it


def files_of(name):
    return sorted(glob.glob(path(f"{name}-*.wlag")), key=lambda f: [int(n) for n in re.findall(r"\d+", os.path.basename(f))])


def table(files, name, *args):
    text = run([WAKELAG, "export"] + files + ["--format", "csv", "--table", name, "--top", "10000"] + list(args)).stdout
    return list(csv.DictReader(io.StringIO(text, newline="")))


def samples(files, metric="thread.drift"):
    return sum(int(r["count"]) for r in table(files, "heatmap", "--metric", metric))


def balance(files):
    """thread.runq: samples + censored + lost = wakings, less those that are none, over all threads."""
    sums = collections.Counter()
    for r in table(files, "counters"):
        if r["entity"]:
            sums[r["counter"]] += int(r["count"])
    has = samples(files, "thread.runq") + sums["censored.thread.runq"] + sums["lost_waking"]
    return has, sums["waking"] - sums["waking_again"] - sums["waking_preempted"]


def rotation():
    done = run([WAKELAG, "record", "--rotate", "1s", "-o", path("r.wlag"), "--"] + workload("sleepers", 4, 4))
    files, truth = files_of("r"), truths(done.stdout)
    lost = [r for r in table(files, "loss") if r["cause"].startswith("ring_") and r["count"] != "0"]
    check("rotate_files", len(files) in (4, 5, 6) and not lost, f"{files} {lost} {done.stderr}")
    check("rotate_only_parts", not os.path.exists(path("r.wlag")) and not glob.glob(path("*.part")), os.listdir(directory))
    planted = sum(t["count"] for t in truth)
    whole = samples(files)
    check_count("rotate_whole", whole, planted)
    single = [samples([f]) for f in files]
    # a sleep over a cut has its begin in one file and its end in the other: it counts only in the whole
    check("rotate_each", whole - 4 * (len(files) - 1) <= sum(single) <= whole and all(n > 500 for n in single[:-1]),
          f"{single}, whole {whole}")
    for i, file in enumerate(files):
        has, wakings = balance([file])
        check(f"rotate_balance_{i}", has == wakings and has > 0, f"{has} samples, {wakings} wakings")
        names = {r["name"] for r in table([file], "stages", "--metric", "thread.drift") if r["entity"] not in ("*", "rest")}
        check(f"rotate_names_{i}", names == {"sleepers"}, names)
    has, wakings = balance(files)
    check("rotate_balance", has == wakings, f"{has} samples, {wakings} wakings")
    talk = run([WAKELAG, "report"] + files).stderr
    check("rotate_no_gap", "gap" not in talk and "cut" not in talk, talk)
    talk = run([WAKELAG, "report", files[0], files[-1]]).stderr
    check("rotate_gap_is_told", "1 gap" in talk, talk)
    shuffled = list(reversed(files))
    check("rotate_any_order", run([WAKELAG, "export"] + shuffled).stdout == run([WAKELAG, "export"] + files).stdout, "differs")


def keep():
    run([WAKELAG, "record", "--rotate", "1s", "--keep", "2", "-o", path("k.wlag"), "--"] + workload("sleepers", 1, 3))
    check("keep", len(files_of("k")) == 2, files_of("k"))


def max_size():
    file = path("m.wlag")
    load, _ = start_ready(workload("sleepers", 40, 30, 300))
    done = run([WAKELAG, "record", "--max-size", "1M", "-d", "25s", "-o", file, "-p", load.pid])
    stop(load)
    size = os.path.getsize(file)
    check("max_size", (1 << 20) <= size < (1 << 20) * 1.3, f"{size} {done.stderr}")
    check("max_size_reason", "reached its limit" in run([WAKELAG, "report", file]).stdout, done.stderr)


def flight():
    """A thread that gives way to everybody meets one that takes its CPU."""
    cpu = last_cpu()
    load, _ = start_ready(["chrt", "-i", "0", "taskset", "-c", cpu] + workload("sleepers", 1, 30))
    command = ["--keep-last", "2s", "--trigger", "thread.drift > 40ms for sleep*", "--dumps", "1", "-p", str(load.pid)]
    with Recording(path("f.wlag"), *command) as recording:
        begin = time.monotonic()
        wait_for(lambda: time.monotonic() > begin + 2.5, what="two seconds to keep")  # the plan, not a wait
        hog(cpu)
        wait_for(lambda: files_of("f"), what="dump")
        status = recording.end()
    stop(load)
    files = files_of("f")
    check("flight", status == 0 and len(files) == 1, f"{status} {files} {recording.talk}")
    check("flight_tells_trips", re.search(r"[1-9]\d* of \d+ samples tripped", recording.talk), recording.talk)
    events = [(int(e["t_ns"]), int(e["latency_ns"])) for e in table(files, "events", "--metric", "thread.drift")]
    late = [t for t, latency in events if latency > 40000000]
    check("flight_sample", late, f"{len(events)} samples, the latest by {max(l for _, l in events)}")
    check("flight_before", late and events[0][0] <= late[0] - 1900000000, f"{events[:1]} {late}")
    check("flight_report", "a trigger tripped" in run([WAKELAG, "report"] + files).stdout, "not said")


def hog(cpu):
    process, _ = start_ready(["chrt", "-f", "1"] + workload("spin", 1, cpu))
    begin = time.monotonic()
    wait_for(lambda: time.monotonic() > begin + 0.3, what="a hog's time")
    stop(process)


def named(name):
    shutil.copy(os.path.join(WORKLOADS, "sleepers"), path(name))
    return [path(name), "2", "1"]


class Talker(threading.Thread):
    """Reads what a process says, so that one can wait for a line of it."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.text = process, ""
        self.start()

    def run(self):
        for line in self.process.stderr:
            self.text += line

    def expect(self, text):
        wait_for(lambda: text in self.text or self.process.poll() is not None, what=text)
        return text in self.text


def waits_for_a_name():
    file, command = path("w.wlag"), named("waitedfor")
    record = [WAKELAG, "record", "--wait-for", "waitedf*", "-o", file]
    process = start(record, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    talker = Talker(process)
    check("wait_says", talker.expect("waiting for a process named waitedf*"), talker.text)
    load = start(command, stdout=subprocess.DEVNULL)
    check("wait_ends_with_it", process.wait(END_SECONDS) == 0, talker.text)
    load.wait()
    check("wait_samples", samples([file]) > 200, f"{samples([file])} samples {talker.text}")
    load = start([command[0], "1", "20"], stdout=subprocess.DEVNULL)
    done = run(record + ["-d", "300ms"])
    stop(load)
    check("wait_is_there", "waiting" not in done.stderr, done.stderr)
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        process = start([WAKELAG, "record", "--wait-for", "no such process", "-o", file], stderr=subprocess.PIPE)
        talker = Talker(process)
        talker.expect("waiting")
        process.send_signal(sig)
        check(f"wait_{sig.name}", process.wait(END_SECONDS) == 0, f"{process.returncode} {talker.text}")


def pidfile():
    load, _ = start_ready(workload("sleepers", 1, 20))
    file = path("pid")
    with Recording(path("p.wlag"), "-p", str(load.pid), "--pidfile", file) as recording:
        with open(file, encoding="ascii") as f:
            pid = int(f.read())
        check("pidfile", pid == recording.process.pid, f"{pid}, not {recording.process.pid}")
        done = run([WAKELAG, "record", "-p", load.pid, "--pidfile", file, "-o", path("p2.wlag")], status=None)
        check("pidfile_in_use", done.returncode == 1 and "EBUSY" in done.stderr and str(pid) in done.stderr and
              "hint: " in done.stderr, f"{done.returncode} {done.stderr}")
        status = recording.end(signal.SIGHUP)
    check("hangup_ends", status == 0 and "a signal ended it" in run([WAKELAG, "report", path("p.wlag")]).stdout, recording.talk)
    check("pidfile_goes", not os.path.exists(file), "it stays")
    stop(load)


def usage():
    for name, args, words in (
            ("trigger", ("--keep-last", "5s", "--trigger", "thread.drift < 5ms"), ("--trigger", "> or >=", "goroutine.drift")),
            ("trigger_alone", ("--trigger", "thread.drift > 5ms"), ("--keep-last",)),
            ("keep_last_alone", ("--keep-last", "5s"), ("--trigger",)),
            ("keep_alone", ("--keep", "5"), ("--rotate",)),
            ("rotate_short", ("--rotate", "10ms"), ("--rotate", "1s")),
            ("max_size_small", ("--max-size", "10K"), ("--max-size", "1M")),
            ("both", ("--rotate", "5s", "--keep-last", "5s", "--trigger", "thread.drift > 5ms"), ("--keep-last",)),
            ("rt", ("--rt", "100"), ("--rt", "99")), ("nice", ("--nice", "30"), ("--nice", "19"))):
        done = run([WAKELAG, "record", "-p", "1"] + list(args), status=None)
        missing = [w for w in words if w not in done.stderr]
        check(f"usage_{name}", done.returncode == 64 and not missing, f"{done.returncode}, lacks {missing}: {done.stderr}")


def as_nobody(*command, caps):
    shutil.copy(WAKELAG, COPY)
    os.chmod(COPY, 0o755)
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", f"--inh-caps={caps}",
            f"--ambient-caps={caps}", f"--bounding-set=-all,{caps}"] + list(command)


def home_of_nobody():
    home = path("home")
    if not os.path.exists(home):
        os.mkdir(home)
        os.chown(home, NOBODY, NOBODY)
    return home


def priority(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[37]), int(fields[38])  # rt_priority, policy


def few_rights():
    """As a service would do it: another user's program, files that follow each other, a real-time collector."""
    load, _ = start_ready(workload("sleepers", 2, 30))
    home = home_of_nobody()
    command = as_nobody(COPY, "record", "-p", str(load.pid), "--rotate", "1s", "--keep", "3", "--rt", "5", "-o",
                        f"{home}/n.wlag", caps="+bpf,+perfmon,+sys_ptrace,+sys_nice")
    process = start(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/")
    talker = Talker(process)
    if check("few_rights", talker.expect("wakelag: recording"), talker.text):
        check("few_rights_rt", priority(process.pid) == (5, os.SCHED_FIFO), f"{priority(process.pid)}")
        wait_for(lambda: len(glob.glob(f"{home}/n-*.wlag")) > 1, what="a second file")
        process.send_signal(signal.SIGTERM)
        check("few_rights_end", process.wait(END_SECONDS) == 0, talker.text)
        files = sorted(glob.glob(f"{home}/n-*.wlag"))
        check("few_rights_samples", samples(files) > 500, f"{samples(files)} {talker.text}")
    done = run(as_nobody(COPY, "record", "-p", str(load.pid), "--rt", "5", "-d", "1s", "-o", f"{home}/x.wlag",
                         caps="+bpf,+perfmon"), status=None, cwd="/")
    check("no_right_to_rt", done.returncode == 1 and "CAP_SYS_NICE" in done.stderr and "EPERM" in done.stderr, done.stderr)
    stop(load)


def go_with_few_rights():
    """Snapshots read the target's memory: that takes CAP_SYS_PTRACE. Each file names its goroutines again."""
    load, _ = start_ready([os.path.join(WORKLOADS, "go", "bench_sleepers"), "20", "100000"], stdin=subprocess.PIPE)
    home = home_of_nobody()
    command = as_nobody(COPY, "record", "-p", str(load.pid), "--rotate", "1s", "-d", "3500ms", "-o", f"{home}/g.wlag",
                        caps="+bpf,+perfmon,+sys_ptrace")
    process = start(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/")
    talker = Talker(process)
    if check("go_few_rights", talker.expect("wakelag: recording"), talker.text):
        load.stdin.write("\n")
        load.stdin.flush()
    check("go_few_rights_end", process.wait(END_SECONDS) == 0, talker.text)
    stop(load)
    files = sorted(glob.glob(f"{home}/g-*.wlag"))
    check("go_files", len(files) >= 3, files)
    for i, file in enumerate(files[:3]):
        gauges = {r["gauge"] for r in table([file], "gauges")}
        check(f"go_gauges_{i}", "goroutines" in gauges, f"{gauges} {talker.text}")
        names = {r["name"] for r in table([file], "heatmap", "--metric", "goroutine.drift")}
        check(f"go_names_{i}", any("main." in n for n in names), f"{names} {talker.text}")


def killed():
    """At any moment, also while files change: each that is there can be read."""
    load, _ = start_ready(workload("sleepers", 4, 60))
    rng = random.Random(1)
    wrong = []
    for case in range(6):
        name = f"x{case}"
        with Recording(path(f"{name}.wlag"), "-p", str(load.pid), "--rotate", "1s") as recording:
            begin, plan = time.monotonic(), rng.uniform(0.9, 1.2) if case % 2 else rng.uniform(0, 1)
            wait_for(lambda: time.monotonic() > begin + plan, what="the moment")  # pylint: disable=cell-var-from-loop
            recording.end(signal.SIGKILL)
        for file in files_of(name):
            done = run([WAKELAG, "report", file], status=None)
            if done.returncode:
                wrong.append((file, done.stderr))
        if not files_of(name):
            wrong.append((name, "no file"))
    stop(load)
    check("killed", not wrong, wrong[:3])


def unit():
    """The systemd unit says nothing that systemd does not know."""
    file = os.path.join(ROOT, "tools/deploy/wakelag.service")
    if not shutil.which("systemd-analyze"):
        skip("unit", "no systemd-analyze")
        return
    with open(file, encoding="utf-8") as f:
        text = f.read().replace("/usr/local/bin/wakelag", WAKELAG)
    copy = path("wakelag.service")
    write(copy, text)
    done = run(["systemd-analyze", "verify", "--man=no", copy], status=None)
    mine = [line for line in done.stderr.splitlines() if "wakelag" in line]
    check("unit", not mine, mine)


main(rotation, keep, max_size, flight, waits_for_a_name, pidfile, usage, few_rights, go_with_few_rights, killed, unit)
