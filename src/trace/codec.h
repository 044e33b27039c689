/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Records to and from the bytes of one block, by the codecs of the field lists of bpf/record.h.
 *
 * A block is a set of columns: one of shapes, then one for each field of each kind, by number. A
 * record puts its kind and a mask into the first, and the fields whose bits are set (those that
 * differ from their prediction) into theirs. Values of one field have much in common: columns are a
 * fifth smaller than records one by one, and need no search for repeats.
 *
 *	shape	0x80 | i: the kind and mask last noted at i; else a byte with the kind, then the
 *		mask as a varint, which are thereby noted at i, a hash of them
 *	number	zigzag varint of value - prediction, wrapped to the field's size
 *	text	varint length, bytes (up to the first NUL)
 *
 * Raw bytes of a block: varint length of each column, then the columns. Predictions start afresh in
 * each block, so blocks are independent. The reader is told by a schema which fields the writer
 * had: missing ones are 0, unknown ones are passed over.
 */
#pragma once

#include "cursor.h"
#include "record_info.h"

/* The shape byte has room for so many kinds, and for so many noted shapes. */
#define SCHEMA_MAX_KINDS 128
#define SHAPE_BITS 7

struct codec_schema {
	unsigned int kind_cnt;
	struct {
		uint8_t field_cnt;	/* <= RECORD_MAX_FIELDS; 0: the writer had no such kind */
		uint8_t codecs[RECORD_MAX_FIELDS];	/* enum field_codec */
	} kinds[SCHEMA_MAX_KINDS];
};

/* The schema of this program. */
void codec_schema_own(struct codec_schema *out);

struct encoder;

struct encoder *encoder_new(void);	/* NULL: no memory */
void encoder_free(struct encoder *e);
/* Begins an empty block. */
void encoder_reset(struct encoder *e);
/* Adds rec, which record_check() knows. True: the block is full, it must be taken and reset. */
bool encoder_add(struct encoder *e, const void *rec);
/*
 * The block's raw bytes in pieces: piece i from 0 on until NULL, some of them empty. Valid until
 * the next add or reset.
 */
const uint8_t *encoder_piece(struct encoder *e, unsigned int i, size_t *len_out);
/* No block has more raw bytes. */
size_t encoder_max_bytes(void);

struct decoder;

/* schema is copied. NULL: no memory. */
struct decoder *decoder_new(const struct codec_schema *schema);
void decoder_free(struct decoder *d);
/* Begins with a block's raw bytes, which stay the caller's and in place. 0 or -EBADMSG. */
int decoder_begin(struct decoder *d, const void *raw, size_t len);
/* True: the block has no more records. */
bool decoder_at_end(const struct decoder *d);
/*
 * Reads the next record into rec. Its size; 0: passed over, a kind that this program does not know;
 * -EBADMSG: damaged, the rest of the block can't be read.
 */
int decoder_next(struct decoder *d, union any_record *rec);
