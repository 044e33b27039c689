/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "names.h"

/* Generated from the C library's header for this architecture. */
static const char *const native[] = {
#include "syscalls.inc"
};

/* Younger than Debian 12's header; from 424 on all architectures number alike. */
static const struct {
	int nr;
	const char *name;
} younger[] = {
	{449, "futex_waitv"},
	{454, "futex_wake"},
	{455, "futex_wait"},
	{456, "futex_requeue"},
};

const char *syscall_name(int nr)
{
	if (nr < 0)
		return NULL;
	if ((size_t)nr < sizeof(native) / sizeof(native[0]) && native[nr])
		return native[nr];
	for (size_t i = 0; i < sizeof(younger) / sizeof(younger[0]); i++) {
		if (younger[i].nr == nr)
			return younger[i].name;
	}
	return NULL;
}
