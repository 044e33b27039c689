/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "strings.h"

#include <stdlib.h>
#include <string.h>

#include "../base/grow.h"

static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);	/* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

int64_t strings_add(struct strings *s, const char *text)
{
	uint64_t hash = hash_of(text), probe = 0;
	const struct tally_row *r;
	char **texts;

	for (; (r = tally_find(&s->ids, hash, probe)); probe++) {
		if (!strcmp(s->texts[r - s->ids.rows], text))
			return r - s->ids.rows;
	}
	texts = grow(s->texts, s->cnt, &s->room, sizeof(*texts));
	if (!texts)
		return -1;
	s->texts = texts;
	texts[s->cnt] = strdup(text);
	if (!texts[s->cnt])
		return -1;
	if (!tally_at(&s->ids, hash, probe)) {
		free(texts[s->cnt]);
		return -1;
	}
	return (int64_t)s->cnt++;
}

void strings_done(struct strings *s)
{
	for (size_t i = 0; i < s->cnt; i++)
		free(s->texts[i]);
	free(s->texts);
	tally_done(&s->ids);
	*s = (struct strings){.cnt = 0};
}
