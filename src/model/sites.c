/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Places in the code of Go programs: symbols, stacks and what they make of goroutines. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../bpf/record.h"
#include "../base/grow.h"
#include "class.h"
#include "names_impl.h"

/* So many calls are not inlined into each other at one pc; a hostile recording has them. */
enum { DEPTH_MAX = 64 };

void names_init_sites(struct names *n)
{
	texts_init(&n->texts, NAMES_TEXTS_MAX);
	pairs_init(&n->symbols, sizeof(struct symbol), NAMES_SYMBOLS_MAX);
	pairs_init(&n->stacks, sizeof(struct stack), NAMES_STACKS_MAX);
	pairs_init(&n->site_pcs, sizeof(struct site_pcs), NAMES_SITE_PCS_MAX);
	pairs_init(&n->site_numbers, sizeof(struct site_entry), NAMES_SITES_MAX);
	n->generation = 1;
}

void names_done_sites(struct names *n)
{
	pairs_done(&n->symbols);
	pairs_done(&n->stacks);
	pairs_done(&n->site_pcs);
	pairs_done(&n->site_numbers);
	free(n->frames);
	free(n->sites);
	texts_done(&n->texts);
}

/* The number of a new frame; 0: errno. */
static uint32_t add_frame(struct names *n, const char *func, const char *at)
{
	struct frame *grown;

	if (n->frame_cnt >= NAMES_SYMBOLS_MAX) {
		errno = ENOSPC;
		return 0;
	}
	grown = grow(n->frames, n->frame_cnt, &n->frame_room, sizeof(*n->frames));
	if (!grown) {
		errno = ENOMEM;
		return 0;
	}
	n->frames = grown;
	n->frames[n->frame_cnt] = (struct frame){.func = func, .at = at};
	return (uint32_t)++n->frame_cnt;
}

static struct frame *frame_of(const struct names *n, const struct symbol *s, uint32_t depth)
{
	struct frame *f = &n->frames[s->first - 1];

	while (depth--)
		f = &n->frames[f->outer - 1];
	return f;
}

/* A new symbol of one frame. NULL: errno. */
static struct symbol *add_symbol(struct names *n, uint32_t tgid, uint64_t pc, const char *func, const char *at)
{
	uint32_t first = add_frame(n, func, at);
	struct symbol *s = first ? pairs_get(&n->symbols, tgid, pc) : NULL;

	if (!s)
		return NULL;
	s->first = first;
	s->frame_cnt = 1;
	return s;
}

/* The symbol of a pc, its address if none was told. NULL: errno. */
static struct symbol *symbol_of(struct names *n, uint32_t tgid, uint64_t pc)
{
	struct symbol *s = pairs_find(&n->symbols, tgid, pc);
	char address[2 + 16 + 1];
	const char *text;

	if (s)
		return s;
	if (n->frame_cnt >= NAMES_SYMBOLS_MAX) {
		errno = ENOSPC;
		return NULL;
	}
	snprintf(address, sizeof(address), "0x%llx", (unsigned long long)pc);
	text = texts_add(&n->texts, address, sizeof(address));
	return text ? add_symbol(n, tgid, pc, text, "") : NULL;
}

/* "/a/b/main.go", 42: "main.go:42". NULL: errno. */
static const char *place(struct names *n, const struct rec_symbol *r)
{
	char file[sizeof(r->file) + 1], at[sizeof(file) + 12];
	const char *base;

	snprintf(file, sizeof(file), "%.*s", (int)sizeof(r->file), r->file);
	base = strrchr(file, '/');
	base = base ? base + 1 : file;
	if (r->line && *base)
		snprintf(at, sizeof(at), "%s:%u", base, r->line);
	else
		snprintf(at, sizeof(at), "%s", base);
	return texts_add(&n->texts, at, sizeof(at));
}

/* The frame that f is inlined into, made if it is not there. NULL: errno. */
static struct frame *outer_frame(struct names *n, struct frame *f, const char *func, const char *at)
{
	size_t inner = (size_t)(f - n->frames);

	if (!f->outer) {
		uint32_t number = add_frame(n, func, at);

		if (!number)
			return NULL;
		n->frames[inner].outer = number;
	}
	return &n->frames[n->frames[inner].outer - 1];
}

/* A frame told again replaces the one before: another program may have the process by now. */
static int set_frame(struct names *n, const struct rec_symbol *r, const char *func, const char *at)
{
	struct symbol *s = pairs_find(&n->symbols, r->tgid, r->pc);
	struct frame *f;

	if (r->depth && (!s || !s->is_named || r->depth > s->frame_cnt))
		return 0;	/* that inside it was lost, or had no room */
	if (!s)
		s = add_symbol(n, r->tgid, r->pc, func, at);
	f = s ? frame_of(n, s, r->depth ? r->depth - 1u : 0) : NULL;
	if (f && r->depth)
		f = outer_frame(n, f, func, at);
	if (!f)
		return errno == ENOSPC ? 0 : -ENOMEM;
	f->func = func;
	f->at = at;
	s->frame_cnt = (uint16_t)(r->depth + 1u);
	s->is_named = true;
	n->generation++;
	return 0;
}

