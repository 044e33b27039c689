/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A log-linear histogram of ns: 32 slots an octave, so that a bucket is at most 1/32 (3.125%) as wide
 * as its lower bound; values below 64 are exact. Sparse: an octave's counters are allocated when it is
 * first used. Count, sum, min and max are inside. A zeroed struct is an empty histogram.
 */
#pragma once

#include <stdint.h>

enum { HIST_SLOTS = 32, HIST_PAGES = 60, HIST_BUCKETS = HIST_PAGES * HIST_SLOTS };

struct hist {
	uint64_t count, sum, min, max;	/* min and max mean something only if count > 0 */
	uint64_t (*pages)[HIST_SLOTS];
	uint8_t page_cnt;
	uint8_t page_of[HIST_PAGES];	/* 1 + index into pages; 0: not there */
};

/* Samples of one bucket, as other tables keep them. */
struct hist_part {
	unsigned int bucket;
	uint64_t count, sum, min, max;
};

void hist_done(struct hist *h);

/* Bucket b holds the values of [hist_lo(b), hist_hi(b)); the last one ends at UINT64_MAX. */
unsigned int hist_bucket(uint64_t v);
uint64_t hist_lo(unsigned int b);
uint64_t hist_hi(unsigned int b);

/* These return 0 or -ENOMEM, and on failure change nothing (hist_merge: may have added some buckets). */
int hist_record(struct hist *h, uint64_t v);
int hist_add(struct hist *h, const struct hist_part *p);
int hist_merge(struct hist *to, const struct hist *from);

/*
 * The value at rank ceil(count * ppm / 10^6), interpolated inside its bucket and clamped to [min, max]:
 * never further off than the bucket is wide. First and last are exact. 0 if the histogram is empty.
 */
uint64_t hist_quantile(const struct hist *h, uint32_t ppm);

/* About the sum of the samples that are at least v: each counts as the begin of its bucket. */
uint64_t hist_sum_from(const struct hist *h, uint64_t v);
