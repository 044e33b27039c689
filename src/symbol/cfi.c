/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>

#include "unwind.h"

enum rule { RULE_UNDEFINED, RULE_VALUE, RULE_FAILED };

/* The caller's value of a register. */
static enum rule restore(Dwarf_Frame *at, int reg, const struct frame *f, const struct stack_view *stack, uint64_t cfa,
			 uint64_t *out)
{
	Dwarf_Op mem[3], *ops;
	size_t cnt;
	bool is_value;

	if (dwarf_frame_register(at, reg, mem, &ops, &cnt))
		return RULE_FAILED;
	if (!cnt && ops == mem)
		return RULE_UNDEFINED;
	if (!cnt) {
		*out = f->regs[reg];
		return f->known & 1U << reg ? RULE_VALUE : RULE_UNDEFINED;
	}
	if (!expr_run(ops, cnt, f, stack, cfa, out, &is_value))
		return RULE_FAILED;
	return is_value || stack_word(stack, *out, out) ? RULE_VALUE : RULE_FAILED;
}

static bool step(Dwarf_Frame *at, const struct stack_view *stack, struct frame *f, bool *is_outermost)
{
	struct frame up = {};
	Dwarf_Op *ops;
	size_t cnt;
	uint64_t cfa;
	bool is_value, is_signal = false;
	int ra = dwarf_frame_info(at, NULL, NULL, &is_signal);

	if (ra != REG_RA || dwarf_frame_cfa(at, &ops, &cnt) || !cnt ||
	    !expr_run(ops, cnt, f, stack, 0, &cfa, &is_value))
		return false;
	for (int reg = 0; reg < FRAME_REGS; reg++) {
		enum rule rule = restore(at, reg, f, stack, cfa, &up.regs[reg]);

		if (rule == RULE_VALUE)
			up.known |= 1U << reg;
		if (reg != REG_RA)
			continue;
		*is_outermost = rule == RULE_UNDEFINED;
		if (rule != RULE_VALUE)
			return false;
	}
	/* By default the CFA is the caller's stack pointer; where it is saved, as by a signal, restore() had it. */
	if (!is_signal) {
		up.regs[REG_RSP] = cfa;
		up.known |= 1U << REG_RSP;
	}
	up.is_exact = is_signal;
	*f = up;
	return true;
}

bool cfi_step(Dwarf_CFI *cfi, uint64_t pc, const struct stack_view *stack, struct frame *f, bool *is_outermost)
{
	Dwarf_Frame *at;
	bool ok;

	*is_outermost = false;
	if (dwarf_cfi_addrframe(cfi, pc, &at))
		return false;
	ok = step(at, stack, f, is_outermost);
	free(at);
	return ok;
}
