/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "golang.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/u64map.h"
#include "../go/process.h"
#include "probe.h"
#include "probe_go.h"
#include "session.h"

enum {
	PROCS_MAX = GO_SLOTS,		/* Go processes at a time; others are recorded by their threads */
	NOTED_MAX = 1024,
	KNOWN_MAX = 65536,		/* then they are looked at again, should they be seen */
	FRAMES_MAX = 16,		/* inlined calls at one address */
	SYMBOLS_MAX = 65536,		/* addresses of a process that get a name */
	PATIENCE_NS = 2000000000,	/* for a runtime that has not begun */
	AUTO_NS = 240000000,		/* of light probes, before it is decided whether full ones are cheap */
	HIT_NS = 700,			/* what a probe costs the target: 0.45 us for its trap, 0.2 to 0.3 for ours */
	FULL_HITS = 3,			/* a goroutine's switch: park, ready, execute */
	AUTO_MAX_PERMILLE = 20,		/* of the target's CPU, for full probes to come on by themselves */
	OFF_MIN_PERMILLE = 100,		/* and for probes to come off */
};

/* A program file; processes of one program share it. */
struct program {
	dev_t dev;
	ino_t ino;
	struct go_binary *binary;
	struct go_runtime runtime;
};

struct proc {
	uint32_t tgid, slot;
	char path[64];
	struct program *program;
	struct go_process_reader *reader;
	struct go_proc config;
	int wanted;			/* the level that it is to have, or GO_AUTO */
	enum go_level level;
	bool live;			/* it runs our program: memory may be read */
	bool checked, gone;
	bool is_command;		/* it is about to become its program */
	bool settled;			/* auto has decided: it goes down from here, never up again */
	uint64_t since, level_since;
	uint64_t ticks;			/* times that a P took up a goroutine, between the last two snapshots */
	uint64_t ticks_sum;		/* the runtime's own sum of them */
	uint64_t rate;			/* goroutines that got to run, a second */
	uint64_t cpu, cpu_at;		/* CPU time so far, as last read */
	uint64_t cpu_permille;		/* of one CPU */
	struct probe_go_links light, full;
	struct u64map seen;		/* addresses and labels that were given a name */
};

struct golang {
	struct probe *probe;
	struct probe_go *probes;
	char no_probes[GO_WHY];		/* why there are none */
	bool told_unseen;
	int level;
	int (*put)(void *, const void *, size_t);
	void *ctx;
	struct program **programs;
	size_t program_cnt;
	struct proc *procs[PROCS_MAX];
	uint32_t noted[NOTED_MAX];	/* processes to look at */
	size_t noted_cnt;
	struct u64map known;		/* tgids that were looked at and are no Go program */
	struct proc *last;		/* that a record was of */
	struct proc *snapping;		/* whose snapshot is being taken */
	uint64_t hits, hits_at;		/* of all probes so far, as last read */
	uint32_t gen;
	uint64_t now;
};

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

/* The level as it now is, for the recording. */
static void tell_level(struct golang *g, const struct proc *p, const char *why)
{
	struct rec_goproc r = {
		.hdr = {REC_GOPROC_KIND, sizeof(r)}, .tgid = p->tgid, .time = g->now,
		.level = p->level, .checked = p->checked,
	};

	if (p->program)
		memcpy(r.version, go_binary_build(p->program->binary)->version, sizeof(r.version));
	strncpy(r.why, why, sizeof(r.why) - 1);
	g->put(g->ctx, &r, sizeof(r));
}

static bool begins_with_one_of(const char *text, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (!strncmp(text, *prefixes, strlen(*prefixes)))
			return true;
	return false;
}

/*
 * Waits whose stack is worth taking; those whose class it tells (all of sync until Go 1.19); those of
 * semacquire1.
 */
static const char *const class_reasons[] = {"semacquire", NULL};
static const char *const stack_reasons[] = {"chan ", "select", "sync.", "semacquire", NULL};
static const char *const lock_reasons[] = {"sync.Mutex", "sync.RWMutex", "sync.WaitGroup", "semacquire", NULL};

