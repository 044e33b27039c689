/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "reader.h"

#include "../base/err.h"
#include "../base/progress.h"
#include "codec.h"
#include "format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* Grows to what the largest block needs. */
struct buffer {
	uint8_t *bytes;
	size_t size;
};

struct block {
	uint32_t raw_len, zip_len, records;
	bool good;		/* its CRC is right */
};

struct recording {
	int fd;
	off_t begin;		/* of the header; -1: a pipe */
	char *name;
	uint64_t header_size;
	struct codec_schema schema;
	struct decoder *decoder;
	struct buffer zip, raw;
	z_stream unzip;
	bool unzip_ready;
	struct recording_stats stats;
	struct block block;	/* being decoded, if in_block */
	bool in_block;
	uint64_t given;		/* records of it */
	union any_record record;
};

static bool crc_ignored;

void recording_ignore_crc(bool ignore)
{
	crc_ignored = ignore;
}

/* Fills buf; less than len only at the end of the file. The number of bytes or -errno. */
static ssize_t read_full(struct recording *r, uint8_t *buf, size_t len)
{
	size_t pos = 0;

	while (pos < len) {
		ssize_t n = read(r->fd, buf + pos, len - pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int err = fail(-errno, "recording: '%s': read", r->name);

			hint_file(err);
			return err;
		}
		if (n == 0)
			break;
		pos += (size_t)n;
	}
	return (ssize_t)pos;
}

static int buffer_reserve(struct buffer *b, size_t size)
{
	if (size <= b->size)
		return 0;
	uint8_t *bytes = realloc(b->bytes, size);

	if (!bytes)
		return fail(-ENOMEM, "recording: a block of %zu bytes", size);
	*b = (struct buffer){ .bytes = bytes, .size = size };
	return 0;
}

static int refuse(const struct recording *r, const char *what)
{
	fail(-EBADMSG, "recording: '%s': %s", r->name, what);
	hint("'wakelag record -o FILE' makes a recording");
	return -EBADMSG;
}

/* A kind that both know must be written as it is read; it may have less fields or more. */
static bool same_codecs(const uint8_t *codecs, uint8_t field_cnt, const struct record_info *info)
{
	for (unsigned int i = 0; info && i < info->field_cnt && i < field_cnt; i++)
		if (info->fields[i].codec != codecs[i])
			return false;
	return true;
}

static bool read_schema(struct cursor *c, struct codec_schema *out)
{
	uint64_t kinds = cursor_le(c, 1);

	for (; kinds && !c->bad; kinds--) {
		uint64_t kind = cursor_le(c, 1), field_cnt = cursor_le(c, 1);
		const uint8_t *codecs = cursor_bytes(c, field_cnt);

		if (!codecs || kind == 0 || kind >= SCHEMA_MAX_KINDS ||
		    field_cnt > RECORD_MAX_FIELDS || out->kinds[kind].field_cnt ||
		    !same_codecs(codecs, (uint8_t)field_cnt, record_info((unsigned int)kind)))
			return false;
		out->kinds[kind].field_cnt = (uint8_t)field_cnt;
		memcpy(out->kinds[kind].codecs, codecs, field_cnt);
		if (out->kind_cnt <= kind)
			out->kind_cnt = (unsigned int)kind + 1;
	}
	return !c->bad;
}

