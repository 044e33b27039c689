#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""wakelag doctor: what it says of this machine is so, of a target too, and --verify compares with a true loop."""

from live import *


def findings(*args, status=0):
    """name -> [(state, text)]"""
    done = run([WAKELAG, "doctor"] + list(args), status=status)
    found = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        if line[:8].strip() in ("ok", "note", "absent", "problem"):
            found[line[9:25].strip()].append((line[:8].strip(), line[26:]))
    return found, done


def machine():
    begin = time.monotonic()
    found, done = findings()
    check("quick", time.monotonic() - begin < 10, f"{time.monotonic() - begin} s")
    check("quiet", not done.stderr, done.stderr)
    names = [text for _, text in found["program"]]
    for name in ("tp_btf/sched_switch", "tp_btf/sched_waking", "tp_btf/hrtimer_expire_entry", "iter/task dump_tasks"):
        check(f"program_{name.split('/')[1]}", ("ok", name) in found["program"], names)
    check("each_program_once", len(names) == len(set(names)) and len(names) > 20, names)
    for name in ("kernel", "BTF", "capabilities", "ring buffer", "task state", "attach", "cgroups", "HZ", "hrtimers",
                 "clocksource", "timer slack", "idle states", "steal", "lockdown", "tickless", "RT throttling"):
        check(f"says_{name.replace(' ', '_')}", len(found[name]) == 1, found[name])
    check("kernel_is_this", os.uname().release in found["kernel"][0][1], found["kernel"])
    check("attaches", found["attach"][0][0] == "ok", found["attach"])
    check("verdict", "wakelag can run here" in done.stdout, done.stdout[-200:])


def target():
    load, _ = start_ready(["nice", "-n", "5"] + workload("sleepers", 3, 20))
    found, _ = findings("-p", str(load.pid))
    check("target_threads", "sleepers, 4 threads" in found["target"][0][1], found["target"])
    check("target_nice", found["scheduling"][0][0] == "note" and f"nice {min(19, os.nice(0) + 5)}," in found["scheduling"][0][1],
          found["scheduling"])
    check("target_slack", "50000 ns" in found["timer slack"][1][1], found["timer slack"])
    check("target_not_go", found["Go"] == [("ok", "no Go program")], found["Go"])
    stop(load)


def verify():
    _, done = findings("--verify", status=None)
    last = [line for line in done.stdout.splitlines() if line.startswith("verify: ")]
    check("verify_is_right", done.returncode == 0 and len(last) == 1 and "is right within" in last[0], f"{last} {done.stderr}")
    check("verify_counts", last and "of 2000 wakeups" in last[0], last)


main(machine, target, verify)
