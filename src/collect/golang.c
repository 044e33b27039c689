/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "golang_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/err.h"
#include "session.h"

struct golang *golang_new(struct probe *probe, int level, int (*put)(void *, const void *, size_t), void *ctx)
{
	struct golang *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->probe = probe;
	g->level = level;
	g->put = put;
	g->ctx = ctx;
	u64map_init(&g->known, 1);
	return g;
}

static void proc_free(struct proc *p)
{
	probe_go_detach(&p->full);
	probe_go_detach(&p->light);
	go_process_close(p->reader);
	u64map_done(&p->seen);
	free(p);
}

void golang_free(struct golang *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < PROCS_MAX; i++)
		if (g->procs[i])
			proc_free(g->procs[i]);
	probe_go_close(g->probes);
	for (size_t i = 0; i < g->program_cnt; i++) {
		go_binary_close(g->programs[i]->binary);
		free(g->programs[i]);
	}
	free(g->programs);
	u64map_done(&g->known);
	free(g);
}

static struct proc *proc_of(struct golang *g, uint32_t tgid)
{
	if (g->last && g->last->tgid == tgid)
		return g->last;
	for (size_t i = 0; i < PROCS_MAX; i++)
		if (g->procs[i] && g->procs[i]->tgid == tgid)
			return g->last = g->procs[i];
	return NULL;
}

static void forget(struct golang *g, uint32_t tgid)
{
	g->last = NULL;
	for (size_t i = 0; i < PROCS_MAX; i++) {
		if (!g->procs[i] || g->procs[i]->tgid != tgid)
			continue;
		probe_go_proc(g->probe, tgid, NULL);
		proc_free(g->procs[i]);
		if (g->probes)
			probe_go_clear(g->probes, i);
		g->procs[i] = NULL;
	}
}

static struct program *find_program(struct golang *g, const struct stat *st)
{
	for (size_t i = 0; i < g->program_cnt; i++)
		if (g->programs[i]->dev == st->st_dev && g->programs[i]->ino == st->st_ino)
			return g->programs[i];
	return NULL;
}

/* Who runs what is not for everybody to see: once for all, as they may not be Go programs. */
static void tell_unseen(struct golang *g)
{
	struct rec_fact r = {
		.hdr = {REC_FACT_KIND, sizeof(r)}, .name = "absent.goroutines",
		.value = "what another user's process runs, and its memory, can't be read: needs CAP_SYS_PTRACE",
	};

	if (g->told_unseen)
		return;
	g->told_unseen = true;
	talk("without goroutines: %s", r.value);
	g->put(g->ctx, &r, sizeof(r));
}

/* NULL: no Go program (why is empty), or one that can't be read. */
static struct program *open_program(struct golang *g, const char *path, char why[GO_WHY])
{
	struct program *p, **all;
	struct stat st;
	int err;

	*why = 0;
	if (stat(path, &st)) {
		if (errno == EACCES)
			tell_unseen(g);
		return NULL;
	}
	if (!S_ISREG(st.st_mode))
		return NULL;
	p = find_program(g, &st);
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	all = p ? realloc(g->programs, (g->program_cnt + 1) * sizeof(*all)) : NULL;
	if (!all) {
		free(p);
		return NULL;
	}
	g->programs = all;
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	err = go_binary_open(path, &p->binary, why);
	if (err) {
		if (err == -ENOENT)
			*why = 0;
		free(p);
		return NULL;
	}
	if (go_runtime_resolve(p->binary, &p->runtime, why)) {
		go_binary_close(p->binary);
		free(p);
		return NULL;
	}
	g->programs[g->program_cnt++] = p;
	return p;
}


