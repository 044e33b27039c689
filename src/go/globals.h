/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where the runtime's variables are: no table of a stripped program says, but the code that uses them does. */
#pragma once

#include "runtime.h"

/*
 * Finds them by how known functions use them, and checks that against the symbol table where there is one,
 * and against each other. What is not sure is 0. The layout is used to get from a field to its variable. 0 or -ENOMEM.
 */
int go_globals_find(const struct go_binary *b, const struct go_layout *layout, struct go_globals *out);
