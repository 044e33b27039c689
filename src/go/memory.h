/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Memory of another process in bulk: process_vm_readv, which neither stops nor changes it. Parts are read
 * one after the other, so what they say together may never have been true at one moment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct memory_part {
	uint64_t addr;
	void *to;
	uint32_t len;		/* bytes, not 0 */
	bool is_read;		/* out: whole; else what is at `to` is of no use */
};

/*
 * Reads what can be read of the parts. 0, also if none could be for its address; -EPERM: needs
 * CAP_SYS_PTRACE; -ESRCH: gone; other -errno.
 */
int memory_read_parts(uint32_t pid, struct memory_part *parts, size_t cnt);
/* Reads len bytes at addr: 0, -EFAULT: nothing is there, or as above. */
int memory_read(uint32_t pid, uint64_t addr, void *to, uint32_t len);

static inline uint64_t load_u64(const void *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static inline uint32_t load_u32(const void *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}