/* Compares with the live process, once its runtime runs; true if that is over, well or not. */
static void check(struct golang *g, struct proc *p)
{
	char why[GO_WHY] = "";
	int err = go_process_check(p->reader, why);

	if (err == -EAGAIN && g->now - p->since < PATIENCE_NS)
		return;
	if (err && golang_is_gone(p)) {
		p->gone = true;
		return;
	}
	p->checked = !err;
	if (err) {
		if (err == -EAGAIN)
			snprintf(why, sizeof(why), "its runtime did not begin");
		talk("without goroutines of pid %u: %s", p->tgid, why);
		probe_go_detach(&p->full);
		probe_go_detach(&p->light);
		probe_go_proc(g->probe, p->tgid, NULL);
		go_process_close(p->reader);
		p->reader = NULL;
		p->live = false;
		p->level = GO_OFF;
		golang_tell_level(g, p, why);
		return;
	}
	p->live = true;
	if (p->light.fd || p->light.cnt)
		golang_tell_level(g, p, "");
	else
		golang_start_level(g, p);
	golang_snapshot(g, p);
}

static struct proc *proc_new(struct golang *g, uint32_t tgid, const char *path, struct program *program)
{
	struct proc *p;
	size_t i = 0;

	while (i < PROCS_MAX && g->procs[i])
		i++;
	p = i < PROCS_MAX ? calloc(1, sizeof(*p)) : NULL;
	if (!p)
		return NULL;
	p->tgid = tgid;
	p->slot = i;
	p->program = program;
	p->wanted = g->level;
	p->since = g->now;
	p->config.gen = ++g->gen;
	p->config.tgid = tgid;
	snprintf(p->path, sizeof(p->path), "%s", path);
	u64map_init(&p->seen, 1);
	g->procs[i] = p;
	return p;
}

static void refuse(struct golang *g, uint32_t tgid, const char *why)
{
	struct proc p = {.tgid = tgid};

	if (!*why || golang_is_gone(&p))
		return;
	talk("without goroutines of pid %u: %s", tgid, why);
	golang_tell_level(g, &p, why);
}

/* False: gone, or it may not be read. */
bool golang_open_reader(struct proc *p, char why[GO_WHY])
{
	const struct program *program = p->program;

	int err = p->reader ? 0 : go_process_open(p->tgid, program->binary, &program->runtime, &p->reader, why);

	if (err == -EPERM && !*why)
		snprintf(why, GO_WHY, "its memory can't be read: needs CAP_SYS_PTRACE");
	return !err;
}

/* A process that runs: is it Go? */
static void look_at(struct golang *g, uint32_t tgid)
{
	char path[64], why[GO_WHY] = "";
	struct program *program;
	struct proc *p = proc_of(g, tgid);

	snprintf(path, sizeof(path), "/proc/%u/exe", tgid);
	program = open_program(g, path, why);
	/* probes and addresses end with the program that execs, also where it execs itself */
	if (p && (p->program != program || !p->is_command)) {
		forget(g, tgid);
		p = NULL;
	}
	if (!program) {
		refuse(g, tgid, why);
		if (g->known.cnt >= KNOWN_MAX)
			u64map_clear(&g->known);
		u64map_get(&g->known, tgid);
		return;
	}
	if (!p) {
		p = proc_new(g, tgid, path, program);
		if (!p)
			return;
		golang_tell_words(g, p);
	}
	if (!golang_open_reader(p, why)) {
		refuse(g, tgid, why);
		forget(g, tgid);
		return;
	}
	p->is_command = false;
	if (!golang_describe(g, p))
		check(g, p);
}

void golang_command(struct golang *g, uint32_t pid, const char *file, uint64_t now)
{
	char path[512], why[GO_WHY] = "", *paths, *save = NULL;
	const char *env = getenv("PATH");
	struct program *program = NULL;
	struct proc *p;

	g->now = now;
	g->noted_cnt = 0;	/* what it is now is us */
	if (g->level == GO_OFF || g->level == GO_SNAPSHOT)
		return;
	paths = strdup(strchr(file, '/') || !env ? "" : env);
	if (paths && !*paths)
		program = open_program(g, file, why);
	snprintf(path, sizeof(path), "%s", file);
	for (char *dir = paths ? strtok_r(paths, ":", &save) : NULL; dir; dir = strtok_r(NULL, ":", &save)) {
		snprintf(path, sizeof(path), "%s/%s", dir, file);
		if (!access(path, X_OK)) {
			program = open_program(g, path, why);
			break;
		}
	}
	free(paths);
	if (!program || strlen(path) >= sizeof(p->path))
		return;
	p = proc_new(g, pid, path, program);
	if (!p)
		return;
	p->is_command = true;
	golang_tell_words(g, p);
	if (!golang_describe(g, p))
		golang_start_level(g, p);
}

