/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "amd64.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <Zydis/Zydis.h>

enum { MAX_CODE = 1 << 16 };	/* bytes of a function; those of the runtime have up to some thousand */

/* Integer arguments of ABIInternal (Go: src/cmd/compile/abi-internal.md, amd64 architecture). */
static const ZydisRegister args[] = {
	ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_RBX, ZYDIS_REGISTER_RCX, ZYDIS_REGISTER_RDI, ZYDIS_REGISTER_RSI,
	ZYDIS_REGISTER_R8,  ZYDIS_REGISTER_R9,	ZYDIS_REGISTER_R10, ZYDIS_REGISTER_R11,
};

static bool is_arg(ZydisRegister r)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, r);

	for (size_t i = 0; i < sizeof(args) / sizeof(*args); i++)
		if (whole == args[i])
			return true;
	return false;
}

/*
 * What the kernel emulates: nop, jumps and branches relative to the instruction, call likewise, push of a
 * register with at most the prefix 0x41; nothing of it with the prefix 0x66 but nop
 * (arch/x86/kernel/uprobes.c: branch_setup_xol_ops, push_setup_xol_ops; since Linux 4.17 for push).
 */
static bool is_emulated(const uint8_t *p, size_t len)
{
	switch (p[0]) {
	case 0xe8: case 0xe9: case 0xeb:
	case 0x50 ... 0x57:
	case 0x70 ... 0x7f:
	case 0x90:
		return true;
	case 0x0f:
		return len == 6 && p[1] >= 0x80 && p[1] <= 0x8f;
	case 0x41:
		return len == 2 && p[1] >= 0x50 && p[1] <= 0x57;
	case 0x66:
		return len == 2 && p[1] == 0x90;
	default:
		return false;
	}
}

static enum go_insn_kind kind_of(const ZydisDecodedInstruction *z)
{
	if (z->mnemonic == ZYDIS_MNEMONIC_UD2 || z->mnemonic == ZYDIS_MNEMONIC_INT3)
		return GO_INSN_TRAP;
	switch (z->meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
		return GO_INSN_BRANCH;
	case ZYDIS_CATEGORY_UNCOND_BR:
		return GO_INSN_JUMP;
	case ZYDIS_CATEGORY_CALL:
		return GO_INSN_CALL;
	case ZYDIS_CATEGORY_RET:
		return GO_INSN_RETURN;
	default:
		return GO_INSN_OTHER;
	}
}

/* The stack guards are the third and fourth word of g in all versions; R14 has g in Go code. */
static bool is_stack_guard(const ZydisDecodedOperand *o)
{
	return o->mem.base == ZYDIS_REGISTER_R14 && (o->mem.disp.value == 16 || o->mem.disp.value == 24);
}

