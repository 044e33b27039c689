/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The symbolizer: answers one question after the other, until its socket ends. */
#include "helper_protocol.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/u64map.h"
#include "space.h"

enum {
	SPACES_MAX = 16,		/* processes whose files are kept open */
	GIVEN_MAX = 65536,		/* addresses of a process; then they are given again */
	REFRESH_NS = 50000000,		/* maps are not read again sooner for the sake of a word of data */
};

/* A process that is asked about, or (tgid is TGID_KERNEL) the kernel. */
struct proc {
	uint32_t tgid;		/* 0: free */
	uint32_t used;		/* when, by the count of questions */
	struct space *space;
	struct u64map given;	/* pcs whose symbols were */
	uint64_t refreshed_ns;
};

struct child {
	struct proc procs[SPACES_MAX];
	uint32_t questions;
	struct helper_question question;
};

/* Cut if it is too long; NUL-padded, as `to` was zeroed. */
static void copy_text(char *to, size_t size, const char *from)
{
	memcpy(to, from, strnlen(from, size - 1));
}

static void give(const void *rec, size_t len)
{
	if (send(HELPER_SOCKET, rec, len, MSG_NOSIGNAL) < 0)
		_exit(0);
}

static void proc_close(struct proc *p)
{
	if (p->space)
		space_close(p->space);
	u64map_done(&p->given);
	*p = (struct proc){};
}

static void forget(struct child *c, uint32_t tgid)
{
	for (size_t i = 0; i < SPACES_MAX; i++)
		if (c->procs[i].tgid && (!tgid || c->procs[i].tgid == tgid))
			proc_close(&c->procs[i]);
}

/* The one that was used the longest ago gives way. */
static int proc_of(struct child *c, uint32_t tgid, struct proc **out)
{
	struct proc *p = &c->procs[0];
	char why[SPACE_WHY];
	int err;

	for (size_t i = 0; i < SPACES_MAX; i++) {
		if (c->procs[i].tgid == tgid) {
			c->procs[i].used = c->questions;
			*out = &c->procs[i];
			return 0;
		}
		if (c->procs[i].used < p->used)
			p = &c->procs[i];
	}
	proc_close(p);
	err = tgid == TGID_KERNEL ? space_open_kernel(&p->space, why) : space_open(tgid, &p->space, why);
	if (err)
		return err;
	p->tgid = tgid;
	p->used = c->questions;
	p->refreshed_ns = now_ns();
	u64map_init(&p->given, 1);
	*out = p;
	return 0;
}

static void refresh(struct proc *p)
{
	space_refresh(p->space);
	p->refreshed_ns = now_ns();
}

static void give_symbols(const struct proc *p, uint64_t pc, const struct space_frame *frames, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		struct rec_symbol r = {
			.hdr = {REC_SYMBOL_KIND, sizeof(r)}, .tgid = p->tgid, .pc = pc,
			.line = frames[i].line, .depth = i, .last = i + 1 == cnt,
		};

		copy_text(r.func, sizeof(r.func), frames[i].func);
		copy_text(r.file, sizeof(r.file), frames[i].file);
		copy_text(r.module, sizeof(r.module), frames[i].module);
		give(&r, sizeof(r));
	}
}

/* Symbols of a pc, unless they were given. False: nothing is mapped there, as far as is known. */
static bool name_pc(struct proc *p, uint64_t pc, bool go_named)
{
	static struct space_frame frames[HELPER_FRAMES];
	size_t cnt;

	if (u64map_find(&p->given, pc) || (go_named && space_is_go(p->space, pc)))
		return true;
	cnt = space_resolve(p->space, pc, true, frames, HELPER_FRAMES);
	give_symbols(p, pc, frames, cnt);
	if (p->given.cnt >= GIVEN_MAX)
		u64map_clear(&p->given);
	if (cnt)
		u64map_get(&p->given, pc);
	return cnt;
}

static bool name_pcs(struct proc *p, const uint64_t *pcs, size_t cnt, bool go_named)
{
	bool all = true;

	for (size_t i = 0; i < cnt; i++)
		all &= name_pc(p, pcs[i], go_named);
	return all;
}