static int read_header(struct recording *r)
{
	uint8_t fixed[HEADER_FIXED];
	ssize_t n = read_full(r, fixed, sizeof(fixed));

	if (n < 0)
		return (int)n;
	if (n < 8 || memcmp(fixed, FORMAT_MAGIC, 8) != 0)
		return refuse(r, "not a wakelag recording");
	if ((size_t)n < sizeof(fixed))
		return refuse(r, "cut off in its header: nothing was recorded");
	struct cursor c = cursor_of(fixed + 8, sizeof(fixed) - 8);
	unsigned int major = (unsigned int)cursor_le(&c, 2), minor = (unsigned int)cursor_le(&c, 2);
	uint32_t size = (uint32_t)cursor_le(&c, 4), crc = (uint32_t)cursor_le(&c, 4);

	if (major > FORMAT_MAJOR) {
		fail(-EPROTONOSUPPORT, "recording: '%s': format %u.%u, this wakelag reads up to %u.x", r->name,
		     major, minor, FORMAT_MAJOR);
		hint("read it with the wakelag that made it, or a newer one");
		return -EPROTONOSUPPORT;
	}
	if (major < 1 || size < HEADER_FIXED || size > HEADER_MAX)
		return refuse(r, "its header is damaged");
	uint8_t rest[HEADER_MAX];
	size_t rest_len = size - HEADER_FIXED;

	n = read_full(r, rest, rest_len);
	if (n < 0)
		return (int)n;
	if ((size_t)n < rest_len)
		return refuse(r, "cut off in its header: nothing was recorded");
	uLong is = crc32(crc32(0, fixed, HEADER_CRC_AT), rest, (uInt)rest_len);

	c = cursor_of(rest, rest_len);
	if ((is != crc && !crc_ignored) || !read_schema(&c, &r->schema))
		return refuse(r, "its header is damaged");
	r->header_size = size;
	r->stats.bytes = size;
	return 0;
}

static int prepare(struct recording *r)
{
	r->decoder = decoder_new(&r->schema);
	r->unzip_ready = inflateInit2(&r->unzip, -15) == Z_OK;
	if (!r->decoder || !r->unzip_ready)
		return fail(-ENOMEM, "recording: '%s'", r->name);
	return 0;
}

int recording_open_fd(int fd, const char *name, struct recording **out)
{
	struct recording *r = calloc(1, sizeof(*r));

	if (!r) {
		close(fd);
		return fail(-ENOMEM, "recording: '%s'", name);
	}
	r->fd = fd;
	r->begin = lseek(fd, 0, SEEK_CUR);
	r->name = strdup(name);
	int err = r->name ? read_header(r) : fail(-ENOMEM, "recording: '%s'", name);

	if (!err)
		err = prepare(r);
	if (err) {
		recording_close(r);
		return err;
	}
	*out = r;
	return 0;
}

int recording_open(const char *path, struct recording **out)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
			    open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		int err = fail(-errno, "recording: '%s': open", path);

		hint_file(err);
		return err;
	}
	return recording_open_fd(fd, is_stdin ? "stdin" : path, out);
}

void recording_close(struct recording *r)
{
	if (!r)
		return;
	if (r->unzip_ready)
		inflateEnd(&r->unzip);
	decoder_free(r->decoder);
	free(r->zip.bytes);
	free(r->raw.bytes);
	free(r->name);
	close(r->fd);
	free(r);
}

/*
 * Reads the next block's header and payload. 1; 0: there is none, *cut tells whether one was begun
 * or something else is there; -errno.
 */
static int read_block(struct recording *r, struct block *out, bool *cut)
{
	uint8_t head[BLOCK_HEADER];
	ssize_t n = read_full(r, head, sizeof(head));

	if (n < 0)
		return (int)n;
	*cut = n > 0;
	if ((size_t)n < sizeof(head))
		return 0;
	struct cursor c = cursor_of(head, sizeof(head));
	struct block b = { .good = false };
	uint32_t magic = (uint32_t)cursor_le(&c, 4);

	b.raw_len = (uint32_t)cursor_le(&c, 4);
	b.zip_len = (uint32_t)cursor_le(&c, 4);
	b.records = (uint32_t)cursor_le(&c, 4);
	if (magic != BLOCK_MAGIC || b.raw_len > BLOCK_RAW_MAX || b.zip_len > BLOCK_ZIP_MAX)
		return 0;
	int err = buffer_reserve(&r->zip, b.zip_len);

	if (err)
		return err;
	n = read_full(r, r->zip.bytes, b.zip_len);
	if (n < 0)
		return (int)n;
	if ((size_t)n < b.zip_len)
		return 0;
	uLong crc = crc32(crc32(0, head, BLOCK_CRC_AT), r->zip.bytes, b.zip_len);

	b.good = crc == cursor_le(&c, 4) || crc_ignored;
	*out = b;
	return 1;
}

