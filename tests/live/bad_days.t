#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What goes wrong around a recording: targets that end, exec or storm, no privilege, a full disk, SIGKILL."""

from live import *

COPY = path("wakelag")  # where any user can run it


def copy_for_all():
    if not os.path.exists(COPY):
        shutil.copy(WAKELAG, COPY)
        os.chmod(COPY, 0o755)
    return COPY


def as_nobody(*command, caps=""):
    keep = [f"--inh-caps={caps}", f"--ambient-caps={caps}"] if caps else []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] + keep + list(command)


def samples(file, metric="thread.drift"):
    return sum(r["count"] for r in export(file, "heatmap", metric))


def refused(name, done, status, *words):
    """A failure is said on stderr, with what it was about, and nothing is on stdout."""
    missing = [w for w in words if w.lower() not in done.stderr.lower()]
    check(name, done.returncode == status and not missing and not done.stdout,
          f"status {done.returncode}, not {status}; lacks {missing}: {done.stderr}")


def usage():
    for name, args, words in (
            ("nothing", (), ()),
            ("unknown_command", ("frobnicate",), ("frobnicate", "record")),
            ("no_target", ("record",), ()),
            ("unknown_option", ("record", "-p", "1", "--bogus"), ("bogus",)),
            ("bad_pid", ("record", "-p", "abc"), ("abc",)),
            ("bad_time", ("record", "-p", "1", "-d", "5parsecs"), ("5parsecs",)),
            ("no_unit_overflow", ("record", "-p", "1", "-d", "99999999999999999999h"), ()),
            ("bad_format", ("export", "x.wlag", "--format", "nope"), ("nope", "csv")),
            ("bad_table", ("export", "x.wlag", "--format", "csv", "--table", "nope"), ("nope", "heatmap", "loss")),
            ("bad_metric", ("export", "x.wlag", "--format", "csv", "--metric", "no"), ("thread.drift",)),
            ("report_nothing", ("report",), ())):
        refused(f"usage_{name}", run([WAKELAG] + list(args), status=None), 64, *words)
    for args in (("--help",), ("record", "--help")):
        done = run([WAKELAG] + list(args), status=None)
        check(f"usage_{'_'.join(args)}", done.returncode == 0 and "record" in done.stdout, done.stderr)


def no_such_pid():
    process = start(["true"])
    process.wait()
    refused("no_such_pid", run([WAKELAG, "record", "-p", process.pid, "-d", "1s", "-o", path("n.wlag")],
                               status=None), 1, str(process.pid))
    refused("no_such_command", run([WAKELAG, "record", "-o", path("n.wlag"), "--", "/nonexistent/cmd"],
                                   status=None), 4, "/nonexistent/cmd", "ENOENT")
    refused("no_such_recording", run([WAKELAG, "report", path("none.wlag")], status=None), 1, "none.wlag", "ENOENT")
    refused("no_such_place", run([WAKELAG, "record", "-p", os.getpid(), "-d", "1s", "-o", path("no/where.wlag")],
                                 status=None), 1, "where.wlag", "ENOENT")


def kernel_thread():
    done = run([WAKELAG, "record", "-p", "2", "-d", "500ms", "-o", path("k.wlag")], status=None)
    check("kernel_thread", done.returncode == 0 or (done.returncode == 1 and "2" in done.stderr), done.stderr)


def target_exits():
    load, _ = start_ready(workload("sleepers", 2, 1))
    with Recording(path("e.wlag"), "-p", str(load.pid), "-d", "40s") as recording:
        begin = time.monotonic()
        status = recording.end(None)
    check("target_exits", status == 0 and time.monotonic() - begin < 20, f"status {status}: {recording.talk}")
    check("target_exits_samples", samples(path("e.wlag")) > 500, f"{samples(path('e.wlag'))} samples")


def target_execs():
    file = path("x.wlag")
    record_command(file, "--", *workload("execer", 100))
    # 101 images sleep in their main thread, 100 of them then in the thread that execs.
    check_count("target_execs", samples(file), 201)


