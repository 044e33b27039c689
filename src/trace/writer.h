/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Writes a recording (format.h). Records gather in a block, which is written when it is full or on
 * flush: what was flushed survives a crash. Failures are printed, once; after one, all calls return
 * it and the file stays readable up to its last whole block.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct recording_writer;

struct writer_stats {
	uint64_t bytes, records, blocks;	/* written, records of the open block not counted */
};

/* Makes or empties the file, mode 0600. 0 or -errno. */
int writer_open(const char *path, struct recording_writer **out);
/* The same to an open file or pipe; name is for messages. Owns fd from the call on, failed or not. */
int writer_open_fd(int fd, const char *name, struct recording_writer **out);
/*
 * The same to memory: put gets the header first, then one whole block a call. 0 or -errno, which is sticky as
 * a failed write is.
 */
int writer_open_blocks(int (*put)(void *ctx, const uint8_t *bytes, size_t len), void *ctx,
		       struct recording_writer **out);
/* Adds one record. 0; -EBADMSG: no record of bpf/record.h, not printed, not sticky; -errno. */
int writer_feed(struct recording_writer *w, const void *rec, size_t len);
/* Writes the block so far, if there are records in it. 0 or -errno. */
int writer_flush(struct recording_writer *w);
/* Flushes, then appends whole blocks that another writer of this program made. 0 or -errno. */
int writer_add_blocks(struct recording_writer *w, const uint8_t *bytes, size_t len);
/* Flushes, closes and frees. 0 or the first failure. NULL is 0. */
int writer_close(struct recording_writer *w);

struct writer_stats writer_stats(const struct recording_writer *w);
