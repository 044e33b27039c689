/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A note is a record without the rest of its texts behind their ends: a symbol has 400 bytes of which some
 * 60 are used. Notes are in the order in which they were first told, so that what refers comes behind.
 */
#include "head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/grow.h"
#include "../base/u64map.h"
#include "../trace/record_info.h"

enum {
	ENDED_MAX = 1 << 14,		/* ends that are held until they are asked for */
	SPARES_MAX = 8192,		/* tasks that are not traced: of those forked in a build each lives for a moment */
	SEEN_NS = 10000000,		/* the one who has the CPU is seen again and again */
	NOTE_BYTES = 64,		/* of a note beside its record: allocation, entry, index */
};

struct note {
	uint64_t key, told_ns;
	uint64_t seen_ns;	/* of a spare: when it last had a CPU that somebody waited for */
	uint32_t tid, tgid;	/* 0: of no thread, no process */
	bool is_spare;		/* a task that is not traced: only a competitor's name */
	char *packed;
	uint32_t len;
};

struct head {
	size_t max, bytes;
	struct note *notes;
	size_t cnt, room, spares;
	uint32_t last_seen;	/* tid, not looked up again before */
	uint64_t last_until_ns;
	struct u64map index;	/* key -> uint32_t, of the note, from 1 */
	struct u64map ended;	/* tid, or tgid with bit 32 set -> uint64_t, when */
	struct rec_clock clock;
	uint64_t now, left_out;
	bool is_full;		/* little can be dropped: not to be tried at each record */
};

#define ENDED_PROCESS (1ull << 32)

struct head *head_new(size_t max_bytes)
{
	struct head *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->max = max_bytes;
	u64map_init(&h->index, sizeof(uint32_t));
	u64map_init(&h->ended, sizeof(uint64_t));
	return h;
}

void head_free(struct head *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->cnt; i++)
		free(h->notes[i].packed);
	free(h->notes);
	u64map_done(&h->index);
	u64map_done(&h->ended);
	free(h);
}

/* FNV-1a, begun with a kind. */
static uint64_t hash_of(unsigned int kind, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t h = (0xcbf29ce484222325ull ^ kind) * 0x100000001b3ull;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h ^ h >> 32;
}

static uint64_t key_of_task(uint32_t tid)
{
	return (tid ^ (uint64_t)REC_TASK_KIND << 32) * 0x9e3779b97f4a7c15ull;
}

/* Whose it is and what its key is made of: a row for each kind that is noted. */
static bool note_of(const union any_record *r, struct note *out)
{
	uint64_t key[3] = {};

	switch (r->hdr.kind) {
	case REC_TASK_KIND:
		*out = (struct note){.tid = r->task.tid, .tgid = r->task.tgid,
				     .is_spare = !(r->task.flags & TASK_TRACKED), .key = key_of_task(r->task.tid)};
		return true;
	case REC_CGROUP_KIND:
		*out = (struct note){};
		key[0] = r->cgroup.id;
		break;
	case REC_FACT_KIND:
		*out = (struct note){};
		out->key = hash_of(REC_FACT_KIND, r->fact.name, strnlen(r->fact.name, sizeof(r->fact.name)));
		return true;
	case REC_GOPROC_KIND:
		*out = (struct note){.tgid = r->goproc.tgid};
		break;
	case REC_GOWORD_KIND:
		*out = (struct note){.tgid = r->goword.tgid};
		key[1] = (uint64_t)r->goword.word << 32 | r->goword.number;
		break;
	case REC_SYMBOL_KIND:
		*out = (struct note){.tgid = r->symbol.tgid};
		key[1] = r->symbol.pc;
		key[2] = r->symbol.depth;
		break;
	case REC_GOLABEL_KIND:
		*out = (struct note){.tgid = r->golabel.tgid};
		key[1] = r->golabel.labels;
		break;
	case REC_LOCK_KIND:
		*out = (struct note){.tgid = r->lock.tgid};
		key[1] = r->lock.futex;
		break;
	case REC_STACK_KIND:
		*out = (struct note){.tgid = r->stack.tgid};
		key[1] = r->stack.id;
		break;
	default:
		return false;
	}
	key[0] = key[0] ? key[0] : out->tgid;
	out->key = hash_of(r->hdr.kind, key, sizeof(key));
	return true;
}

static size_t pack(const union any_record *rec, char *to)
{
	const struct record_info *info = record_info(rec->hdr.kind);
	size_t at = info->size;

	for (size_t i = 0; i < info->field_cnt; i++)
		if (info->fields[i].codec == FIELD_TEXT && info->fields[i].offset < at)
			at = info->fields[i].offset;
	memcpy(to, rec, at);
	for (size_t i = 0; i < info->field_cnt; i++) {
		const struct field_info *f = &info->fields[i];
		const char *text = (const char *)rec + f->offset;
		size_t len = strnlen(text, f->size);

		if (f->codec != FIELD_TEXT)
			continue;
		memcpy(to + at, text, len);
		at += len;
		to[at++] = '\0';
	}
	return at;
}

