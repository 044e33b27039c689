/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "sites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amd64.h"

enum { NONE = -1 };

struct row {
	const char *symbols;
	enum go_level level;
};

static const struct row rows[GO_SITE_CNT] = {
#define X(id, symbols, level, help) {symbols, GO_##level},
	GO_SITES(X)
#undef X
};

/* Functions whose calls tell something: the first few do not return to where they were called. */
static const char *const known_names[] = {
	"runtime.throw", "runtime.fatal", "runtime.fatalthrow", "runtime.panicIndex", "runtime.notetsleep",
};
enum { NO_RETURN_CNT = 4, NOTETSLEEP = 4, KNOWN_CNT = 5 };
_Static_assert(sizeof(known_names) / sizeof(*known_names) == KNOWN_CNT, "all are counted");

struct search {
	const struct go_binary *b;
	uint64_t known[KNOWN_CNT];	/* 0: not there */
};

static bool calls(const struct search *s, const struct go_insn *insn, int known)
{
	return insn->kind == GO_INSN_CALL && insn->target && insn->target == s->known[known];
}

static bool does_not_return(const struct search *s, const struct go_insn *insn)
{
	for (int i = 0; i < NO_RETURN_CNT; i++)
		if (calls(s, insn, i))
			return true;
	return false;
}

static long index_of(const struct go_code *c, uint64_t addr)
{
	size_t lo = 0, hi = c->cnt;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (c->insns[mid].addr == addr)
			return (long)mid;
		if (c->insns[mid].addr < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NONE;
}

/* How good a place an instruction is, the higher the better; 0: none. */
static int rank(const struct go_insn *insn, int32_t depth)
{
	if (!insn->is_emulated)
		return 0;
	if (insn->is_push)
		return depth ? 2 : 4;
	return insn->kind == GO_INSN_BRANCH ? 3 : 1;
}

/* Whether something in the function jumps behind its begin and not behind `at`: a call could pass that twice. */
static bool is_in_loop(const struct go_code *c, size_t at)
{
	for (size_t i = 0; i < c->cnt; i++)
		if (c->insns[i].kind != GO_INSN_CALL && c->insns[i].target > c->insns[0].addr &&
		    c->insns[i].target <= c->insns[at].addr)
			return true;
	return false;
}

/*
 * The best place on the straight way from the function's begin, up to where an argument is overwritten or
 * the way forks, other than to grow the stack.
 */
static long entry_place(const struct go_code *c)
{
	int32_t depth = 0;
	long best = NONE;
	int best_rank = 0;

	for (size_t i = 0; i < c->cnt; i++) {
		const struct go_insn *insn = &c->insns[i];
		int r = rank(insn, depth);

		if (r > best_rank && !is_in_loop(c, i)) {
			best = (long)i;
			best_rank = r;
		}
		if (insn->writes_arg || insn->moves_stack)
			break;
		if (insn->kind != GO_INSN_OTHER && !(i && c->insns[i - 1].checks_stack))
			break;
		depth += insn->lowers;
	}
	return best;
}

/* What can be reached in a function from some instruction, without passing another. */
struct flood {
	bool *is_seen;
	size_t *todo;
	size_t todo_cnt;
};

static void flood_add(struct flood *f, long at, size_t without)
{
	if (at == NONE || f->is_seen[at] || (size_t)at == without)
		return;
	f->is_seen[at] = true;
	f->todo[f->todo_cnt++] = (size_t)at;
}

static void flood_next(const struct search *s, const struct go_code *c, struct flood *f, size_t at, size_t without)
{
	const struct go_insn *insn = &c->insns[at];

	if (insn->kind == GO_INSN_RETURN || insn->kind == GO_INSN_TRAP || does_not_return(s, insn))
		return;
	if (insn->kind == GO_INSN_JUMP || insn->kind == GO_INSN_BRANCH)
		flood_add(f, index_of(c, insn->target), without);
	if (insn->kind != GO_INSN_JUMP && at + 1 < c->cnt)
		flood_add(f, (long)at + 1, without);
}

/* From what follows `at`; or from the begin, if `at` is the one to be left out. */
static void flood(const struct search *s, const struct go_code *c, struct flood *f, size_t at, size_t without)
{
	memset(f->is_seen, 0, c->cnt * sizeof(*f->is_seen));
	if (at == without)
		flood_add(f, 0, without);
	else
		flood_next(s, c, f, at, without);
	while (f->todo_cnt)
		flood_next(s, c, f, f->todo[--f->todo_cnt], without);
}

static bool sees_return(const struct go_code *c, const struct flood *f)
{
	for (size_t i = 0; i < c->cnt; i++)
		if (f->is_seen[i] && c->insns[i].kind == GO_INSN_RETURN)
			return true;
	return false;
}

/* Whether it still waits for the others to stop. */
static bool sees_sleep(const struct search *s, const struct go_code *c, const struct flood *f)
{
	for (size_t i = 0; i < c->cnt; i++)
		if (f->is_seen[i] && calls(s, &c->insns[i], NOTETSLEEP))
			return true;
	return false;
}

/*
 * The last branch that every return has passed once, and after which nothing waits: in stopTheWorldWithSema
 * the sanity checks follow when all Ps have stopped, and their outcome is tested last.
 */
static long last_branch(const struct search *s, const struct go_code *c, struct flood *f)
{
	for (size_t i = c->cnt; i-- > 0;) {
		if (c->insns[i].kind != GO_INSN_BRANCH || !c->insns[i].is_emulated)
			continue;
		flood(s, c, f, i, i);
		if (sees_return(c, f))
			continue;
		flood(s, c, f, i, SIZE_MAX);
		if (f->is_seen[i] || !sees_return(c, f) || sees_sleep(s, c, f))
			continue;
		return (long)i;
	}
	return NONE;
}

static long stopped_place(const struct search *s, const struct go_code *c)
{
	struct flood f = {
		.is_seen = calloc(c->cnt, sizeof(*f.is_seen)),
		.todo = calloc(c->cnt, sizeof(*f.todo)),
	};
	long at = f.is_seen && f.todo ? last_branch(s, c, &f) : -ENOMEM;

	free(f.is_seen);
	free(f.todo);
	return at;
}

static bool take(const struct go_binary *b, const struct go_code *c, long at, enum go_site_id id,
		 struct go_runtime *r)
{
	struct go_site *site = &r->sites[r->site_cnt];
	const struct go_insn *insn = &c->insns[at];
	const uint8_t *bytes = go_binary_bytes(b, insn->addr, insn->len);
	uint64_t offset = go_binary_file_offset(b, insn->addr);

	if (!bytes || offset == UINT64_MAX || insn->len > GO_INSN_MAX)
		return false;
	*site = (struct go_site){
		.id = id,
		.addr = insn->addr,
		.file_offset = offset,
		.len = insn->len,
	};
	memcpy(site->bytes, bytes, insn->len);
	snprintf(site->symbol, sizeof(site->symbol), "%s", c->name);
	r->site_cnt++;
	return true;
}

static void miss(struct go_runtime *r, const struct row *row, const char *name, const char *why)
{
	enum go_level most = row->level == GO_LIGHT ? GO_SNAPSHOT : GO_LIGHT;
	size_t len = strlen(r->missing);

	snprintf(r->missing + len, sizeof(r->missing) - len, "%s%s %s", len ? ", " : "", name, why);
	if (most < r->max_level)
		r->max_level = most;
}

/* None of the names is a function: inlined everywhere, or not there at all. */
static void miss_all(const struct go_binary *b, struct go_runtime *r, const struct row *row)
{
	char name[64], first[64] = "";

	for (const char *p = row->symbols; *p; p += strcspn(p, "|"), p += *p == '|') {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, "|"), p);
		if (go_binary_is_inlined(b, name)) {
			miss(r, row, name, "is inlined");
			return;
		}
		if (!*first)
			memcpy(first, name, sizeof(first));
	}
	miss(r, row, first, "is not there");
}