static void memory_operand(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o, struct go_insn *insn)
{
	if (o->mem.base == ZYDIS_REGISTER_RIP) {
		insn->global = insn->addr + insn->len + (uint64_t)o->mem.disp.value;
	} else if (o->mem.base != ZYDIS_REGISTER_NONE && o->mem.base != ZYDIS_REGISTER_RSP &&
		   o->mem.segment != ZYDIS_REGISTER_FS) {
		insn->has_field = true;
		insn->field = o->mem.disp.has_displacement ? o->mem.disp.value : 0;
	}
	insn->checks_stack = z->mnemonic == ZYDIS_MNEMONIC_CMP && is_stack_guard(o);
	insn->takes_address = o->mem.type == ZYDIS_MEMOP_TYPE_AGEN;
	if (insn->takes_address)
		return;
	insn->loads |= (o->actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
	insn->stores |= (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
}

/* How the stack pointer moves: by push, pop, and adding to it or subtracting from it. Calls give it back. */
static void stack_pointer(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o, struct go_insn *insn)
{
	bool by_number = o[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && !o[1].imm.is_relative;

	if (z->mnemonic == ZYDIS_MNEMONIC_PUSH)
		insn->lowers = 8;
	else if (z->mnemonic == ZYDIS_MNEMONIC_POP)
		insn->lowers = -8;
	else if (z->mnemonic == ZYDIS_MNEMONIC_SUB && by_number)
		insn->lowers = (int32_t)o[1].imm.value.s;
	else if (z->mnemonic == ZYDIS_MNEMONIC_ADD && by_number)
		insn->lowers = -(int32_t)o[1].imm.value.s;
	else if (insn->kind != GO_INSN_CALL && insn->kind != GO_INSN_RETURN)
		insn->moves_stack = true;
}

static void operand(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *all, const ZydisDecodedOperand *o,
		    struct go_insn *insn)
{
	bool is_written = o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;

	if (o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
		memory_operand(z, o, insn);
	else if (o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && o->imm.is_relative)
		insn->target = insn->addr + insn->len + (uint64_t)o->imm.value.s;
	else if (o->type != ZYDIS_OPERAND_TYPE_REGISTER || !is_written)
		return;
	else if (o->reg.value == ZYDIS_REGISTER_RSP)
		stack_pointer(z, all, insn);
	else
		insn->writes_arg |= is_arg(o->reg.value);
}

static bool decode(const ZydisDecoder *decoder, const uint8_t *bytes, size_t left, uint64_t addr, struct go_insn *out)
{
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, bytes, left, &z, operands)))
		return false;
	*out = (struct go_insn){
		.addr = addr,
		.len = z.length,
		.kind = kind_of(&z),
		.is_cas = z.mnemonic == ZYDIS_MNEMONIC_CMPXCHG && (z.attributes & ZYDIS_ATTRIB_HAS_LOCK),
		.is_emulated = is_emulated(bytes, z.length),
		.is_push = bytes[0] == 0x55,
	};
	for (size_t i = 0; i < z.operand_count; i++)
		operand(&z, operands, &operands[i], out);
	return true;
}

static bool find(const struct go_binary *b, const char *names, char name[64], uint64_t *addr, uint64_t *size)
{
	for (size_t len; (len = strcspn(names, "|")); names += len + (names[len] == '|')) {
		if (len >= 64)
			continue;
		memcpy(name, names, len);
		name[len] = 0;
		if (go_binary_func(b, name, addr, size))
			return true;
	}
	return false;
}

int go_code_read(const struct go_binary *b, const char *names, struct go_code *out)
{
	const uint8_t *bytes;
	uint64_t addr, size;
	ZydisDecoder decoder;

	*out = (struct go_code){0};
	if (!find(b, names, out->name, &addr, &size))
		return -ENOENT;
	if (!size || size > MAX_CODE)
		return -EBADMSG;
	bytes = go_binary_bytes(b, addr, size);
	if (!bytes)
		return -EBADMSG;
	out->insns = calloc(size, sizeof(*out->insns));
	if (!out->insns)
		return -ENOMEM;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	for (uint64_t at = 0; at < size; at += out->insns[out->cnt++].len)
		if (!decode(&decoder, bytes + at, size - at, addr + at, &out->insns[out->cnt]))
			return -EBADMSG;
	return 0;
}

void go_code_free(struct go_code *c)
{
	free(c->insns);
	*c = (struct go_code){0};
}

bool go_code_is_known(const struct go_binary *b, char why[GO_WHY])
{
	ZydisDecoder decoder;
	Elf64_Ehdr header;

	if (pread(go_binary_fd(b), &header, sizeof(header), 0) != sizeof(header) || header.e_machine != EM_X86_64) {
		snprintf(why, GO_WHY, "only Go programs for amd64 can be read yet");
		return false;
	}
	if (!ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64))) {
		snprintf(why, GO_WHY, "this wakelag has no disassembler: it was linked statically");
		return false;
	}
	return true;
}

/*
 * How g gets into its register from the thread's storage: in a program at a fixed address with the offset in
 * the instruction, in a PIE with the offset loaded before. In a PIE linked by the C linker, the load from the
 * GOT was relaxed to the latter.
 */
static const struct tls_code {
	uint8_t before[5], before_len, after[4], after_len;
} tls_codes[] = {
	{{0x64, 0x4c, 0x8b, 0x34, 0x25}, 5, {0}, 0},			/* mov %fs:imm32,%r14 */
	{{0x49, 0xc7, 0xc6}, 3, {0x64, 0x4d, 0x8b, 0x36}, 4},		/* mov $imm32,%r14; mov %fs:(%r14),%r14 */
};

static bool tls_at(const struct tls_code *c, const uint8_t *p, size_t left, int32_t *out)
{
	uint32_t value;

	if (left < (size_t)c->before_len + sizeof(value) + c->after_len || memcmp(p, c->before, c->before_len) ||
	    memcmp(p + c->before_len + sizeof(value), c->after, c->after_len))
		return false;
	memcpy(&value, p + c->before_len, sizeof(value));
	*out = (int32_t)le32toh(value);
	return true;
}

/* Whether it is a word of the program's own thread storage, which ends at the thread pointer. */
static bool is_in_tls(const struct go_binary *b, int32_t offset)
{
	uint64_t memsz, align, below = (uint64_t) - (int64_t)offset;

	if (offset >= 0 || offset % 8)
		return false;
	if (!go_binary_tls(b, &memsz, &align))
		return offset == -8;
	if (align > 4096 || memsz > 1 << 20)
		return false;
	return below <= memsz + (align ? align : 1) - 1;
}

/* Enough to believe it: the first places there, which must agree. */
enum { TLS_PLACES = 3 };

bool go_code_tls(const struct go_binary *b, int32_t *out)
{
	uint64_t lo, hi;
	const uint8_t *text;
	int32_t found = 0, offset;
	size_t places = 0;

	go_binary_text(b, &lo, &hi);
	text = hi > lo ? go_binary_bytes(b, lo, hi - lo) : NULL;
	if (!text)
		return false;
	for (size_t at = 0, len = hi - lo; at < len && places < TLS_PLACES; at++) {
		for (size_t i = 0; i < sizeof(tls_codes) / sizeof(*tls_codes); i++) {
			if (!tls_at(&tls_codes[i], text + at, len - at, &offset) || !is_in_tls(b, offset))
				continue;
			if (places++ && offset != found)
				return false;
			found = offset;
		}
	}
	if (!places)
		return false;
	*out = found;
	return true;
}
