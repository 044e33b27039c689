/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Texts as numbers: each is kept once, and has its number in the order of arrival. */
#pragma once

#include "../stats/tally.h"

/* A zeroed struct has none. */
struct strings {
	struct tally ids;	/* a: hash, b: 0, or more for others of that hash; the row is the number */
	char **texts;
	size_t cnt, room;
};

/* The number of a text, from 0, or -1: no memory. */
int64_t strings_add(struct strings *s, const char *text);
void strings_done(struct strings *s);
