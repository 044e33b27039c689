#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# seconds: 120
"""Locks of the C++ and Rust libraries: their classes, and names as their sources have them."""

from locklive import *

HOLD_US, ROUNDS = 5000, 20


def language(name):
    run = LockRun(name, workload(name, HOLD_US, ROUNDS))
    for truth in run.waiters():
        check_waiter(run, Variant(name), truth)


def cxx():
    language("lock_cxx")


def rust():
    if os.path.exists(workload("lock_rust")[0]):
        language("lock_rust")
    else:
        skip("lock_rust", "not built: no rustc")


main(cxx, rust)
