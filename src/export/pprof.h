/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * pprof's format (profile.proto, gzip'ed): per stack contentions/count, delay/nanoseconds, and of metrics with stages
 * delay_STAGE/nanoseconds.
 */
#pragma once

#include "export.h"

unsigned int pprof_needs(const struct export_opts *o);
int export_pprof(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out);
