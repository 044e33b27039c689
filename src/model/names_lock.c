/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names of locks, and threads by the ids that locks have. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../bpf/record.h"
#include "names_impl.h"

/* "queues", 0x40 bytes into it: "queues+0x40", unless the name says so already. NULL: errno. */
static const char *element_name(struct names *n, const char *name, size_t len, uint64_t at)
{
	char text[sizeof(((struct rec_lock *)0)->name) + 20];

	len = strnlen(name, len);
	if (!len || !at || memchr(name, '+', len))
		return texts_add(&n->texts, name, len);
	snprintf(text, sizeof(text), "%.*s+0x%llx", (int)len, name, (unsigned long long)at);
	return texts_add(&n->texts, text, sizeof(text));
}

/* Without room it has no name: no error. */
static int set_lock(struct names *n, uint32_t tgid, uint64_t address, const struct lock_name *name)
{
	struct lock_entry *e = name->module ? pairs_get(&n->locks, tgid, address) : NULL;

	if (!e)
		return errno == ENOSPC ? 0 : -ENOMEM;
	e->name = *name;
	return 0;
}

int names_lock(struct names *n, const struct rec_lock *r)
{
	struct lock_name l = {.base = r->base, .inode = r->inode, .offset = r->offset};

	if (!r->tgid || !r->futex || r->base > r->futex)
		return -EBADMSG;
	if (n->locks.map.cnt >= n->locks.max && !pairs_find(&n->locks, r->tgid, r->futex))
		return 0;
	l.name = element_name(n, r->name, sizeof(r->name), r->base ? r->futex - r->base : 0);
	l.module = l.name ? texts_add(&n->texts, r->module, sizeof(r->module)) : NULL;
	return set_lock(n, r->tgid, r->futex, &l);
}

int names_lock_begin(struct names *n, uint32_t tgid, uint64_t futex, uint64_t begin)
{
	const struct lock_entry *e = pairs_find(&n->locks, tgid, futex), *known = pairs_find(&n->locks, tgid, begin);
	struct lock_name l;
	const char *plus;

	if (!e || (known && known->name.base == e->name.base))
		return 0;
	l = e->name;
	plus = strrchr(l.name, '+');
	if (l.base && plus)
		l.name = element_name(n, l.name, (size_t)(plus - l.name), begin > l.base ? begin - l.base : 0);
	return l.name ? set_lock(n, tgid, begin, &l) : errno == ENOSPC ? 0 : -ENOMEM;
}

const struct lock_name *names_of_lock(const struct names *n, uint32_t tgid, uint64_t address)
{
	const struct lock_entry *e = pairs_find(&n->locks, tgid, address);

	return e ? &e->name : NULL;
}

static uint64_t thread_key(uint32_t tgid, uint32_t ns_tid)
{
	return (uint64_t)tgid << 32 | ns_tid;
}

static bool is_alive(const void *thread)
{
	const struct ns_thread *t = thread;

	return !t->end_ns;
}

/* Days of short-lived threads must not fill the memory; without memory it stays as it is. */
static void drop_ended(struct names *n)
{
	n->ended_cnt = 0;
	u64map_keep(&n->threads, is_alive);
}

int names_thread_begins(struct names *n, const struct rec_task *r)
{
	uint64_t key = thread_key(r->tgid, r->ns_tid ? r->ns_tid : r->tid);
	struct ns_thread *t = u64map_find(&n->threads, key);

	if (t && t->tid == r->tid && !t->end_ns)
		return 0;	/* told again: a name, a cgroup */
	if (!t && n->threads.cnt >= NAMES_TASKS_MAX)
		return 0;
	if (!t)
		t = u64map_get(&n->threads, key);
	if (!t)
		return -ENOMEM;
	*t = (struct ns_thread){.tid = r->tid, .born_ns = r->flags & TASK_FORKED ? r->time : 0};
	return 0;
}

void names_thread_ends(struct names *n, uint32_t tid, uint64_t time_ns)
{
	const struct task_name *name = names_of_task(n, tid);
	struct ns_thread *t;

	if (!name)
		return;
	t = u64map_find(&n->threads, thread_key(name->tgid, name->ns_tid ? name->ns_tid : tid));
	if (!t || t->tid != tid || t->end_ns)
		return;
	t->end_ns = time_ns ? time_ns : 1;
	if (++n->ended_cnt > NAMES_ENDED_MAX)
		drop_ended(n);
}

uint32_t names_thread(const struct names *n, uint32_t tgid, uint32_t ns_tid, uint64_t time_ns)
{
	const struct ns_thread *t = ns_tid ? u64map_find(&n->threads, thread_key(tgid, ns_tid)) : NULL;
	const struct task_name *name = t ? names_of_task(n, t->tid) : NULL;

	if (!name || name->tgid != tgid)	/* its end was lost, another has its id */
		return 0;
	return time_ns < t->born_ns || (t->end_ns && t->end_ns <= time_ns) ? 0 : t->tid;
}
