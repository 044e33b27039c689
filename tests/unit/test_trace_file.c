/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whole recordings: written, cut off, damaged, too new, and read back. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "src/trace/format.h"
#include "src/trace/reader.h"
#include "src/trace/writer.h"
#include "tests/unit/trace_streams.h"

/* A small recording: BLOCKS blocks of PER_BLOCK records. */
enum { BLOCKS = 3, PER_BLOCK = 4, CNT = BLOCKS * PER_BLOCK, MAX_FILE = 8192 };

struct sample {
	union any_record recs[CNT];
	uint8_t bytes[MAX_FILE];
	size_t len;
	size_t block_at[BLOCKS + 1];	/* where each begins, and the end */
};

/* What a reading gave. */
struct taken {
	union any_record recs[CNT];
	unsigned int cnt;
};

static int take(void *ctx, const void *rec, size_t len)
{
	struct taken *t = ctx;

	assert_true(t->cnt < CNT);
	memset(&t->recs[t->cnt], 0, sizeof(t->recs[0]));
	memcpy(&t->recs[t->cnt++], rec, len);
	return 0;
}

static int memory_file(const uint8_t *bytes, size_t len)
{
	int fd = memfd_create("recording", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Sends stderr to nowhere until it is given back: thousands of refusals are no output. */
static int hush(void)
{
	int kept = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	assert_true(kept >= 0 && null >= 0);
	dup2(null, STDERR_FILENO);
	close(null);
	return kept;
}

static void unhush(int kept)
{
	dup2(kept, STDERR_FILENO);
	close(kept);
}

static int read_bytes(const uint8_t *bytes, size_t len, struct taken *t, struct recording_stats *stats)
{
	struct recording *r;
	int err = recording_open_fd(memory_file(bytes, len), "test", &r);

	t->cnt = 0;
	if (err)
		return err;
	err = recording_read(r, take, t);
	*stats = *recording_stats(r);
	recording_close(r);
	return err;
}

static void make_sample(struct sample *out)
{
	struct stream s = stream_new(11);
	int fd = memfd_create("sample", MFD_CLOEXEC), keep = dup(fd);
	struct recording_writer *w;

	assert_int_equal(writer_open_fd(fd, "sample", &w), 0);
	for (unsigned int i = 0; i < CNT; i++) {
		if (i % PER_BLOCK == 0)
			out->block_at[i / PER_BLOCK] = writer_stats(w).bytes;
		assert_int_equal(writer_feed(w, &out->recs[i], stream_any(&s, &out->recs[i])), 0);
		if (i % PER_BLOCK == PER_BLOCK - 1)
			assert_int_equal(writer_flush(w), 0);
	}
	assert_int_equal(writer_stats(w).records, CNT);
	assert_int_equal(writer_stats(w).blocks, BLOCKS);
	assert_int_equal(writer_close(w), 0);
	out->len = (size_t)pread(keep, out->bytes, sizeof(out->bytes), 0);
	out->block_at[BLOCKS] = out->len;
	close(keep);
}

/* The blocks given by a mask came, whole and in order, and nothing else. */
static bool is_blocks(const struct taken *t, const struct sample *s, unsigned int mask)
{
	unsigned int cnt = 0;

	for (unsigned int b = 0; b < BLOCKS; b++) {
		if (!(mask >> b & 1))
			continue;
		if (t->cnt < cnt + PER_BLOCK || memcmp(&t->recs[cnt], &s->recs[b * PER_BLOCK],
						       PER_BLOCK * sizeof(t->recs[0])))
			return false;
		cnt += PER_BLOCK;
	}
	return t->cnt == cnt;
}

static struct sample sample;

static int set_up(void **state)
{
	(void)state;
	make_sample(&sample);
	return 0;
}

static void what_was_written_is_read(void **state)
{
	struct recording_stats stats;
	struct taken t;

	(void)state;
	assert_int_equal(read_bytes(sample.bytes, sample.len, &t, &stats), 0);
	assert_true(is_blocks(&t, &sample, 7));
	assert_int_equal(stats.records, CNT);
	assert_int_equal(stats.blocks, BLOCKS);
	assert_int_equal(stats.bytes, sample.len);
	assert_int_equal(stats.bad_blocks + stats.bad_records + stats.unknown_records + stats.cut, 0);
}

static void cut_anywhere_the_whole_blocks_are_read(void **state)
{
	int kept = hush();

	(void)state;
	for (size_t len = 0; len < sample.len; len++) {
		struct recording_stats stats;
		struct taken t;
		unsigned int whole = 0;
		int err = read_bytes(sample.bytes, len, &t, &stats);

		if (len < sample.block_at[0]) {
			assert_int_equal(err, -EBADMSG);
			continue;
		}
		while (sample.block_at[whole + 1] <= len)
			whole++;
		assert_int_equal(err, 0);
		assert_true(is_blocks(&t, &sample, (1u << whole) - 1));
		assert_int_equal(stats.cut, len != sample.block_at[whole]);
		assert_int_equal(stats.cut_at, stats.cut ? sample.block_at[whole] : 0);
		assert_int_equal(stats.bad_blocks, 0);
	}
	unhush(kept);
}

static void no_flipped_bit_makes_a_wrong_record(void **state)
{
	int kept = hush();

	(void)state;
	for (size_t bit = 0; bit < 8 * sample.len; bit++) {
		struct recording_stats stats;
		struct taken t;
		unsigned int hit = 0, before, rest;

		sample.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		int err = read_bytes(sample.bytes, sample.len, &t, &stats);

		sample.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (bit / 8 < sample.block_at[0]) {
			assert_true(err == -EBADMSG || err == -EPROTONOSUPPORT);
			continue;
		}
		while (sample.block_at[hit + 1] <= bit / 8)
			hit++;
		before = (1u << hit) - 1;
		rest = 7 & ~(1u << hit);
		/* Where a length was hit nothing behind can be found; else only that block is lost. */
		assert_int_equal(err, 0);
		assert_true(stats.cut ? is_blocks(&t, &sample, before) : is_blocks(&t, &sample, rest));
		assert_true(stats.cut || (stats.bad_blocks == 1 && stats.blocks == BLOCKS));
		if (bit / 8 >= sample.block_at[hit] + BLOCK_HEADER) {
			assert_false(stats.cut);
			assert_int_equal(stats.bad_records, PER_BLOCK);
		}
	}
	unhush(kept);
}

/* Makes the header's CRC right again. */
static void seal_header(uint8_t *bytes, size_t size)
{
	uLong crc = crc32(0, bytes, HEADER_CRC_AT);

	crc = crc32(crc, bytes + HEADER_FIXED, (uInt)(size - HEADER_FIXED));
	for (unsigned int i = 0; i < 4; i++)
		bytes[HEADER_CRC_AT + i] = (uint8_t)(crc >> 8 * i);
}

static void versions_are_minded(void **state)
{
	static const struct { unsigned int major, minor; int err; } rows[] = {
		{ FORMAT_MAJOR, FORMAT_MINOR, 0 }, { FORMAT_MAJOR, FORMAT_MINOR + 7, 0 },
		{ FORMAT_MAJOR + 1, 0, -EPROTONOSUPPORT }, { 0, 9, -EBADMSG },
	};
	int kept = hush();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sample s = sample;
		struct recording_stats stats;
		struct taken t;

		s.bytes[8] = (uint8_t)rows[i].major;
		s.bytes[10] = (uint8_t)rows[i].minor;
		seal_header(s.bytes, s.block_at[0]);
		assert_int_equal(read_bytes(s.bytes, s.len, &t, &stats), rows[i].err);
		assert_int_equal(t.cnt, rows[i].err ? 0 : CNT);
	}
	unhush(kept);
}

/* A newer minor version may put more behind the schema. */
static void a_longer_header_is_read(void **state)
{
	struct recording_stats stats;
	struct sample s = sample;
	size_t size = s.block_at[0];
	struct taken t;

	(void)state;
	memmove(s.bytes + size + 9, s.bytes + size, s.len - size);
	memset(s.bytes + size, 0x55, 9);
	s.bytes[12] += 9;	/* the header is shorter than 247 bytes */
	assert_true(s.bytes[12] > 9);
	seal_header(s.bytes, size + 9);
	assert_int_equal(read_bytes(s.bytes, s.len + 9, &t, &stats), 0);
	assert_true(is_blocks(&t, &sample, 7));
}

static void a_known_field_of_another_codec_is_refused(void **state)
{
	struct recording_stats stats;
	struct sample s = sample;
	struct taken t;
	int kept = hush();

	(void)state;
	s.bytes[HEADER_FIXED + 3] ^= 1;	/* the first field of the first kind */
	seal_header(s.bytes, s.block_at[0]);
	assert_int_equal(read_bytes(s.bytes, s.len, &t, &stats), -EBADMSG);
	unhush(kept);
}

static int stop_at_third(void *ctx, const void *rec, size_t len)
{
	(void)rec;
	(void)len;
	return ++*(unsigned int *)ctx == 3 ? -ENOMEM : 0;
}

static void a_file_rewinds_and_a_stopped_reading_says_why(void **state)
{
	struct recording *r;
	struct taken t = { .cnt = 0 };
	unsigned int cnt = 0;

	(void)state;
	assert_int_equal(recording_open_fd(memory_file(sample.bytes, sample.len), "test", &r), 0);
	assert_int_equal(recording_read(r, stop_at_third, &cnt), -ENOMEM);
	assert_int_equal(recording_rewind(r), 0);
	assert_int_equal(recording_read(r, take, &t), 0);
	assert_true(is_blocks(&t, &sample, 7));
	assert_int_equal(recording_stats(r)->records, CNT);
	recording_close(r);
}

static void a_pipe_is_read_but_does_not_rewind(void **state)
{
	struct taken t = { .cnt = 0 };
	struct recording *r;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], sample.bytes, sample.len), (ssize_t)sample.len);
	close(ends[1]);
	assert_int_equal(recording_open_fd(ends[0], "pipe", &r), 0);
	assert_int_equal(recording_read(r, take, &t), 0);
	assert_true(is_blocks(&t, &sample, 7));
	assert_int_equal(recording_rewind(r), -ESPIPE);
	recording_close(r);
}

