/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Records through one block and back: what comes out, and how many bytes and ns it takes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include <cmocka.h>

#include "src/trace/codec.h"
#include "src/trace/text.h"
#include "tests/unit/trace_streams.h"

/* The block so far as the one piece a decoder takes; to be freed. */
static uint8_t *raw_of(struct encoder *e, size_t *len_out)
{
	uint8_t *raw = malloc(encoder_max_bytes());
	const uint8_t *piece;
	size_t pos = 0, len;

	assert_non_null(raw);
	for (unsigned int i = 0; (piece = encoder_piece(e, i, &len)); i++) {
		memcpy(raw + pos, piece, len);
		pos += len;
	}
	*len_out = pos;
	return raw;
}

static union any_record parsed(const char *line)
{
	union any_record rec;
	char why[128];
	size_t len;

	if (record_parse(line, &rec, sizeof(rec), &len, why, sizeof(why)))
		fail_msg("%s: %s", line, why);
	return rec;
}

static void any_records_come_back_exactly(void **state)
{
	enum { CNT = 3000 };
	static union any_record recs[CNT];
	struct stream s = stream_new(1);
	struct codec_schema schema;
	struct encoder *e = encoder_new();

	(void)state;
	codec_schema_own(&schema);
	struct decoder *d = decoder_new(&schema);

	for (unsigned int round = 0; round < 10; round++) {
		unsigned int cnt = 0;
		size_t len;

		encoder_reset(e);
		do
			stream_any(&s, &recs[cnt]);
		while (!encoder_add(e, &recs[cnt++]) && cnt < CNT);
		uint8_t *raw = raw_of(e, &len);

		assert_int_equal(decoder_begin(d, raw, len), 0);
		for (unsigned int i = 0; i < cnt; i++) {
			union any_record got;

			assert_false(decoder_at_end(d));
			assert_int_equal(decoder_next(d, &got), recs[i].hdr.len);
			assert_memory_equal(&got, &recs[i], recs[i].hdr.len);
		}
		assert_true(decoder_at_end(d));
		free(raw);
	}
	decoder_free(d);
	encoder_free(e);
}

enum { EDGE_CNT = 8 };

/* Step by step each field of rec takes each edge value; it ends with the last one. */
static void set_edge(const struct record_info *info, size_t step, union any_record *rec)
{
	static const uint64_t edges[EDGE_CNT] = {
		0, 1, UINT64_MAX, 1ull << 63, INT64_MAX, 0x80, 0x7fff, 0x80000000,
	};
	const struct field_info *f = &info->fields[step / EDGE_CNT];

	if (step == 0) {
		memset(rec, 0, sizeof(*rec));
		rec->hdr = (struct rec_hdr){ .kind = info->kind, .len = info->size };
	}
	if (f->codec == FIELD_TEXT)
		memset((char *)rec + f->offset, 'x', step % EDGE_CNT ? f->size : 0);
	else
		field_set(f, rec, edges[step % EDGE_CNT]);
}

static void each_field_of_each_kind_takes_its_edges(void **state)
{
	struct codec_schema schema;
	struct encoder *e = encoder_new();

	(void)state;
	codec_schema_own(&schema);
	struct decoder *d = decoder_new(&schema);

	for (unsigned int kind = 1; kind < REC_KIND_END; kind++) {
		const struct record_info *info = record_info(kind);
		union any_record want, got;
		size_t len;

		/* First all records in, then all out, made again the same way. */
		encoder_reset(e);
		for (size_t step = 0; step < info->field_cnt * EDGE_CNT; step++) {
			set_edge(info, step, &want);
			assert_false(encoder_add(e, &want));
		}
		uint8_t *raw = raw_of(e, &len);

		assert_int_equal(decoder_begin(d, raw, len), 0);
		for (size_t step = 0; step < info->field_cnt * EDGE_CNT; step++) {
			set_edge(info, step, &want);
			assert_int_equal(decoder_next(d, &got), info->size);
			assert_memory_equal(&got, &want, info->size);
		}
		assert_true(decoder_at_end(d));
		free(raw);
	}
	decoder_free(d);
	encoder_free(e);
}

