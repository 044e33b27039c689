/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "memory.h"

#include <errno.h>
#include <sys/uio.h>

/* The kernel takes no longer list (UIO_MAXIOV of linux/uio.h). */
enum { PARTS_AT_ONCE = 1024 };

/* Marks the parts that `got` bytes fill. How many parts need no second try: the one that failed is among them. */
static size_t mark_read(struct memory_part *parts, size_t cnt, size_t got)
{
	for (size_t i = 0; i < cnt; i++) {
		if (got < parts[i].len)
			return i + 1;
		parts[i].is_read = true;
		got -= parts[i].len;
	}
	return cnt;
}

/* How many parts are done with: the call ends at the first that can't be read. */
static ssize_t read_some(uint32_t pid, struct memory_part *parts, size_t cnt)
{
	struct iovec to[PARTS_AT_ONCE], from[PARTS_AT_ONCE];
	ssize_t got;

	if (cnt > PARTS_AT_ONCE)
		cnt = PARTS_AT_ONCE;
	if (!cnt)
		return 0;
	for (size_t i = 0; i < cnt; i++) {
		parts[i].is_read = false;
		to[i] = (struct iovec){parts[i].to, parts[i].len};
		from[i] = (struct iovec){(void *)(uintptr_t)parts[i].addr, parts[i].len};
	}
	got = process_vm_readv((pid_t)pid, to, cnt, from, cnt, 0);
	if (got < 0 && errno != EFAULT)
		return -errno;
	return (ssize_t)mark_read(parts, cnt, got < 0 ? 0 : (size_t)got);
}

int memory_read_parts(uint32_t pid, struct memory_part *parts, size_t cnt)
{
	while (cnt) {
		ssize_t done = read_some(pid, parts, cnt);

		if (done < 0)
			return (int)done;
		parts += done;
		cnt -= (size_t)done;
	}
	return 0;
}

int memory_read(uint32_t pid, uint64_t addr, void *to, uint32_t len)
{
	struct memory_part part = {.addr = addr, .to = to, .len = len};
	int err = memory_read_parts(pid, &part, 1);

	if (err)
		return err;
	return part.is_read ? 0 : -EFAULT;
}
