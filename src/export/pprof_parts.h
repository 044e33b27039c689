/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Inside of the pprof exporter. A message of repeated fields may come in parts, one after the other: so samples are
 * written one by one, and what they refer to is written behind them.
 */
#pragma once

#include <zlib.h>

#include "../stats/tally.h"
#include "profile.h"
#include "profile.pb-c.h"
#include "strings.h"

struct pprof {
	FILE *out;
	const struct names *n;
	z_stream z;
	bool is_open;		/* z is */
	int err;		/* the first failure; -EIO: of out. All that comes behind it does nothing */
	uint8_t *packed;	/* of the last part */
	size_t room;
	struct strings texts;
	struct tally mappings;	/* b: file name. Of all of these the row + 1 is the id */
	struct tally functions;	/* a: name, b: file name */
	struct tally locations;	/* a: function << 32 | mapping, b: line; sum: address */
};

void pprof_begin(struct pprof *p, const struct names *n, FILE *out);
/* Writes a part. */
void pprof_put(struct pprof *p, const Pprof__Profile *part);
/* The index of a text that is escaped. */
int64_t pprof_text(struct pprof *p, const char *text);
/* The id of a frame's location. */
uint64_t pprof_location(struct pprof *p, const struct profile_frame *f);
/* Writes what was referred to, and ends the file. Frees all in any case; 0 or -errno. */
int pprof_end(struct pprof *p);