def forks():
    file = path("f.wlag")
    done = run([WAKELAG, "record", "-o", file, "--"] + workload("forkstorm", 10000, 500))
    for top in (64, 1000):
        born = sum(r["count"] for r in export(file, "heatmap", "thread.runq", top) if r["class"] == "new")
        check_count(f"forks_new_top_{top}", min(born, 10500), 10500)
    check("forks_loss", not lost_waits(file), f"{losses(file)} {done.stderr}")


def home_of_nobody():
    home = path("home")
    if not os.path.exists(home):
        os.mkdir(home)
        os.chown(home, NOBODY, NOBODY)
    return home


def no_privilege():
    file = os.path.join(home_of_nobody(), "p.wlag")
    done = run(as_nobody(copy_for_all(), "record", "-o", file, "--", "true"), status=None, cwd="/")
    refused("no_privilege", done, 1, "hint:", "CAP_BPF", "CAP_PERFMON")


def two_capabilities():
    file = os.path.join(home_of_nobody(), "c.wlag")
    shutil.copy(os.path.join(WORKLOADS, "sleepers"), path("sleepers"))
    done = run(as_nobody(copy_for_all(), "record", "-o", file, "--", path("sleepers"), "2", "1",
                         caps="+bpf,+perfmon"), status=None, cwd="/")
    if not check("two_capabilities", done.returncode == 0, done.stderr):
        return
    check("two_capabilities_samples", samples(file) > 500, f"{samples(file)} samples")
    check("two_capabilities_said", any(w in done.stderr for w in ("tracefs", "futex", "syscalls")),
          f"says not what is missing: {done.stderr}")


def full_disk():
    mount = path("disk")
    os.mkdir(mount)
    run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", mount])
    try:
        file = os.path.join(mount, "f.wlag")
        done = run([WAKELAG, "record", "-o", file, "--"] + workload("sleepers", 10, 8, 500), status=None)
        check("full_disk", done.returncode == 1 and "ENOSPC" in done.stderr, f"{done.returncode} {done.stderr}")
        check("full_disk_readable", samples(file) > 100, "nothing to read")
        check("full_disk_said", losses(file).get("file_cut"), f"{losses(file)}")
    finally:
        run(["umount", mount])


def killed():
    file = path("k9.wlag")
    load, _ = start_ready(workload("sleepers", 2, 20))
    with Recording(file, "-p", str(load.pid)) as recording:
        begin = time.monotonic()
        time.sleep(2.5)  # the plan, not a wait: more than two flushes
        recording.end(signal.SIGKILL)
        lived = time.monotonic() - begin
    stop(load)
    last = max((e["t_ns"] for e in export(file, "events", "thread.drift")), default=0) / 1e9
    check("killed_loses_a_second", last >= lived - 1.3, f"last sample at {last} s of {lived}")
    check("killed_says_cut", losses(file).get("file_cut"), f"{losses(file)}")
    check("killed_report", "cut" in run([WAKELAG, "report", file]).stdout.lower(), "report does not say it was cut")


def interrupted():
    load, _ = start_ready(workload("sleepers", 2, 20))
    for sig in (signal.SIGINT, signal.SIGTERM):
        file = path(f"i{sig}.wlag")
        with Recording(file, "-p", str(load.pid), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) as r:
            begin = time.monotonic()
            status = r.end(sig)
        check(f"interrupted_{sig.name}", status == 0 and time.monotonic() - begin < 5, f"{status} {r.talk}")
        check(f"interrupted_{sig.name}_whole", "file_cut" not in losses(file), f"{losses(file)}")
    stop(load)


