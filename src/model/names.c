/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../bpf/record.h"
#include "names_impl.h"

struct names *names_new(void)
{
	struct names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	u64map_init(&n->tasks, sizeof(struct task_name));
	u64map_init(&n->threads, sizeof(struct ns_thread));
	u64map_init(&n->cgroups, sizeof(char *));
	pairs_init(&n->labels, sizeof(struct text_entry), NAMES_LABELS_MAX);
	pairs_init(&n->locks, sizeof(struct lock_entry), NAMES_LOCKS_MAX);
	pairs_init(&n->words, sizeof(struct text_entry), NAMES_WORDS_MAX);
	names_init_sites(n);
	return n;
}

void names_free(struct names *n)
{
	char **path;
	uint64_t id;
	size_t i = 0;

	if (!n)
		return;
	while ((path = u64map_next(&n->cgroups, &i, &id)))
		free(*path);
	u64map_done(&n->cgroups);
	u64map_done(&n->tasks);
	u64map_done(&n->threads);
	pairs_done(&n->locks);
	pairs_done(&n->labels);
	pairs_done(&n->words);
	names_done_sites(n);
	free(n);
}

int names_task(struct names *n, const struct rec_task *t)
{
	struct task_name *name;

	if (n->tasks.cnt >= NAMES_TASKS_MAX && !u64map_find(&n->tasks, t->tid))
		return 0;
	name = u64map_get(&n->tasks, t->tid);
	if (!name)
		return -ENOMEM;
	*name = (struct task_name){
		.tid = t->tid, .tgid = t->tgid, .ns_tid = t->ns_tid, .ns_tgid = t->ns_tgid,
		.cgroup = t->cgroup,
	};
	memcpy(name->comm, t->comm, sizeof(t->comm));	/* one byte more stays 0 */
	return names_thread_begins(n, t);
}

int names_cgroup(struct names *n, const struct rec_cgroup *c)
{
	char *path, **slot;

	if (n->cgroups.cnt >= NAMES_CGROUPS_MAX && !u64map_find(&n->cgroups, c->id))
		return 0;
	path = strndup(c->path, sizeof(c->path));
	if (!path)
		return -ENOMEM;
	slot = u64map_get(&n->cgroups, c->id);
	if (!slot) {
		free(path);
		return -ENOMEM;
	}
	free(*slot);
	*slot = path;
	return 0;
}

const struct task_name *names_of_task(const struct names *n, uint32_t tid)
{
	return u64map_find(&n->tasks, tid);
}

const char *names_of_cgroup(const struct names *n, uint64_t id)
{
	char *const *path = u64map_find(&n->cgroups, id);

	return path ? *path : NULL;
}

/* Without room it has no text: no error. */
static int set_text(struct names *n, struct pairs *table, uint32_t tgid, uint64_t number, const char *text, size_t len)
{
	struct text_entry *e;
	const char *kept;

	if (table->map.cnt >= table->max && !pairs_find(table, tgid, number))
		return 0;
	kept = texts_add(&n->texts, text, len);
	e = kept ? pairs_get(table, tgid, number) : NULL;
	if (!e)
		return errno == ENOSPC ? 0 : -ENOMEM;
	e->text = kept;
	return 0;
}

static const char *text_of(const struct pairs *table, uint32_t tgid, uint64_t number)
{
	const struct text_entry *e = pairs_find(table, tgid, number);

	return e ? e->text : NULL;
}

int names_golabel(struct names *n, const struct rec_golabel *r)
{
	if (!r->tgid || !r->labels)
		return -EBADMSG;
	return set_text(n, &n->labels, r->tgid, r->labels, r->text, sizeof(r->text));
}

const char *names_label(const struct names *n, uint32_t tgid, uint64_t labels)
{
	return text_of(&n->labels, tgid, labels);
}

static uint64_t word_key(uint32_t word, uint32_t number)
{
	return (uint64_t)word << 32 | number;
}

int names_goword_add(struct names *n, const struct rec_goword *r)
{
	if (!r->tgid || r->word < GO_WORD_REASON || r->word > GO_WORD_STW)
		return -EBADMSG;
	return set_text(n, &n->words, r->tgid, word_key(r->word, r->number), r->text, sizeof(r->text));
}

const char *names_goword(const struct names *n, uint32_t tgid, uint32_t word, uint32_t number)
{
	return text_of(&n->words, tgid, word_key(word, number));
}

uint32_t names_stw_class(struct names *n, const char *reason)
{
	const char *text;

	for (size_t i = 0; i < n->stw_cnt; i++) {
		if (!strcmp(n->stw[i], reason))
			return CLASS_STW + (uint32_t)i;
	}
	text = n->stw_cnt < NAMES_STW_MAX ? texts_add(&n->texts, reason, SIZE_MAX) : NULL;
	if (!text)
		return CLASS_UNKNOWN;
	n->stw[n->stw_cnt] = text;
	return CLASS_STW + (uint32_t)n->stw_cnt++;
}

const char *names_class(const struct names *n, uint32_t klass, char *buf, size_t size)
{
	if (klass < CLASS_STW || klass - CLASS_STW >= n->stw_cnt)
		return class_name(klass, buf, size);
	snprintf(buf, size, "%s", n->stw[klass - CLASS_STW]);
	return buf;
}
