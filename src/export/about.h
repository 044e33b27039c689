/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What was recorded, where and when, as texts. Raw: names of hosts and targets may hold anything. */
#pragma once

#include "export.h"

/* How long was recorded; not known (no info): up to the last sample. */
uint64_t about_length(const struct tables *t, const struct model_info *info);
/* The value of a fact (the last one of that name: it is known better there), or NULL. */
const char *about_fact(const struct export_opts *o, const char *name);
/* False: the fact comes again later. */
bool about_is_last(const struct export_opts *o, const struct fact *f);

/* "pid 12 on name", or "". Returns buf. */
const char *about_target(const struct export_opts *o, char *buf, size_t size);
/* "Linux 6.1 x86_64, CPUs: 4", or "". Returns buf. */
const char *about_host(const struct export_opts *o, char *buf, size_t size);
/* "2026-01-31 23:59:59 UTC", or "" if the recording has no clock. Returns buf. */
const char *about_start(const struct model_info *info, char *buf, size_t size);
/* Why it ended, for people ("the time was over") and for programs ("duration", "cut"). */
const char *about_end(const struct model_info *info);
const char *about_end_word(const struct model_info *info);
