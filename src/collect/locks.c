/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "locks.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/u64map.h"
#include "../symbol/helper.h"
#include "facts.h"
#include "golang.h"
#include "klocks.h"
#include "probe.h"

enum {
	WORDS_MAX = 65536,
	PROCS_MAX = 65536,
	FUTEX_PRIVATE = 128,		/* FUTEX_PRIVATE_FLAG, and FUTEX2_PRIVATE of the newer calls */
	INITIAL_PID_NS = 0xEFFFFFFC,	/* PROC_PID_INIT_INO of include/linux/proc_ns.h */
};

/* A process that waited in a futex. */
struct proc {
	uint32_t gen;		/* of its program: words of an earlier one are others */
	struct user_text text;	/* as the kernel side was told */
};

struct locks {
	struct probe *probe;
	struct golang *golang;
	int (*put)(void *, const void *, size_t);
	void *ctx;
	struct helper *helper;	/* NULL: off, as klocks is then */
	struct klocks *klocks;
	struct u64map procs;	/* tgid -> struct proc */
	struct u64map words;	/* key_of() -> one byte: was looked at */
	uint32_t last_tgid, last_gen;
	bool words_are_old;	/* some are of processes that ended */
	bool told_unseen;
};

/* Go code gets its names before the stack that needs them, too, and after those that the symbolizer may have for it. */
static int put_answer(void *ctx, const void *rec, size_t len)
{
	const struct rec_hdr *hdr = rec;
	struct locks *l = ctx;

	if (hdr->kind == REC_STACK_KIND)
		golang_record(l->golang, rec);
	return l->put(l->ctx, rec, len);
}

/* Records have ids of the initial PID namespace: elsewhere /proc has others, or other processes of these ids. */
static bool has_all_pids(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) || st.st_ino == INITIAL_PID_NS;
}

struct locks *locks_new(struct probe *probe, struct golang *golang, bool is_on,
			int (*put)(void *, const void *, size_t), void *ctx)
{
	struct locks *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	*l = (struct locks){.probe = probe, .golang = golang, .put = put, .ctx = ctx};
	u64map_init(&l->procs, sizeof(struct proc));
	u64map_init(&l->words, 1);
	if (is_on && !has_all_pids()) {
		facts_absent(put, ctx, "stacks", "we are not in the initial PID namespace (a container: --pid=host)");
		return l;
	}
	if (!is_on)
		return l;
	l->helper = helper_new("wakelag-symbols", put_answer, l);
	l->klocks = klocks_new(put, ctx);
	if (l->helper && l->klocks)
		return l;
	locks_free(l);
	return NULL;
}

void locks_free(struct locks *l)
{
	if (!l)
		return;
	klocks_free(l->klocks);
	helper_free(l->helper);
	u64map_done(&l->procs);
	u64map_done(&l->words);
	free(l);
}

static struct proc *proc_of(struct locks *l, uint32_t tgid)
{
	if (l->procs.cnt >= PROCS_MAX) {
		u64map_clear(&l->procs);
		u64map_clear(&l->words);
		l->last_tgid = 0;
	}
	return u64map_get(&l->procs, tgid);
}

static void note_error(struct locks *l, int err)
{
	if ((err != -EPERM && err != -EACCES) || l->told_unseen)
		return;
	l->told_unseen = true;
	facts_absent(l->put, l->ctx, "stacks", "what another user's process runs, and its memory, can't be read: needs CAP_SYS_PTRACE");
}

static void take_stack(struct locks *l, const struct stack_copy *c, size_t len)
{
	struct proc *p = proc_of(l, c->tgid);
	struct user_text text = {};
	int err;

	if (!p || len < offsetof(struct stack_copy, bytes) || c->len > STACK_COPY_BYTES ||
	    c->len > len - offsetof(struct stack_copy, bytes))
		return;
	err = helper_stack(l->helper, c, golang_has(l->golang, c->tgid), &text);
	if (err) {
		note_error(l, err);
		return;
	}
	if (memcmp(&p->text, &text, sizeof(text)) && !probe_user_text(l->probe, c->tgid, &text))
		p->text = text;
}

