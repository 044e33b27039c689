/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where the fields of the runtime's structs are: from the table of versions (layouts.c), or from a program's
 * debug information (dwarf.c). Both fill the offsets and sizes of a struct go_layout, and what else of it a
 * version decides.
 */
#pragma once

#include "../../bpf/go.h"
#include "binary.h"

enum { GO_MINOR_FIRST = 17, GO_MINOR_LAST = 27 };	/* the versions of the table */

/* Fields and sizes by number, in the order of GO_OFFSETS and then the sizes; for what loops over them. */
enum go_at {
#define X(type, field, name) GO_AT_##type##_##field,
	GO_OFFSETS(X)
#undef X
	GO_AT_g_size,
	GO_AT_m_size,
	GO_AT_CNT
};

struct go_at_row {
	const char *id;		/* "g_status" */
	uint16_t by_minor[GO_MINOR_LAST - GO_MINOR_FIRST + 1];
};

extern const struct go_at_row go_at_rows[GO_AT_CNT];

uint16_t go_layout_get(const struct go_layout *l, enum go_at at);
void go_layout_set(struct go_layout *l, enum go_at at, uint16_t value);

/* The layout of Go 1.minor by the table; of a later version, or an unknown one (-1), that of the last row. */
void go_layout_of_table(int minor, struct go_layout *out);
/*
 * The same by debug information. 0; -ENOENT: the program has none, or not of the runtime; -EBADMSG: a
 * field that all versions have is not there, `why` names it.
 */
int go_layout_of_dwarf(const struct go_binary *b, struct go_layout *out, char why[GO_WHY]);
