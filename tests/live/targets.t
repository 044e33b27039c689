#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Which tasks are recorded: by PID, TID, name, cgroup, all, a command and its children; any kind of program."""

from live import *

GO = """package main
import "time"
func main() { for i := 0; i < 500; i++ { time.Sleep(2 * time.Millisecond) } }
"""
JAVA = "public class X { public static void main(String[] a) throws Exception { " \
       "for (int i = 0; i < 500; i++) Thread.sleep(2); } }"
PYTHON = "import time\nfor i in range(500): time.sleep(0.002)"


def entities(file, metric="thread.drift"):
    return {int(r["entity"]): r["count"] for r in of_threads(export(file, "stages", metric)) if r["stage"] == "total"}


def threads_of(process):
    return {int(t) for t in os.listdir(f"/proc/{process.pid}/task")}


def recorded(name, *args):
    """Who is found by a recording of half a second."""
    file = path(f"{name}.wlag")
    with Recording(file, "-d", "500ms", *args) as recording:
        recording.end(None)
    return entities(file)


def selection():
    loads = [start_ready(workload("sleepers", 3, 60))[0] for _ in range(3)]
    wait_for(lambda: all(len(threads_of(p)) == 4 for p in loads), what="threads")
    sleepers = [threads_of(p) - {p.pid} for p in loads]
    check("by_pid", set(recorded("pid", "-p", str(loads[0].pid))) == sleepers[0], "others, or not all")
    both = recorded("pids", "-p", f"{loads[0].pid},{loads[1].pid}")
    check("by_pids", set(both) == sleepers[0] | sleepers[1], f"{both}")
    tid = min(sleepers[2])
    check("by_tid", set(recorded("tid", "--tid", str(tid))) == {tid}, "others, or not it")
    everyone = set().union(*sleepers)
    check("by_comm", set(recorded("comm", "--comm", "sleep*ers")) >= everyone, "not all")
    check("by_no_comm", not recorded("nocomm", "--comm", "sleepers?"), "some")
    check("all", set(recorded("all", "-a")) >= everyone, "not all")
    by_group(loads[1], sleepers[1])
    for load in loads:
        stop(load)


def by_group(load, expected):
    for base in ("/sys/fs/cgroup/cpu", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        if not os.path.exists(f"{base}/cgroup.procs"):
            continue
        group = f"{base}/wakelag-test-{os.getpid()}"
        name = f"by_cgroup_{os.path.basename(base)}"
        os.mkdir(group)
        try:
            with open(f"{group}/cgroup.procs", "w", encoding="ascii") as f:
                f.write(str(load.pid))
            found = recorded(name, "--cgroup", group)
            check(name, set(found) == expected, f"{found}, not {expected}")
        except RuntimeError as error:
            not_ok(name, error)
        finally:
            with open(f"{base}/cgroup.procs", "w", encoding="ascii") as f:
                f.write(str(load.pid))
            os.rmdir(group)


def children():
    file = path("children.wlag")
    shell = ["sh", "-c", '"$@" & wait', "sh"] + workload("sleepers", 2, 1)
    truth = [t for t in truths(record_command(file, "--", *shell)) if "tid" in t]
    found = entities(file)
    check("children_of_command", truth and all(near(found.get(t["tid"], 0), t["count"], 0.001, 1) for t in truth),
          f"{found}, not {truth}")


def late_threads(name, expect_new, *options):
    """Threads that start after the recording began belong to it, unless --no-follow."""
    file = path(f"{name}.wlag")
    load = start(["sh", "-c", 'read x; "$@"', "sh"] + workload("sleepers", 2, 1), stdin=subprocess.PIPE,
                 stdout=subprocess.PIPE)
    with Recording(file, "-p", str(load.pid), *options) as recording:
        text = load.communicate("go\n")[0]
        recording.end(None)
    tids = {t["tid"] for t in truths(text) if "tid" in t}
    check(name, (set(entities(file)) & tids == tids) == expect_new, f"{entities(file)} of {tids}")


def follow():
    late_threads("follow", True)
    late_threads("no_follow", False, "--no-follow")


def sleeps(name, *command):
    """500 sleeps of 2 ms: as many drifts, in one thread or spread over several."""
    file = path(f"{name}.wlag")
    record_command(file, "--", *command)
    count = sum(r["count"] for r in export(file, "heatmap", "thread.drift"))
    check(f"target_{name}", count >= 450, f"{count} drifts")


def languages():
    sleeps("c", *workload("timers", 500, 2, 50000, "nanosleep"))
    sleeps("python", "/usr/bin/python3", "-c", PYTHON)
    if shutil.which("java"):
        with open(path("X.java"), "w", encoding="ascii") as f:
            f.write(JAVA)
        sleeps("java", "java", path("X.java"))
    else:
        skip("target_java", "no java")
    if shutil.which("go"):
        with open(path("x.go"), "w", encoding="ascii") as f:
            f.write(GO)
        run(["go", "build", "-o", path("x"), path("x.go")],
            env=dict(os.environ, GOCACHE=path("gocache"), GOFLAGS="-mod=mod", GO111MODULE="off", HOME=directory))
        sleeps("go", path("x"))
    else:
        skip("target_go", "no go")



RENAMES = """
import ctypes, threading, time
def run(name):
    ctypes.CDLL(None).prctl(15, name.encode())    # PR_SET_NAME
    for _ in range(100):
        time.sleep(0.005)
first = [threading.Thread(target=run, args=(n,)) for n in ("mixer1", "network")]
for thread in first:
    thread.start()
time.sleep(0.2)
late = threading.Thread(target=run, args=("mixlate",))
late.start()
for thread in first + [late]:
    thread.join()
"""


def names_decide():
    """--comm follows the name: of threads of that time and of later ones, into it and out of it."""
    file = path("names.wlag")
    run([WAKELAG, "record", "-o", file, "--comm", "mix*", "--", sys.executable, "-c", RENAMES])
    names = {e["name"] for e in export(file, "events", "thread.drift")}
    check("names_decide", names == {"mixer1", "mixlate"}, names)


def pid_namespace():
    """Inside a PID namespace ids are its own to ask for, and both are told."""
    inside = ["unshare", "--pid", "--fork", "--mount-proc"]
    probe = run(inside + ["true"], status=None)
    if probe.returncode:
        return skip("pid_namespace", f"no PID namespace with a /proc of its own here: {probe.stderr.strip()}")
    file = path("ns.wlag")
    # $! is an id of the new namespace, where low numbers are other processes than outside.
    script = '"$@" >/dev/null & exec "$0" record -o "$FILE" -d 1s -p $!'
    run(inside + ["sh", "-c", script, WAKELAG, *workload("sleepers", 2, 2)],
        env={**os.environ, "FILE": file})
    events = export(file, "events", "thread.drift")
    check("pid_namespace_threads", len({e["entity"] for e in events}) == 2, f"{len(events)} samples")
    report = run([WAKELAG, "report", file]).stdout
    check("pid_namespace_both_ids", ", inside " in report, report)


main(names_decide, pid_namespace, selection, children, follow, languages)
