# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the stories share: a Go workload with a planted cause is recorded while it lasts, then its tables are asked."""

from live import *

MS = 1000000
FULL = ("--go", "full")


class Story:
    """One story, one verdict: everything that was expected and is not so."""

    def __init__(self, program, *args, name=None, record=FULL, prefix=(), env=None, also=()):
        self.name = f"story_{name or args[0]}"
        self.file = path(f"{self.name}.wlag")
        self.wrong = []
        self.tables = {}
        others = [start_ready(command)[0] for command in also]
        try:
            self.tell(list(prefix) + workload(f"go/{program}", *args), record, env or {})
        finally:
            for other in others:
                stop(other)

    def tell(self, command, record, env):
        process = start_ready(command, stdin=subprocess.PIPE, env=dict(os.environ, **env))[0]
        try:
            with Recording(self.file, "-p", process.pid, *record):
                process.stdin.write("\n")
                process.stdin.flush()
                lines = []
                for line in process.stdout:
                    if line.strip() == "done":
                        break
                    lines.append(line)
                else:
                    raise RuntimeError(f"{command} ended early, status {process.wait()}")
            self.pid = process.pid
            self.truth = {k: v for line in truths("".join(lines)) for k, v in line.items()}
            self.lines = truths("".join(lines))
        finally:
            process.stdin.close()
            stop(process)

    def rows(self, table, metric=None, **wanted):
        """Rows of a table without totals and rest, all of whose wanted columns have that value."""
        key = table, metric
        if key not in self.tables:
            self.tables[key] = export(self.file, table, metric)
        return [r for r in self.tables[key] if "*" not in (r.get("entity"), r.get("class")) and
                all(r[c] == str(v) for c, v in wanted.items())]

    def sum(self, rows, column="sum_ns"):
        return sum(r[column] for r in rows)

    def samples(self, metric, name, klass=None):
        """(count, ns) of a goroutine's function."""
        rows = [r for r in self.rows("stages", metric, name=name, stage="total") if klass in (None, r["class"])]
        return self.sum(rows, "count"), self.sum(rows)

    def stage_share(self, metric, name, *stages):
        ns = self.samples(metric, name)[1]
        rows = [r for r in self.rows("stages", metric, name=name) if r["stage"] in stages]
        return self.sum(rows) / ns if ns else 0

    def gauge(self, gauge, name=None):
        """[(t_ns, value)] of the process, or of a goroutine's function."""
        rows = self.rows("gauges", gauge=gauge, **({"name": name} if name else {}))
        at = collections.Counter()
        for row in rows:
            at[row["t_ns"]] += int(row["value"])
        return sorted(at.items())

    def last(self, gauge, name=None):
        return (self.gauge(gauge, name) or [(0, 0)])[-1][1]

    def most(self, gauge, name=None):
        return max([value for _, value in self.gauge(gauge, name)], default=0)

    def report(self):
        return run([WAKELAG, "report", self.file]).stdout

    def expect(self, what, condition, found=""):
        if not condition:
            self.wrong.append(f"{what}: {found}")
        return bool(condition)

    def expect_near(self, what, found, planted, share=0.05, slop=0):
        return self.expect(what, near(found, planted, share, slop), f"{found}, planted {planted}")

    def expect_said(self, *words):
        """Some line of the report has all these words."""
        lines = self.report().splitlines()
        self.expect(f"report has a line with {words}", any(all(w in line for w in words) for line in lines),
                    [line for line in lines if words[0] in line])

    def verdict(self):
        check(self.name, not self.wrong, "\n".join(self.wrong))
