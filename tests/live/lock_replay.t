#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Recordings of real programs, made by lock_real.t: nobody reads them, elsewhere, and sees the names of their locks."""

from live import *

RECORDINGS = os.path.join(ROOT, "tests/fixtures/recordings")
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


class Replay:
    def __init__(self, name):
        self.name, self.file = name, path(f"{name}.wlag")
        # The tree may lie where nobody may not look.
        shutil.copy(os.path.join(RECORDINGS, f"{name}.wlag"), self.file)
        self.program = path("wakelag")
        shutil.copy(WAKELAG, self.program)
        for file in (self.file, self.program):
            os.chmod(file, 0o755)
        self.report = self.run("report", self.file)
        self.locks = list(csv.DictReader(io.StringIO(self.csv("locks"))))

    def run(self, *args):
        return run(AS_NOBODY + [self.program] + list(args)).stdout

    def csv(self, table, *args):
        return self.run("export", self.file, "--format", "csv", "--table", table, *args)

    def check(self, name, condition, reason=""):
        return check(f"{self.name}_{name}", condition, reason)

    def check_report(self, *lines):
        missing = [line for line in lines if line not in self.report]
        self.check("report", not missing, f"no {missing}")

    def check_same(self):
        """Another time gives the same bytes."""
        again = self.run("report", self.file), self.csv("locks"), self.csv("holders")
        self.check("same", again == (self.report, self.csv("locks"), self.csv("holders")))


def redis():
    """Its I/O threads wait in mutexes of their own, in one array, for the main thread to let them go on."""
    r = Replay("redis")
    top = r.locks[:3]
    r.check("locks", [x["name"] for x in sorted(top, key=lambda x: x["name"])] ==
            ["io_threads_mutex+0x28", "io_threads_mutex+0x50", "io_threads_mutex+0x78"], f"{top}")
    r.check("site", {(x["class"], x["site"], x["holder_name"]) for x in top} ==
            {("mutex", "IOThreadMain", "redis-server")}, f"{top}")
    sites = [x for x in csv.DictReader(io.StringIO(r.csv("locks", "--by", "site"))) if x["name"] == "IOThreadMain"]
    r.check("merged", [int(x["count"]) for x in sites] == [sum(int(x["count"]) for x in top)], f"{sites}, {top}")
    r.check_report("io_threads_mutex+0x78", "waited for at IOThreadMain", "redis-server")
    r.check_same()


def mariadb():
    """Somebody locks the whole table again and again, the others wait for its metadata lock and for what guards it."""
    r = Replay("mariadb")
    top = [x for x in r.locks if x["class"] == "mutex"]
    r.check("locks", {"rw_pr_wrlock", "MDL_wait::timed_wait"} <= {x["name"] for x in top}, f"{top[:5]}")
    r.check("top", (top[0]["site"], top[0]["holder_name"]) == ("rw_pr_wrlock", "mariadbd"), f"{top[0]}")
    folded = r.run("export", r.file, "--format", "folded", "--metric", "thread.futex")
    r.check("table", "MDL_context::acquire_lock;MDL_wait::timed_wait;pthread_cond_timedwait" in folded, folded[:500])
    r.check_report("rw_pr_wrlock", "MDL_wait::timed_wait")
    r.check_same()


main(redis, mariadb)
