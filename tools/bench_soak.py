# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""tools/bench soak: a long recording in files: memory over time, what is missing, and 50 kills."""

import csv
import glob
import io
import os
import random
import re
import signal
import subprocess
import time

KILLS = 50


class Soak:
    def __init__(self, wakelag, workloads, directory, seconds):
        self.wakelag, self.workloads, self.directory, self.seconds = wakelag, workloads, directory, seconds

    def record(self, name, *args):
        """A recording in the background, attached."""
        process = subprocess.Popen([self.wakelag, "record", "-o", os.path.join(self.directory, name + ".wlag")] + list(args),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = ""
        for line in process.stderr:
            said += line
            if line.startswith("wakelag: recording"):
                return process
        raise RuntimeError(f"record ended before it recorded: {said}")

    def files(self, name):
        return sorted(glob.glob(os.path.join(self.directory, name + "-*.wlag")),
                      key=lambda f: [int(n) for n in re.findall(r"\d+", os.path.basename(f))])

    def table(self, files, name, *args):
        text = subprocess.run([self.wakelag, "export"] + files + ["--format", "csv", "--table", name, "--top", "10000"] +
                              list(args), check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def sleepers(self, seconds):
        load = subprocess.Popen([os.path.join(self.workloads, "sleepers"), "10", str(seconds)], text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        load.stdout.readline()
        return load

    def run(self):
        rotate = max(1, self.seconds // 10)
        load = self.sleepers(self.seconds)
        process = self.record("soak", "-p", str(load.pid), "--rotate", f"{rotate}s", "--keep", "100")
        begin, memory = time.monotonic(), []
        while process.poll() is None:
            memory.append((time.monotonic() - begin, rss_anon_kb(process.pid)))
            time.sleep(min(5, self.seconds / 50))
        said = process.communicate()[1]
        truth = sum(int(re.search(r"count (\d+)", line)[1]) for line in load.stdout if line.startswith("thread"))
        load.wait()
        files = self.files("soak")
        found = sum(int(r["count"]) for r in self.table(files, "heatmap", "--metric", "thread.drift"))
        report = subprocess.run([self.wakelag, "report"] + files, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)
        memory = [(t, kb) for t, kb in memory if kb]
        print(f"soak: {self.seconds} s, a file each {rotate} s: {len(files)} files, "
              f"{sum(map(os.path.getsize, files)) / 1e6:.1f} MB; {said.strip().splitlines()[-1]}")
        for share in (0.1, 0.25, 0.5, 0.75, 0.95):
            print(f"  anonymous memory at {share:4.0%}: {memory[int(len(memory) * share)][1]} kB")
        print(f"  wakeups: {found} of {truth} of the workload's own count (those before the attach are not there)")
        print(f"  gaps between files: {'some' if 'gap' in report.stderr else 'none'}")

    def kill(self):
        load = self.sleepers(KILLS * 4)
        rng, unreadable, files = random.Random(1), [], 0
        for i in range(KILLS):
            process = self.record(f"kill{i}", "-p", str(load.pid), "--rotate", "1s")
            time.sleep(rng.uniform(0, 2.2))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            for file in self.files(f"kill{i}"):
                files += 1
                if subprocess.run([self.wakelag, "report", file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  check=False).returncode:
                    unreadable.append(file)
        load.kill()
        load.communicate()
        print(f"  {KILLS} recordings killed: {files} files, {len(unreadable)} of them can't be read")


def rss_anon_kb(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            return next((int(line.split()[1]) for line in f if line.startswith("RssAnon:")), 0)
    except OSError:
        return 0


def bench(wakelag, workloads, directory, seconds):
    soak = Soak(wakelag, workloads, directory, seconds)
    soak.run()
    soak.kill()
