/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "predictor.h"

#include <errno.h>
#include <stdlib.h>

int predictor_init(struct predictor *p)
{
	static const bool has_last[REC_KIND_END] = {
#define X(upper, lower) [REC_##upper##_KIND] = lower##_last_cnt > 0,
		RECORDS(X)
#undef X
	};

	for (unsigned int kind = 0; kind < REC_KIND_END; kind++) {
		if (!has_last[kind])
			continue;
		p->rounds[kind] = calloc(SLOT_CNT, sizeof(*p->rounds[kind]));
		p->slots[kind] = calloc(SLOT_CNT, record_info(kind)->size);
		if (!p->rounds[kind] || !p->slots[kind])
			return -ENOMEM;
	}
	return 0;
}

void predictor_done(struct predictor *p)
{
	for (unsigned int kind = 0; kind < REC_KIND_END; kind++) {
		free(p->rounds[kind]);
		free(p->slots[kind]);
	}
}

void predictor_reset(struct predictor *p)
{
	p->time = 0;
	memset(p->prev, 0, sizeof(p->prev));
	memset(p->shapes, 0, sizeof(p->shapes));
	if (++p->round)
		return;
	/* After 2^32 rounds the number comes again: no slot may look current. */
	for (unsigned int kind = 0; kind < REC_KIND_END; kind++)
		if (p->rounds[kind])
			memset(p->rounds[kind], 0, SLOT_CNT * sizeof(*p->rounds[kind]));
	p->round = 1;
}
