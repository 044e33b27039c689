/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "blame.h"

#include "../../bpf/record.h"
#include "../base/numbers.h"

/* What interrupts and the hypervisor took, in the order in which it is capped to the time there is. */
enum { NOISE_CNT = 3 };
static const enum blame_kind noise_kinds[NOISE_CNT] = {BLAME_STEAL, BLAME_IRQ, BLAME_SOFTIRQ};

struct noise {
	uint64_t ns[NOISE_CNT];
};

static struct noise noise_of(const struct piece *p)
{
	return (struct noise){.ns = {p->steal_ns, p->irq_ns, p->softirq_ns}};
}

static uint64_t noise_sum(const struct piece *p)
{
	return (uint64_t)p->steal_ns + p->irq_ns + p->softirq_ns;
}

void blame_reset(struct blame_rows *b)
{
	size_t competitors = b->cnt < BLAME_ROWS ? b->cnt : BLAME_ROWS;

	for (size_t i = 0; i < competitors; i++)
		b->slots[b->row_slot[i]] = 0;
	for (int i = 0; i < BLAME_CNT; i++)
		b->kind_ns[i] = 0;
	b->cnt = 0;
	b->sum_ns = 0;
	b->budget = BLAME_SLICES;
}

/* Only rows of competitors come before blame_close(), so their indexes and slots go together. */
static void add_competitor(struct blame_rows *b, uint32_t tid, uint64_t ns)
{
	uint32_t slot = tid * 0x9e3779b1u >> (32 - BLAME_SLOT_BITS);

	while (b->slots[slot] && b->rows[b->slots[slot] - 1].tid != tid)
		slot = (slot + 1) % BLAME_SLOTS;
	if (b->slots[slot]) {
		b->rows[b->slots[slot] - 1].ns += ns;
		return;
	}
	if (b->cnt == BLAME_ROWS) {
		b->kind_ns[BLAME_UNKNOWN] += ns;
		return;
	}
	b->rows[b->cnt] = (struct blame){.tid = tid, .kind = BLAME_COMPETITOR, .ns = ns};
	b->row_slot[b->cnt] = (uint16_t)slot;
	b->slots[slot] = (uint16_t)++b->cnt;
}

static void add(struct blame_rows *b, uint32_t by, uint64_t ns)
{
	if (!ns)
		return;
	b->sum_ns += ns;
	if (by == BY_UNKNOWN || by == BY_SLICES)
		b->kind_ns[BLAME_UNKNOWN] += ns;
	else if (!by)
		b->kind_ns[BLAME_IDLE] += ns;
	else
		add_competitor(b, by, ns);
}

/* Blames at most part ns on noise, which is taken out of *n; returns what is left of part. */
static uint64_t add_noise(struct blame_rows *b, struct noise *n, uint64_t part)
{
	for (int i = 0; i < NOISE_CNT; i++) {
		uint64_t ns = min_u64(n->ns[i], part);

		b->kind_ns[noise_kinds[i]] += ns;
		b->sum_ns += ns;
		n->ns[i] -= ns;
		part -= ns;
	}
	return part;
}

/* A part of a time of which at most noise_ns was noise, in this part or beside it: so much is unknown. */
static void add_clipped(struct blame_rows *b, uint32_t by, uint64_t part, uint64_t noise_ns)
{
	uint64_t unknown = min_u64(noise_ns, part);

	add(b, BY_UNKNOWN, unknown);
	add(b, by, part - unknown);
}

/* A slice that reaches out of the piece: `part` of it lies inside. */
struct partial {
	const struct piece *slice;
	uint64_t part;
};

/*
 * The noise of the whole piece is known, and that of slices inside it; the rest fell into the slices
 * that reach out of it (each can't hold more than its own), else into what no slice covers.
 */
static void add_partials(struct blame_rows *b, const struct partial *partials, int cnt, struct noise *rest)
{
	while (cnt-- > 0) {	/* the first in time was found last */
		const struct partial *p = &partials[cnt];
		struct noise share = noise_of(p->slice), before;

		for (int i = 0; i < NOISE_CNT; i++)
			share.ns[i] = min_u64(share.ns[i], rest->ns[i]);
		before = share;
		add(b, p->slice->by, add_noise(b, &share, p->part));
		for (int i = 0; i < NOISE_CNT; i++)
			rest->ns[i] -= before.ns[i] - share.ns[i];
	}
}

