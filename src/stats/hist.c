/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "hist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void hist_done(struct hist *h)
{
	if (!h)
		return;
	free(h->pages);
	*h = (struct hist){0};
}

/* Up to 64 a value is its own bucket; above, the top 6 bits (a 1 and the slot) and how far they are up. */
unsigned int hist_bucket(uint64_t v)
{
	if (v < 2 * HIST_SLOTS)
		return (unsigned int)v;
	unsigned int shift = 63 - 5 - (unsigned int)__builtin_clzll(v);

	return shift * HIST_SLOTS + (unsigned int)(v >> shift);
}

uint64_t hist_lo(unsigned int b)
{
	if (b < 2 * HIST_SLOTS)
		return b;
	return (uint64_t)(HIST_SLOTS + b % HIST_SLOTS) << (b / HIST_SLOTS - 1);
}

uint64_t hist_hi(unsigned int b)
{
	return b + 1 < HIST_BUCKETS ? hist_lo(b + 1) : UINT64_MAX;
}

static int add_page(struct hist *h, unsigned int octave)
{
	uint64_t(*pages)[HIST_SLOTS] = realloc(h->pages, (h->page_cnt + 1u) * sizeof(*pages));

	if (!pages)
		return -ENOMEM;
	h->pages = pages;
	memset(pages[h->page_cnt], 0, sizeof(*pages));
	h->page_of[octave] = ++h->page_cnt;
	return 0;
}

static uint64_t *counter(struct hist *h, unsigned int b)
{
	unsigned int octave = b / HIST_SLOTS;

	if (!h->page_of[octave] && add_page(h, octave))
		return NULL;
	return &h->pages[h->page_of[octave] - 1][b % HIST_SLOTS];
}

static void add_sums(struct hist *h, uint64_t count, uint64_t sum, uint64_t min, uint64_t max)
{
	if (!h->count || min < h->min)
		h->min = min;
	if (!h->count || max > h->max)
		h->max = max;
	h->count += count;
	h->sum += sum;
}

int hist_record(struct hist *h, uint64_t v)
{
	uint64_t *c = counter(h, hist_bucket(v));

	if (!c)
		return -ENOMEM;
	(*c)++;
	add_sums(h, 1, v, v, v);
	return 0;
}

int hist_add(struct hist *h, const struct hist_part *p)
{
	if (!p->count)
		return 0;
	uint64_t *c = counter(h, p->bucket);

	if (!c)
		return -ENOMEM;
	*c += p->count;
	add_sums(h, p->count, p->sum, p->min, p->max);
	return 0;
}

int hist_merge(struct hist *to, const struct hist *from)
{
	if (!from->count)
		return 0;
	for (unsigned int octave = 0; octave < HIST_PAGES; octave++) {
		if (!from->page_of[octave])
			continue;
		const uint64_t *src = from->pages[from->page_of[octave] - 1];
		uint64_t *dst = counter(to, octave * HIST_SLOTS);

		if (!dst)
			return -ENOMEM;
		for (unsigned int i = 0; i < HIST_SLOTS; i++)
			dst[i] += src[i];
	}
	add_sums(to, from->count, from->sum, from->min, from->max);
	return 0;
}

/* Where the `nth` (from 1) of `count` values lies if they are spread evenly over the bucket. */
static uint64_t interpolate(const struct hist *h, unsigned int b, uint64_t nth, uint64_t count)
{
	uint64_t lo = hist_lo(b), width = hist_hi(b) - lo;
	unsigned __int128 part = (unsigned __int128)width * (2 * nth - 1) / ((unsigned __int128)count * 2);
	uint64_t v = lo + (uint64_t)part;

	if (v < h->min)
		return h->min;
	return v > h->max ? h->max : v;
}

uint64_t hist_quantile(const struct hist *h, uint32_t ppm)
{
	if (!h->count)
		return 0;
	uint64_t rank = (uint64_t)(((unsigned __int128)h->count * ppm + 999999) / 1000000), seen = 0;

	/* The two that are known exactly. */
	if (rank <= 1)
		return h->min;
	if (rank >= h->count)
		return h->max;
	for (unsigned int octave = 0; octave < HIST_PAGES; octave++) {
		if (!h->page_of[octave])
			continue;
		const uint64_t *page = h->pages[h->page_of[octave] - 1];

		for (unsigned int i = 0; i < HIST_SLOTS; i++) {
			if (rank - seen <= page[i])
				return interpolate(h, octave * HIST_SLOTS + i, rank - seen, page[i]);
			seen += page[i];
		}
	}
	return h->max;
}

uint64_t hist_sum_from(const struct hist *h, uint64_t v)
{
	uint64_t sum = 0;

	for (unsigned int b = hist_bucket(v); b < HIST_BUCKETS; b++) {
		uint8_t page = h->page_of[b / HIST_SLOTS];

		if (page)
			sum += h->pages[page - 1][b % HIST_SLOTS] * hist_lo(b);
	}
	return sum;
}
