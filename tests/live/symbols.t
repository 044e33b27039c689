#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Names of code and locks in recordings, from files as the targets have them, and the process that reads these files."""

import re

from live import *

MIB = 1 << 20
HELPER = "wakelag-symbols"
KERNEL = "kernel"        # instead of a process, of its stacks and symbols
FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')
ATTACH_SECONDS = 0.3    # how much longer it may take for a huge program, on a machine that others use, too


class Records:
    """A recording's records: as dicts in their order, and what becomes of stacks."""

    def __init__(self, file):
        self.all = []
        self.names, self.stacks, self.locks, self.facts = {}, {}, {}, {}
        self.early = []     # what came before what it needs
        for line in run([WAKELAG, "print-records", file]).stdout.splitlines():
            kind, _, rest = line.partition(" ")
            self.add(kind, {k: v.strip('"') for k, v in FIELD.findall(rest)})

    def add(self, kind, r):
        tgid = r.get("tgid", "0")
        self.all.append((kind, r))
        if kind == "symbol":
            self.names.setdefault((tgid, r["pc"]), []).append(r)
        elif kind == "stack":
            pcs = [r[f"pc{i}"] for i in range(12) if r.get(f"pc{i}", "0") != "0"]
            self.stacks[tgid, r["id"]] = pcs
            self.early += [r for pc in pcs if (tgid, pc) not in self.names]
        elif kind == "lock":
            self.locks[tgid, r["futex"]] = r
        elif kind == "fact":
            self.facts[r["name"]] = r.get("value", "")
        elif kind in ("wait", "klock") and r.get("stack", "0") != "0":
            if (tgid if kind == "wait" else KERNEL, r["stack"]) not in self.stacks:
                self.early.append(r)

    def frames(self, tgid=None):
        """Of each stack: the symbols, innermost first."""
        return [[s for pc in pcs for s in self.names.get((of, pc), [])]
                for (of, _), pcs in self.stacks.items() if tgid in (None, of)]

    def functions(self):
        """Those in stacks of waits."""
        return {s.get("func") for frames in self.frames() for s in frames}

    def lock_names(self):
        return {r.get("name") for r in self.locks.values()}

    def fact(self, name):
        return int(self.facts.get(name, 0))


def helper_of(process):
    """The symbolizer's pid, None while there is none."""
    try:
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as f:
            children = f.read().split()
    except OSError:
        return None
    for pid in children:
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as f:
                status = f.read()
        except OSError:
            continue
        if f"Name:\t{HELPER}\n" in status and "State:\tZ" not in status:
            return int(pid)
    return None


def wait_for_helper(recording, other_than=None):
    wait_for(lambda: helper_of(recording.process) not in (None, other_than), what="symbolizer")
    return helper_of(recording.process)


