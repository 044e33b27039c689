/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Each kind has an encoder, unrolled from its list: offsets, sizes and codecs are constants there,
 * which is what makes a record cost tens of ns and not hundreds.
 */
#include "codec.h"

#include <stdlib.h>
#include <string.h>

#include "predictor.h"

/* A column is full while it still has room for one more field, the longest text included. */
#define COLUMN_SIZE 32768
#define COLUMN_FULL (COLUMN_SIZE - 512)

_Static_assert(sizeof(union any_record) + 10 < COLUMN_SIZE - COLUMN_FULL, "room for any text");

/* The columns: of shapes, then of each field of each kind. */
enum {
	SHAPE_COLUMN,
#define X(upper, lower) \
	lower##_column, lower##_last_column = lower##_column + lower##_field_cnt - 1,
	RECORDS(X)
#undef X
	COLUMN_CNT
};

/* A block's raw bytes begin with a varint for each column; no length needs more than 3 bytes. */
#define LENGTHS_SIZE (3 * COLUMN_CNT)

void codec_schema_own(struct codec_schema *out)
{
	*out = (struct codec_schema){ .kind_cnt = REC_KIND_END };
	for (unsigned int kind = 0; kind < REC_KIND_END; kind++) {
		const struct record_info *info = record_info(kind);

		out->kinds[kind].field_cnt = info ? (uint8_t)info->field_cnt : 0;
		for (unsigned int i = 0; i < out->kinds[kind].field_cnt; i++)
			out->kinds[kind].codecs[i] = info->fields[i].codec;
	}
}

static inline uint64_t zigzag(uint64_t v)
{
	return v << 1 ^ -(v >> 63);
}

/* A difference as a signed number of the field's own size: short also where the value wraps. */
static inline uint64_t wrapped(uint64_t diff, size_t size)
{
	unsigned int unused = 64 - 8 * (unsigned int)size;

	return (uint64_t)((int64_t)(diff << unused) >> unused);
}

struct column {
	uint8_t *at, *full;
};

struct encoder {
	struct predictor predictor;
	struct column columns[COLUMN_CNT];
	uint8_t lengths[LENGTHS_SIZE];
	uint8_t *bytes;		/* of the columns, COLUMN_SIZE each; what is unused costs no memory */
};

struct encoder *encoder_new(void)
{
	struct encoder *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->bytes = malloc((size_t)COLUMN_CNT * COLUMN_SIZE);
	if (!e->bytes || predictor_init(&e->predictor)) {
		encoder_free(e);
		return NULL;
	}
	encoder_reset(e);
	return e;
}

void encoder_free(struct encoder *e)
{
	if (!e)
		return;
	predictor_done(&e->predictor);
	free(e->bytes);
	free(e);
}

void encoder_reset(struct encoder *e)
{
	predictor_reset(&e->predictor);
	for (size_t i = 0; i < COLUMN_CNT; i++) {
		uint8_t *begin = e->bytes + i * COLUMN_SIZE;

		e->columns[i] = (struct column){ .at = begin, .full = begin + COLUMN_FULL };
	}
}

static inline uint8_t *write_varint(uint8_t *at, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*at++ = (uint8_t)(v | 0x80);
	*at++ = (uint8_t)v;
	return at;
}

/* The put functions tell whether the column is now full. */
static inline bool put_varint(struct column *col, uint64_t v)
{
	col->at = write_varint(col->at, v);
	return col->at > col->full;
}

static bool put_text(struct column *col, const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	put_varint(col, len);
	memcpy(col->at, text, len);
	col->at += len;
	return col->at > col->full;
}

static inline bool put_shape(struct encoder *e, uint32_t kind, uint64_t mask)
{
	struct column *col = &e->columns[SHAPE_COLUMN];
	struct shape *s = shape_slot(&e->predictor, kind, mask);

	if (s->kind == kind && s->mask == mask) {
		*col->at++ = (uint8_t)(0x80 | (s - e->predictor.shapes));
		return col->at > col->full;
	}
	*s = (struct shape){ .kind = kind, .mask = mask };
	*col->at++ = (uint8_t)kind;
	return put_varint(col, mask);
}

/* Each gives the difference to the prediction and sets `differs`. */
#define DIFF_ZERO(member, ref) (differs = r->member != 0, (uint64_t)r->member)
#define DIFF_PREV(member, ref) \
	(differs = r->member != prev->member, (uint64_t)r->member - (uint64_t)prev->member)
#define DIFF_LAST(member, ref) \
	(differs = r->member != last->member, (uint64_t)r->member - (uint64_t)last->member)
#define DIFF_FROM(member, ref) (differs = r->member != 0, (uint64_t)r->member - (uint64_t)r->ref)
#define DIFF_TIME(member, ref) (differs = r->member != 0, time_diff(&e->predictor, r->member))

static inline uint64_t time_diff(struct predictor *p, uint64_t time)
{
	uint64_t diff = time - p->time;

	if (time)
		p->time = time;
	return diff;
}

#define PUT_NUMBER(type, member, codec, ref) \
	diff = DIFF_##codec(member, ref); \
	if (differs) { \
		full |= put_varint(&cols[bit], zigzag(wrapped(diff, sizeof(type)))); \
		mask |= 1ull << bit; \
	} \
	bit++;
#define PUT_TEXT(member, bytes) \
	if (r->member[0]) { \
		full |= put_text(&cols[bit], r->member, bytes); \
		mask |= 1ull << bit; \
	} \
	bit++;

#define X(upper, lower) \
	static bool encode_##lower(struct encoder *e, const struct rec_##lower *r) \
	{ \
		const unsigned int kind = REC_##upper##_KIND; \
		struct column *cols = &e->columns[lower##_column]; \
		struct rec_##lower *prev = &e->predictor.prev[kind].lower; \
		__attribute__((unused)) const struct rec_##lower *last = prev; \
		uint64_t diff, mask = 0; \
		unsigned int bit = 0; \
		bool differs, full = false; \
		\
		if (lower##_last_cnt) \
			last = last_of(&e->predictor, kind, sizeof(*r), key_of(r)); \
		REC_##upper(PUT_NUMBER, PUT_TEXT) \
		full |= put_shape(e, kind, mask); \
		if (lower##_last_cnt) \
			last_set(&e->predictor, kind, sizeof(*r), r); \
		*prev = *r; \
		return full; \
	}
RECORDS(X)
#undef X

bool encoder_add(struct encoder *e, const void *rec)
{
	const union any_record *r = rec;

	switch (r->hdr.kind) {
#define X(upper, lower) case REC_##upper##_KIND: return encode_##lower(e, &r->lower);
	RECORDS(X)
#undef X
	}
	return false;
}

const uint8_t *encoder_piece(struct encoder *e, unsigned int i, size_t *len_out)
{
	if (i > COLUMN_CNT)
		return NULL;
	if (i > 0) {
		const uint8_t *begin = e->bytes + (size_t)(i - 1) * COLUMN_SIZE;

		*len_out = (size_t)(e->columns[i - 1].at - begin);
		return begin;
	}
	uint8_t *at = e->lengths;

	for (size_t col = 0; col < COLUMN_CNT; col++)
		at = write_varint(at, (size_t)(e->columns[col].at - e->bytes) - col * COLUMN_SIZE);
	*len_out = (size_t)(at - e->lengths);
	return e->lengths;
}

size_t encoder_max_bytes(void)
{
	return LENGTHS_SIZE + (size_t)COLUMN_CNT * COLUMN_SIZE;
}
