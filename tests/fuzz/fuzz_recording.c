/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * libFuzzer target: hostile recordings through the reader, the decoder and the model.
 *
 * An input that begins as a recording does is read as one, CRCs ignored. Any other is taken as the raw
 * bytes of blocks, cut in two at a third, and framed here with deflate that stores: so the fuzzer
 * gets behind header and deflate to the columns.
 *
 *	fuzz_recording -close_fd_mask=2 tests/fuzz/corpus	(fd 2: what the reader says of each)
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "src/model/model.h"
#include "src/trace/format.h"
#include "src/trace/reader.h"
#include "src/trace/text.h"
#include "src/trace/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void span_none(void *ctx, const struct span *s)
{
	(void)ctx;
	(void)s;
}

static void counter_none(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	(void)ctx;
	(void)id;
	(void)tid;
	(void)n;
}

static void total_none(void *ctx, unsigned int count_id, uint64_t value)
{
	(void)ctx;
	(void)count_id;
	(void)value;
}

/* What is fed is a true record: it prints, and the model takes or counts it. */
static int feed(void *ctx, const void *rec, size_t len)
{
	char text[RECORD_TEXT_MAX];

	if (record_print(rec, len, text, sizeof(text)) < 0)
		abort();
	model_feed(ctx, rec, len);
	return 0;
}

static void write_or_die(int fd, const void *buf, size_t len)
{
	if (write(fd, buf, len) != (ssize_t)len)
		abort();
}

static void put_le32(uint8_t *to, uint32_t v)
{
	for (unsigned int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> 8 * i);
}

/* One deflate block that stores: final bit, length and its complement, bytes; at most 65535. */
static void write_block(int fd, const uint8_t *raw, size_t len)
{
	uint8_t head[BLOCK_HEADER + 5] = { 0 };

	put_le32(head, BLOCK_MAGIC);
	put_le32(head + 4, (uint32_t)len);
	put_le32(head + 8, (uint32_t)len + 5);
	head[BLOCK_HEADER] = 1;
	put_le32(head + BLOCK_HEADER + 1, (uint32_t)len | ~(uint32_t)len << 16);
	write_or_die(fd, head, sizeof(head));
	write_or_die(fd, raw, len);
}

/* A header as the writer makes it; it is the same each time. */
static void write_header(int fd)
{
	static uint8_t header[HEADER_MAX];
	static ssize_t size;
	struct recording_writer *w;

	if (size == 0) {
		int made = memfd_create("header", MFD_CLOEXEC);

		if (writer_open_fd(dup(made), "header", &w) || writer_close(w))
			abort();
		size = pread(made, header, sizeof(header), 0);
		close(made);
	}
	write_or_die(fd, header, (size_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span_sink sink = { .span = span_none, .counter = counter_none, .total = total_none };
	static int fd = -1;
	struct recording *r;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) || size > 65535)
		return -1;
	recording_ignore_crc(true);
	if (size >= 8 && memcmp(data, FORMAT_MAGIC, 8) == 0) {
		write_or_die(fd, data, size);
	} else {
		write_header(fd);
		write_block(fd, data, size - size / 3);
		write_block(fd, data + size - size / 3, size / 3);
	}
	lseek(fd, 0, SEEK_SET);
	if (recording_open_fd(dup(fd), "fuzz", &r))
		return 0;
	struct model *m = model_new(&sink);

	if (!m)
		abort();
	if (recording_read(r, feed, m) == 0)
		model_end(m);
	model_free(m);
	recording_close(r);
	return 0;
}
