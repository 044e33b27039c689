# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What it costs a program whose threads hammer one mutex to be looked at, by us and by others."""

import collections
import os
import re
import shutil
import subprocess

# A holder gives its CPU away: nearly every time that the mutex is locked somebody waits, with a profiler and without.
THREADS, HOLD_NS, SECONDS = 8, 0, 1
Candidate = collections.namedtuple("Candidate", "name command ready")

# What futexctn of bcc's libbpf-tools does: each wait's length, by word and call stack.
FUTEXCTN = """
tracepoint:syscalls:sys_enter_futex /pid == {pid} && (args->op & 0x7f) == 0/ {
    @start[tid] = nsecs; @word[tid] = args->uaddr; @stack[tid] = ustack;
}
tracepoint:syscalls:sys_exit_futex /@start[tid]/ {
    @[@word[tid], @stack[tid]] = hist(nsecs - @start[tid]);
    delete(@start[tid]); delete(@word[tid]); delete(@stack[tid]);
}
interval:ms:100 { printf("attached\\n"); }
"""


def candidates(wakelag, directory, says, after_a_second):
    """Commands with {pid} to be filled in."""
    record = [wakelag, "record", "-o", os.path.join(directory, "locks.wlag"), "-p", "{pid}"]
    found = [Candidate("wakelag", record, says("wakelag: recording")),
             Candidate("wakelag --no-stacks", record + ["--no-stacks"], says("wakelag: recording"))]
    if shutil.which("perf"):
        found.append(Candidate("perf trace -s", ["perf", "trace", "-e", "futex", "-s", "-p", "{pid}"], after_a_second))
    if shutil.which("bpftrace"):
        found.append(Candidate("bpftrace", ["bpftrace", "-B", "line", "-e", FUTEXCTN], says("attached")))
    return found


def cost(candidate, hammer, start):
    """CPU ns of one time that the mutex is locked; start(name, command, ready) gives what stop() ends."""
    command = hammer + [str(THREADS), str(HOLD_NS), str(SECONDS)]
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            while process.stdout.readline().strip() != "ready":
                if process.poll() is not None:
                    raise RuntimeError("hammer ended before it was ready")
            filled = candidate and [word.replace("{pid}", str(process.pid)) for word in candidate.command]
            profiler = candidate and start(candidate.name, filled, candidate.ready)
            try:
                process.stdin.write("\n")
                process.stdin.flush()
                ops, cpu_ns = re.search(r"ops (\d+) .* cpu_ns (\d+)", process.stdout.readline()).groups()
            finally:
                if profiler:
                    profiler.stop()
        finally:
            process.kill()
    return int(cpu_ns) / int(ops)


def tell(ratios):
    """The bar: less than half of what perf trace adds."""
    if "perf trace -s" in ratios:
        added = [ratios[name] - 1 for name in ("wakelag", "perf trace -s")]
        print(f"  wakelag adds {added[0] / added[1]:.3f} of what perf trace -s adds")
