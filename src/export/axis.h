/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where an axis has its ticks, and how a count becomes a shade: the same on terminals and in pictures. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The least step people count time in that cuts length_ns into at most max_cnt parts. */
uint64_t axis_step(uint64_t length_ns, size_t max_cnt);
/* To two digits, for the label of a power of two: 1.048576ms is 1ms. */
uint64_t axis_round(uint64_t ns);

/*
 * Counts on a log scale in levels from 1 (a count of 1) to `levels` (max); 0 for a count of 0.
 * axis_level_from gives the least count of a level; max + 1 if the level has none.
 */
unsigned int axis_level(uint64_t count, uint64_t max, unsigned int levels);
uint64_t axis_level_from(unsigned int level, uint64_t max, unsigned int levels);
