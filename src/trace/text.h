/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Records as lines of text, for fixtures and for looking at a recording:
 *
 *	wait tid=101 ran=1500us waking=1ms off=0x1000 cpu=1 why=blocked woken_by=timer timer=sleeper
 *	task tid=101 time=5 tgid=100 flags=tracked|forked comm="a b\n"
 *
 * A kind and its fields in any order; a field not named is 0. Numbers are decimal or 0x, or have a
 * unit (ns, us, ms, s; 1.5ms too), or are a name where the field has names. Texts are bare or
 * quoted with the escapes \" \\ \n \t \r \xHH. A '#' where a field may begin ends the line.
 */
#pragma once

#include <stddef.h>

/*
 * Parses line into rec, 8-aligned and with room for size bytes (union any_record has always room).
 * 0, or -EINVAL with the reason in why (NUL-terminated, cut to why_size).
 */
int record_parse(const char *line, void *rec, size_t size, size_t *len_out, char *why,
		 size_t why_size);

/*
 * Writes rec as one line without line end, NUL-terminated. Returns its length, -EBADMSG if rec is
 * no record, -ENOSPC if size is too small; RECORD_TEXT_MAX is always enough.
 */
int record_print(const void *rec, size_t len, char *buf, size_t size);
#define RECORD_TEXT_MAX 2048
