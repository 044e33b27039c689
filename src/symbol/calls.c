/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the bytes before a return address say: whether there is a call, and of what. */
#include <string.h>

#include "file.h"
#include "parts.h"
#include "target_file.h"

enum { WRAPPER_BYTES = 48 };	/* of a function that only hands on to another one */

/* FF /2, the length of which is told by its second byte: Intel's manual, volume 2, table 2-2. */
static bool is_indirect_call(const uint8_t *end, size_t len)
{
	uint8_t modrm = end[-(ptrdiff_t)len + 1], mod = modrm >> 6, rm = modrm & 7;
	size_t needs = 2;

	if (end[-(ptrdiff_t)len] != 0xff || (modrm >> 3 & 7) != 2)
		return false;
	if (mod != 3 && rm == 4) {
		if (len < 3)
			return false;
		needs++;
		if (!mod && (end[-(ptrdiff_t)len + 2] & 7) == 5)
			needs += 4;
	}
	if (mod == 1)
		needs++;
	if (mod == 2 || (!mod && rm == 5))
		needs += 4;
	return needs == len;
}

bool is_behind_call(struct space *s, uint64_t pc)
{
	uint8_t code[7];
	size_t len = maps_is_code(&s->maps, pc - 1) ? code_before(s, pc, code, sizeof(code)) : 0;

	if (len >= 5 && code[len - 5] == 0xe8)
		return true;
	for (size_t call = 2; call <= len; call++)
		if (is_indirect_call(code + len, call))
			return true;
	return false;
}

static bool code_at(struct space *s, uint64_t addr, uint8_t *to, size_t len)
{
	return code_before(s, addr + len, to, len) == len;
}

static int64_t displacement(const uint8_t *at)
{
	int32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* A word that the dynamic linker filled in. */
static bool read_slot(const struct space *s, uint64_t slot, uint64_t *out)
{
	return target_read(s->proc, slot, out, sizeof(*out)) == sizeof(*out);
}

/* An entry of a procedure linkage table jumps to what its slot has: jmp *slot(%rip), perhaps behind endbr64 and bnd. */
static uint64_t behind_linkage(struct space *s, uint64_t addr)
{
	static const uint8_t ENDBR[] = {0xf3, 0x0f, 0x1e, 0xfa};
	uint8_t code[11];
	size_t at = 0;
	uint64_t target;

	if (!code_at(s, addr, code, sizeof(code)))
		return addr;
	if (!memcmp(code, ENDBR, sizeof(ENDBR)))
		at = sizeof(ENDBR);
	at += code[at] == 0xf2;
	if (at + 6 > sizeof(code) || code[at] != 0xff || code[at + 1] != 0x25)
		return addr;
	return read_slot(s, addr + at + 6 + (uint64_t)displacement(code + at + 2), &target) ? target : addr;
}

bool call_target(struct space *s, uint64_t pc, uint64_t *target)
{
	uint8_t code[6];

	if (code_before(s, pc, code, sizeof(code)) != sizeof(code))
		return false;
	if (code[1] == 0xe8)
		*target = behind_linkage(s, pc + (uint64_t)displacement(code + 2));
	else if (code[0] != 0xff || code[1] != 0x15 || !read_slot(s, pc + (uint64_t)displacement(code + 2), target))
		return false;
	return maps_is_code(&s->maps, *target);
}

size_t jump_targets(struct space *s, uint64_t addr, uint64_t *targets, size_t max)
{
	uint8_t code[WRAPPER_BYTES];
	size_t cnt = 0;

	if (!code_at(s, addr, code, sizeof(code)))
		return 0;
	for (size_t i = 0; i + 5 <= sizeof(code) && cnt < max; i++)
		if (code[i] == 0xe9)
			targets[cnt++] = addr + i + 5 + (uint64_t)displacement(code + i + 1);
	return cnt;
}