/* A pc that lies nowhere: a library was loaded since, then the walk ended at it. */
static int answer_stack(struct proc *p, const struct helper_question *q)
{
	struct rec_stack r = {.hdr = {REC_STACK_KIND, sizeof(r)}, .tgid = p->tgid, .id = q->stack.id};
	bool go_named = q->ask.flags & HELPER_GO_NAMED;
	uint64_t *pcs = helper_pcs(&r);
	size_t cnt = space_unwind(p->space, &q->stack, pcs, HELPER_PCS);

	if (!name_pcs(p, pcs, cnt, go_named)) {
		refresh(p);
		memset(pcs, 0, HELPER_PCS * sizeof(*pcs));
		cnt = space_unwind(p->space, &q->stack, pcs, HELPER_PCS);
		name_pcs(p, pcs, cnt, go_named);
	}
	give(&r, sizeof(r));
	return 0;
}

static int answer_kernel(struct proc *p, const struct helper_question *q)
{
	struct rec_stack r = q->kernel;
	size_t cnt = 0;

	while (cnt < HELPER_PCS && helper_pcs(&r)[cnt])
		cnt++;
	name_pcs(p, helper_pcs(&r), cnt, false);
	return 0;
}

static int answer_lock(struct proc *p, const struct helper_question *q)
{
	struct rec_lock r = {.hdr = {REC_LOCK_KIND, sizeof(r)}, .tgid = p->tgid, .futex = q->ask.futex};
	struct space_object o = {};
	bool is_shared = q->ask.flags & HELPER_SHARED;
	bool is_known = !is_shared && space_object(p->space, q->ask.futex, &o);

	/* Shared memory comes and goes, at the same addresses; but there are few words of it. */
	if (is_shared || (!is_known && now_ns() - p->refreshed_ns >= REFRESH_NS)) {
		refresh(p);
		is_known = space_object(p->space, q->ask.futex, &o);
	}
	if (!is_known)
		return 0;
	if (is_shared) {
		r.inode = o.inode;
		r.offset = o.inode ? o.offset : 0;
	}
	if (*o.name)
		r.base = o.base;
	copy_text(r.name, sizeof(r.name), o.name);
	copy_text(r.module, sizeof(r.module), o.module);
	if (r.base || r.inode)
		give(&r, sizeof(r));
	return 0;
}

/* It is open. */
static int answer_open(struct proc *p, const struct helper_question *q)
{
	(void)p;
	(void)q;
	return 0;
}

static const struct {
	int (*answer)(struct proc *p, const struct helper_question *q);
	size_t size;	/* of the question, at least */
} ops[HELPER_OP_CNT] = {
	[HELPER_STACK] = {answer_stack, offsetof(struct helper_question, stack.bytes)},
	[HELPER_KERNEL] = {answer_kernel, offsetof(struct helper_question, kernel) + sizeof(struct rec_stack)},
	[HELPER_LOCK] = {answer_lock, sizeof(struct helper_ask)},
	[HELPER_OPEN] = {answer_open, sizeof(struct helper_ask)},
};

static int answer(struct child *c, size_t len, struct user_text *text)
{
	const struct helper_question *q = &c->question;
	struct proc *p;
	int err;

	if (q->ask.op >= HELPER_OP_CNT || !ops[q->ask.op].answer || len < ops[q->ask.op].size || !q->ask.tgid)
		return -EINVAL;
	if (q->ask.op == HELPER_STACK &&
	    (q->stack.len > STACK_COPY_BYTES || q->stack.len > len - ops[HELPER_STACK].size))
		return -EINVAL;
	err = proc_of(c, q->ask.tgid, &p);
	if (!err)
		err = ops[q->ask.op].answer(p, q);
	if (!err && p->tgid != TGID_KERNEL)
		space_text(p->space, text);
	return err;
}

void helper_serve(void)
{
	static struct child c;

	for (;;) {
		struct helper_done done = {.hdr = {HELPER_DONE_KIND, sizeof(done)}};
		ssize_t len = recv(HELPER_SOCKET, &c.question, sizeof(c.question), 0);

		if (len < (ssize_t)sizeof(c.question.ask))
			_exit(0);
		c.questions++;
		if (c.question.ask.op == HELPER_FORGET) {
			forget(&c, c.question.ask.tgid);
			continue;
		}
		done.err = answer(&c, len, &done.text);
		give(&done, sizeof(done));
	}
}
