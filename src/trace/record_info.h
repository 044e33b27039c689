/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the record kinds look like, as tables made from the field lists of bpf/record.h, for code
 * that handles any kind: text form, file header, checks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/record.h"

/* A longer list would have no room in the file's bit mask. */
#define RECORD_MAX_FIELDS 64

/* The codecs of bpf/record.h, and text. These numbers are in files. */
enum field_codec {
	FIELD_ZERO = 0, FIELD_PREV = 1, FIELD_LAST = 2, FIELD_TIME = 3, FIELD_FROM = 4,
	FIELD_TEXT = 5,
	FIELD_CODEC_CNT,
};

struct field_info {
	const char *name;
	uint16_t offset, size;	/* bytes; the size of a number is 1, 2, 4 or 8 */
	uint8_t codec;		/* enum field_codec */
	bool is_signed;
};

struct record_info {
	const char *name;
	uint16_t kind, size;	/* size of the struct, the header included */
	uint16_t field_cnt;
	const struct field_info *fields;
};

/* Room for one record of any kind, aligned for it. */
union any_record {
	struct rec_hdr hdr;
#define X(upper, lower) struct rec_##lower lower;
	RECORDS(X)
#undef X
};

/* NULL: no such kind. */
const struct record_info *record_info(unsigned int kind);
/* By a name that is len bytes long; NULL: no such kind. */
const struct record_info *record_info_named(const char *name, size_t len);
/* The kind of rec if its header is true: kind known, length right and equal to len; else NULL. */
const struct record_info *record_check(const void *rec, size_t len);

/* A number field's value, sign-extended to 64 bits if the field is signed. */
uint64_t field_get(const struct field_info *f, const void *rec);
void field_set(const struct field_info *f, void *rec, uint64_t value);
