/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Each kind has a decoder, unrolled from its list as the encoders are. All reads go through
 * cursors, one a column: what a hostile block can do is to give wrong values, or to be refused.
 */
#include "codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "predictor.h"

static inline uint64_t unzigzag(uint64_t v)
{
	return v >> 1 ^ -(v & 1);
}

struct decoder {
	struct predictor predictor;
	struct codec_schema schema;
	struct cursor shapes;
	uint32_t kind_columns[SCHEMA_MAX_KINDS];	/* a kind's first column */
	uint32_t column_cnt;	/* not counting that of shapes */
	struct cursor columns[];
};

struct decoder *decoder_new(const struct codec_schema *schema)
{
	uint32_t cnt = 0;

	for (unsigned int kind = 0; kind < schema->kind_cnt; kind++)
		cnt += schema->kinds[kind].field_cnt;
	struct decoder *d = calloc(1, sizeof(*d) + cnt * sizeof(d->columns[0]));

	if (!d)
		return NULL;
	d->schema = *schema;
	for (unsigned int kind = 0; kind < schema->kind_cnt; kind++) {
		d->kind_columns[kind] = d->column_cnt;
		d->column_cnt += schema->kinds[kind].field_cnt;
	}
	if (predictor_init(&d->predictor)) {
		decoder_free(d);
		return NULL;
	}
	return d;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	predictor_done(&d->predictor);
	free(d);
}

static bool take_column(struct cursor *lengths, struct cursor *bytes, struct cursor *out)
{
	uint64_t len = cursor_varint(lengths);
	const uint8_t *at = len <= cursor_left(bytes) ? cursor_bytes(bytes, len) : NULL;

	if (lengths->bad || !at)
		return false;
	*out = cursor_of(at, len);
	return true;
}

int decoder_begin(struct decoder *d, const void *raw, size_t len)
{
	struct cursor lengths = cursor_of(raw, len), bytes = lengths;

	predictor_reset(&d->predictor);
	d->shapes = cursor_of(raw, 0);
	for (uint32_t i = 0; i <= d->column_cnt; i++)
		cursor_varint(&bytes);
	if (!take_column(&lengths, &bytes, &d->shapes))
		return -EBADMSG;
	for (uint32_t i = 0; i < d->column_cnt; i++)
		if (!take_column(&lengths, &bytes, &d->columns[i]))
			return -EBADMSG;
	return 0;
}

bool decoder_at_end(const struct decoder *d)
{
	return cursor_left(&d->shapes) == 0;
}

/* The read functions set *bad, and leave it where all is well. */
static inline uint64_t read_number(struct cursor *col, bool *bad)
{
	uint64_t v = cursor_varint(col);

	*bad |= col->bad;
	return unzigzag(v);
}

static void read_text(struct cursor *col, char *to, size_t size, bool *bad)
{
	uint64_t len = cursor_varint(col);
	const uint8_t *from = len <= size ? cursor_bytes(col, len) : NULL;

	if (from)
		memcpy(to, from, len);
	*bad |= !from || col->bad;
}

/* What a field is without its bit; LAST fields are there already, copied from `last`. */
#define EXPECT_ZERO(member) r->member = 0;
#define EXPECT_PREV(member) r->member = prev->member;
#define EXPECT_LAST(member)
#define EXPECT_TIME(member) r->member = 0;
#define EXPECT_FROM(member) r->member = 0;

/* What it is with it. */
#define VALUE_ZERO(member, ref) diff
#define VALUE_PREV(member, ref) ((uint64_t)r->member + diff)
#define VALUE_LAST(member, ref) ((uint64_t)r->member + diff)
#define VALUE_TIME(member, ref) (d->predictor.time += diff)
#define VALUE_FROM(member, ref) ((uint64_t)r->ref + diff)

