#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Every error names the object, the errno and what the user can do; stdout stays empty, the status is told."""

import pty
import threading

from live import *

ANYONES = path("wakelag")  # a copy that any user can run


def as_nobody(*command):
    if not os.path.exists(ANYONES):
        shutil.copy(WAKELAG, ANYONES)
        os.chmod(ANYONES, 0o755)
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", ANYONES] + list(command)


def refused(name, command, status, *words, hint=True, **options):
    done = run(command, status=None, **options)
    missing = [w for w in words if w not in done.stderr]
    if hint and not any(line.startswith("hint: ") for line in done.stderr.splitlines()):
        missing.append("hint:")
    check(name, done.returncode == status and not missing and not done.stdout,
          f"status {done.returncode}, not {status}; lacks {missing}: {done.stderr} {done.stdout[:200]}")
    return done


def recording():
    file = path("good.wlag")
    if not os.path.exists(file):
        record_command(file, "--", *workload("sleepers", 4, 1))
    return file


def reading():
    not_one = path("not_one.wlag")
    with open(not_one, "w", encoding="utf-8") as f:
        f.write("metric,class\n" * 100)
    newer = path("newer.wlag")
    with open(recording(), "rb") as f:
        whole = bytearray(f.read())
    whole[8] = 99
    with open(newer, "wb") as f:
        f.write(whole)
    empty = path("empty.wlag")
    with open(empty, "wb"):
        pass
    for verb in ("report", "export"):
        for name, file, words in (
                ("missing", path("none.wlag"), ("none.wlag", "ENOENT")),
                ("below_a_file", recording() + "/x", ("good.wlag/x", "ENOTDIR")),
                ("directory", directory, (directory, "EISDIR")),
                ("not_a_recording", not_one, ("not_one.wlag", "EBADMSG", "not a wakelag recording")),
                ("empty", empty, ("empty.wlag", "EBADMSG")),
                ("newer", newer, ("newer.wlag", "99", "EPROTONOSUPPORT"))):
            refused(f"{verb}_{name}", [WAKELAG, verb, file], 1, *words)
        refused(f"{verb}_unreadable", as_nobody(verb, recording()), 1, "good.wlag", "EACCES", cwd="/")


def pipe_twice():
    with open(recording(), "rb") as f:
        done = subprocess.run(f"cat | '{WAKELAG}' export - --top 1", shell=True, stdin=f, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=END_SECONDS, check=False)
    check("pipe_twice", done.returncode == 1 and "ESPIPE" in done.stderr and "hint: " in done.stderr,
          f"{done.returncode} {done.stderr}")


def writing():
    export_to = [WAKELAG, "export", recording(), "-o"]
    refused("export_no_directory", export_to + [path("no/where.csv")], 1, "no/where.csv", "ENOENT")
    refused("export_to_directory", export_to + [directory], 1, directory, "EISDIR")
    check("export_leaves_nothing", not os.path.exists(directory + ".part"), "a half file stays")
    refused("record_no_directory", [WAKELAG, "record", "-o", path("no/where.wlag"), "--", "true"], 1, "no/where.wlag",
            "ENOENT")
    refused("record_to_directory", [WAKELAG, "record", "-o", directory, "--", "true"], 1, directory, "EISDIR")
    refused("main_no_tmp", [WAKELAG, "-p", os.getpid(), "-d", "1s"], 1, "/nonexistent", "ENOENT",
            env=dict(os.environ, TMPDIR="/nonexistent"))
    for name, args in (("report", ["report", recording()]), ("export", ["export", recording()]), ("man", ["print-man"]),
                       ("completion", ["print-completion"])):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([WAKELAG] + args, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=END_SECONDS, check=False)
        check(f"stdout_full_{name}", done.returncode == 1 and "stdout" in done.stderr, f"{done.returncode} {done.stderr}")


def full_disk():
    mount = path("disk")
    os.mkdir(mount)
    run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mount])
    try:
        refused("record_full_disk", [WAKELAG, "record", "-o", f"{mount}/f.wlag", "--", "sh", "-c",
                                     " ".join(workload("sleepers", 4, 3)) + " >/dev/null"], 1, "f.wlag", "ENOSPC")
        with open(f"{mount}/fill", "wb", buffering=0) as f:
            try:
                while f.write(bytes(4096)):
                    pass
            except OSError:
                pass
        refused("export_full_disk", [WAKELAG, "export", recording(), "--table", "events", "-o", f"{mount}/e.csv"], 1,
                "e.csv", "ENOSPC")
        check("export_full_disk_leaves_nothing", not os.path.exists(f"{mount}/e.csv"), os.listdir(mount))
    finally:
        run(["umount", mount])