static void text_ends_at_the_first_nul(void **state)
{
	union any_record rec = parsed("task tid=1 comm=abc"), got;
	struct codec_schema schema;
	struct encoder *e = encoder_new();
	size_t len;

	(void)state;
	codec_schema_own(&schema);
	struct decoder *d = decoder_new(&schema);

	rec.task.comm[8] = 'x';	/* what a kernel may leave behind a shorter new name */
	encoder_add(e, &rec);
	uint8_t *raw = raw_of(e, &len);

	assert_int_equal(decoder_begin(d, raw, len), 0);
	assert_int_equal(decoder_next(d, &got), sizeof(struct rec_task));
	rec.task.comm[8] = '\0';
	assert_memory_equal(&got, &rec, sizeof(struct rec_task));
	free(raw);
	decoder_free(d);
	encoder_free(e);
}

/* An older program's block is ours without the columns of the fields that it did not have. */
static void fields_that_the_writer_lacked_are_zero(void **state)
{
	const union any_record recs[] = {
		parsed("end reason=signal time=77"), parsed("end reason=error time=79"),
	};
	struct codec_schema schema;
	struct encoder *e = encoder_new();
	union any_record got;
	size_t len;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		encoder_add(e, &recs[i]);
	uint8_t *raw = raw_of(e, &len);

	/* END is the last kind: its last two lengths, of status and pad, are cut out. */
	codec_schema_own(&schema);
	unsigned int columns = 1;

	for (unsigned int kind = 0; kind < schema.kind_cnt; kind++)
		columns += schema.kinds[kind].field_cnt;
	assert_int_equal(raw[columns - 2] | raw[columns - 1], 0);
	memmove(raw + columns - 2, raw + columns, len - columns);
	schema.kinds[REC_END_KIND].field_cnt -= 2;
	struct decoder *d = decoder_new(&schema);

	assert_int_equal(decoder_begin(d, raw, len - 2), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(decoder_next(d, &got), sizeof(struct rec_end));
		assert_memory_equal(&got, &recs[i], sizeof(struct rec_end));
	}
	assert_true(decoder_at_end(d));
	free(raw);
	decoder_free(d);
	encoder_free(e);
}

/* A newer program, of two kinds: COUNT has a TIME more than here, kind 100 is unknown. */
static struct codec_schema newer_schema(void)
{
	struct codec_schema schema = { .kind_cnt = 101 };

	schema.kinds[REC_COUNT_KIND].field_cnt = 4;
	memcpy(schema.kinds[REC_COUNT_KIND].codecs,
	       (uint8_t[]){ FIELD_PREV, FIELD_TIME, FIELD_ZERO, FIELD_TIME }, 4);
	schema.kinds[100].field_cnt = 3;
	memcpy(schema.kinds[100].codecs, (uint8_t[]){ FIELD_TIME, FIELD_TEXT, FIELD_ZERO }, 3);
	return schema;
}

static void unknown_kinds_and_fields_are_passed_over(void **state)
{
	static const uint8_t raw[] = {
		6, 1, 2, 1, 1, 1, 3, 1,	/* lengths: shapes, 4 columns of COUNT, 3 of kind 100 */
		REC_COUNT_KIND, 0xf, 100, 0x7, REC_COUNT_KIND, 0x2,
		2, 10, 4, 6, 6,		/* id 1; time 5 and, at last, + 2; value 3; new time + 3 */
		20, 2, 'h', 'i', 9,	/* time + 10, "hi", -5 */
	};
	struct codec_schema schema = newer_schema();
	struct decoder *d = decoder_new(&schema);
	union any_record got, want = parsed("count id=1 time=5 value=3");

	(void)state;
	assert_int_equal(decoder_begin(d, raw, sizeof(raw)), 0);
	assert_int_equal(decoder_next(d, &got), sizeof(struct rec_count));
	assert_memory_equal(&got, &want, sizeof(struct rec_count));
	assert_int_equal(decoder_next(d, &got), 0);
	assert_int_equal(decoder_next(d, &got), sizeof(struct rec_count));
	want = parsed("count id=1 time=20");	/* 5, 3 and 10 of what was passed over, 2 */
	assert_memory_equal(&got, &want, sizeof(struct rec_count));
	assert_true(decoder_at_end(d));
	decoder_free(d);
}