def names():
    planted = {b"a\nb": "a\\x0ab", b"q\"uo,te": "q\"uo,te", b"=cmd()": "'=cmd()", b"+1": "'+1", b"-1": "'-1",
               b"@x": "'@x", b"\x1b[31mred": "\\x1b[31mred", b"\tx": None, b"back\\slash": None,
               b"\xff\xfe": None, "ünï".encode(): "ünï", b"cr\rlf": "cr\\x0dlf"}
    args = list(planted)
    file = path("names.wlag")
    done = subprocess.run([WAKELAG.encode(), b"record", b"-o", file.encode(), b"--",
                           os.path.join(WORKLOADS, "names").encode()] + args,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=END_SECONDS, check=True)
    raw = subprocess.run([WAKELAG, "export", file, "--format", "csv", "--table", "stages"], check=True,
                         stdout=subprocess.PIPE).stdout
    raw.decode("utf-8")
    bad = [b for b in raw if b < 32 and b != 10]
    check("names_no_controls", not bad, f"control characters {set(bad)}")
    found = {r["entity"]: r["name"] for r in export(file, "stages", "thread.drift")}
    for truth in truths(done.stdout.decode()):
        name = found.get(str(truth["tid"]))
        expected = planted[args[truth["arg"] - 1]]
        check(f"names_{truth['arg']}", name is not None and (expected is None or name == expected),
              f"{name!r}, not {expected!r}")
    report = run([WAKELAG, "report", file]).stdout
    check("names_report", "\x1b" not in report and "\r" not in report, "raw control characters")


def status_and_names(file):
    done = subprocess.run([WAKELAG, "export", file, "--format", "csv", "--table", "events"], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=END_SECONDS)
    return done.returncode, done.stdout.count(b"\n"), done.stderr.decode(errors="replace")


def damaged():
    import random
    file, broken = path("whole.wlag"), path("broken.wlag")
    record_command(file, "--", *workload("sleepers", 4, 2))
    with open(file, "rb") as f:
        whole = f.read()
    lines = status_and_names(file)[1]
    rng = random.Random(1)
    wrong = []
    for case in range(60):
        bad = bytearray(whole)
        if case % 2:
            bad = bad[:rng.randrange(len(bad))]
        else:
            for _ in range(1 + case // 8):
                bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        with open(broken, "wb") as f:
            f.write(bad)
        status, rows, talk = status_and_names(broken)
        if status not in (0, 1) or rows > lines or (status == 1 and not talk):
            wrong.append((case, status, rows, talk[-200:]))
    check("damaged", not wrong, f"{wrong[:3]}")
    with open(broken, "wb") as f:
        f.write(whole[:len(whole) * 2 // 3])
    status, rows, talk = status_and_names(broken)
    check("truncated_readable", status == 0 and rows > 1, f"{status} {rows} {talk}")


def foreign():
    for name, content in (("empty", b""), ("text", b"metric,class\n" * 100), ("zeros", bytes(100000))):
        with open(path(name), "wb") as f:
            f.write(content)
        refused(f"foreign_{name}", run([WAKELAG, "report", path(name)], status=None), 1, name)
    refused("foreign_directory", run([WAKELAG, "report", directory], status=None), 1)


def other_user():
    file = path("u.wlag")
    record_command(file, "--", *workload("sleepers", 4, 1))
    check("mode", os.stat(file).st_mode & 0o777 == 0o600, oct(os.stat(file).st_mode))
    os.chmod(file, 0o644)
    for table in ("heatmap", "stages", "blame", "events", "counters", "loss"):
        args = ["export", file, "--format", "csv", "--table", table]
        theirs = run(as_nobody(copy_for_all(), *args), cwd="/").stdout
        check(f"other_user_{table}", theirs and theirs == run([WAKELAG] + args).stdout, "differs from root's")
    report = run([WAKELAG, "report", file]).stdout
    check("other_user_report", run(as_nobody(copy_for_all(), "report", file), cwd="/").stdout == report, "differs")


def command_fails():
    done = run([WAKELAG, "record", "-o", path("s.wlag"), "--", "sh", "-c", "echo out; echo err >&2; exit 3"],
               status=None)
    check("command_fails", done.returncode == 4 and "3" in done.stderr, f"{done.returncode} {done.stderr}")
    check("command_streams", done.stdout == "out\n" and "err\n" in done.stderr, f"{done.stdout!r} {done.stderr!r}")


main(usage, no_such_pid, kernel_thread, target_exits, target_execs, forks, no_privilege, two_capabilities, full_disk,
     killed, interrupted, names, damaged, foreign, other_user, command_fails)
