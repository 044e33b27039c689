/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The labels that runtime/pprof.Do gives a goroutine, as a reader outside sees them. They are never changed
 * once set, but the garbage collector may free them while we look: a wrong text is possible, a crash is not.
 */
#include <errno.h>
#include <stdlib.h>

#include "memory.h"
#include "reader.h"

enum {
	LABELS_MAX = 32,	/* more are not read */
	TEXT_MAX = 200,		/* of one key or value: room for no more is in a record */
};

struct go_string {
	uint64_t data, len;
};

struct label {
	struct go_string key, value;
};

/* A Go slice: reflect.SliceHeader. */
struct go_slice {
	uint64_t data, len, cap;
};

/* Until 1.23, runtime/map.go: hmap and bmap of a map[string]string. */
struct map_head {
	uint64_t cnt;
	uint8_t flags, log2_buckets;
	uint16_t overflows;
	uint32_t hash;
	uint64_t buckets, old_buckets;
};

enum { MAP_SLOTS = 8, MAP_TOP_MIN = 5, MAP_SAME_SIZE = 8, MAP_LOG2_MAX = 4, MAP_CHAIN_MAX = 4 };

struct map_bucket {
	uint8_t top[MAP_SLOTS];		/* below MAP_TOP_MIN: the slot is empty, or has been moved */
	struct go_string key[MAP_SLOTS], value[MAP_SLOTS];
	uint64_t overflow;
};

_Static_assert(sizeof(struct map_bucket) == 272, "as the compiler lays it out");

struct labels {
	struct label all[LABELS_MAX];
	size_t cnt;
};

static void take_bucket(struct labels *l, const struct map_bucket *b)
{
	for (int i = 0; i < MAP_SLOTS && l->cnt < LABELS_MAX; i++)
		if (b->top[i] >= MAP_TOP_MIN)
			l->all[l->cnt++] = (struct label){b->key[i], b->value[i]};
}

static int read_buckets(uint32_t pid, uint64_t addr, uint32_t cnt, struct labels *l)
{
	for (uint32_t i = 0; i < cnt; i++) {
		uint64_t at = addr + i * sizeof(struct map_bucket);

		for (int chain = 0; at && chain < MAP_CHAIN_MAX; chain++) {
			struct map_bucket b;

			if (memory_read(pid, at, &b, sizeof(b)))
				return -EIO;
			take_bucket(l, &b);
			at = b.overflow;
		}
	}
	return 0;
}

/* A map that grows has entries in both arrays; those moved are marked in the old one. */
static int read_map(uint32_t pid, uint64_t labels, struct labels *l)
{
	struct map_head head;
	uint64_t addr;
	uint32_t old;

	if (memory_read(pid, labels, &addr, sizeof(addr)))
		return -EIO;
	if (!addr)
		return 0;
	if (memory_read(pid, addr, &head, sizeof(head)) || head.log2_buckets > MAP_LOG2_MAX)
		return -EIO;
	old = (head.flags & MAP_SAME_SIZE ? 2u : 1u) << head.log2_buckets >> 1;
	if (head.buckets && read_buckets(pid, head.buckets, 1u << head.log2_buckets, l))
		return -EIO;
	return head.old_buckets ? read_buckets(pid, head.old_buckets, old, l) : 0;
}

static int read_slice(uint32_t pid, uint64_t labels, struct labels *l)
{
	struct go_slice slice;

	if (memory_read(pid, labels, &slice, sizeof(slice)) || slice.len > slice.cap)
		return -EIO;
	l->cnt = slice.len < LABELS_MAX ? slice.len : LABELS_MAX;
	if (!l->cnt)
		return 0;
	return memory_read(pid, slice.data, l->all, (uint32_t)(l->cnt * sizeof(*l->all))) ? -EIO : 0;
}

struct label_text {
	char key[TEXT_MAX + 1], value[TEXT_MAX + 1];
};

static int read_string(uint32_t pid, const struct go_string *s, char text[TEXT_MAX + 1])
{
	uint32_t len = s->len < TEXT_MAX ? (uint32_t)s->len : TEXT_MAX;

	text[len] = '\0';
	return len && memory_read(pid, s->data, text, len) ? -EIO : 0;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct label_text *)a)->key, ((const struct label_text *)b)->key);
}

/* Whole labels only, as many as there is room for. */
static void join_texts(const struct label_text *texts, size_t cnt, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < cnt; i++) {
		size_t key = strlen(texts[i].key), value = strlen(texts[i].value);

		if (key + value + 2 + (used > 0) > size - used)
			continue;
		if (used)
			buf[used++] = ',';
		memcpy(buf + used, texts[i].key, key);
		buf[used + key] = '=';
		memcpy(buf + used + key + 1, texts[i].value, value + 1);
		used += key + 1 + value;
	}
}

int go_process_labels(struct go_process_reader *p, uint64_t labels, char *buf, size_t size)
{
	struct labels l = {.cnt = 0};
	struct label_text texts[LABELS_MAX];
	int err = p->runtime->layout.labels_map ? read_map(p->pid, labels, &l) : read_slice(p->pid, labels, &l);

	if (err || !size)
		return -EIO;
	for (size_t i = 0; i < l.cnt; i++)
		if (read_string(p->pid, &l.all[i].key, texts[i].key) ||
		    read_string(p->pid, &l.all[i].value, texts[i].value))
			return -EIO;
	qsort(texts, l.cnt, sizeof(*texts), by_key);
	join_texts(texts, l.cnt, buf, size);
	return 0;
}