static bool is_known(struct golang *g, uint32_t tgid)
{
	return u64map_find(&g->known, tgid) || proc_of(g, tgid);
}

static void note(struct golang *g, uint32_t tgid)
{
	for (size_t i = 0; i < g->noted_cnt; i++)
		if (g->noted[i] == tgid)
			return;
	if (g->noted_cnt < NOTED_MAX)
		g->noted[g->noted_cnt++] = tgid;
}

static void on_task(struct golang *g, const struct rec_task *t)
{
	if (!(t->flags & TASK_TRACKED) || t->flags & TASK_KTHREAD)
		return;
	/* forked: it is what its parent is until it execs, and soon it does */
	if (t->flags & TASK_EXECED || (!(t->flags & TASK_FORKED) && !is_known(g, t->tgid)))
		note(g, t->tgid);
}

static uint32_t tgid_of(const void *rec)
{
	const struct rec_hdr *hdr = rec;

	switch (hdr->kind) {
	case REC_WAIT_KIND:
		return ((const struct rec_wait *)rec)->goid ? ((const struct rec_wait *)rec)->tgid : 0;
	case REC_GO_KIND:
		return ((const struct rec_go *)rec)->tgid;
	case REC_STW_KIND:
		return ((const struct rec_stw *)rec)->tgid;
	case REC_STACK_KIND:
		return ((const struct rec_stack *)rec)->tgid;
	case REC_GOSITE_KIND:
		return ((const struct rec_gosite *)rec)->tgid;
	}
	return 0;
}

static void mark_gone(struct golang *g, uint32_t tgid)
{
	struct proc *p = proc_of(g, tgid);

	if (p)
		p->gone = true;
}

void golang_record(struct golang *g, const void *rec)
{
	const struct rec_hdr *hdr = rec;
	const struct rec_task_end *end = rec;
	uint32_t tgid = tgid_of(rec);
	struct proc *p = tgid ? proc_of(g, tgid) : NULL;

	if (p)
		golang_name_record(g, p, rec);
	else if (hdr->kind == REC_TASK_KIND && g->level != GO_OFF)
		on_task(g, rec);
	else if (hdr->kind == REC_TASK_END_KIND && end->exited && end->tid == end->tgid)
		mark_gone(g, end->tgid);
}

bool golang_has(struct golang *g, uint32_t tgid)
{
	const struct proc *p = proc_of(g, tgid);

	return p && p->reader && !p->gone;
}

void golang_tick(struct golang *g, uint64_t now)
{
	size_t cnt = g->noted_cnt;

	g->now = now;
	g->noted_cnt = 0;
	for (size_t i = 0; i < cnt; i++)
		look_at(g, g->noted[i]);
	for (size_t i = 0; i < PROCS_MAX; i++) {
		struct proc *p = g->procs[i];

		if (p && p->gone)
			forget(g, p->tgid);
		else if (p && p->reader && !p->checked)
			check(g, p);
		else if (p && p->live && p->wanted == GO_AUTO && !p->settled && now - p->level_since >= AUTO_NS)
			golang_decide(g, p);
	}
}


void golang_second(struct golang *g, uint64_t now)
{
	g->now = now;
	for (size_t i = 0; i < PROCS_MAX; i++)
		if (g->procs[i] && g->procs[i]->live && !g->procs[i]->gone)
			golang_snapshot(g, g->procs[i]);
	golang_measure_rates(g);
	for (size_t i = 0; i < PROCS_MAX; i++)
		if (g->procs[i] && g->procs[i]->live && g->procs[i]->wanted == GO_AUTO && g->procs[i]->settled)
			golang_go_down(g, g->procs[i]);
}

uint64_t golang_cost(struct golang *g)
{
	uint64_t counts[COUNT_CNT] = {};

	probe_counts(g->probe, counts);
	return counts[COUNT_go_hits] * HIT_NS;
}

void golang_stop(struct golang *g, uint64_t now)
{
	if (g->probes)
		probe_go_active(g->probes, false);
	golang_second(g, now);
}
