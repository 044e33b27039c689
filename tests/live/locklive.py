# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the truth tests of locks share: a workload that accounts for its own waits is recorded, then compared."""

import re

from live import *

OF_LOCKS = {"mutex", "rwlock", "sem"}      # whose waits are samples of lock.wait, too
# A waiter's own clock has the lock call itself in it, and what it takes to come back from the kernel.
BAR = (0.05, 5000)


class LockRun:
    """A workload's recording, from its first instruction to its end."""

    def __init__(self, case, command, args=()):
        self.case, self.file = case, path(f"{case}.wlag")
        self.lines = truths(record_command(self.file, *args, "--", *command))
        self.tables = {}

    def check(self, name, condition, reason=""):
        return check(f"{self.case}_{name}", condition, reason)

    def rows(self, table, metric=None, by=None):
        key = table, metric, by
        if key not in self.tables:
            self.tables[key] = export(self.file, table, metric, by=by)
        return self.tables[key]

    def waits(self, truth, metric="thread.futex"):
        """The samples of a waiter's own waits: those for its lock."""
        mine = [e for e in self.rows("events", metric, by="tid") if e["entity"] == str(truth["tid"])]
        return [e for e in mine if is_wait(e, truth)]

    def missing(self, planted):
        """How many of so many waits the sandbox's kernel may have hidden from us."""
        lost = losses(self.file)
        hidden = lost.get("missed_switch", 0) + lost.get("missed_waking", 0)
        return max(hidden, planted // 100 + 2) if hides_events() else 0

    def waiters(self):
        return [t for t in self.lines if "case" in t]


def address(text):
    """Of "PID:0x...", and of shared memory the offset."""
    return int(text.rpartition(":")[2], 16) if text else 0


def is_at(lock, truth):
    at = int(truth["lock"], 16)
    return at <= address(lock) < at + truth["size"]


def is_wait(row, truth):
    """Of the waiter's waits, those that it told of: for its lock, or where that has no address, of that class."""
    return is_at(row["lock"], truth) if truth["size"] else row["class"] == truth["class"]


def is_named(text, wanted):
    """A function's or object's name, also with arguments, or a place behind it."""
    return re.search(rf"(^|\W){re.escape(wanted)}(\W|$)", text)


def latency(rows):
    return sum(e["latency_ns"] for e in rows)


def seen(rows, column):
    return sorted({r[column] for r in rows})


class Variant:
    """What can be known of a build of lock_truth. `classes`: by the functions in the stack; else by op and word,
    which tell only mutexes, and those not where there is a timeout. `names`: its own symbols are there. `at_object`:
    waits are for a word of the object; musl's for a condition variable or a barrier are for one on the stack."""

    def __init__(self, program, classes=True, names=True, at_object=True):
        self.program, self.classes, self.names, self.at_object = program, classes, names, at_object


def can_tell(variant, truth):
    return variant.classes or (truth["class"] == "mutex" and truth["case"] != "impatient")


def check_class(run, variant, truth, waits):
    found, wanted = seen(waits, "class"), {truth["class"]}
    if not can_tell(variant, truth):
        wanted = {"other", "mutex"}
    return run.check(f"{truth['thread']}_class", found and set(found) <= wanted, f"{found}, planted {truth['class']}")


def check_waits(run, truth, waits):
    """Their number, and their time where all were seen."""
    planted, thread = truth["waits"], truth["thread"]
    run.check(f"{thread}_count", planted - run.missing(planted) <= len(waits) <= planted,
              f"{len(waits)}, planted {planted}, {losses(run.file)}")
    if not waits or len(waits) < planted:
        return
    share, slop = BAR
    run.check(f"{thread}_sum", near(latency(waits), truth["sum"], share, slop * planted),
              f"{latency(waits)}, planted {truth['sum']}")


def check_holder(run, variant, truth, waits):
    """Who held it where the lock says so, else who woke it. A waiter that came late finds another waiter there."""
    rows = [r for r in run.rows("blame", "thread.futex") if r["waiter"] == str(truth["tid"]) and is_wait(r, truth)]
    holder = str(truth["holder"])
    parties = {str(t["tid"]) for t in run.waiters() if t["case"] == truth["case"]} - {str(truth["tid"])} | {holder}
    is_owned = truth["owned"] and can_tell(variant, truth)
    kinds = {"holder"} if is_owned else {"waker"} | ({"unknown"} if truth["case"] == "impatient" else set())
    count = sum(r["count"] for r in rows)
    run.check(f"{truth['thread']}_rows", count == len(waits), f"{count} blamed of {len(waits)} waits")
    right = [r for r in rows if r["by_kind"] in kinds and (r["by"] in parties | {""} or not truth["size"])]
    # Of those that took as long as it is held.
    in_time = [e["by"] for e in waits if 2 * e["latency_ns"] > truth["sum"] // truth["waits"]]
    run.check(f"{truth['thread']}_holder", count and sum(r["count"] for r in right) >= 0.99 * count and
              (not is_owned or in_time.count(holder) >= 0.99 * len(in_time) > 0),
              f"holder {holder} of {parties}: {[(r['by_kind'], r['by'], r['count']) for r in rows]}")
    return rows


def check_names(run, variant, truth, rows):
    names = {r["lock_name"] for r in rows}
    wanted = truth["site"] if truth["name"] == "-" else truth["name"]
    if variant.names and truth["size"]:
        run.check(f"{truth['thread']}_name", names and all(is_named(n, wanted) for n in names),
                  f"{names}, planted {wanted}")


def check_lock_wait(run, variant, truth, waits):
    """The same samples, seen from the lock."""
    if seen(waits, "class") != [truth["class"]] or truth["class"] not in OF_LOCKS:
        return
    mine = run.waits(truth, "lock.wait")
    run.check(f"{truth['thread']}_lock_wait",
              [(e["class"], e["t_ns"], e["latency_ns"]) for e in mine] ==
              [(e["class"], e["t_ns"], e["latency_ns"]) for e in waits], f"{len(mine)} of {len(waits)} waits")
    if variant.names:
        sites = [r for r in run.rows("stages", "lock.wait", by="site")
                 if r["stage"] == "total" and r["class"] == truth["class"] and is_named(r["name"], truth["site"])]
        run.check(f"{truth['thread']}_site", len(sites) == 1 and sites[0]["count"] >= len(waits), f"{sites}")


def check_site_alone(run, truth):
    """Where the lock's address is not known: the waits of that class at that place, of all waiters together."""
    there = [t for t in run.waiters() if t["site"] == truth["site"]]
    waits = sum(t["waits"] if t["case"] != "relock" else t["count"] for t in there)
    rows = [r for r in run.rows("stages", "thread.futex", by="site")
            if r["stage"] == "total" and r["class"] == truth["class"] and is_named(r["name"], truth["site"])]
    count = sum(r["count"] for r in rows)
    run.check(f"{truth['thread']}_at_site", waits - run.missing(waits) <= count <= waits,
              f"{count}, planted {waits}: {rows}")


def check_relock(run, variant, truth):
    """Waits for the condition, and then as many for its mutex: gives the truth of the former."""
    again = next(line for line in run.lines if "relocked" in line)
    relocked = dict(truth, thread="relock1", lock=again["at"], size=again["size"], **{"class": "mutex"})
    waits, first = run.waits(relocked), run.waits(truth)
    check_class(run, variant, relocked, waits)
    check_waits(run, dict(truth, thread="relock_both"), waits + first)
    return dict(truth, waits=truth["count"], sum=latency(first))


def check_waiter(run, variant, truth):
    waits = run.waits(truth)
    if not truth["waits"]:
        run.check(f"{truth['thread']}_no_wait", not waits, f"{len(waits)} waits of trylock")
        return
    if not variant.at_object and truth["class"] in ("cond", "barrier"):
        check_site_alone(run, truth)
        return
    if not variant.classes and not truth["size"]:
        return
    if truth["case"] == "relock":
        truth = check_relock(run, variant, truth)
    check_class(run, variant, truth, waits)
    check_waits(run, truth, waits)
    check_names(run, variant, truth, check_holder(run, variant, truth, waits))
    check_lock_wait(run, variant, truth, waits)
