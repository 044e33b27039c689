/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Folded stacks, what flamegraph.pl and its kind read: "thread;outer;...;inner ns", a line each, sorted by text. */
#pragma once

#include "export.h"

unsigned int folded_needs(const struct export_opts *o);
int export_folded(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out);
