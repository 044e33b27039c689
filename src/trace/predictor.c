/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "predictor.h"

#include <errno.h>
#include <sys/mman.h>

#define ROUNDS_SIZE (SLOT_CNT * sizeof(uint32_t))

/* Zeroed. Pages of slots that nobody uses cost no memory, which calloc() does not promise. NULL: no memory. */
static void *map_pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap_pages(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}

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
		p->rounds[kind] = map_pages(ROUNDS_SIZE);
		p->slots[kind] = map_pages(SLOT_CNT * record_info(kind)->size);
		if (!p->rounds[kind] || !p->slots[kind])
			return -ENOMEM;
	}
	return 0;
}

void predictor_done(struct predictor *p)
{
	for (unsigned int kind = 0; kind < REC_KIND_END; kind++) {
		unmap_pages(p->rounds[kind], ROUNDS_SIZE);
		if (p->slots[kind])
			unmap_pages(p->slots[kind], SLOT_CNT * record_info(kind)->size);
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
			memset(p->rounds[kind], 0, ROUNDS_SIZE);
	p->round = 1;
}
