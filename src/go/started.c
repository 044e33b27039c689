/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a go statement with arguments started: `go f(x)` makes the compiler write a function without arguments
 * that calls f(x) ("main.main.gowrap1", before Go 1.22 "main.main.func1"; src/cmd/compile/internal/walk and
 * typecheck). People know the one that is called.
 */
#include <stdlib.h>
#include <string.h>

#include "amd64.h"
#include "../base/numbers.h"
#include "runtime.h"

enum {
	WRAPPER_MAX = 160,	/* bytes of code; those of a dozen arguments have about 100 */
	G_PANIC = 32,		/* g._panic, behind stack and stackguards; Go 1.17 to 1.27 */
};

/* How sure its name makes that it is a wrapper: until 1.21 they are numbered with the closures that people write. */
enum naming { NAMED, CLOSURE, WRAPPER };

static enum naming naming_of(const char *func)
{
	const char *last = strrchr(func, '.');

	if (!last)
		return NAMED;
	return begins_with(last, ".gowrap") ? WRAPPER : begins_with(last, ".func") ? CLOSURE : NAMED;
}

/* Wrappers hide themselves from recover: they look at g._panic on their way in (cmd/internal/obj/x86/obj6.go). */
static bool looks_at_panic(const struct go_code *code)
{
	for (size_t i = 0; i < code->cnt && code->insns[i].kind != GO_INSN_CALL; i++)
		if (code->insns[i].has_field && code->insns[i].loads && code->insns[i].field == G_PANIC)
			return true;
	return false;
}

/* The one function that it calls, on a way without loops, beside what grows the stack; 0: there is no such. */
static uint64_t only_call(const struct go_binary *b, const struct go_code *code)
{
	bool returned = false;	/* what stands behind the return is seldom gone through */
	uint64_t target = 0;

	for (size_t i = 0; i < code->cnt; i++) {
		const struct go_insn *insn = &code->insns[i];
		struct go_frame callee;

		returned |= insn->kind == GO_INSN_RETURN;
		if (!returned && insn->kind != GO_INSN_CALL && insn->target && insn->target < insn->addr)
			return 0;
		if (insn->kind != GO_INSN_CALL)
			continue;
		if (!insn->target || !go_binary_resolve(b, insn->target, false, &callee, 1))
			return 0;
		if (begins_with(callee.func, "runtime.morestack"))
			continue;
		if (target || begins_with(callee.func, "runtime."))
			return 0;
		target = insn->target;
	}
	return target;
}

bool go_runtime_started(const struct go_binary *b, uint64_t entry, struct go_frame *out)
{
	struct go_code code = {0};
	struct go_frame f;
	uint64_t addr, size, target = 0;
	enum naming naming;

	if (!go_binary_resolve(b, entry, false, &f, 1))
		return false;
	naming = naming_of(f.func);
	if (naming == NAMED || !go_binary_func(b, f.func, &addr, &size) || addr != entry || size > WRAPPER_MAX)
		return false;
	if (!go_code_read(b, f.func, &code) && (naming == WRAPPER || looks_at_panic(&code)))
		target = only_call(b, &code);
	go_code_free(&code);
	return target && go_binary_resolve(b, target, false, out, 1);
}
