/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Colours of pictures on white: the map viridis (ordered by lightness, also for the colour-blind and in
 * grey print) from its green to its violet, so that more is darker and one is still seen.
 */
#pragma once

#include <stdint.h>

enum { PALETTE_STEPS = 24 };

/* "#21918c" for a step from 0 (the least) to PALETTE_STEPS - 1; buf holds 8. Returns buf. */
const char *palette_hex(unsigned int step, char buf[8]);

/* The step of a value between lo and hi on a log scale; what lies outside is at the ends. */
unsigned int palette_step(uint64_t v, uint64_t lo, uint64_t hi);
