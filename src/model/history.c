/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "history.h"

#include <errno.h>
#include <sys/mman.h>

int history_init(struct history *h, size_t cnt)
{
	void *ring = mmap(NULL, cnt * sizeof(*h->ring), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (ring == MAP_FAILED)
		return -ENOMEM;
	*h = (struct history){.ring = ring, .cnt = cnt, .next = 1};
	return 0;
}

void history_done(struct history *h)
{
	if (h->ring)
		munmap(h->ring, h->cnt * sizeof(*h->ring));
	*h = (struct history){0};
}

void history_push(struct history *h, uint64_t *head, const struct piece *p)
{
	struct piece *slot = &h->ring[h->next & (h->cnt - 1)];
	uint64_t back = *head ? h->next - *head : 0;

	if (slot->end_ns > h->gone_ns)
		h->gone_ns = slot->end_ns;
	*slot = *p;
	/* too long for its field is far longer than the ring: it leads to what is overwritten too */
	slot->back = back > UINT32_MAX ? UINT32_MAX : (uint32_t)back;
	*head = h->next++;
}

const struct piece *history_older(struct history_walk *w)
{
	const struct piece *p;

	if (!w->seq)
		return NULL;
	if (w->h->next - w->seq > w->h->cnt) {
		w->gone = true;
		w->seq = 0;
		return NULL;
	}
	p = &w->h->ring[w->seq & (w->h->cnt - 1)];
	w->seq = p->back ? w->seq - p->back : 0;
	return p;
}
