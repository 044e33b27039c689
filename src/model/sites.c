/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Places in code: symbols, and the sites that are made of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../bpf/record.h"
#include "../base/grow.h"
#include "functions.h"
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
static uint32_t add_frame(struct names *n, const struct frame *f)
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
	n->frames[n->frame_cnt] = *f;
	return (uint32_t)++n->frame_cnt;
}

struct frame *names_symbol_frame(const struct names *n, const struct symbol *s, uint32_t depth)
{
	struct frame *f = &n->frames[s->first - 1];

	while (depth--)
		f = &n->frames[f->outer - 1];
	return f;
}

/* A new symbol of one frame. NULL: errno. */
static struct symbol *add_symbol(struct names *n, uint32_t tgid, uint64_t pc, const struct frame *f)
{
	uint32_t first = add_frame(n, f);
	struct symbol *s = first ? pairs_get(&n->symbols, tgid, pc) : NULL;

	if (!s)
		return NULL;
	s->first = first;
	s->frame_cnt = 1;
	return s;
}

struct symbol *names_symbol_of(struct names *n, uint32_t tgid, uint64_t pc)
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
	return text ? add_symbol(n, tgid, pc, &(struct frame){.func = text, .at = "", .module = ""}) : NULL;
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

/* The frame that `inner` is inlined into, made if it is not there. NULL: errno. */
static struct frame *outer_frame(struct names *n, struct frame *inner, const struct frame *f)
{
	size_t i = (size_t)(inner - n->frames);

	if (!inner->outer) {
		uint32_t number = add_frame(n, f);

		if (!number)
			return NULL;
		n->frames[i].outer = number;
	}
	return &n->frames[n->frames[i].outer - 1];
}

/* A frame told again replaces the one before: another program may have the process by now. */
static int set_frame(struct names *n, const struct rec_symbol *r, const struct frame *new)
{
	struct symbol *s = pairs_find(&n->symbols, r->tgid, r->pc);
	struct frame *f;

	if (r->depth && (!s || !s->is_named || r->depth > s->frame_cnt))
		return 0;	/* that inside it was lost, or had no room */
	if (!s)
		s = add_symbol(n, r->tgid, r->pc, new);
	f = s ? names_symbol_frame(n, s, r->depth ? r->depth - 1u : 0) : NULL;
	if (f && r->depth)
		f = outer_frame(n, f, new);
	if (!f)
		return errno == ENOSPC ? 0 : -ENOMEM;
	f->func = new->func;
	f->at = new->at;
	f->module = new->module;
	f->is_library = new->is_library;
	s->frame_cnt = (uint16_t)(r->depth + 1u);
	s->is_named = true;
	n->generation++;
	return 0;
}

int names_symbol(struct names *n, const struct rec_symbol *r)
{
	struct frame f = {0};

	if (!r->tgid || !r->pc || r->depth >= DEPTH_MAX || r->last > 1)
		return -EBADMSG;
	if (!r->func[0] || (n->frame_cnt >= NAMES_SYMBOLS_MAX && !pairs_find(&n->symbols, r->tgid, r->pc)))
		return 0;
	f.func = texts_add(&n->texts, r->func, sizeof(r->func));
	f.at = f.func ? place(n, r) : NULL;
	f.module = f.at ? texts_add(&n->texts, r->module, sizeof(r->module)) : NULL;
	if (!f.module)
		return errno == ENOSPC ? 0 : -ENOMEM;
	f.is_library = is_library_file(r->file, sizeof(r->file));
	return set_frame(n, r, &f);
}

/* Texts are kept once each, so that their addresses tell them apart. */
static uint64_t hash_two(uint64_t a, uint64_t b)
{
	return a * 0x9e3779b97f4a7c15ull ^ (b << 29 | b >> 35);
}

uint32_t names_site_of(struct names *n, const char *func, const char *at)
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

	start = startpc ? names_symbol_of(n, tgid, startpc) : NULL;
	if (start)
		func = names_symbol_frame(n, start, start->frame_cnt - 1u)->func;
	creator = gopc ? names_symbol_of(n, tgid, gopc) : NULL;
	if (creator) {
		f = names_symbol_frame(n, creator, 0);
		snprintf(text, sizeof(text), "%s%s%s", f->func, *f->at ? " " : "", f->at);
		at = text;
	}
	func = texts_add(&n->texts, func, SIZE_MAX);
	at = func ? texts_add(&n->texts, at, SIZE_MAX) : NULL;
	return at ? names_site_of(n, func, at) : 0;
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
