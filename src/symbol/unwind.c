/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Three ways to a caller, the best first: the file's CFI; a frame pointer; the nearest word on the stack that a call
 * may have left there. The latter two are for code without CFI: of a JIT, of Go (both keep frame pointers), of
 * assembler and of musl (which keeps none). What they find is checked: it must be code right behind a call.
 */
#include "unwind.h"

#include "file.h"
#include "parts.h"

enum {
	SCAN_WORDS = 32,	/* the frames of musl's functions on the way to a futex are smaller */
	SURE_WORDS = 128,	/* as far as this for a return address that is known to be of the function */
	JUMPS = 4,
	NEAR = 1024,		/* bytes: functions without symbols are taken to be no longer */
};

static bool return_at(struct space *s, const struct stack_view *stack, uint64_t addr, uint64_t *pc)
{
	return stack_word(stack, addr, pc) && is_behind_call(s, *pc);
}

static void caller_at(struct frame *f, uint64_t place, uint64_t pc)
{
	f->regs[REG_RSP] = place + 8;
	f->regs[REG_RA] = pc;
	f->is_exact = false;
}

static bool frame_pointer_step(struct space *s, const struct stack_view *stack, struct frame *f)
{
	uint64_t rbp = f->regs[REG_RBP], pc, next;

	if (!(f->known & 1U << REG_RBP) || rbp % 8 || rbp < f->regs[REG_RSP])
		return false;
	if (!stack_word(stack, rbp, &next) || !return_at(s, stack, rbp + 8, &pc))
		return false;
	caller_at(f, rbp + 8, pc);
	f->regs[REG_RBP] = next;
	return true;
}

/* Whether it may be the frame pointer of a frame above sp. */
static bool is_frame_pointer(struct space *s, const struct stack_view *stack, uint64_t rbp, uint64_t sp)
{
	uint64_t pc;

	return rbp % 8 == 0 && rbp >= sp && return_at(s, stack, rbp + 8, &pc);
}

/*
 * What a function without CFI did with its caller's frame pointer: left it where it was, or saved it, the nearest to
 * the return address. What is in its own frame is from its stack pointer up to that.
 */
static void recover_frame_pointer(struct space *s, const struct stack_view *stack, struct frame *f, uint64_t from,
				  uint64_t to)
{
	uint64_t saved;

	if (f->known & 1U << REG_RBP && is_frame_pointer(s, stack, f->regs[REG_RBP], to + 8))
		return;
	for (uint64_t at = to; at > from; at -= 8) {
		if (!stack_word(stack, at - 8, &saved) || !is_frame_pointer(s, stack, saved, to + 8))
			continue;
		f->regs[REG_RBP] = saved;
		f->known |= 1U << REG_RBP;
		return;
	}
}

static uint64_t pc_of(const struct frame *f)
{
	return f->regs[REG_RA] - !f->is_exact;
}

static bool is_function_of(struct space *s, uint64_t target, uint64_t pc)
{
	uint64_t begin;

	if (function_begin(s, pc, &begin))
		return begin == target;
	return target <= pc && pc - target < NEAR;
}

/* Whether the call before an address is of the function that pc is in, or of one that soon jumps there. */
static bool is_call_of(struct space *s, uint64_t return_pc, uint64_t pc)
{
	uint64_t target, jumps[JUMPS];
	size_t cnt;

	if (!call_target(s, return_pc, &target))
		return false;
	if (is_function_of(s, target, pc))
		return true;
	cnt = jump_targets(s, target, jumps, JUMPS);
	for (size_t i = 0; i < cnt; i++)
		if (is_function_of(s, jumps[i], pc))
			return true;
	return false;
}

/* Old return addresses lie about in a frame, too: one whose call is of this very function (is_sure) is none of these. */
static bool scan_step(struct space *s, const struct stack_view *stack, struct frame *f, size_t words, bool is_sure)
{
	uint64_t sp = f->regs[REG_RSP], pc;

	for (size_t i = 0; i < words && sp % 8 == 0; i++) {
		if (!return_at(s, stack, sp + 8 * i, &pc) || (is_sure && !is_call_of(s, pc, pc_of(f))))
			continue;
		recover_frame_pointer(s, stack, f, sp, sp + 8 * i);
		caller_at(f, sp + 8 * i, pc);
		return true;
	}
	return false;
}

