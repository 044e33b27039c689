/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#pragma once

#include <stdio.h>

struct argp_state;

/* The version, and in short what is found here; needs no privileges, and says what it cannot know. */
void version_print(FILE *out, struct argp_state *state);