/* Two words have the same key once in 2^64. */
static uint64_t key_of(uint32_t tgid, uint32_t gen, uint64_t futex)
{
	return (futex ^ ((uint64_t)tgid << 32 | gen) * 0x9e3779b97f4a7c15ull) * 0xff51afd7ed558ccdull;
}

/* False: it is known, or there is no room for it. Words are aligned: the lowest bit is free. */
static bool is_new_word(struct locks *l, uint32_t tgid, uint64_t futex, bool is_shared)
{
	uint64_t key;

	if (tgid != l->last_tgid) {
		struct proc *p = proc_of(l, tgid);

		if (!p)
			return false;
		l->last_tgid = tgid;
		l->last_gen = p->gen;
	}
	key = key_of(tgid, l->last_gen, futex | is_shared);
	if (u64map_find(&l->words, key))
		return false;
	if (l->words.cnt >= WORDS_MAX && l->words_are_old) {
		u64map_clear(&l->words);
		l->words_are_old = false;
	}
	return l->words.cnt < WORDS_MAX && u64map_get(&l->words, key);
}

static void look_at_word(struct locks *l, const struct rec_wait *w)
{
	bool is_shared = !(w->futex_op & FUTEX_PRIVATE);

	/* an idle Go thread's own, of which there is nothing to say */
	if (w->goid == GOID_PARKED || !is_new_word(l, w->tgid, w->futex, is_shared))
		return;
	note_error(l, helper_lock(l->helper, w->tgid, w->futex, is_shared));
}

/* Another program has other code at the same addresses. */
static void forget(struct locks *l, uint32_t tgid)
{
	struct proc *p = u64map_find(&l->procs, tgid);

	if (!p)
		return;
	helper_forget(l->helper, tgid);
	probe_user_text(l->probe, tgid, NULL);
	*p = (struct proc){.gen = p->gen + 1};
	l->words_are_old = true;
	l->last_tgid = 0;
}

bool locks_record(struct locks *l, const void *rec, size_t len)
{
	const struct rec_hdr *hdr = rec;
	const struct rec_wait *w = rec;
	const struct rec_stack *stack = rec;
	const struct rec_task *task = rec;
	const struct rec_task_end *end = rec;

	if (!l->helper)
		return hdr->kind == STACK_COPY_KIND;
	switch (hdr->kind) {
	case STACK_COPY_KIND:
		take_stack(l, rec, len);
		return true;
	case REC_WAIT_KIND:
		if (w->futex)
			look_at_word(l, w);
		break;
	case REC_STACK_KIND:
		return stack->tgid == TGID_KERNEL && klocks_record(l->klocks, rec);
	case REC_KLOCK_KIND:
		return klocks_record(l->klocks, rec);
	case REC_TASK_KIND:
		if (task->flags & TASK_EXECED || (task->flags & TASK_FORKED && task->tid == task->tgid))
			forget(l, task->tgid);
		break;
	case REC_TASK_END_KIND:
		if (end->exited && end->tid == end->tgid)
			forget(l, end->tgid);
		break;
	}
	return false;
}

void locks_tick(struct locks *l)
{
	if (l->klocks)
		klocks_tick(l->klocks, false);
}

void locks_tell(struct locks *l, struct facts *f)
{
	struct helper_stats user, kernel;

	if (!l->helper)
		return;
	klocks_tick(l->klocks, true);
	user = helper_stats(l->helper);
	kernel = klocks_stats(l->klocks);
	if (!user.asked && !kernel.asked)
		return;
	facts_number(f, "cost.symbolizer_ms", (user.waited_ns + kernel.waited_ns + 500000) / 1000000);
	facts_number(f, "cost.symbolizer_asked", user.asked + kernel.asked);
	if (user.failed + kernel.failed)
		facts_number(f, "symbolizer.failed", user.failed + kernel.failed);
	if (user.died + kernel.died)
		facts_number(f, "symbolizer.died", user.died + kernel.died);
}