#define BIT_NUMBER(type, member, codec, ref) bit_##member,
#define BIT_TEXT(member, bytes) bit_##member,
#define EXPECT_NUMBER(type, member, codec, ref) EXPECT_##codec(member)
#define EXPECT_TEXT(member, bytes) memset(r->member, 0, bytes);
#define READ_NUMBER(type, member, codec, ref) \
	case bit_##member: \
		diff = read_number(&cols[bit_##member], &bad); \
		r->member = (type)(VALUE_##codec(member, ref)); \
		break;
#define READ_TEXT(member, bytes) \
	case bit_##member: \
		read_text(&cols[bit_##member], r->member, bytes, &bad); \
		break;

/* First all as expected, then the few that differ. The key must be known before what it predicts. */
#define X(upper, lower) \
	static bool decode_##lower(struct decoder *d, uint64_t mask, \
				   struct rec_##lower *restrict r) \
	{ \
		enum { REC_##upper(BIT_NUMBER, BIT_TEXT) }; \
		const unsigned int kind = REC_##upper##_KIND; \
		struct cursor *cols = &d->columns[d->kind_columns[kind]]; \
		__attribute__((unused)) const struct rec_##lower *prev = &d->predictor.prev[kind].lower; \
		uint32_t key = key_of(prev); \
		bool bad = false; \
		uint64_t diff; \
		\
		if (lower##_last_cnt) { \
			if (mask & 1) \
				key += (uint32_t)read_number(&cols[0], &bad); \
			mask &= ~1ull; \
			memcpy(r, last_of(&d->predictor, kind, sizeof(*r), key), sizeof(*r)); \
		} \
		r->hdr = (struct rec_hdr){ .kind = kind, .len = sizeof(*r) }; \
		REC_##upper(EXPECT_NUMBER, EXPECT_TEXT) \
		if (lower##_last_cnt) \
			memcpy((char *)r + sizeof(r->hdr), &key, sizeof(key)); \
		for (; mask; mask &= mask - 1) \
			switch (__builtin_ctzll(mask)) { \
			REC_##upper(READ_NUMBER, READ_TEXT) \
			} \
		if (lower##_last_cnt) \
			last_set(&d->predictor, kind, sizeof(*r), r); \
		d->predictor.prev[kind].lower = *r; \
		return !bad; \
	}
RECORDS(X)
#undef X

/* Passes over the fields from `known` on. TIMEs count: their prediction goes from kind to kind. */
static bool skip_fields(struct decoder *d, const struct shape *s, unsigned int known)
{
	struct cursor *cols = &d->columns[d->kind_columns[s->kind]];
	bool bad = false;

	for (unsigned int i = known; i < d->schema.kinds[s->kind].field_cnt; i++) {
		uint8_t codec = d->schema.kinds[s->kind].codecs[i];

		if (!(s->mask >> i & 1))
			continue;
		if (codec == FIELD_TIME)
			d->predictor.time += read_number(&cols[i], &bad);
		else if (codec == FIELD_TEXT)
			bad |= !cursor_bytes(&cols[i], cursor_varint(&cols[i])) || cols[i].bad;
		else
			read_number(&cols[i], &bad);
	}
	return !bad;
}

/* The next record's kind and mask; kind 0 if they are damaged. */
static inline struct shape read_shape(struct decoder *d)
{
	uint64_t first = cursor_le(&d->shapes, 1);

	if (first >= 0x80)
		return d->predictor.shapes[first - 0x80];
	struct shape s = { .kind = (uint32_t)first, .mask = cursor_varint(&d->shapes) };
	uint32_t sent = d->schema.kinds[first].field_cnt;

	if (d->shapes.bad || sent == 0 || (sent < 64 && s.mask >> sent))
		return (struct shape){ .kind = 0 };
	*shape_slot(&d->predictor, s.kind, s.mask) = s;
	return s;
}

int decoder_next(struct decoder *d, union any_record *rec)
{
	struct shape s = read_shape(d);
	unsigned int known = 0;
	bool good = true;

	switch (s.kind) {
	case 0:
		return -EBADMSG;
#define X(upper, lower) \
	case REC_##upper##_KIND: \
		good = decode_##lower(d, s.mask, &rec->lower); \
		known = lower##_field_cnt; \
		break;
	RECORDS(X)
#undef X
	}
	if (known < d->schema.kinds[s.kind].field_cnt)
		good &= skip_fields(d, &s, known);
	if (!good)
		return -EBADMSG;
	return known ? rec->hdr.len : 0;
}
