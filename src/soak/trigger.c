/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "trigger.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/units.h"

/* Longer first: > begins >= */
static const struct {
	const char *text;
	bool or_equal;
} ops[] = {
	{">=", true},
	{">", false},
};

#define SPACE " \t"

static const char *skip(const char *p)
{
	return p + strspn(p, SPACE);
}

static const char *take_metric(const char *p, struct trigger *t)
{
	size_t len = strcspn(p, SPACE "<>=");

	for (size_t i = 0; i < METRIC_CNT; i++) {
		if (strlen(metrics[i].name) != len || strncmp(metrics[i].name, p, len))
			continue;
		t->metric = i;
		return p + len;
	}
	return NULL;
}

static const char *take_op(const char *p, struct trigger *t)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (strncmp(ops[i].text, p, strlen(ops[i].text)))
			continue;
		t->or_equal = ops[i].or_equal;
		return p + strlen(ops[i].text);
	}
	return NULL;
}

static const char *take_time(const char *p, struct trigger *t)
{
	size_t len = strcspn(p, SPACE);
	char text[32];

	if (len >= sizeof(text))
		return NULL;
	memcpy(text, p, len);
	text[len] = '\0';
	return parse_time(text, &t->limit_ns) ? NULL : p + len;
}

/* Up to the end; quotes around it are taken off. */
static const char *take_glob(const char *p, struct trigger *t)
{
	size_t len;

	if (!*p)
		return p;
	if (strncmp(p, "for", 3) || !strchr(SPACE, p[3]) || !p[3])
		return NULL;
	p = skip(p + 3);
	len = strlen(p);
	while (len && strchr(SPACE, p[len - 1]))
		len--;
	if (len >= 2 && *p == '"' && p[len - 1] == '"') {
		p++;
		len -= 2;
	}
	t->glob = len ? strndup(p, len) : NULL;
	return t->glob ? p + strlen(p) : NULL;
}

static const struct {
	const char *(*take)(const char *p, struct trigger *t);	/* what is behind it, NULL: it is not that */
	const char *why;
} grammar[] = {
	{take_metric, "does not begin with a metric"},
	{take_op, "has no > or >= behind the metric"},
	{take_time, "has no time with a unit, as 5ms, behind the >"},
	{take_glob, "has something else than 'for NAME-GLOB' behind the time"},
};

int trigger_parse(const char *text, struct trigger *out, const char **why)
{
	struct trigger t = {};
	const char *p = skip(text);

	for (size_t i = 0; i < sizeof(grammar) / sizeof(grammar[0]); i++) {
		p = grammar[i].take(p, &t);
		if (!p) {
			*why = grammar[i].why;
			trigger_done(&t);
			return -EINVAL;
		}
		p = skip(p);
	}
	t.text = strdup(text);
	if (!t.text) {
		trigger_done(&t);
		*why = "does not fit into the memory";
		return -ENOMEM;
	}
	*out = t;
	return 0;
}

void trigger_done(struct trigger *t)
{
	free(t->text);
	free(t->glob);
}

const char *trigger_syntax(char *buf, size_t size)
{
	size_t at = (size_t)snprintf(buf, size, "METRIC > TIME [for NAME-GLOB]; METRIC is one of ");

	for (size_t i = 0; i < METRIC_CNT && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s", i ? ", " : "", metrics[i].name);
	return buf;
}

static const char *name_of_thread(const struct span *s, const struct names *names)
{
	const struct task_name *task = names_of_task(names, s->tid);

	return task ? task->comm : "";
}

static const char *name_of_goroutine(const struct span *s, const struct names *names)
{
	const struct site_name *site = names_of_site(names, s->site);

	return site ? site->func : "";
}

static const char *name_of_process(const struct span *s, const struct names *names)
{
	const struct task_name *task = names_of_task(names, s->tgid);

	return task ? task->comm : "";
}

/* Its symbol, else the function that waited for it. */
static const char *name_of_lock(const struct span *s, const struct names *names)
{
	const struct lock_name *lock = s->lock && !s->lock_space ? names_of_lock(names, s->tgid, s->lock) : NULL;
	const struct site_name *site = names_of_site(names, s->wait_site);

	if (lock && *lock->name)
		return lock->name;
	return site ? site->func : "";
}

const char *trigger_name(const struct span *s, const struct names *names)
{
	static const char *(*const by_entity[])(const struct span *, const struct names *) = {
		[ENTITY_THREAD] = name_of_thread,
		[ENTITY_GOROUTINE] = name_of_goroutine,
		[ENTITY_LOCK] = name_of_lock,
		[ENTITY_PROCESS] = name_of_process,
	};

	return by_entity[metrics[s->metric].entity](s, names);
}

bool trigger_is_about(const struct trigger *t, const struct span *s, const struct names *names)
{
	return s->metric == t->metric && (!t->glob || !fnmatch(t->glob, trigger_name(s, names), 0));
}

bool trigger_trips(const struct trigger *t, uint64_t latency_ns)
{
	return t->or_equal ? latency_ns >= t->limit_ns : latency_ns > t->limit_ns;
}
