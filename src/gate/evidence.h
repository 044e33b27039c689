/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a verdict rests on, as text: the same words in every report. All is escaped already (export/text.h). */
#pragma once

#include <stddef.h>

struct gate;
struct names;
struct verdict;
struct worst;

enum { EVIDENCE_SZ = 1280 };

/* "p99 2.10ms, 95% interval 1.90ms to 2.31ms, 1200 samples"; "" if nothing was estimated. Returns buf. */
const char *evidence_estimate(const struct verdict *v, char *buf, size_t size);
/* "[1.90ms, 2.31ms]"; "" if nothing was estimated. Returns buf. */
const char *evidence_interval(const struct verdict *v, char *buf, size_t size);
/* Of a worst sample: "mixer (1234)". Returns buf. */
const char *evidence_who(const struct verdict *v, const struct worst *w, const struct names *n, char *buf, size_t size);
/* "runq 3.90ms, slack 50.1us", the longest first; "" if the metric has no stages. Returns buf. */
const char *evidence_stages(const struct verdict *v, const struct worst *w, char *buf, size_t size);
/* "spin (77) had the CPU for 3.70ms"; "" if nobody is blamed. Returns buf. */
const char *evidence_blame(const struct worst *w, const struct names *n, char *buf, size_t size);
/* All of it in one sentence. Returns buf. */
const char *evidence_worst(const struct verdict *v, const struct worst *w, const struct names *n, char *buf,
			   size_t size);