/* Blames a slice that lies inside the piece and takes its noise out of the piece's. */
static void add_inside(struct blame_rows *b, const struct piece *slice, uint64_t part, struct noise *rest)
{
	struct noise own = noise_of(slice);

	for (int i = 0; i < NOISE_CNT; i++)
		rest->ns[i] -= min_u64(rest->ns[i], own.ns[i]);
	add(b, slice->by, add_noise(b, &own, part));
}

/* [lo, hi) of a piece during which several tasks ran. */
static void add_slices(struct blame_rows *b, const struct slices *slices, const struct piece *p,
		       uint64_t lo, uint64_t hi)
{
	bool is_whole = lo == p->begin_ns && hi == p->end_ns;
	struct noise rest = is_whole ? noise_of(p) : (struct noise){0};
	uint64_t newest = p->cpu < BLAME_CPUS ? slices->head[p->cpu] : 0;
	struct history_walk walk = history_from(&slices->history, newest);
	uint64_t cursor = hi, uncovered = hi - lo;
	struct partial partials[2];
	const struct piece *slice;
	int partial_cnt = 0;

	while (uncovered && b->budget && (slice = history_older(&walk)) && slice->end_ns > lo) {
		uint64_t begin = max_u64(slice->begin_ns, lo), end = min_u64(slice->end_ns, cursor);

		b->budget--;
		if (begin >= end)
			continue;
		cursor = begin;
		uncovered -= end - begin;
		if (begin == slice->begin_ns && end == slice->end_ns)
			add_inside(b, slice, end - begin, &rest);
		else if (!is_whole)
			add_clipped(b, slice->by, end - begin, min_u64(noise_sum(slice), noise_sum(p)));
		else if (partial_cnt < 2)
			partials[partial_cnt++] = (struct partial){.slice = slice, .part = end - begin};
		else	/* slices that overlap: not a true recording */
			add(b, BY_UNKNOWN, end - begin);
	}
	add_partials(b, partials, partial_cnt, &rest);
	add(b, BY_UNKNOWN, add_noise(b, &rest, uncovered));
}

static void add_piece(struct blame_rows *b, const struct slices *slices, const struct piece *p,
		      uint64_t lo, uint64_t hi)
{
	struct noise n;

	if (p->by == BY_SLICES) {
		add_slices(b, slices, p, lo, hi);
		return;
	}
	if (hi - lo < p->end_ns - p->begin_ns) {
		add_clipped(b, p->by, hi - lo, noise_sum(p));
		return;
	}
	n = noise_of(p);
	add(b, p->by, add_noise(b, &n, hi - lo));
}

void blame_pieces(struct blame_rows *b, const struct slices *slices, const struct history *pieces,
		  uint64_t head, uint64_t begin_ns, uint64_t end_ns)
{
	struct history_walk walk = history_from(pieces, head);
	const struct piece *p;

	while ((p = history_older(&walk)) && p->end_ns > begin_ns) {
		uint64_t lo = max_u64(p->begin_ns, begin_ns), hi = min_u64(p->end_ns, end_ns);

		if (lo < hi && p->kind == PIECE_OFF_CPU && p->stage != STAGE_THROTTLE)
			add_piece(b, slices, p, lo, hi);
	}
}

void blame_row(struct blame_rows *b, enum blame_kind kind, uint32_t tid, uint64_t ns)
{
	b->rows[b->cnt++] = (struct blame){.tid = tid, .kind = kind, .ns = ns};
}

void blame_goroutine(struct blame_rows *b, enum blame_kind kind, uint32_t site, uint64_t goid, uint64_t ns)
{
	b->rows[b->cnt++] = (struct blame){.kind = kind, .ns = ns, .site = site, .goid = goid};
}

void blame_close(struct blame_rows *b, uint64_t total_ns)
{
	b->kind_ns[BLAME_UNKNOWN] += total_ns - min_u64(b->sum_ns, total_ns);
	for (int kind = 0; kind < BLAME_CNT; kind++) {
		if (b->kind_ns[kind])
			blame_row(b, kind, 0, b->kind_ns[kind]);
	}
}