/* What the numbers of its runtime mean. */
static void tell_words(struct golang *g, struct proc *p)
{
	static const enum go_word words[] = {GO_WORD_REASON, GO_WORD_STW};

	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		for (uint32_t i = 0; i < 64; i++) {
			const char *text = go_runtime_word(p->program->binary, words[w], i);
			struct rec_goword r = {
				.hdr = {REC_GOWORD_KIND, sizeof(r)}, .tgid = p->tgid, .word = words[w], .number = i,
			};

			if (!text)
				continue;
			strncpy(r.text, text, sizeof(r.text) - 1);
			g->put(g->ctx, &r, sizeof(r));
			if (words[w] != GO_WORD_REASON)
				continue;
			p->config.stack_reasons |= (uint64_t)begins_with_one_of(text, stack_reasons) << i;
			p->config.class_reasons |= (uint64_t)begins_with_one_of(text, class_reasons) << i;
			p->config.lock_reasons |= (uint64_t)begins_with_one_of(text, lock_reasons) << i;
		}
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

/* Loaded with the first process that is to be probed. */
static bool has_probes(struct golang *g)
{
	struct probe_shared shared;

	if (g->probes || *g->no_probes)
		return g->probes;
	shared = probe_share(g->probe);
	if (probe_go_open(&shared, &g->probes, g->no_probes))
		return false;
	probe_go_active(g->probes, true);
	return true;
}

/* The kernel side's description of the process. */
static int describe(struct golang *g, struct proc *p)
{
	const struct go_runtime *r = &p->program->runtime;
	const uint64_t *from = (const uint64_t *)&r->functions;
	uint64_t *to = (uint64_t *)&p->config.fn;

	p->config.tls = r->tls;
	p->config.at = r->layout;
	p->config.level = p->level;
	p->config.goidgen = r->globals.sched;	/* its first field */
	for (size_t i = 0; i < sizeof(r->functions) / sizeof(*from); i++)
		to[i] = from[i] ? from[i] : 1;
	return probe_go_proc(g->probe, p->tgid, &p->config);
}

/* The bytes in memory are those of the file where we have no probe yet: nobody else has a breakpoint there. */
static const struct go_site *changed_site(const struct proc *p)
{
	const struct go_runtime *r = &p->program->runtime;
	uint64_t bias = go_process_bias(p->reader);

	for (size_t i = 0; i < r->site_cnt; i++) {
		const struct go_site *s = &r->sites[i];
		uint8_t now[GO_INSN_MAX];
		struct iovec to = {now, s->len}, from = {(void *)(uintptr_t)(s->addr + bias), s->len};

		if (probe_go_level(s->id) > p->level &&
		    process_vm_readv(p->tgid, &to, 1, &from, 1, 0) == s->len && memcmp(now, s->bytes, s->len))
			return s;
	}
	return NULL;
}

static void snapshot(struct golang *g, struct proc *p);
static void measure_rates(struct golang *g);

/* Goes to a level; the kernel side knows before the first hit and after the last. */
static int set_level(struct golang *g, struct proc *p, enum go_level level, char why[GO_WHY])
{
	const struct go_runtime *r = &p->program->runtime;
	int err = 0;

	if (level < GO_FULL)
		probe_go_detach(&p->full);
	if (level < GO_LIGHT)
		probe_go_detach(&p->light);
	p->level = level;
	p->level_since = g->now;
	p->config.level = level;
	err = probe_go_proc(g->probe, p->tgid, &p->config);
	if (!err && g->probes)
		err = probe_go_set(g->probes, p->slot, &p->config);
	if (!err && level >= GO_LIGHT && !p->light.cnt && !p->light.fd)
		err = probe_go_attach(g->probes, p->slot, p->tgid, p->path, r, GO_LIGHT, &p->light);
	if (!err && level >= GO_FULL && !p->full.cnt && !p->full.fd)
		err = probe_go_attach(g->probes, p->slot, p->tgid, p->path, r, GO_FULL, &p->full);
	if (err)
		snprintf(why, GO_WHY, "probes cannot be attached: %s", strerror(-err));
	return err;
}

/* The deepest level that is wanted and can be had; says why it is no more. */
static enum go_level best_level(struct golang *g, struct proc *p, enum go_level want, char why[GO_WHY])
{
	const struct go_runtime *r = &p->program->runtime;
	const struct go_site *changed;

	if (want > r->max_level) {
		snprintf(why, GO_WHY, "%s", r->missing);
		want = r->max_level;
	}
	if (want >= GO_LIGHT && !has_probes(g)) {
		snprintf(why, GO_WHY, "%s", g->no_probes);
		want = GO_SNAPSHOT;
	}
	changed = want >= GO_LIGHT && p->reader ? changed_site(p) : NULL;
	if (changed) {
		snprintf(why, GO_WHY, "%s is being traced by somebody else, or was changed", changed->symbol);
		want = GO_SNAPSHOT;
	}
	return want;
}

/* What failed then, failed because of that. */
static bool is_gone(const struct proc *p)
{
	return kill(p->tgid, 0) && errno == ESRCH;
}

static void start_level(struct golang *g, struct proc *p)
{
	enum go_level want = p->wanted == GO_AUTO ? GO_LIGHT : (enum go_level)p->wanted;
	char why[GO_WHY] = "";

	want = best_level(g, p, want, why);
	if (set_level(g, p, want, why)) {
		char again[GO_WHY];

		set_level(g, p, GO_SNAPSHOT, again);
	}
	if (is_gone(p))
		return;
	if (*why)
		talk("without goroutines of pid %u in full: %s", p->tgid, why);
	else if (p->wanted == GO_AUTO)
		snprintf(why, sizeof(why), "auto: full if that is cheap");
	tell_level(g, p, why);
	measure_rates(g);
}


/* Compares with the live process, once its runtime runs; true if that is over, well or not. */
static void check(struct golang *g, struct proc *p)
{
	char why[GO_WHY] = "";
	int err = go_process_check(p->reader, why);

	if (err == -EAGAIN && g->now - p->since < PATIENCE_NS)
		return;
	if (err && is_gone(p)) {
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
		tell_level(g, p, why);
		return;
	}
	p->live = true;
	if (p->light.fd || p->light.cnt)
		tell_level(g, p, "");
	else
		start_level(g, p);
	snapshot(g, p);
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

	if (!*why || is_gone(&p))
		return;
	talk("without goroutines of pid %u: %s", tgid, why);
	tell_level(g, &p, why);
}

/* False: gone, or it may not be read. */
static bool open_reader(struct proc *p, char why[GO_WHY])
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
		tell_words(g, p);
	}
	if (!open_reader(p, why)) {
		refuse(g, tgid, why);
		forget(g, tgid);
		return;
	}
	p->is_command = false;
	if (!describe(g, p))
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
	tell_words(g, p);
	if (!describe(g, p))
		start_level(g, p);
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