static void unpack(const char *packed, union any_record *out)
{
	const struct record_info *info = record_info(((const struct rec_hdr *)packed)->kind);
	size_t at = info->size;

	*out = (union any_record){};
	for (size_t i = 0; i < info->field_cnt; i++)
		if (info->fields[i].codec == FIELD_TEXT && info->fields[i].offset < at)
			at = info->fields[i].offset;
	memcpy(out, packed, at);
	for (size_t i = 0; i < info->field_cnt; i++) {
		const struct field_info *f = &info->fields[i];
		size_t len;

		if (f->codec != FIELD_TEXT)
			continue;
		len = strlen(packed + at);
		memcpy((char *)out + f->offset, packed + at, len);
		at += len + 1;
	}
}

/* Keeps the notes that `keep` wants, in their order. */
static void sift(struct head *h, bool (*keep)(const struct head *h, const struct note *n, uint64_t arg), uint64_t arg)
{
	size_t kept = 0;

	u64map_clear(&h->index);
	for (size_t i = 0; i < h->cnt; i++) {
		struct note *n = &h->notes[i];
		uint32_t *index = keep(h, n, arg) ? u64map_get(&h->index, n->key) : NULL;

		if (!index) {
			h->spares -= n->is_spare;
			h->bytes -= n->len + NOTE_BYTES;
			free(n->packed);
			continue;
		}
		h->notes[kept++] = *n;
		*index = (uint32_t)kept;
	}
	h->cnt = kept;
}

static bool ended_before(const struct head *h, uint64_t id, uint64_t told_ns, uint64_t before_ns)
{
	const uint64_t *end = u64map_find(&h->ended, id);

	return end && *end >= told_ns && *end < before_ns;
}

static bool is_alive(const struct head *h, const struct note *n, uint64_t before_ns)
{
	return !(n->tid && ended_before(h, n->tid, n->told_ns, before_ns)) &&
	       !(n->tgid && ended_before(h, n->tgid | ENDED_PROCESS, n->told_ns, before_ns));
}

/* Ends that are not before then are kept for the next time. */
void head_forget(struct head *h, uint64_t before_ns)
{
	struct u64map later;
	uint64_t id, *end, *kept;
	size_t i = 0;

	h->is_full = false;
	if (!h->ended.cnt)
		return;
	sift(h, is_alive, before_ns);
	u64map_init(&later, sizeof(uint64_t));
	while ((end = u64map_next(&h->ended, &i, &id))) {
		kept = *end >= before_ns ? u64map_get(&later, id) : NULL;
		if (kept)
			*kept = *end;
	}
	u64map_done(&h->ended);
	h->ended = later;
}

