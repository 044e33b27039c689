/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* .eh_frame_hdr: Linux Standard Base, Core, 10.6.2. Linkers make a table of pairs of 4 bytes, sorted. */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "file.h"

enum { TABLE_ENCODING = DW_EH_PE_datarel | DW_EH_PE_sdata4 };

static int32_t begin_at(const uint8_t *table, uint64_t i)
{
	int32_t begin;

	memcpy(&begin, table + i * 8, sizeof(begin));
	return begin;
}

/* The table of a sound header, and how many pairs it has; NULL: none. */
static const uint8_t *table_of(const uint8_t *bytes, uint64_t size, uint64_t *cnt)
{
	struct bytes b = {bytes, bytes + size, false};
	uint64_t version = bytes_number(&b, 1), frame = bytes_number(&b, 1), count = bytes_number(&b, 1);

	if (version != 1 || count != DW_EH_PE_udata4 || bytes_number(&b, 1) != TABLE_ENCODING ||
	    ((frame & 0x0f) != DW_EH_PE_sdata4 && (frame & 0x0f) != DW_EH_PE_udata4))
		return NULL;
	bytes_number(&b, 4);
	*cnt = bytes_number(&b, 4);
	return !b.is_bad && *cnt && *cnt <= bytes_left(&b) / 8 ? b.at : NULL;
}

/* The table has only where functions begin. */
static bool has_cfi(struct file *f, uint64_t addr)
{
	Dwarf_Frame *frame;

	if (!file_cfi(f) || dwarf_cfi_addrframe(f->cfi, addr, &frame))
		return false;
	free(frame);
	return true;
}

bool file_function_begin(struct file *f, uint64_t addr, uint64_t *begin)
{
	Elf64_Shdr h;
	const uint8_t *bytes = file_section(f, ".eh_frame_hdr", &h) ? file_section_bytes(f, &h) : NULL, *table;
	uint64_t lo = 0, hi;

	table = bytes ? table_of(bytes, h.sh_size, &hi) : NULL;
	if (!table)
		return false;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (h.sh_addr + (uint64_t)(int64_t)begin_at(table, mid) <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || !has_cfi(f, addr))
		return false;
	*begin = h.sh_addr + (uint64_t)(int64_t)begin_at(table, lo - 1);
	return true;
}
