/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One step of unwinding: registers of a frame, and the stack that they are read from. Registers by DWARF's numbers. */
#pragma once

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* System V ABI, AMD64 supplement, figure 3.36. */
enum { REG_RBP = 6, REG_RSP = 7, REG_RA = 16, FRAME_REGS = 17 };

struct stack_view {
	uint64_t lo;			/* what bytes[0] is the address of */
	const uint8_t *bytes;
	size_t len;
};

struct frame {
	uint64_t regs[FRAME_REGS];	/* regs[REG_RA] is the pc of the frame */
	uint32_t known;			/* a bit for each */
	bool is_exact;			/* the pc is that of an instruction, rather than behind a call */
};

/* False: not in the copy. */
bool stack_word(const struct stack_view *stack, uint64_t addr, uint64_t *out);

/*
 * Runs a DWARF expression of CFI. With `start` (may be NULL) on the stack; `cfa` is what DW_OP_call_frame_cfa is.
 * *is_value: the result is the value rather than the address of it. False: not possible here.
 */
bool expr_run(const Dwarf_Op *ops, size_t cnt, const struct frame *f, const struct stack_view *stack, uint64_t cfa,
	      uint64_t *out, bool *is_value);

/* The caller's frame by the CFI, for pc as the CFI has it. False: it can't tell, or it is the outermost one. */
bool cfi_step(Dwarf_CFI *cfi, uint64_t pc, const struct stack_view *stack, struct frame *f, bool *is_outermost);