static int find_site(const struct search *s, enum go_site_id id, struct go_runtime *r)
{
	bool is_inside = id == GO_SITE_STW_STOPPED;
	const struct row *row = &rows[is_inside ? GO_SITE_STW_STOP : id];
	struct go_code code;
	long at;
	int err = go_code_read(s->b, row->symbols, &code);

	if (err == -ENOMEM)
		goto out;
	if (err == -ENOENT)
		miss_all(s->b, r, row);
	else if (err)
		miss(r, row, code.name, "can't be read");
	if (err) {
		err = 0;
		goto out;
	}
	at = is_inside ? stopped_place(s, &code) : entry_place(&code);
	if (at == -ENOMEM)
		err = -ENOMEM;
	else if (at < 0 || !take(s->b, &code, at, id, r))
		miss(r, row, code.name, is_inside ? "has no place for a probe at its end" : "has no place for a probe");
	else if (go_binary_build(s->b)->pgo && go_binary_is_inlined(s->b, code.name))
		miss(r, row, code.name, "is inlined");	/* without a profile none of these is ever: they are too big */
out:
	go_code_free(&code);
	return err;
}

int go_sites_find(const struct go_binary *b, struct go_runtime *r)
{
	struct search s = {.b = b};
	uint64_t size;
	int err = 0;

	for (int i = 0; i < KNOWN_CNT; i++)
		if (!go_binary_func(b, known_names[i], &s.known[i], &size))
			s.known[i] = 0;
	r->site_cnt = 0;
	r->missing[0] = 0;
	r->max_level = GO_FULL;
	for (enum go_site_id id = 0; id < GO_SITE_CNT && !err; id++)
		if (id != GO_SITE_STW_STOPPED || r->layout.stw_args != GO_STW_ALL)
			err = find_site(&s, id, r);
	return err;
}