static void damage_is_refused(void **state)
{
	static const struct { const char *what; size_t len; uint8_t bytes[32]; } rows[] = {
		{ "nothing", 0, { 0 } },
		{ "a column longer than the block", 9, { 2, 0, 0, 0, 0, 0, 0, 0, 6 } },
		{ "a length that does not end", 9, { 0, 0, 0, 0, 0, 0, 0, 0x80, 0x80 } },
		{ "an unknown shape", 9, { 1, 0, 0, 0, 0, 0, 0, 0, 0x81 } },
		{ "kind 0", 10, { 2, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
		{ "a kind that the schema lacks", 10, { 2, 0, 0, 0, 0, 0, 0, 0, 1, 0 } },
		{ "a field that the schema lacks", 10, { 2, 0, 0, 0, 0, 0, 0, 0, 6, 0x10 } },
		{ "no mask", 9, { 1, 0, 0, 0, 0, 0, 0, 0, 6 } },
		{ "a value that is not there", 10, { 2, 0, 0, 0, 0, 0, 0, 0, 6, 1 } },
		{ "a value that does not end", 11, { 2, 1, 0, 0, 0, 0, 0, 0, 6, 1, 0x80 } },
		{ "a text longer than its column", 13, { 2, 0, 0, 0, 0, 0, 3, 0, 100, 2, 3, 'h', 'i' } },
	};
	struct codec_schema schema = newer_schema();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decoder *d = decoder_new(&schema);
		uint8_t *bytes = malloc(rows[i].len + 1);	/* exact, for ASan */
		union any_record got;

		memcpy(bytes + 1, rows[i].bytes, rows[i].len);
		if (decoder_begin(d, bytes + 1, rows[i].len) == 0 && decoder_next(d, &got) != -EBADMSG)
			fail_msg("%s was read", rows[i].what);
		free(bytes);
		decoder_free(d);
	}
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The writer's own deflate settings; the times are for the reader of the test's output, not checked. */
static void a_wait_takes_at_most_16_bytes(void **state)
{
	enum { CNT = 100000 };
	static const struct { const char *name; struct rec_wait (*next)(struct stream *s); } rows[] = {
		{ "ping-pong", stream_ping_pong }, { "server", stream_server }, { "sleepers", stream_sleepers },
	};
	struct rec_wait *recs = malloc(CNT * sizeof(*recs));
	struct codec_schema schema;
	struct encoder *e = encoder_new();
	size_t zip_max = encoder_max_bytes() + 65536;
	uint8_t *zip_buf = malloc(zip_max);

	(void)state;
	codec_schema_own(&schema);
	struct decoder *d = decoder_new(&schema);

	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		struct stream s = stream_new(7);
		uint64_t encode_ns = 0, deflate_ns = 0, decode_ns = 0, bytes = 0;

		for (unsigned int i = 0; i < CNT; i++)
			recs[i] = rows[row].next(&s);
		for (unsigned int i = 0; i < CNT;) {
			unsigned int begin = i;
			z_stream zip = { .next_out = zip_buf, .avail_out = (uInt)zip_max };
			union any_record got;
			size_t len;

			encoder_reset(e);
			encode_ns -= cpu_ns();
			while (i < CNT && !encoder_add(e, &recs[i++]))
				;
			encode_ns += cpu_ns();
			uint8_t *raw = raw_of(e, &len);

			zip.next_in = raw;
			zip.avail_in = (uInt)len;
			deflateInit2(&zip, 1, Z_DEFLATED, -15, 8, Z_RLE);
			deflate_ns -= cpu_ns();
			assert_int_equal(deflate(&zip, Z_FINISH), Z_STREAM_END);
			deflate_ns += cpu_ns();
			bytes += zip.total_out;
			deflateEnd(&zip);
			decode_ns -= cpu_ns();
			assert_int_equal(decoder_begin(d, raw, len), 0);
			for (unsigned int j = begin; j < i; j++)
				if (decoder_next(d, &got) != sizeof(recs[j]) ||
				    got.wait.ran != recs[j].ran)
					fail_msg("record %u came back otherwise", j);
			decode_ns += cpu_ns();
			free(raw);
		}
		printf("# %s: %.2f bytes; encode %.0f, deflate %.0f, decode %.0f ns a record\n",
		       rows[row].name, (double)bytes / CNT, (double)encode_ns / CNT,
		       (double)deflate_ns / CNT, (double)decode_ns / CNT);
		assert_true(bytes <= 16 * CNT);
	}
	decoder_free(d);
	encoder_free(e);
	free(zip_buf);
	free(recs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_records_come_back_exactly),
		cmocka_unit_test(each_field_of_each_kind_takes_its_edges),
		cmocka_unit_test(text_ends_at_the_first_nul),
		cmocka_unit_test(fields_that_the_writer_lacked_are_zero),
		cmocka_unit_test(unknown_kinds_and_fields_are_passed_over),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(a_wait_takes_at_most_16_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
