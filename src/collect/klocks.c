/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "klocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"

enum { HELD_MAX = 8192 };	/* records; then it is waited for */

struct klocks {
	helper_put put;
	void *ctx;
	struct helper *helper;
	bool is_warm, told_hidden;
	size_t held_cnt, held_room;
	union held {
		struct rec_hdr hdr;
		struct rec_stack stack;
		struct rec_klock klock;
	} *held;
};

struct klocks *klocks_new(helper_put put, void *ctx)
{
	struct klocks *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->put = put;
	k->ctx = ctx;
	k->helper = helper_new("wakelag-kernel", put, ctx);
	if (k->helper)
		return k;
	klocks_free(k);
	return NULL;
}

void klocks_free(struct klocks *k)
{
	if (!k)
		return;
	helper_free(k->helper);
	free(k->held);
	free(k);
}

static void name_stack(struct klocks *k, const struct rec_stack *r)
{
	if (helper_kernel(k->helper, r) != -EPERM || k->told_hidden)
		return;
	k->told_hidden = true;
	facts_absent(k->put, k->ctx, "kernel_symbols", "/proc/kallsyms shows no addresses: needs CAP_SYSLOG");
}

static void put_held(struct klocks *k)
{
	for (size_t i = 0; i < k->held_cnt; i++) {
		const union held *r = &k->held[i];

		if (r->hdr.kind == REC_STACK_KIND)
			name_stack(k, &r->stack);
		k->put(k->ctx, r, r->hdr.len);
	}
	k->held_cnt = 0;
	free(k->held);
	k->held = NULL;
	k->held_room = 0;
}

void klocks_tick(struct klocks *k, bool is_last)
{
	if (!k->held_cnt || (!is_last && !helper_is_ready(k->helper)))
		return;
	k->is_warm = true;
	put_held(k);
}

/* False: no room. */
static bool hold(struct klocks *k, const struct rec_hdr *hdr)
{
	if (k->held_cnt == k->held_room) {
		size_t room = k->held_room ? 2 * k->held_room : 64;
		union held *held = room <= HELD_MAX ? realloc(k->held, room * sizeof(*held)) : NULL;

		if (!held)
			return false;
		k->held = held;
		k->held_room = room;
	}
	memcpy(&k->held[k->held_cnt++], hdr, hdr->len);
	return true;
}

bool klocks_record(struct klocks *k, const void *rec)
{
	const struct rec_hdr *hdr = rec;

	if (!k->is_warm) {
		helper_warm_kernel(k->helper);
		if (hold(k, hdr))
			return true;
		klocks_tick(k, true);
	}
	if (hdr->kind == REC_STACK_KIND)
		name_stack(k, rec);
	return false;
}

struct helper_stats klocks_stats(const struct klocks *k)
{
	return helper_stats(k->helper);
}
