/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * libFuzzer target: files that a process has mapped, read for its stacks and locks. The input is the file; a process
 * that has it is made up. Its symbols and segments are asked for.
 *
 *	fuzz_symbol FOLDER
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/symbol/debug.h"
#include "src/symbol/file.h"
#include "src/symbol/parts.h"

enum { FUZZ_BASE = 0x10000000, FUZZ_SPAN = 0x1000000, FUZZ_FRAMES = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
	if (strnlen(text, size) == size)
		abort();
}

static void resolve(struct space *s, uint64_t addr)
{
	struct space_frame frames[FUZZ_FRAMES];
	struct space_object object;
	size_t cnt = space_resolve(s, FUZZ_BASE + addr, addr & 1, frames, addr % FUZZ_FRAMES + 1);

	if (cnt > addr % FUZZ_FRAMES + 1)
		abort();
	for (size_t i = 0; i < cnt; i++) {
		check_text(frames[i].func, sizeof(frames[i].func));
		check_text(frames[i].file, sizeof(frames[i].file));
		check_text(frames[i].module, sizeof(frames[i].module));
	}
	space_is_go(s, FUZZ_BASE + addr);
	if (!space_object(s, FUZZ_BASE + addr, &object))
		return;
	check_text(object.name, sizeof(object.name));
	check_text(object.module, sizeof(object.module));
}

/* A stack of addresses in the file. */
static void unwind(struct space *s, const uint64_t *addrs, size_t cnt)
{
	static struct stack_copy copy;
	uint64_t pcs[SPACE_PCS];
	size_t got;

	copy.ip = FUZZ_BASE + addrs[0];
	copy.len = 4096;
	for (size_t i = 0; i < STACK_REGS; i++)
		copy.regs[i] = 0x7f0000000000 + 64 * i;
	copy.regs[7] = 0x7f0000000000;
	for (size_t i = 0; i < copy.len / 8; i++) {
		uint64_t word = FUZZ_BASE + addrs[i % cnt];

		memcpy(copy.bytes + i * 8, &word, 8);
	}
	got = space_unwind(s, &copy, pcs, SPACE_PCS);
	if (!got || got > SPACE_PCS)
		abort();
}

static void take_addrs(const struct file *f, uint64_t addrs[8])
{
	for (size_t i = 0; i < 8; i++)
		addrs[i] = f->load_cnt ? f->loads[i % f->load_cnt].addr + i * 13 : i;
	for (size_t i = 0; i < 4 && f->symbols_cnt && i + 1 < f->symbols[0].cnt; i++)
		memcpy(&addrs[4 + i], f->symbols[0].table + (i + 1) * 24 + 8, 8);
	for (size_t i = 0; i < 8; i++)
		addrs[i] %= FUZZ_SPAN;
}

static struct file *open_bytes(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	return file_open(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mapping map = {.lo = FUZZ_BASE, .hi = FUZZ_BASE + FUZZ_SPAN, .is_code = true};
	struct module module = {.name = "fuzz", .is_opened = true, .bias = FUZZ_BASE};
	struct space s = {.proc = -1, .maps = {.at = &map, .cnt = 1, .modules = &module, .module_cnt = 1}};
	uint64_t addrs[8];

	module.file = open_bytes(data, size);
	if (!module.file)
		return 0;
	module.file->mini = debug_mini(module.file);
	take_addrs(module.file, addrs);
	for (size_t i = 0; i < 8; i++)
		resolve(&s, addrs[i]);
	unwind(&s, addrs, 8);
	file_close(module.file);
	return 0;
}
