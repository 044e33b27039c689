#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the kernel side says of waits for locks, record by record."""

from live import *

ROUNDS, WAITERS = 50, 2


def records(file):
    """(kind, fields) of each record, in order."""
    for line in run([WAKELAG, "print-records", file]).stdout.splitlines():
        kind, *words = line.split()
        yield kind, {k: int(v, 0) if v.isdigit() else v for k, _, v in (w.partition("=") for w in words)}


def record_locks(name, *options):
    """The truth of the holder, and the records."""
    file = path(name)
    truth = truths(record_command(file, *options, "--", *workload("locks", 2, WAITERS, ROUNDS)))
    return truth[0], list(records(file)), file


def waits_on(found, word):
    return [f for kind, f in found if kind == "wait" and f.get("futex") == word and f.get("futex_op", 0) & 0x7f == 0]


def mutex():
    truth, found, file = record_locks("on.wlag")
    waits = waits_on(found, truth["lock"])
    lost = ROUNDS // 10 if hides_events() else 0
    check("waits", len(waits) >= WAITERS * ROUNDS - lost, f"{len(waits)}, {losses(file)}")
    check("futex_val", all(w["futex_val"] == 2 for w in waits), f"{[w.get('futex_val') for w in waits]}")
    held = sum(w.get("futex_owner") == truth["holder"] for w in waits)
    check("futex_owner", held >= WAITERS * ROUNDS - lost, f"{held} of {len(waits)} by {truth['holder']}")
    later = sum(f["value"] for kind, f in found if kind == "count" and f.get("id") == "stack_later")
    without = sum(not w.get("stack") for w in waits)
    check("stack", without <= later, f"{without} of {len(waits)} waits have none")
    # one call path: one id, but for the time until user space said where the code is, when threads may differ
    ids = {w["stack"] for w in waits if w.get("stack")}
    check("paths", 1 <= len(ids) <= 1 + WAITERS, f"{ids}")


def stack_before_wait():
    """Each stack is given once, before a wait refers to it, and has frames."""
    _, found, _ = record_locks("order.wlag")
    given, missing, twice = set(), [], []
    for kind, fields in found:
        key = (fields.get("tgid"), fields.get("id"))
        if kind == "stack":
            twice += [key] if key in given else []
            given.add(key)
            if not fields.get("pc0") or not fields.get("pc1"):
                missing.append(fields)
        elif kind == "wait" and fields.get("stack") and (fields["tgid"], fields["stack"]) not in given:
            missing.append(fields)
    check("order", given and not missing, f"{len(missing)} of {len(given)} stacks: {missing[:2]}")
    check("once", not twice, f"{twice}")


def switched_off():
    truth, found, _ = record_locks("off.wlag", "--no-stacks")
    waits = waits_on(found, truth["lock"])
    check("no_stacks", waits and not any(w.get("stack") for w in waits) and not any(k == "stack" for k, _ in found),
          f"{waits[:1]}")
    check("no_stacks_owner", all(w["futex_val"] == 2 and w["futex_owner"] for w in waits), f"{waits[:1]}")


def kernel_locks():
    """Two threads write to one file at once, and one waits for the other: as long as the other's write, about. On a
    machine with other work they may miss each other, in most rounds."""
    file = path("kernel.wlag")
    writers = truths(record_command(file, "--", *workload("writers", 32, ROUNDS // 5)))
    found = list(records(file))
    if any(kind == "fact" and f["name"] == "absent.contention_begin" for kind, f in found):
        return skip("kernel_locks", "the kernel has no such tracepoint")
    waits = [f for kind, f in found if kind == "klock" and f["tid"] in [w["tid"] for w in writers] and
             f["end"] - f["begin"] > 1000000]
    check("kernel_waits", 1 <= len(waits) <= ROUNDS // 5 and len({w["lock"] for w in waits}) == 1 and
          all(w["flags"] == "write" for w in waits), f"{len(waits)}: {waits[:3]}")
    ends, wrong = collections.defaultdict(int), []
    for w in sorted(waits, key=lambda w: w["begin"]):
        if w["begin"] < ends[w["tid"]] or w["end"] - w["begin"] > max(t["max"] for t in writers):
            wrong.append(w)
        ends[w["tid"]] = w["end"]
    check("kernel_times", not wrong, f"{wrong[:2]}")
    # a write takes twice as long with the wait for the other's
    waited, wrote = sum(w["end"] - w["begin"] for w in waits), sum(t["sum"] for t in writers)
    check("kernel_sum", 0.1 * wrote < waited < 0.6 * wrote, f"{waited} ns of {wrote}")
    stacks = {f["id"] for kind, f in found if kind == "stack" and f["tgid"] == "kernel"}
    return check("kernel_stacks", waits and all(w.get("stack") in stacks for w in waits), f"{waits[:2]}")


main(mutex, stack_before_wait, switched_off, kernel_locks)