static void a_file_is_private_and_emptied(void **state)
{
	char path[] = "/tmp/test_trace_file.XXXXXX";
	int fd = mkstemp(path);
	struct recording_writer *w;
	struct stat st;

	(void)state;
	assert_int_equal(write(fd, "old", 3), 3);
	assert_int_equal(fchmod(fd, 0644), 0);
	close(fd);
	assert_int_equal(writer_open(path, &w), 0);
	assert_int_equal(writer_feed(w, &sample.recs[0], sample.recs[0].hdr.len), 0);
	assert_int_equal(writer_close(w), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(st.st_size < 2048);
	unlink(path);
}

static void no_record_is_not_written(void **state)
{
	struct rec_end end = { .hdr = { .kind = REC_END_KIND, .len = sizeof(end) } };
	struct recording_writer *w;

	(void)state;
	assert_int_equal(writer_open_fd(memfd_create("w", MFD_CLOEXEC), "w", &w), 0);
	assert_int_equal(writer_feed(w, &end, sizeof(end) - 1), -EBADMSG);
	end.hdr.len--;
	assert_int_equal(writer_feed(w, &end, sizeof(end)), -EBADMSG);
	end.hdr = (struct rec_hdr){ .kind = REC_KIND_END, .len = sizeof(end) };
	assert_int_equal(writer_feed(w, &end, sizeof(end)), -EBADMSG);
	assert_int_equal(writer_flush(w), 0);
	assert_int_equal(writer_stats(w).blocks, 0);
	assert_int_equal(writer_close(w), 0);
}

/* A limit on file sizes stands for the disk: it, too, lets part of a block through. */
static void a_full_disk_is_told_by_each_call_and_leaves_whole_blocks(void **state)
{
	int kept = hush();
	struct recording_writer *w;
	struct rlimit before;

	(void)state;
	assert_int_equal(writer_open("/dev/full", &w), -ENOSPC);
	int fd = memfd_create("w", MFD_CLOEXEC), keep = dup(fd);

	assert_int_equal(writer_open_fd(fd, "w", &w), 0);
	assert_int_equal(writer_feed(w, &sample.recs[0], sample.recs[0].hdr.len), 0);
	assert_int_equal(writer_flush(w), 0);
	uint64_t whole = writer_stats(w).bytes;

	assert_int_equal(writer_feed(w, &sample.recs[1], sample.recs[1].hdr.len), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ .rlim_cur = whole + 3, .rlim_max = before.rlim_max });
	int err = writer_flush(w);

	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(err, -EFBIG);
	assert_int_equal(writer_feed(w, &sample.recs[2], sample.recs[2].hdr.len), -EFBIG);
	assert_int_equal(writer_stats(w).bytes, whole);
	assert_int_equal(writer_close(w), -EFBIG);
	assert_int_equal(lseek(keep, 0, SEEK_END), (off_t)whole);
	close(keep);
	unhush(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(cut_anywhere_the_whole_blocks_are_read),
		cmocka_unit_test(no_flipped_bit_makes_a_wrong_record),
		cmocka_unit_test(versions_are_minded),
		cmocka_unit_test(a_longer_header_is_read),
		cmocka_unit_test(a_known_field_of_another_codec_is_refused),
		cmocka_unit_test(a_file_rewinds_and_a_stopped_reading_says_why),
		cmocka_unit_test(a_pipe_is_read_but_does_not_rewind),
		cmocka_unit_test(a_file_is_private_and_emptied),
		cmocka_unit_test(no_record_is_not_written),
		cmocka_unit_test(a_full_disk_is_told_by_each_call_and_leaves_whole_blocks),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