/* A function that a goroutine begins with may be the compiler's, around the one that is meant. */
static size_t resolve(const struct proc *p, uint64_t pc, bool is_return, struct go_frame frames[FRAMES_MAX])
{
	const struct go_binary *b = p->program->binary;

	if (!is_return && go_runtime_started(b, pc, frames))
		return 1;
	return go_binary_resolve(b, pc, is_return, frames, FRAMES_MAX);
}

/* The names of an address, each once. */
static void name_address(struct golang *g, struct proc *p, uint64_t pc, bool is_return)
{
	struct go_frame frames[FRAMES_MAX];
	char why[GO_WHY];
	size_t cnt;

	if (!pc || u64map_find(&p->seen, pc) || p->seen.cnt >= SYMBOLS_MAX || !u64map_get(&p->seen, pc))
		return;
	/* of a command that runs since a moment, it may not be open yet */
	cnt = open_reader(p, why) ? resolve(p, pc - go_process_bias(p->reader), is_return, frames) : 0;
	for (size_t i = 0; i < cnt; i++) {
		struct rec_symbol r = {
			.hdr = {REC_SYMBOL_KIND, sizeof(r)}, .tgid = p->tgid, .pc = pc,
			.line = frames[i].line, .depth = i, .last = i + 1 == cnt,
		};

		memcpy(r.func, frames[i].func, sizeof(r.func));
		if (strcmp(frames[i].file, "<autogenerated>"))
			memcpy(r.file, frames[i].file, sizeof(r.file));
		else
			r.line = 0;	/* it is in no file: runtime.main's creator */
		g->put(g->ctx, &r, sizeof(r));
	}
}

