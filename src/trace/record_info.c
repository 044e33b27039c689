/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "record_info.h"

#include <string.h>

/*
 * The lists do not say which struct they belong to: a parameter `owner` of each kind's
 * function does. It is never read.
 */
#define NUMBER_ROW(type, member, codec_name, ref) \
	{ .name = #member, .offset = offsetof(__typeof__(*owner), member), .size = sizeof(type), \
	  .codec = FIELD_##codec_name, .is_signed = (type)-1 < (type)1 },
#define TEXT_ROW(member, bytes) \
	{ .name = #member, .offset = offsetof(__typeof__(*owner), member), .size = (bytes), \
	  .codec = FIELD_TEXT },

#define X(upper, lower) \
	static const struct record_info *lower##_info(const struct rec_##lower *owner) \
	{ \
		static const struct field_info fields[] = { REC_##upper(NUMBER_ROW, TEXT_ROW) }; \
		static const struct record_info info = { \
			.name = #lower, .kind = REC_##upper##_KIND, .size = sizeof(*owner), \
			.field_cnt = sizeof(fields) / sizeof(fields[0]), .fields = fields, \
		}; \
		_Static_assert(sizeof(fields) <= RECORD_MAX_FIELDS * sizeof(fields[0]), "long"); \
		(void)owner; \
		return &info; \
	}
RECORDS(X)
#undef X

const struct record_info *record_info(unsigned int kind)
{
	switch (kind) {
#define X(upper, lower) case REC_##upper##_KIND: return lower##_info(NULL);
	RECORDS(X)
#undef X
	}
	return NULL;
}

const struct record_info *record_info_named(const char *name, size_t len)
{
	for (unsigned int kind = 0; kind < REC_KIND_END; kind++) {
		const struct record_info *info = record_info(kind);

		if (info && strlen(info->name) == len && memcmp(info->name, name, len) == 0)
			return info;
	}
	return NULL;
}

const struct record_info *record_check(const void *rec, size_t len)
{
	const struct rec_hdr *hdr = rec;

	if (len < sizeof(*hdr) || hdr->len != len)
		return NULL;
	const struct record_info *info = record_info(hdr->kind);

	return info && info->size == len ? info : NULL;
}

uint64_t field_get(const struct field_info *f, const void *rec)
{
	const char *at = (const char *)rec + f->offset;
	union { uint8_t u8; uint16_t u16; uint32_t u32; uint64_t u64; } v = { .u64 = 0 };

	memcpy(&v, at, f->size);
	switch (f->size) {
	case 1:
		return f->is_signed ? (uint64_t)(int8_t)v.u8 : v.u8;
	case 2:
		return f->is_signed ? (uint64_t)(int16_t)v.u16 : v.u16;
	case 4:
		return f->is_signed ? (uint64_t)(int32_t)v.u32 : v.u32;
	}
	return v.u64;
}

void field_set(const struct field_info *f, void *rec, uint64_t value)
{
	char *at = (char *)rec + f->offset;
	union { uint8_t u8; uint16_t u16; uint32_t u32; uint64_t u64; } v = { .u64 = 0 };

	switch (f->size) {
	case 1:
		v.u8 = value;
		break;
	case 2:
		v.u16 = value;
		break;
	case 4:
		v.u32 = value;
		break;
	default:
		v.u64 = value;
	}
	memcpy(at, &v, f->size);
}
