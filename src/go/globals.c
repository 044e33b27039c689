/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "globals.h"

#include <errno.h>
#include <stddef.h>

#include "amd64.h"

typedef bool (*is_wanted)(const struct go_insn *insn);

static bool is_load(const struct go_insn *insn)
{
	return insn->loads;
}

static bool is_store(const struct go_insn *insn)
{
	return insn->stores;
}

static bool is_address(const struct go_insn *insn)
{
	return insn->takes_address;
}

static bool is_any(const struct go_insn *insn)
{
	(void)insn;
	return true;
}

static bool uses(const struct go_code *c, uint64_t global, is_wanted how)
{
	for (size_t i = 0; i < c->cnt; i++)
		if (c->insns[i].global == global && how(&c->insns[i]))
			return true;
	return false;
}

/* The first variable that is used this way, and `also` that way `behind` it; 0: none. */
static uint64_t first(const struct go_code *c, is_wanted how, uint64_t behind, is_wanted also)
{
	for (size_t i = 0; i < c->cnt; i++) {
		const struct go_insn *insn = &c->insns[i];

		if (insn->global && how(insn) && uses(c, insn->global + behind, also))
			return insn->global;
	}
	return 0;
}

/* allgadd: `allgs = append(allgs, gp)` is the only one of which all three words are stored. */
static uint64_t in_allgadd(const struct go_binary *b, const struct go_code *c)
{
	(void)b;
	for (size_t i = 0; i < c->cnt; i++) {
		uint64_t global = c->insns[i].global;

		if (global && c->insns[i].stores && uses(c, global + 8, is_store) && uses(c, global + 16, is_store))
			return global;
	}
	return 0;
}

/* preemptall: `range allp` loads pointer and length. */
static uint64_t in_preemptall(const struct go_binary *b, const struct go_code *c)
{
	(void)b;
	return first(c, is_load, 8, is_load);
}

/* mcommoninit: `mp.alllink = allm`, and then allm is stored to atomically, by its address. */
static uint64_t in_mcommoninit(const struct go_binary *b, const struct go_code *c)
{
	(void)b;
	return first(c, is_load, 0, is_address);
}

/* wakep: the first address taken is that of sched.nmspinning, for a compare and swap. */
static uint64_t in_wakep(const struct go_binary *b, const struct go_code *c)
{
	(void)b;
	return first(c, is_address, 0, is_any);
}

/* gcStart: `clearpools()` is followed by the increment of work.cycles. */
static uint64_t in_gc_start(const struct go_binary *b, const struct go_code *c)
{
	uint64_t addr, size;
	bool is_behind = false;

	if (!go_binary_func(b, "runtime.clearpools", &addr, &size))
		return 0;
	for (size_t i = 0; i < c->cnt; i++) {
		if (is_behind && c->insns[i].global)
			return c->insns[i].global;
		if (is_behind && c->insns[i].kind != GO_INSN_OTHER)
			return 0;
		is_behind |= c->insns[i].kind == GO_INSN_CALL && c->insns[i].target == addr;
	}
	return 0;
}

/* Where it is found, and what else must use it; the check is skipped if that function is not there. */
struct row {
	size_t place;		/* in struct go_globals */
	const char *symbol;	/* of the ELF symbol table */
	uint64_t within;	/* how far behind the symbol it may be */
	const char *function;
	uint64_t (*find)(const struct go_binary *b, const struct go_code *c);
	const char *checked_in;
};

static const struct row rows[] = {
	{offsetof(struct go_globals, allgs), "runtime.allgs", 0, "runtime.allgadd", in_allgadd, NULL},
	{offsetof(struct go_globals, allp), "runtime.allp", 0, "runtime.preemptall", in_preemptall,
	 "runtime.stopTheWorldWithSema"},
	{offsetof(struct go_globals, allm), "runtime.allm", 0, "runtime.mcommoninit", in_mcommoninit, NULL},
	{offsetof(struct go_globals, sched), "runtime.sched", 0, "runtime.wakep", in_wakep, NULL},
	{offsetof(struct go_globals, gc_cycles), "runtime.work", 1 << 12, "runtime.gcStart", in_gc_start,
	 "runtime.GC"},
};

/* 0 or -ENOMEM; without code of that name, or with none that does it, *out stays. */
static int by_code(const struct go_binary *b, const struct row *row, uint64_t *out)
{
	struct go_code code;
	int err = go_code_read(b, row->function, &code);

	if (!err)
		*out = row->find(b, &code);
	go_code_free(&code);
	return err == -ENOMEM ? err : 0;
}

static int is_used_in(const struct go_binary *b, const char *function, uint64_t global, bool *out)
{
	struct go_code code;
	int err = go_code_read(b, function, &code);

	*out = err || uses(&code, global, is_any);
	go_code_free(&code);
	return err == -ENOMEM ? err : 0;
}

static int find(const struct go_binary *b, const struct go_layout *layout, const struct row *row, uint64_t *out)
{
	bool is_sched = row->place == offsetof(struct go_globals, sched), is_used = true;
	uint64_t symbol, found = 0;
	int err = by_code(b, row, &found);

	if (!err && found && row->checked_in)
		err = is_used_in(b, row->checked_in, found, &is_used);
	if (is_sched && found > layout->sched_nmspinning) {
		found -= layout->sched_nmspinning;
		err = is_used_in(b, "runtime.stopTheWorldWithSema", found + layout->sched_gcwaiting, &is_used);
	}
	if (err)
		return err;
	if (!is_used)
		found = 0;
	if (go_binary_symbol(b, row->symbol, &symbol)) {
		if (!found && !row->within)
			found = symbol;
		else if (found < symbol || found - symbol > row->within)
			found = 0;
	}
	*out = found;
	return 0;
}

int go_globals_find(const struct go_binary *b, const struct go_layout *layout, struct go_globals *out)
{
	struct go_globals globals = {0};
	int err = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && !err; i++)
		err = find(b, layout, &rows[i], (uint64_t *)((char *)&globals + rows[i].place));
	if (!err)
		*out = globals;
	return err;
}