static void name_goroutine(struct golang *g, struct proc *p, uint64_t startpc, uint64_t gopc)
{
	name_address(g, p, startpc, false);
	name_address(g, p, gopc, true);
}

/* Read while the goroutine has them: they may be gone with it. */
static void name_labels(struct golang *g, struct proc *p, uint64_t labels)
{
	struct rec_golabel r = {.hdr = {REC_GOLABEL_KIND, sizeof(r)}, .tgid = p->tgid, .labels = labels};

	if (!labels || !p->reader || u64map_find(&p->seen, labels) || p->seen.cnt >= SYMBOLS_MAX ||
	    !u64map_get(&p->seen, labels))
		return;
	if (!go_process_labels(p->reader, labels, r.text, sizeof(r.text)))
		g->put(g->ctx, &r, sizeof(r));
}

static void name_stack(struct golang *g, struct proc *p, const struct rec_stack *r)
{
	const uint64_t *pcs = (const uint64_t *)&r->pc0;

	for (size_t i = 0; i < 12 && pcs[i]; i++)
		name_address(g, p, pcs[i], true);
}

/* Gives names to what the record has addresses of. */
static void name_record(struct golang *g, struct proc *p, const void *rec)
{
	const struct rec_hdr *hdr = rec;
	const struct rec_wait *w = rec;
	const struct rec_go *go = rec;
	const struct rec_stw *stw = rec;
	const struct rec_gosite *site = rec;

	switch (hdr->kind) {
	case REC_WAIT_KIND:
		name_goroutine(g, p, w->startpc, w->gopc);
		break;
	case REC_GO_KIND:
		name_goroutine(g, p, go->startpc, go->gopc);
		name_goroutine(g, p, go->waker_startpc, go->waker_gopc);
		name_labels(g, p, go->labels);
		break;
	case REC_STW_KIND:
		name_goroutine(g, p, stw->last_startpc, stw->last_gopc);
		break;
	case REC_STACK_KIND:
		name_stack(g, p, rec);
		break;
	case REC_GOSITE_KIND:
		name_goroutine(g, p, site->startpc, site->gopc);
		name_labels(g, p, site->labels);
		break;
	}
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
		name_record(g, p, rec);
	else if (hdr->kind == REC_TASK_KIND && g->level != GO_OFF)
		on_task(g, rec);
	else if (hdr->kind == REC_TASK_END_KIND && end->exited && end->tid == end->tgid)
		mark_gone(g, end->tgid);
}

