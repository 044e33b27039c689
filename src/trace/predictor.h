/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the predictions of both directions are made of, and the arithmetic they share. Only for
 * encode.c and decode.c.
 */
#pragma once

#include <string.h>

#include "codec.h"

/*
 * The last record of each tid: a direct-mapped table. Tids that share a slot only spoil each
 * other's predictions; a tid that is not there is predicted from the last record of the kind.
 */
#define SLOT_BITS 12
#define SLOT_CNT (1u << SLOT_BITS)

/* Of each kind: the number of fields, and how many of them are LAST. */
#define COUNT_NUMBER(type, member, codec, ref) + 1
#define COUNT_TEXT(member, bytes) + 1
#define IS_LAST_ZERO 0
#define IS_LAST_PREV 0
#define IS_LAST_LAST 1
#define IS_LAST_TIME 0
#define IS_LAST_FROM 0
#define COUNT_LAST(type, member, codec, ref) + IS_LAST_##codec
#define COUNT_NOTHING(member, bytes)
#define X(upper, lower) \
	enum { \
		lower##_field_cnt = 0 REC_##upper(COUNT_NUMBER, COUNT_TEXT), \
		lower##_last_cnt = 0 REC_##upper(COUNT_LAST, COUNT_NOTHING), \
	};
RECORDS(X)
#undef X

/* The key of LAST is the first field. */
_Static_assert(offsetof(struct rec_wait, tid) == sizeof(struct rec_hdr), "tid is the first field");

struct shape {
	uint64_t mask;
	uint32_t kind;	/* 0: nothing noted */
};

/* What predictions are made of. */
struct predictor {
	uint64_t time;		/* the last TIME of the stream */
	struct shape shapes[1 << SHAPE_BITS];
	union any_record prev[REC_KIND_END];
	uint32_t round;		/* slots of earlier rounds are empty */
	uint32_t *rounds[REC_KIND_END];	/* of the slots; NULL: the kind has no LAST fields */
	void *slots[REC_KIND_END];
};

/* 0 or -ENOMEM; p is zeroed before. Done takes a half-built one. */
int predictor_init(struct predictor *p);
void predictor_done(struct predictor *p);
/* Forgets all records. */
void predictor_reset(struct predictor *p);

/* The key of a record: its first field, which is 32 bits wide behind the header in all kinds. */
static inline uint32_t key_of(const void *rec)
{
	uint32_t key;

	memcpy(&key, (const char *)rec + sizeof(struct rec_hdr), sizeof(key));
	return key;
}

/* The multipliers are 2^32 and 2^64 divided by the golden ratio: all bits matter at the top. */
static inline uint32_t slot_of(uint32_t key)
{
	return key * 0x9e3779b1u >> (32 - SLOT_BITS);
}

static inline struct shape *shape_slot(struct predictor *p, uint32_t kind, uint64_t mask)
{
	uint64_t hash = (mask * SCHEMA_MAX_KINDS + kind) * 0x9e3779b97f4a7c15u;

	return &p->shapes[hash >> (64 - SHAPE_BITS)];
}

/* The last record of this kind and key, or else of this kind. */
static inline const void *last_of(const struct predictor *p, unsigned int kind, size_t size,
				  uint32_t key)
{
	uint32_t slot = slot_of(key);
	const char *rec = (const char *)p->slots[kind] + slot * size;

	if (p->rounds[kind][slot] == p->round && key_of(rec) == key)
		return rec;
	return &p->prev[kind];
}

static inline void last_set(struct predictor *p, unsigned int kind, size_t size, const void *rec)
{
	uint32_t slot = slot_of(key_of(rec));

	p->rounds[kind][slot] = p->round;
	memcpy((char *)p->slots[kind] + slot * size, rec, size);
}