/* 0, -EBADMSG if the payload is not raw_len bytes of deflate, -errno. */
static int inflate_block(struct recording *r, const struct block *b)
{
	int err = buffer_reserve(&r->raw, b->raw_len);

	if (err)
		return err;
	inflateReset(&r->unzip);
	r->unzip.next_in = r->zip.bytes;
	r->unzip.avail_in = b->zip_len;
	r->unzip.next_out = r->raw.bytes;
	r->unzip.avail_out = b->raw_len;
	if (inflate(&r->unzip, Z_FINISH) != Z_STREAM_END || r->unzip.avail_in || r->unzip.avail_out)
		return -EBADMSG;
	return 0;
}

/* Damage is counted: what the block said it had and did not give. */
static void block_done(struct recording *r)
{
	const struct block *b = &r->block;
	/* A record has at least a byte of shape: more than that is a lie. */
	uint64_t said = b->records < b->raw_len ? b->records : b->raw_len;

	r->in_block = false;
	r->stats.blocks++;
	r->stats.bytes += BLOCK_HEADER + b->zip_len;
	if (b->good && r->given == b->records)
		return;
	r->stats.bad_blocks++;
	r->stats.bad_records += said > r->given ? said - r->given : 0;
}

/* 1: the block is to be decoded, or was damaged and counted; 0: there is none; -errno. */
static int begin_block(struct recording *r)
{
	bool cut = false;
	int got = read_block(r, &r->block, &cut), err;

	if (got < 0)
		return got;
	if (got == 0) {
		r->stats.cut = cut;
		r->stats.cut_at = cut ? r->stats.bytes : 0;
		return 0;
	}
	r->given = 0;
	err = r->block.good ? inflate_block(r, &r->block) : -EBADMSG;
	if (err && err != -EBADMSG)
		return err;
	r->block.good = !err;
	r->in_block = !err && !decoder_begin(r->decoder, r->raw.bytes, r->unzip.total_out);
	if (!r->in_block)
		block_done(r);
	return 1;
}

/* The block's next record that this program knows: its length; 0: the block is over. */
static inline int next_in_block(struct recording *r)
{
	int len = 0;

	while (len == 0) {
		len = decoder_at_end(r->decoder) ? -EBADMSG : decoder_next(r->decoder, &r->record);
		if (len < 0) {
			block_done(r);
			return 0;
		}
		r->given++;
		r->stats.unknown_records += len == 0;
	}
	r->stats.records++;
	return len;
}

int recording_next(struct recording *r, const void **rec)
{
	int len = 0;

	while (!len) {
		int got = r->in_block ? 1 : begin_block(r);

		if (got <= 0)
			return got;
		len = r->in_block ? next_in_block(r) : 0;
	}
	*rec = &r->record;
	return len;
}

int recording_read(struct recording *r, int (*feed)(void *ctx, const void *rec, size_t len),
		   void *ctx)
{
	struct progress progress;
	struct stat st;
	int err = 0, got;

	progress_begin(&progress, r->name, fstat(r->fd, &st) || !S_ISREG(st.st_mode) ? 0 : (uint64_t)st.st_size);
	while (!err && (got = begin_block(r)) != 0) {
		int len = 0;

		err = got < 0 ? got : 0;
		while (!err && r->in_block && (len = next_in_block(r)) != 0)
			err = feed(ctx, &r->record, (size_t)len);
		progress_at(&progress, r->stats.bytes);
	}
	progress_end(&progress);
	return err;
}

int recording_rewind(struct recording *r)
{
	if (r->begin < 0 || lseek(r->fd, r->begin + (off_t)r->header_size, SEEK_SET) < 0)
		return -ESPIPE;
	r->stats = (struct recording_stats){ .bytes = r->header_size };
	r->in_block = false;
	return 0;
}

const struct recording_stats *recording_stats(const struct recording *r)
{
	return &r->stats;
}