/* CPU time of a process so far. */
static uint64_t cpu_ns(uint32_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int put_snapshot(void *ctx, const void *rec, size_t len)
{
	struct golang *g = ctx;
	const struct rec_gosnap *snap = rec;
	struct proc *p = g->snapping;

	if (snap->hdr.kind == REC_GOSNAP_KIND) {
		p->ticks = p->ticks_sum && snap->sched_ticks > p->ticks_sum ? snap->sched_ticks - p->ticks_sum : 0;
		p->ticks_sum = snap->sched_ticks;
	}
	name_record(g, p, rec);
	return g->put(g->ctx, rec, len);
}

static void snapshot(struct golang *g, struct proc *p)
{
	uint64_t cpu = cpu_ns(p->tgid);

	if (p->cpu_at && g->now > p->cpu_at && cpu >= p->cpu)
		p->cpu_permille = (cpu - p->cpu) * 1000 / (g->now - p->cpu_at);
	p->cpu = cpu;
	p->cpu_at = g->now;
	g->snapping = p;
	if (go_process_snapshot(p->reader, p->tgid, g->now, put_snapshot, g) == -ESRCH)
		p->live = false;
}

static unsigned int hits_of(enum go_level level)
{
	return level == GO_FULL ? FULL_HITS : level == GO_LIGHT ? 1 : 0;
}

/* How often goroutines get to run, by the hits of all probes, given to the processes by the Ps' own counts. */
static void measure_rates(struct golang *g)
{
	uint64_t counts[COUNT_CNT] = {}, hits, weight = 0, ns = g->now - g->hits_at;

	probe_counts(g->probe, counts);
	hits = counts[COUNT_go_hits] - g->hits;
	for (size_t i = 0; i < PROCS_MAX; i++)
		if (g->procs[i])
			weight += (g->procs[i]->ticks + 1) * hits_of(g->procs[i]->level);
	for (size_t i = 0; i < PROCS_MAX && weight && g->hits_at && ns; i++)
		if (g->procs[i])
			g->procs[i]->rate = (g->procs[i]->ticks + 1) * hits / weight * 1000000000 / ns;
	g->hits = counts[COUNT_go_hits];
	g->hits_at = g->now;
}

/* What the probes of a level cost, of the CPU that the process uses, or of one CPU if it uses less. */
static uint64_t cost_permille(const struct proc *p, enum go_level level)
{
	uint64_t cpu = p->cpu_permille > 1000 ? p->cpu_permille : 1000;

	return p->rate * hits_of(level) * HIT_NS / (1000 * cpu);
}

/* Down to a level that is cheap enough. */
static void go_down(struct golang *g, struct proc *p)
{
	uint64_t cost = cost_permille(p, p->level);
	enum go_level to = p->level == GO_FULL && cost_permille(p, GO_LIGHT) < OFF_MIN_PERMILLE ? GO_LIGHT : GO_SNAPSHOT;
	char why[GO_WHY], err[GO_WHY];

	if (p->level < GO_LIGHT || cost < OFF_MIN_PERMILLE)
		return;
	snprintf(why, sizeof(why), "auto: probes taken off, they cost %" PRIu64 "%% of the target's CPU (%" PRIu64
		 " goroutines run a second); --go full keeps them", cost / 10, p->rate);
	talk("pid %u: %s", p->tgid, why);
	set_level(g, p, to, err);
	p->settled = true;
	tell_level(g, p, why);
}

/* After a while with the light probes: are the full ones cheap? */
static void decide(struct golang *g, struct proc *p)
{
	char why[GO_WHY] = "", cheap[GO_WHY];
	uint64_t cost;

	p->settled = true;
	snapshot(g, p);
	measure_rates(g);
	cost = cost_permille(p, GO_FULL);
	if (p->level != GO_LIGHT || !p->live)
		return;
	snprintf(cheap, sizeof(cheap), "auto: full probes cost %s%" PRIu64 ".%" PRIu64 "%% of the target's CPU",
		 cost > AUTO_MAX_PERMILLE ? "too much, " : "", cost / 10, cost % 10);
	if (cost <= AUTO_MAX_PERMILLE && best_level(g, p, GO_FULL, why) == GO_FULL)
		set_level(g, p, GO_FULL, why);
	tell_level(g, p, *why ? why : cheap);
	go_down(g, p);
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
			decide(g, p);
	}
}


void golang_second(struct golang *g, uint64_t now)
{
	g->now = now;
	for (size_t i = 0; i < PROCS_MAX; i++)
		if (g->procs[i] && g->procs[i]->live && !g->procs[i]->gone)
			snapshot(g, g->procs[i]);
	measure_rates(g);
	for (size_t i = 0; i < PROCS_MAX; i++)
		if (g->procs[i] && g->procs[i]->live && g->procs[i]->wanted == GO_AUTO && g->procs[i]->settled)
			go_down(g, g->procs[i]);
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
