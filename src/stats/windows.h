/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Samples of each group and stage by window of time: what intervals of confidence are made from. Kept if
 * tables_opts.windows asks for it. Windows are 10 ms wide until there would be more than 240 of them,
 * or more cells than there is memory for; then neighbours merge. Beyond the stages, and the whole
 * (STAGE_CNT), there is what of each sample was the target's own:
 * STAGE_OWN, the latency less what strangers took of it: the stages `timer` and `wake` (the kernel, or the
 * hypervisor) and the blame of interrupts, steal, a CPU that woke up, tasks of processes that have no sample
 * in the recording, and what was not seen. What begins while strangers took more than 200 us of any sample,
 * or in the millisecond after, is not among it: that holds up all, also who waits for those held up.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../model/span.h"

struct boot;
struct group;
struct tables;

#define STAGE_OWN (STAGE_CNT + 1)
/* A mask. */
#define STAGES_OF_STRANGERS (1u << STAGE_TIMER | 1u << STAGE_WAKE)

/* Of all groups together; at least 1. */
size_t tables_window_cnt(const struct tables *t);
uint64_t tables_window_ns(const struct tables *t);
/*
 * Adds the group's samples of a stage, zeros included, to the windows of b, which has tables_window_cnt() of
 * them. A metric without that stage has none; one without stages at all has only STAGE_CNT and STAGE_OWN.
 * 0 or -ENOMEM.
 */
int tables_add_windows(const struct tables *t, const struct group *g, unsigned int stage, struct boot *to);
