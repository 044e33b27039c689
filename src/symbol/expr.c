/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dwarf.h>
#include <string.h>

#include "unwind.h"

enum { DEPTH = 32 };

struct machine {
	uint64_t at[DEPTH];
	size_t cnt;
};

bool stack_word(const struct stack_view *stack, uint64_t addr, uint64_t *out)
{
	uint64_t in = addr - stack->lo;

	if (addr < stack->lo || stack->len < sizeof(*out) || in > stack->len - sizeof(*out))
		return false;
	memcpy(out, stack->bytes + in, sizeof(*out));
	return true;
}

static bool push(struct machine *m, uint64_t value)
{
	if (m->cnt == DEPTH)
		return false;
	m->at[m->cnt++] = value;
	return true;
}

static bool push_reg(struct machine *m, const struct frame *f, uint64_t reg, uint64_t offset)
{
	if (reg >= FRAME_REGS || !(f->known & 1U << reg))
		return false;
	return push(m, f->regs[reg] + offset);
}

/* Two operands, the upper one is y. */
static bool binary(unsigned int op, uint64_t x, uint64_t y, uint64_t *out)
{
	switch (op) {
	case DW_OP_and: *out = x & y; return true;
	case DW_OP_or: *out = x | y; return true;
	case DW_OP_xor: *out = x ^ y; return true;
	case DW_OP_plus: *out = x + y; return true;
	case DW_OP_minus: *out = x - y; return true;
	case DW_OP_mul: *out = x * y; return true;
	case DW_OP_shl: *out = y < 64 ? x << y : 0; return true;
	case DW_OP_shr: *out = y < 64 ? x >> y : 0; return true;
	case DW_OP_shra: *out = (uint64_t)((int64_t)x >> (y < 64 ? y : 63)); return true;
	case DW_OP_eq: *out = x == y; return true;
	case DW_OP_ne: *out = x != y; return true;
	case DW_OP_ge: *out = (int64_t)x >= (int64_t)y; return true;
	case DW_OP_gt: *out = (int64_t)x > (int64_t)y; return true;
	case DW_OP_le: *out = (int64_t)x <= (int64_t)y; return true;
	case DW_OP_lt: *out = (int64_t)x < (int64_t)y; return true;
	default: return false;
	}
}

static bool run_binary(struct machine *m, unsigned int op)
{
	if (m->cnt < 2)
		return false;
	m->cnt--;
	return binary(op, m->at[m->cnt - 1], m->at[m->cnt], &m->at[m->cnt - 1]);
}

static bool run_unary(struct machine *m, const Dwarf_Op *op, const struct stack_view *stack)
{
	uint64_t *top = m->cnt ? &m->at[m->cnt - 1] : NULL;

	if (!top)
		return false;
	switch (op->atom) {
	case DW_OP_deref: return stack_word(stack, *top, top);
	case DW_OP_plus_uconst: *top += op->number; return true;
	case DW_OP_neg: *top = -*top; return true;
	case DW_OP_not: *top = ~*top; return true;
	case DW_OP_dup: return push(m, *top);
	case DW_OP_drop: m->cnt--; return true;
	default: return run_binary(m, op->atom);
	}
}

/* All but jumps, which no compiler's CFI has. */
static bool run_op(struct machine *m, const Dwarf_Op *op, const struct frame *f, const struct stack_view *stack,
		   uint64_t cfa)
{
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		return push(m, op->atom - DW_OP_lit0);
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return push_reg(m, f, op->atom - DW_OP_breg0, op->number);
	switch (op->atom) {
	case DW_OP_bregx:
		return push_reg(m, f, op->number, op->number2);
	case DW_OP_addr: case DW_OP_const1u: case DW_OP_const2u: case DW_OP_const4u: case DW_OP_const8u:
	case DW_OP_const1s: case DW_OP_const2s: case DW_OP_const4s: case DW_OP_const8s:
	case DW_OP_constu: case DW_OP_consts:
		return push(m, op->number);
	case DW_OP_call_frame_cfa:
		return push(m, cfa);
	case DW_OP_nop:
		return true;
	default:
		return run_unary(m, op, stack);
	}
}

bool expr_run(const Dwarf_Op *ops, size_t cnt, const struct frame *f, const struct stack_view *stack, uint64_t cfa,
	      uint64_t *out, bool *is_value)
{
	struct machine m = {};

	*is_value = false;
	for (size_t i = 0; i < cnt; i++) {
		if (ops[i].atom == DW_OP_stack_value && i + 1 == cnt) {
			*is_value = true;
			break;
		}
		/* A place that is a register: what is in it is the value. */
		if (cnt == 1 && ((ops[i].atom >= DW_OP_reg0 && ops[i].atom <= DW_OP_reg31) || ops[i].atom == DW_OP_regx)) {
			*is_value = true;
			if (!push_reg(&m, f, ops[i].atom == DW_OP_regx ? ops[i].number : ops[i].atom - (Dwarf_Word)DW_OP_reg0, 0))
				return false;
			break;
		}
		if (!run_op(&m, &ops[i], f, stack, cfa))
			return false;
	}
	if (!m.cnt)
		return false;
	*out = m.at[m.cnt - 1];
	return true;
}
