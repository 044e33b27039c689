/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stands in for Zydis in the static program: Debian has it as a shared library only. Code of Go programs
 * can't be read then, and src/go/amd64.c says so.
 */
#include <Zydis/Zydis.h>

ZyanStatus ZydisDecoderInit(ZydisDecoder *decoder, ZydisMachineMode mode, ZydisStackWidth width)
{
	(void)decoder, (void)mode, (void)width;
	return ZYAN_STATUS_FAILED;
}

ZyanStatus ZydisDecoderDecodeFull(const ZydisDecoder *decoder, const void *bytes, ZyanUSize len,
				  ZydisDecodedInstruction *insn, ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT])
{
	(void)decoder, (void)bytes, (void)len, (void)insn, (void)operands;
	return ZYAN_STATUS_FAILED;
}

ZydisRegister ZydisRegisterGetLargestEnclosing(ZydisMachineMode mode, ZydisRegister reg)
{
	(void)mode;
	return reg;
}