int names_symbol(struct names *n, const struct rec_symbol *r)
{
	const char *func, *at;

	if (!r->tgid || !r->pc || r->depth >= DEPTH_MAX || r->last > 1)
		return -EBADMSG;
	if (!r->func[0] || (n->frame_cnt >= NAMES_SYMBOLS_MAX && !pairs_find(&n->symbols, r->tgid, r->pc)))
		return 0;
	func = texts_add(&n->texts, r->func, sizeof(r->func));
	at = func ? place(n, r) : NULL;
	if (!at)
		return errno == ENOSPC ? 0 : -ENOMEM;
	return set_frame(n, r, func, at);
}

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
		if (!symbol_of(n, r->tgid, s->pc[i]) && errno == ENOMEM)
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
	static const struct frame nothing = {.func = "unknown", .at = ""};

	if (w->pc >= STACK_PCS || !w->stack->pc[w->pc])
		return NULL;
	w->symbol = pairs_find(&w->n->symbols, w->stack->key.tgid, w->stack->pc[w->pc]);
	if (!w->symbol) {
		w->pc++;
		return &nothing;
	}
	const struct frame *f = frame_of(w->n, w->symbol, w->depth);

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
	*out = (struct site_name){.func = f->func, .at = f->at};
	return true;
}

/* Texts are kept once each, so that their addresses tell them apart. */
static uint64_t hash_two(uint64_t a, uint64_t b)
{
	return a * 0x9e3779b97f4a7c15ull ^ (b << 29 | b >> 35);
}

/* The number of the site of these kept texts; 0: no room. */
static uint32_t site_of(struct names *n, const char *func, const char *at)
{
	uint64_t hash = hash_two((uintptr_t)func, (uintptr_t)at);
	struct site_name *grown;
	struct site_entry *e;

	while ((e = pairs_find(&n->site_numbers, 0, hash))) {
		if (n->sites[e->site - 1].func == func && n->sites[e->site - 1].at == at)
			return e->site;
		hash++;
	}
	grown = grow(n->sites, n->site_cnt, &n->site_room, sizeof(*n->sites));
	if (!grown)
		return 0;
	n->sites = grown;
	e = pairs_get(&n->site_numbers, 0, hash);
	if (!e)
		return 0;
	n->sites[n->site_cnt] = (struct site_name){.func = func, .at = at};
	e->site = (uint32_t)++n->site_cnt;
	return e->site;
}

const struct site_name *names_of_site(const struct names *n, uint32_t site)
{
	return site && site <= n->site_cnt ? &n->sites[site - 1] : NULL;
}

/* The creator is the innermost function at gopc, what was created the outermost at startpc. */
static uint32_t make_site(struct names *n, uint32_t tgid, uint64_t startpc, uint64_t gopc)
{
	struct symbol *start, *creator;
	const char *func = "unknown", *at = "";
	const struct frame *f;
	char text[512];

	start = startpc ? symbol_of(n, tgid, startpc) : NULL;
	if (start)
		func = frame_of(n, start, start->frame_cnt - 1u)->func;
	creator = gopc ? symbol_of(n, tgid, gopc) : NULL;
	if (creator) {
		f = frame_of(n, creator, 0);
		snprintf(text, sizeof(text), "%s%s%s", f->func, *f->at ? " " : "", f->at);
		at = text;
	}
	func = texts_add(&n->texts, func, SIZE_MAX);
	at = func ? texts_add(&n->texts, at, SIZE_MAX) : NULL;
	return at ? site_of(n, func, at) : 0;
}

uint32_t names_site(struct names *n, uint32_t tgid, uint64_t startpc, uint64_t gopc)
{
	struct site_pcs *p;
	uint32_t site;

	if (!startpc && !gopc)
		return 0;
	p = pairs_find(&n->site_pcs, tgid, hash_two(startpc, gopc));
	if (p && p->generation == n->generation)
		return p->site;
	site = make_site(n, tgid, startpc, gopc);
	p = pairs_get(&n->site_pcs, tgid, hash_two(startpc, gopc));
	if (p) {
		p->generation = n->generation;
		p->site = site;
	}
	return site;
}

/* Functions that a program did not wait in but through. */
static bool is_library(const char *func)
{
	static const char *const packages[] = {"runtime.", "runtime/", "sync.", "sync/", "internal/", "time."};

	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++) {
		if (!strncmp(func, packages[i], strlen(packages[i])))
			return true;
	}
	return false;
}

/* Of a stack that is all of the runtime, its outermost function: what that goroutine is for. */
static uint32_t find_call_site(struct names *n, const struct stack *s)
{
	struct frame_walk w = {.n = n, .stack = s};
	const struct frame *f, *found = NULL, *address = NULL;

	while ((f = next_frame(&w))) {
		bool is_named = w.symbol && w.symbol->is_named;

		if (is_named && !is_library(f->func))
			return site_of(n, f->func, f->at);
		if (is_named && strcmp(f->func, "runtime.goexit"))
			found = f;
		if (w.symbol && !is_named && !address)
			address = f;
	}
	if (address)
		found = address;
	return found ? site_of(n, found->func, found->at) : 0;
}

static bool begins_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
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
	for (; f && is_library(f->func); f = next_frame(&w))
		klass = class_of_sync(f->func, klass);
	return klass;
}

/* The stack with what is made of it; NULL: no such stack. */
static const struct stack *made_stack(struct names *n, uint32_t tgid, uint32_t id)
{
	struct stack *s = pairs_find(&n->stacks, tgid, id);

	if (s && s->generation != n->generation) {
		s->site = find_call_site(n, s);
		s->klass = find_sync_class(n, s);
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

	return s ? s->klass : CLASS_SEM;
}