static bool is_no_old_spare(const struct head *h, const struct note *n, uint64_t before_ns)
{
	(void)h;
	return !n->is_spare || n->seen_ns >= before_ns;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* When the younger half of the tasks that are not traced begins. */
static uint64_t middle_of_spares(const struct head *h)
{
	uint64_t *seen = calloc(h->cnt + 1, sizeof(*seen)), middle;
	size_t cnt = 0;

	for (size_t i = 0; seen && i < h->cnt; i++)
		if (h->notes[i].is_spare)
			seen[cnt++] = h->notes[i].seen_ns;
	if (cnt)
		qsort(seen, cnt, sizeof(*seen), by_number);
	middle = cnt ? seen[cnt / 2] + 1 : 0;
	free(seen);
	return middle;
}

static void make_room(struct head *h)
{
	if (h->is_full)
		return;
	head_forget(h, UINT64_MAX);
	if (h->bytes > h->max / 4 * 3)
		sift(h, is_no_old_spare, middle_of_spares(h));
	h->is_full = h->bytes > h->max / 4 * 3;
}

static int add(struct head *h, const struct note *n, const char *packed)
{
	struct note *grown;
	uint32_t *index;

	if (n->is_spare && h->spares >= SPARES_MAX)
		sift(h, is_no_old_spare, middle_of_spares(h));
	if (h->bytes + n->len + NOTE_BYTES > h->max)
		make_room(h);
	if (h->bytes + n->len + NOTE_BYTES > h->max) {
		h->left_out++;
		return 0;
	}
	grown = grow(h->notes, h->cnt, &h->room, sizeof(*h->notes));
	if (!grown)
		return -ENOMEM;
	h->notes = grown;
	grown[h->cnt] = *n;
	grown[h->cnt].packed = malloc(n->len);
	index = grown[h->cnt].packed ? u64map_get(&h->index, n->key) : NULL;
	if (!index) {
		free(grown[h->cnt].packed);
		return -ENOMEM;
	}
	memcpy(grown[h->cnt].packed, packed, n->len);
	h->bytes += n->len + NOTE_BYTES;
	h->spares += n->is_spare;
	*index = (uint32_t)++h->cnt;
	return 0;
}

static int replace(struct head *h, struct note *old, const struct note *n, const char *packed)
{
	char *mem = old->len == n->len ? old->packed : realloc(old->packed, n->len);

	if (!mem)
		return -ENOMEM;
	memcpy(mem, packed, n->len);
	h->bytes += n->len;
	h->bytes -= old->len;
	h->spares += n->is_spare;
	h->spares -= old->is_spare;
	*old = *n;
	old->packed = mem;
	return 0;
}

static int note_end(struct head *h, const struct rec_task_end *r)
{
	uint64_t *end = u64map_get(&h->ended, r->tid), *process;

	if (!end)
		return -ENOMEM;
	*end = h->now;
	process = r->tid == r->tgid ? u64map_get(&h->ended, r->tgid | ENDED_PROCESS) : end;
	if (!process)
		return -ENOMEM;
	*process = h->now;
	if (h->ended.cnt > ENDED_MAX)
		head_forget(h, UINT64_MAX);
	return 0;
}

static void note_time(struct head *h, const union any_record *r)
{
	uint64_t time = r->hdr.kind == REC_WAIT_KIND ? r->wait.ran :
			r->hdr.kind == REC_SLICE_KIND ? r->slice.end :
			r->hdr.kind == REC_GO_KIND ? r->go.ran :
			r->hdr.kind == REC_TASK_KIND ? r->task.time :
			r->hdr.kind == REC_TASK_END_KIND ? r->task_end.time :
			r->hdr.kind == REC_COUNT_KIND ? r->count.time :
			r->hdr.kind == REC_CLOCK_KIND ? r->clock.time : 0;

	if (time > h->now)
		h->now = time;
}

/* One that is seen keeps its name. */
static void note_seen(struct head *h, uint32_t tid)
{
	uint32_t *index;

	if (!tid || tid == BY_SLICES || (tid == h->last_seen && h->now < h->last_until_ns))
		return;
	h->last_seen = tid;
	h->last_until_ns = h->now + SEEN_NS;
	index = u64map_find(&h->index, key_of_task(tid));
	if (index)
		h->notes[*index - 1].seen_ns = h->now;
}

/* An id that is used again is another thread's, or process's. */
static void note_begin(struct head *h, const struct rec_task *t)
{
	uint64_t *thread = u64map_find(&h->ended, t->tid), *process = u64map_find(&h->ended, t->tgid | ENDED_PROCESS);

	if (thread)
		*thread = 0;
	if (process)
		*process = 0;
}

int head_note(struct head *h, const void *rec)
{
	const union any_record *r = rec;
	char packed[sizeof(union any_record) + 8];
	uint32_t *index;
	struct note n;

	note_time(h, r);
	if (r->hdr.kind == REC_SLICE_KIND)
		note_seen(h, r->slice.tid);
	if (r->hdr.kind == REC_WAIT_KIND)
		note_seen(h, r->wait.by);
	if (r->hdr.kind == REC_CLOCK_KIND)
		h->clock = r->clock;
	if (r->hdr.kind == REC_TASK_END_KIND && r->task_end.exited)
		return note_end(h, &r->task_end);
	if (r->hdr.kind == REC_TASK_KIND)
		note_begin(h, &r->task);
	if (!note_of(r, &n))
		return 0;
	n.told_ns = n.seen_ns = h->now;
	n.len = (uint32_t)pack(r, packed);
	index = u64map_find(&h->index, n.key);
	return index ? replace(h, &h->notes[*index - 1], &n, packed) : add(h, &n, packed);
}

int head_give(const struct head *h, uint64_t now, int (*feed)(void *ctx, const void *rec, size_t len), void *ctx)
{
	union any_record r = {.clock = h->clock};
	int err;

	r.clock.hdr = (struct rec_hdr){REC_CLOCK_KIND, sizeof(r.clock)};
	r.clock.time = now;
	err = feed(ctx, &r, r.hdr.len);
	for (size_t i = 0; !err && i < h->cnt; i++) {
		unpack(h->notes[i].packed, &r);
		if (r.hdr.kind == REC_TASK_KIND) {
			r.task.time = now;
			r.task.flags &= ~(uint32_t)(TASK_FORKED | TASK_EXECED);
		} else if (r.hdr.kind == REC_GOPROC_KIND) {
			r.goproc.time = now;
		}
		err = feed(ctx, &r, r.hdr.len);
	}
	return err;
}

uint64_t head_now(const struct head *h)
{
	return h->now;
}

int64_t head_realtime(const struct head *h)
{
	return h->clock.realtime;
}

uint64_t head_left_out(const struct head *h)
{
	return h->left_out;
}
