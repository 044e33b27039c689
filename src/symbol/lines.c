/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* DWARF 5, section 6.2; numbers of older versions, too. Header: line_header.c. */
#include "lines_parts.h"

#include <dwarf.h>
#include <stdlib.h>

#include "../base/grow.h"
#include "bytes.h"

/* The program as it runs. */
struct machine {
	const struct line_table *t;
	struct bytes b;
	struct line_row row;		/* the registers */
	bool is_ended;			/* the row just made is the end of its sequence */
};

static void reset(struct machine *m)
{
	m->row = (struct line_row){.file = 1, .line = 1};
}

static void advance(struct machine *m, uint64_t by)
{
	m->row.addr += by * m->t->min_length;
}

/* True: a row is made. */
static bool run_extended(struct machine *m)
{
	uint64_t len = bytes_uleb(&m->b);
	struct bytes op = {m->b.at, m->b.at, false};
	const uint8_t *at = bytes_take(&m->b, len);
	uint64_t code;

	if (!at || !len)
		return false;
	op.end = at + len;
	code = bytes_number(&op, 1);
	if (code == DW_LNE_set_address && bytes_left(&op) == 8)
		m->row.addr = bytes_number(&op, 8);
	m->is_ended = code == DW_LNE_end_sequence;
	return m->is_ended;
}

static void skip_operands(struct machine *m, uint8_t op)
{
	for (unsigned int i = 0; i < m->t->lengths[op - 1]; i++)
		bytes_uleb(&m->b);
}

static bool run_standard(struct machine *m, uint8_t op)
{
	switch (op) {
	case DW_LNS_copy:
		return true;
	case DW_LNS_advance_pc:
		advance(m, bytes_uleb(&m->b));
		return false;
	case DW_LNS_advance_line:
		m->row.line += (uint32_t)bytes_sleb(&m->b);
		return false;
	case DW_LNS_set_file:
		m->row.file = (uint32_t)bytes_uleb(&m->b);
		return false;
	case DW_LNS_const_add_pc:
		advance(m, (255 - m->t->opcode_base) / m->t->line_range);
		return false;
	case DW_LNS_fixed_advance_pc:
		m->row.addr += bytes_number(&m->b, 2);
		return false;
	default:
		skip_operands(m, op);
		return false;
	}
}

/* Runs until a row is made; false: no more. */
static bool next_row(struct machine *m)
{
	m->is_ended = false;
	while (bytes_left(&m->b) && !m->b.is_bad) {
		uint8_t op = (uint8_t)bytes_number(&m->b, 1);

		if (op >= m->t->opcode_base) {
			uint8_t special = op - m->t->opcode_base;

			advance(m, special / m->t->line_range);
			m->row.line += (uint32_t)(m->t->line_base + special % m->t->line_range);
			return true;
		}
		if (op ? run_standard(m, op) : run_extended(m))
			return !m->b.is_bad;
	}
	return false;
}

static struct line_mark *add_mark(struct line_table *t, const struct machine *m, struct line_row before)
{
	struct line_mark *grown;

	if (t->mark_cnt == LINES_MARKS_MAX)
		return NULL;
	grown = grow(t->marks, t->mark_cnt, &t->mark_room, sizeof(*grown));
	if (!grown)
		return NULL;
	t->marks = grown;
	grown[t->mark_cnt] = (struct line_mark){
		.lo = UINT64_MAX,
		.at = (size_t)(m->b.at - t->program.at),
		.row = before,
	};
	return &grown[t->mark_cnt++];
}

/* A sequence at 0 is of code that the linker dropped. */
static bool is_dropped(const struct line_row *row)
{
	return !row->addr;
}

static void start_next(struct machine *m, struct line_row *before)
{
	*before = m->row;
	before->is_valid = !m->is_ended && !is_dropped(before);
	if (m->is_ended)
		reset(m);
}

static bool mark_rows(struct line_table *t)
{
	struct machine m = {.t = t, .b = {t->program.at, t->program.at + t->program.len, false}};
	struct line_row before = {};
	struct line_mark *mark = NULL;

	reset(&m);
	for (size_t row = 0; ; row++) {
		if (row % LINES_MARK == 0) {
			/* Registers as they are before the next row, which begins with the one before. */
			struct line_row registers = m.row;

			registers.is_valid = before.is_valid;
			mark = add_mark(t, &m, registers);
			if (!mark)
				return false;
		}
		if (!next_row(&m))
			return true;
		if (before.is_valid && m.row.addr > before.addr) {
			mark->lo = before.addr < mark->lo ? before.addr : mark->lo;
			mark->hi = m.row.addr > mark->hi ? m.row.addr : mark->hi;
		}
		start_next(&m, &before);
	}
}

/* Looks at the rows of one mark. */
static bool find_in(const struct line_table *t, const struct line_mark *mark, uint64_t addr, struct line_row *out)
{
	struct machine m = {
		.t = t,
		.b = {t->program.at + mark->at, t->program.at + t->program.len, false},
		.row = mark->row,
	};
	struct line_row before = mark->row;

	for (size_t row = 0; row < LINES_MARK && next_row(&m); row++) {
		if (before.is_valid && before.addr <= addr && addr < m.row.addr) {
			*out = before;
			return true;
		}
		start_next(&m, &before);
	}
	return false;
}

bool lines_find(const struct line_table *t, uint64_t addr, uint32_t *file, uint32_t *line)
{
	struct line_row row;

	for (size_t i = 0; i < t->mark_cnt; i++) {
		if (addr < t->marks[i].lo || addr >= t->marks[i].hi || !find_in(t, &t->marks[i], addr, &row))
			continue;
		*file = row.file;
		*line = row.line;
		return true;
	}
	return false;
}

bool lines_mark(struct line_table *t)
{
	if (mark_rows(t))
		return true;
	lines_close(t);
	return false;
}

void lines_close(struct line_table *t)
{
	free(t->marks);
	*t = (struct line_table){};
}
