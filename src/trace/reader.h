/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads a recording (format.h) from a file or a pipe. What is in it is hostile: nothing is believed
 * before its length was checked, and memory is bounded whatever the file says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recording;

/* Of the reading so far, since the open or the last rewind. */
struct recording_stats {
	uint64_t bytes, blocks, records;	/* whole blocks; records given to feed */
	uint64_t bad_blocks;	/* damaged: passed over from the first damaged record on */
	uint64_t bad_records;	/* that those blocks say they had, and that were not given */
	uint64_t unknown_records;	/* of kinds that this program does not know */
	bool cut;		/* the end is missing, or nothing behind cut_at can be found */
	uint64_t cut_at;	/* offset of the first byte not used */
};

/*
 * Opens path ("-": stdin) and checks the header. 0; -EBADMSG: no recording, or a damaged one;
 * -EPROTONOSUPPORT: of a newer major version; -errno. Failures are printed.
 */
int recording_open(const char *path, struct recording **out);
/* The same with an open file or pipe, from its position on. Owns fd from the call on, failed or not. */
int recording_open_fd(int fd, const char *name, struct recording **out);
void recording_close(struct recording *r);

/*
 * Gives each record (host byte order, 8-aligned, valid during the call) to feed, in order, until
 * the end. 0, also where the recording was cut or damaged (see the stats); what feed returned, if not
 * 0; -errno of a failed read, printed. After a return that is not the end, only rewind or close.
 */
int recording_read(struct recording *r, int (*feed)(void *ctx, const void *rec, size_t len),
		   void *ctx);
/*
 * The same, record by record: its length, with *rec valid until the next call; 0: the end; -errno. Not mixed with
 * recording_read() but for a rewind between.
 */
int recording_next(struct recording *r, const void **rec);
/* Back to the first record. 0 or -ESPIPE: it is a pipe. */
int recording_rewind(struct recording *r);

const struct recording_stats *recording_stats(const struct recording *r);

/* Reads blocks and headers also if their CRC is wrong: for the fuzzer, which can't guess CRCs. */
void recording_ignore_crc(bool ignore);
