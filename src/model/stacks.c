/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Call stacks, and what they say of a wait: where in the program it was, and what for. */
#include <errno.h>
#include <string.h>

#include "../../bpf/record.h"
#include "../base/numbers.h"
#include "class.h"
#include "names_impl.h"

int names_stack(struct names *n, const struct rec_stack *r)
{
	struct stack *s;

	if (!r->tgid || !r->id)
		return -EBADMSG;
	s = pairs_get(&n->stacks, r->tgid, r->id);
	if (!s)
		return errno == ENOSPC ? 0 : -ENOMEM;
	*s = (struct stack){
		.key = s->key,
		.pc = {r->pc0, r->pc1, r->pc2, r->pc3, r->pc4, r->pc5, r->pc6, r->pc7, r->pc8, r->pc9, r->pc10,
		       r->pc11},
	};
	for (int i = 0; i < STACK_PCS && s->pc[i]; i++) {
		if (!names_symbol_of(n, r->tgid, s->pc[i]) && errno == ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

/* Goes through the frames of a stack, the innermost first. */
struct frame_walk {
	const struct names *n;
	const struct stack *stack;
	const struct symbol *symbol;	/* of the frame given last; NULL: its pc has none */
	uint32_t pc, depth;
};

static const struct frame *next_frame(struct frame_walk *w)
{
	static const struct frame nothing = {.func = "unknown", .at = "", .module = ""};

	if (w->pc >= STACK_PCS || !w->stack->pc[w->pc])
		return NULL;
	w->symbol = pairs_find(&w->n->symbols, w->stack->key.tgid, w->stack->pc[w->pc]);
	if (!w->symbol) {
		w->pc++;
		return &nothing;
	}
	const struct frame *f = names_symbol_frame(w->n, w->symbol, w->depth);

	if (++w->depth >= w->symbol->frame_cnt) {
		w->pc++;
		w->depth = 0;
	}
	return f;
}

bool names_frame(const struct names *n, uint32_t tgid, uint32_t stack, size_t i, struct site_name *out)
{
	struct frame_walk w = {.n = n, .stack = pairs_find(&n->stacks, tgid, stack)};
	const struct frame *f;

	if (!w.stack)
		return false;
	for (f = next_frame(&w); f && i; i--)
		f = next_frame(&w);
	if (!f)
		return false;
	*out = (struct site_name){.func = f->func, .at = f->at, .module = f->module};
	return true;
}

static bool is_through(const struct stack *s, const struct frame *f)
{
	if (s->key.tgid == TGID_KERNEL)
		return is_kernel_library(f->func);
	return f->is_library || is_library(f->func, f->module);
}

/* Of a stack that is all of libraries, its outermost function: what that thread or goroutine is for. */
static uint32_t find_call_site(struct names *n, const struct stack *s)
{
	struct frame_walk w = {.n = n, .stack = s};
	const struct frame *f, *found = NULL, *address = NULL;

	while ((f = next_frame(&w))) {
		bool is_named = w.symbol && w.symbol->is_named;

		if (is_named && !is_through(s, f))
			return names_site_of(n, f->func, f->at);
		if (is_named && !is_thread_start(f->func))
			found = f;
		if (w.symbol && !is_named && !address)
			address = f;
	}
	if (address)
		found = address;
	return found ? names_site_of(n, found->func, found->at) : 0;
}

/* What waits, in the name of what called it. */
static bool is_waiting(const char *func)
{
	return begins_with(func, "runtime.gopark") || begins_with(func, "runtime.semacquire");
}

/*
 * What package sync waited for: the outermost of its functions decides, since an RWMutex waits for a Mutex
 * of its own. What called them is of no interest, be it from a function that a Once runs. A semaphore that the
 * runtime waits for itself (the collector's, the world's) is no lock of the program.
 */
static uint32_t find_sync_class(const struct names *n, const struct stack *s)
{
	struct frame_walk w = {.n = n, .stack = s};
	uint32_t klass = CLASS_SEM;
	const struct frame *f;

	do
		f = next_frame(&w);
	while (f && is_waiting(f->func));
	if (f && begins_with(f->func, "runtime."))
		return CLASS_NONE;
	for (; f && is_go_library(f->func); f = next_frame(&w))
		klass = class_of_sync(f->func, klass);
	return klass;
}

/*
 * What the thread waits for: the innermost function that is known decides, so that a condition variable that takes its
 * mutex again waits for the mutex; unless a lock further out is made of what it waits in.
 */
static void find_futex_class(const struct names *n, struct stack *s)
{
	struct frame_walk w = {.n = n, .stack = s};
	const struct frame *f;

	s->futex_class = CLASS_NONE;
	s->word = WORD_UNKNOWN;
	while ((f = next_frame(&w))) {
		const struct wait_function *wait = wait_function_of(f->func);

		if (!wait || (s->futex_class != CLASS_NONE && !wait->is_built))
			continue;
		s->futex_class = wait->klass;
		s->word = wait->word == WORD_COND && !is_glibc(f->module) ? WORD_UNKNOWN : wait->word;
		if (wait->is_built)
			return;
	}
}

/* The stack with what is made of it; NULL: no such stack. */
static const struct stack *made_stack(struct names *n, uint32_t tgid, uint32_t id)
{
	struct stack *s = pairs_find(&n->stacks, tgid, id);

	if (s && s->generation != n->generation) {
		s->site = find_call_site(n, s);
		s->sync_class = find_sync_class(n, s);
		find_futex_class(n, s);
		s->generation = n->generation;
	}
	return s;
}

uint32_t names_call_site(struct names *n, uint32_t tgid, uint32_t stack)
{
	const struct stack *s = made_stack(n, tgid, stack);

	return s ? s->site : 0;
}

uint32_t names_sync_class(struct names *n, uint32_t tgid, uint32_t stack)
{
	const struct stack *s = made_stack(n, tgid, stack);

	return s ? s->sync_class : CLASS_SEM;
}

uint32_t names_futex_class(struct names *n, uint32_t tgid, uint32_t stack)
{
	const struct stack *s = stack ? made_stack(n, tgid, stack) : NULL;

	return s ? s->futex_class : CLASS_NONE;
}

enum lock_word names_lock_word(struct names *n, uint32_t tgid, uint32_t stack)
{
	const struct stack *s = stack ? made_stack(n, tgid, stack) : NULL;

	return s ? s->word : WORD_UNKNOWN;
}