def targets():
    gone = start(["true"])
    gone.wait()
    out = ["-d", "1s", "-o", path("t.wlag")]
    refused("pid_gone", [WAKELAG, "record", "-p", gone.pid] + out, 1, f"pid {gone.pid}", "ESRCH")
    refused("tid_gone", [WAKELAG, "record", "--tid", gone.pid] + out, 1, f"tid {gone.pid}", "ESRCH")
    stop_thread = threading.Event()
    tid = []
    thread = threading.Thread(target=lambda: (tid.append(threading.get_native_id()), stop_thread.wait()))
    thread.start()
    wait_for(lambda: tid, what="thread")
    refused("pid_of_a_thread", [WAKELAG, "record", "-p", tid[0]] + out, 1, str(tid[0]), "--tid")
    stop_thread.set()
    thread.join()
    refused("cgroup_missing", [WAKELAG, "record", "--cgroup", "/sys/fs/cgroup/no such"] + out, 1, "no such", "ENOENT")
    refused("cgroup_none", [WAKELAG, "record", "--cgroup", "/tmp"] + out, 1, "'/tmp'", "EINVAL")
    refused("cmd_missing", [WAKELAG, "record", "-o", path("t.wlag"), "--", "/nonexistent/cmd"], 4, "/nonexistent/cmd",
            "ENOENT", "127")
    refused("cmd_not_executable", [WAKELAG, "record", "-o", path("t.wlag"), "--", recording()], 4, "good.wlag", "EACCES",
            "126", hint=True)
    refused("cmd_fails", [WAKELAG, "record", "-o", path("t.wlag"), "--", "false"], 4, "false", "status 1", hint=False)
    refused("cmd_killed", [WAKELAG, "record", "-o", path("t.wlag"), "--", "sh", "-c", "kill -9 $$"], 4, "SIGKILL", hint=False)
    refused("doctor_pid_gone", [WAKELAG, "report", f"/proc/{gone.pid}/x"], 1, "ENOENT")
    done = run([WAKELAG, "doctor", "-p", gone.pid], status=None)
    check("doctor_no_such_pid", done.returncode == 1 and "problem  target" in done.stdout and "->" in done.stdout,
          f"{done.returncode} {done.stdout} {done.stderr}")


def no_privileges():
    home = path("home")
    os.mkdir(home)
    os.chown(home, NOBODY, NOBODY)
    refused("nobody_records", as_nobody("record", "-o", f"{home}/n.wlag", "--", "true"), 1, "EPERM", "CAP_BPF",
            "CAP_PERFMON", cwd="/")
    refused("nobody_main_job", as_nobody("-a", "-d", "1s"), 1, "EPERM", "CAP_BPF", "sudo", cwd="/")
    done = run(as_nobody("doctor"), status=None, cwd="/")
    check("nobody_doctor", done.returncode == 1 and "problem  capabilities" in done.stdout and "CAP_BPF" in done.stdout and
          "sudo" in done.stdout and "cannot run here" in done.stdout, f"{done.returncode} {done.stdout} {done.stderr}")
    done = run(as_nobody("--version"), cwd="/")
    check("nobody_version", done.stdout.startswith("wakelag ") and not done.stderr, f"{done.stdout} {done.stderr}")


def on_terminal(command):
    """What a command writes to stderr when that is a terminal."""
    master, slave = pty.openpty()
    process = start(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    text = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        text += part
    os.close(master)
    process.wait()
    return text.decode(errors="replace")


def progress():
    load, _ = start_ready(workload("sleepers", 2, 20))
    command = [WAKELAG, "record", "-p", load.pid, "-d", "2500ms", "-o", path("p.wlag")]
    shown = on_terminal(command)
    check("progress_on_a_terminal", "s of 2s" in shown and "\x1b[K" in shown, repr(shown))
    check("progress_is_wiped", not shown.split("\x1b[K")[-1].startswith("recording"), repr(shown))
    check("progress_not_when_quiet", "of 2s" not in on_terminal(command + ["-q"]), "it was drawn")
    talk = run(command).stderr
    check("progress_not_in_a_file", "\r" not in talk and "\x1b" not in talk and "1s of" not in talk, repr(talk))
    stop(load)


main(reading, pipe_twice, writing, full_disk, targets, no_privileges, progress)
