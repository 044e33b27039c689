/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Arrays that grow one by one. */
#pragma once

#include <stddef.h>
#include <stdlib.h>

/*
 * Room for one more behind `cnt` things of `size` bytes: the array, perhaps elsewhere now, with *room set;
 * NULL: no memory, all is as it was.
 */
static inline void *grow(void *things, size_t cnt, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 16;
	void *grown;

	if (cnt < *room)
		return things;
	grown = reallocarray(things, more, size);
	if (grown)
		*room = more;
	return grown;
}
