#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# seconds: 200
"""The same locks in programs that are built otherwise: with frame pointers, static, without symbols, with musl."""

from locklive import *

HOLD_US, ROUNDS = 3000, 10

# Without symbols, functions of a shared libc have their names still.
VARIANTS = (
    Variant("lock_truth_fp"),
    Variant("lock_truth_static"),
    Variant("lock_truth_static_pie"),
    Variant("lock_truth_stripped", names=False),
    Variant("lock_truth_static_stripped", classes=False, names=False),
    Variant("lock_truth_musl", at_object=False),
    Variant("lock_truth_musl_static", at_object=False),
)


def build(variant):
    def test():
        run = LockRun(variant.program.removeprefix("lock_truth_"), workload(variant.program, HOLD_US, ROUNDS))
        for truth in run.waiters():
            check_waiter(run, variant, truth)
    test.__name__ = variant.program.removeprefix("lock_truth_")
    return test


main(*map(build, VARIANTS))
