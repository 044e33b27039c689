/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Places for probes in the code of a program's runtime: an instruction that the kernel emulates (a
 * single-stepped one costs some thirty times as much), before which no argument was overwritten, and which a
 * call passes exactly once; only where it is the check of the stack itself, until Go 1.20, a call that has
 * to grow its stack passes it twice.
 */
#pragma once

#include "runtime.h"

/* Fills sites, site_cnt, missing and max_level of *r, whose layout is there. 0 or -ENOMEM. */
int go_sites_find(const struct go_binary *b, struct go_runtime *r);
