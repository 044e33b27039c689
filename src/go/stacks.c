/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "stacks.h"

#include <errno.h>
#include <stdlib.h>

enum { STACKS_MAX = 8192 };	/* different ones of a process; more are not told apart */

struct known {
	uint64_t pcs[GO_STACK_PCS];
	uint32_t id;		/* 0: free */
};

void go_stacks_init(struct go_stacks *s)
{
	u64map_init(&s->ids, sizeof(struct known));
}

void go_stacks_done(struct go_stacks *s)
{
	u64map_done(&s->ids);
}

struct frame {
	uint64_t bp, ra;
};

static bool is_on_stack(const struct go_walk *w)
{
	const struct go_group *g = w->group;

	return w->bp >= g->stack_lo && w->bp % 8 == 0 && w->bp < g->stack_hi &&
	       g->stack_hi - w->bp >= sizeof(struct frame);
}

/* Takes a frame. False: the stack ends here. */
static bool take_frame(const struct go_process_reader *r, struct go_walk *w, const struct frame *f)
{
	uint64_t bp = w->bp;

	if (!is_go_text(r, f->ra))
		return false;
	w->pcs[w->cnt++] = f->ra;
	w->bp = f->bp;
	return w->cnt < GO_STACK_PCS && w->bp > bp && is_on_stack(w);
}

/* One frame of each that is not done; `left` has their numbers. */
static int walk_step(const struct go_process_reader *r, struct go_walk *walks, uint32_t *left, size_t *left_cnt,
		     struct memory_part *parts, struct frame *frames)
{
	size_t cnt = *left_cnt;
	int err;

	for (size_t i = 0; i < cnt; i++)
		parts[i] = (struct memory_part){walks[left[i]].bp, &frames[i], sizeof(*frames), false};
	err = memory_read_parts(r->pid, parts, cnt);
	*left_cnt = 0;
	for (size_t i = 0; i < cnt && !err; i++)
		if (parts[i].is_read && take_frame(r, &walks[left[i]], &frames[i]))
			left[(*left_cnt)++] = left[i];
	return err;
}

struct state {
	uint64_t sp, pc;
	uint32_t status;
};

/* A goroutine that ran meanwhile may have left another stack behind. */
static int drop_those_that_ran(const struct go_process_reader *r, struct go_walk *walks, size_t cnt,
			       struct memory_part *parts, struct state *states)
{
	int err;

	for (size_t i = 0; i < cnt; i++) {
		uint64_t g = walks[i].group->g;

		parts[2 * i] = (struct memory_part){g + 56, &states[i].sp, 16, false};
		parts[2 * i + 1] = (struct memory_part){g + r->runtime->layout.g_status, &states[i].status, 4, false};
	}
	err = memory_read_parts(r->pid, parts, 2 * cnt);
	for (size_t i = 0; i < cnt; i++) {
		const struct go_group *g = walks[i].group;

		if (!parts[2 * i].is_read || !parts[2 * i + 1].is_read || states[i].sp != g->sp ||
		    states[i].pc != g->pc || (states[i].status & ~(uint32_t)GO_STATUS_SCAN) != g->status)
			walks[i].cnt = 0;
	}
	return err;
}

struct scratch {
	struct frame *frames;
	struct state *states;
	struct memory_part *parts;
	uint32_t *left;
};

static int walk_all(const struct go_process_reader *r, struct go_walk *walks, size_t cnt, struct scratch *t)
{
	size_t left = 0;
	int err = 0;

	for (size_t i = 0; i < cnt; i++) {
		walks[i].cnt = 1;
		walks[i].pcs[0] = walks[i].group->pc;
		walks[i].bp = walks[i].group->bp;
		if (is_go_text(r, walks[i].pcs[0]) && is_on_stack(&walks[i]))
			t->left[left++] = (uint32_t)i;
	}
	while (left && !err)
		err = walk_step(r, walks, t->left, &left, t->parts, t->frames);
	return err ? err : drop_those_that_ran(r, walks, cnt, t->parts, t->states);
}

int go_stacks_walk(const struct go_process_reader *r, struct go_walk *walks, size_t cnt)
{
	struct scratch t = {
		.frames = calloc(cnt + 1, sizeof(*t.frames)),
		.states = calloc(cnt + 1, sizeof(*t.states)),
		.parts = calloc(2 * cnt + 1, sizeof(*t.parts)),
		.left = calloc(cnt + 1, sizeof(*t.left)),
	};
	int err = t.frames && t.states && t.parts && t.left ? walk_all(r, walks, cnt, &t) : -ENOMEM;

	free(t.frames);
	free(t.states);
	free(t.parts);
	free(t.left);
	return err;
}

static uint64_t hash(const struct go_walk *w)
{
	uint64_t h = w->cnt;

	for (uint32_t i = 0; i < w->cnt; i++)
		h = (h ^ w->pcs[i] ^ h >> 32) * 0x9e3779b97f4a7c15ull;
	return h;
}

/* The pcs behind the last are 0 in both. */
static struct known *find(struct go_stacks *s, const struct go_walk *w)
{
	for (uint64_t key = hash(w);; key++) {
		struct known *k = u64map_find(&s->ids, key);

		if (!k && s->ids.cnt >= STACKS_MAX)
			return NULL;
		if (!k)
			k = u64map_get(&s->ids, key);
		if (!k || !k->id || !memcmp(k->pcs, w->pcs, sizeof(k->pcs)))
			return k;
	}
}

int go_stacks_give(struct go_stacks *s, uint32_t tgid, const struct go_walk *w, go_put put, void *ctx,
		   uint32_t *id)
{
	struct known *k = w->cnt ? find(s, w) : NULL;
	struct rec_stack rec = {.hdr = {REC_STACK_KIND, sizeof(rec)}, .tgid = tgid};
	const size_t pcs_size = sizeof(w->pcs);
	int err = 0;

	if (!k) {
		*id = 0;
		return 0;
	}
	if (!k->id) {
		_Static_assert(sizeof(rec) - offsetof(struct rec_stack, pc0) == sizeof(w->pcs), "as many pcs");
		memcpy(k->pcs, w->pcs, pcs_size);
		k->id = GO_STACK_FIRST_ID + (uint32_t)s->ids.cnt - 1;
		rec.id = k->id;
		memcpy((char *)&rec + offsetof(struct rec_stack, pc0), w->pcs, pcs_size);
		err = put(ctx, &rec, sizeof(rec));
	}
	*id = k->id;
	return err;
}
