/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How far long work is, and the time left: a line on a terminal, drawn by talk_progress(). */
#pragma once

#include <stdint.h>

struct progress {
	const char *what;	/* is being done; stays the caller's */
	uint64_t whole;		/* 0: not known, nothing is shown */
	uint64_t begun_ns, drawn_ns;
};

void progress_begin(struct progress *p, const char *what, uint64_t whole);
/* Cheap enough for each piece of the work; draws when a second has passed, then four times a second. */
void progress_at(struct progress *p, uint64_t done);
void progress_end(const struct progress *p);
