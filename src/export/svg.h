/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A picture of one metric, the headline's: samples by time and latency, and below it the worst latency of
 * each entity over time. One file without scripts, fonts or links; what is under the pointer says its numbers.
 */
#pragma once

#include "export.h"

/* As exporter.run of export.h; uses info and facts of the options. */
int export_svg(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out);
unsigned int svg_needs(const struct export_opts *o);