static bool guess_step(struct space *s, const struct module *m, const struct stack_view *stack, struct frame *f,
		       bool is_innermost)
{
	bool keeps_frames = !m || m->file->is_go;

	if (!keeps_frames && scan_step(s, stack, f, SURE_WORDS, true))
		return true;
	/* The function that enters the kernel has no frame of its own, mostly. */
	if (is_innermost && scan_step(s, stack, f, 1, false))
		return true;
	return keeps_frames ? frame_pointer_step(s, stack, f) : scan_step(s, stack, f, SCAN_WORDS, false);
}

static bool step(struct space *s, const struct stack_view *stack, struct frame *f, bool is_innermost)
{
	uint64_t pc = pc_of(f), sp = f->regs[REG_RSP];
	const struct mapping *map = maps_find(&s->maps, pc);
	const struct module *m = map && map->is_code ? module_open(s, map) : NULL;
	Dwarf_CFI *cfi = m ? file_cfi(m->file) : NULL;
	bool is_outermost = false;

	if (!map || !map->is_code)
		return false;
	if (cfi && cfi_step(cfi, pc - m->bias, stack, f, &is_outermost))
		return f->regs[REG_RSP] > sp;	/* a stack grows down: whoever says otherwise would go round */
	return !is_outermost && guess_step(s, m, stack, f, is_innermost) && f->regs[REG_RSP] > sp;
}

/*
 * What the caller called, if that is another function than the one we come from: it ended with a jump to that, as
 * sem_wait() and pthread_join() of glibc do, and left no frame. 0: it is the same, or not known.
 */
static uint64_t jumped_from(struct space *s, const struct frame *caller, uint64_t callee)
{
	uint64_t target, begin, jumped;

	if (caller->is_exact || !call_target(s, caller->regs[REG_RA], &target) || !function_begin(s, callee, &begin) ||
	    !function_begin(s, target, &jumped) || begin == jumped || is_same_name(s, callee, target))
		return 0;
	return target;
}

static struct frame first_frame(const struct stack_copy *c)
{
	struct frame f = {.known = (1U << FRAME_REGS) - 1, .is_exact = true};

	for (size_t i = 0; i < STACK_REGS; i++)
		f.regs[i] = c->regs[i];
	f.regs[REG_RA] = c->ip;
	return f;
}

/* Also in that of a library that was loaded since the maps were read. */
static bool in_code(struct space *s, const struct frame *f, bool *is_refreshed)
{
	uint64_t pc = pc_of(f);

	if (maps_is_code(&s->maps, pc) || *is_refreshed)
		return maps_is_code(&s->maps, pc);
	*is_refreshed = true;
	return !space_refresh(s) && maps_is_code(&s->maps, pc);
}

size_t space_unwind(struct space *s, const struct stack_copy *c, uint64_t *pcs, size_t max)
{
	struct stack_view stack = {c->regs[REG_RSP], c->bytes, c->len < STACK_COPY_BYTES ? c->len : STACK_COPY_BYTES};
	struct frame f = first_frame(c);
	bool is_refreshed = false;
	uint64_t callee, jumped;
	size_t cnt = 0;

	max = max < SPACE_PCS ? max : SPACE_PCS;
	pcs[cnt++] = c->ip;
	if (s->kernel)
		return cnt;
	while (in_code(s, &f, &is_refreshed) && cnt < max) {
		callee = pc_of(&f);
		if (!step(s, &stack, &f, cnt == 1) || !in_code(s, &f, &is_refreshed))
			break;
		jumped = jumped_from(s, &f, callee);
		if (jumped && cnt + 1 < max)
			pcs[cnt++] = jumped + 1;	/* as return addresses are: what is before it is meant */
		pcs[cnt++] = f.regs[REG_RA];
	}
	return cnt;
}