def anonymous(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return int(re.search(r"RssAnon:\s+(\d+) kB", f.read())[1]) << 10


def begin(command, **options):
    """A `contend` that runs."""
    return start_ready(command, stdin=subprocess.PIPE, **options)[0]


def load_library(process):
    """Comes back when its lock has been waited for."""
    process.stdin.write("\n")
    process.stdin.flush()
    line = process.stdout.readline().strip()
    if line != "loaded":
        raise RuntimeError(f"no library: {line}")


def check_program(name, records):
    """Stack and lock of `contend` itself."""
    check(f"{name}_function", "program_waiter" in records.functions(), records.functions())
    check(f"{name}_lock", "program_lock" in records.lock_names(), records.lock_names())


def record_while_it_runs(name, process, *args):
    file = path(f"{name}.wlag")
    run([WAKELAG, "record", "-p", process.pid, "-d", "300ms", "-o", file] + list(args))
    stop(process)
    return Records(file)


def command():
    """From the first instruction to the last: names, file and line, the lock, and all of it before its use."""
    file = path("command.wlag")
    planted = truths(record_command(file, "--", *workload("locks", 5, 2, 20)))[0]
    records = Records(file)
    check("nothing_comes_late", not records.early, records.early[:3])
    of_waiter = [f for f in records.frames() if any(s.get("func") == "run_waiter" for s in f)]
    check("waiters_have_stacks", of_waiter, records.functions())
    site = next((s for f in of_waiter for s in f if s.get("func") == "run_waiter"), {})
    check("file_and_line", site.get("file", "").endswith("locks.c") and int(site.get("line", "0")) > 0, site)
    check("module", site.get("module") == "locks", site)
    libc = [s for f in of_waiter for s in f if s.get("module", "").startswith("libc.so")]
    check("mutex_function", any("mutex_lock" in s.get("func", "") for s in libc), libc[:3])
    locks = [r for r in records.locks.values() if r.get("name") == "mutex"]
    check("lock_has_its_name", len(locks) == 1 and int(locks[0]["futex"], 0) == int(planted["lock"], 16),
          f"{records.locks}, planted {planted}")
    check("few_stacks", len(records.stacks) <= 20, f"{len(records.stacks)} stacks of 2 waiters, a holder and main")
    check("nothing_failed", records.fact("cost.symbolizer_asked") and not records.fact("symbolizer.failed") and
          not records.fact("symbolizer.died"), records.facts)


def without_stacks():
    file = path("without.wlag")
    record_command(file, "--no-stacks", "--", *workload("locks", 1, 2, 5))
    records = Records(file)
    found = {kind for kind, _ in records.all} & {"stack", "symbol", "lock"}
    check("no_stacks", not found and "cost.symbolizer_asked" not in records.facts, f"{found} {records.facts}")
    check("no_stacks_but_waits", any(r.get("futex", "0") != "0" for kind, r in records.all if kind == "wait"))


def later_library():
    """What was not there when the maps were read."""
    process = begin(workload("contend", os.path.join(WORKLOADS, "contend.so")))
    with Recording(path("later.wlag"), "-p", process.pid) as recording:
        wait_for_helper(recording)
        load_library(process)
    stop(process)
    records = Records(recording.file)
    check_program("before_library", records)
    check("later_library_function", "plugin_waiter" in records.functions(), records.functions())
    check("later_library_lock", "plugin_lock" in records.lock_names(), records.lock_names())


def libraries_of(program):
    return re.findall(r"(/\S+) \(0x", run(["ldd", program]).stdout)


def changed_root():
    root = path("root")
    program = workload("contend")[0]
    for file in libraries_of(program):
        os.makedirs(root + os.path.dirname(file), exist_ok=True)
        shutil.copy(file, root + file)
    shutil.copy(program, f"{root}/contained")
    check_program("changed_root", record_while_it_runs("root", begin(["chroot", root, "/contained"])))


def other_mounts():
    """The program's file is nowhere to be seen from here."""
    there = path("there")
    os.mkdir(there)
    script = f"mount -t tmpfs none {there} && cp {workload('contend')[0]} {there}/hidden && exec {there}/hidden"
    try:
        process = begin(["unshare", "-m", "--propagation", "private", "sh", "-c", script], stderr=subprocess.PIPE)
    except RuntimeError:
        skip("other_mounts", "no mount namespace may be made here")
        return
    check("hidden_from_here", not os.path.exists(f"{there}/hidden"))
    check_program("other_mounts", record_while_it_runs("mounts", process))


def deleted_file():
    program = path("deleted")
    shutil.copy(workload("contend")[0], program)
    process = begin([program])
    os.unlink(program)
    check_program("deleted_file", record_while_it_runs("deleted", process))


def killed_helper():
    """The recording goes on, with another one."""
    process = begin(workload("contend", os.path.join(WORKLOADS, "contend.so")))
    with Recording(path("killed.wlag"), "-p", process.pid) as recording:
        first = wait_for_helper(recording)
        os.kill(first, signal.SIGKILL)
        load_library(process)
        wait_for_helper(recording, first)
    stop(process)
    records = Records(recording.file)
    check("killed_is_counted", records.fact("symbolizer.died") == 1, records.facts)
    check("killed_lost_nothing", not records.fact("symbolizer.failed"), records.facts)
    check("named_after_the_kill", "plugin_waiter" in records.functions(), records.functions())


def helper_ends_with_us():
    process = begin(workload("contend"))
    with Recording(path("ends.wlag"), "-p", process.pid) as recording:
        helper = wait_for_helper(recording)
        recording.process.kill()
        recording.process.wait()
        wait_for(lambda: not os.path.exists(f"/proc/{helper}"), what="end of the symbolizer")
        ok("helper_ends_with_us")
    stop(process)


def seconds_to_attach(process):
    begun = time.monotonic()
    with Recording(path("attach.wlag"), "-p", process.pid):
        return time.monotonic() - begun


def huge_program():
    """Its size is not what attaching and naming cost."""
    program, section = path("huge"), path("section")
    with open(section, "wb") as f:
        f.truncate(200 * MIB)
    run(["objcopy", "--add-section", f".huge={section}", workload("contend")[0], program])
    small, process = begin(workload("contend")), begin([program])
    usual = min(seconds_to_attach(small) for _ in range(3))
    attached = min(seconds_to_attach(process) for _ in range(3))
    stop(small)
    with Recording(path("huge.wlag"), "-p", process.pid) as recording:
        helper = wait_for_helper(recording)
        wait_for(lambda: os.path.getsize(recording.file) > 4096, what="flush")
        used = {"recorder": anonymous(recording.process.pid), "helper": anonymous(helper)}
    stop(process)
    records = Records(recording.file)
    check_program("huge_program", records)
    check("huge_program_attach", attached < usual + ATTACH_SECONDS, f"{attached:.2f} s, a small one {usual:.2f} s")
    check("huge_program_memory", max(used.values()) < 64 * MIB, used)
    check("huge_program_time", records.fact("cost.symbolizer_ms") < 500, records.facts)


def kernel_locks():
    """The kernel's stacks are in before the waits that have them, and named."""
    file = path("kernel.wlag")
    run([WAKELAG, "record", "-o", file, "--"] + workload("lock_kernel"), status=None)
    records = Records(file)
    waits = [r for kind, r in records.all if kind == "klock" and r.get("stack", "0") != "0"]
    if not waits:
        skip("kernel_locks", records.facts.get("absent.contention_begin", "no wait for a lock of the kernel had a stack"))
        return
    check("kernel_locks_in_order", not records.early, records.early[:3])
    named = [s.get("func", "") for frames in records.frames(KERNEL) for s in frames]
    check("kernel_functions", any("lock" in f or "down_" in f for f in named), named[:12])


def not_recorded_itself():
    """Of everything that is recorded, the symbolizer is nothing."""
    process = begin(workload("contend"))
    with Recording(path("all.wlag"), "-a") as recording:
        helper = wait_for_helper(recording)
        wait_for(lambda: os.path.getsize(recording.file) > 4096, what="flush")
    stop(process)
    records = Records(recording.file)
    check_program("of_everything", records)
    of_helper = [r for kind, r in records.all if kind == "wait" and r["tid"] == str(helper)]
    check("helper_has_no_waits", not of_helper, of_helper[:2])


main(command, without_stacks, later_library, changed_root, other_mounts, deleted_file, killed_helper,
     helper_ends_with_us, huge_program, kernel_locks, not_recorded_itself)
