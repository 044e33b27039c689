/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How deep a Go process is probed, and what that costs. */
#include "golang_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include "../base/err.h"
#include "session.h"

/* The level as it now is, for the recording. */
void golang_tell_level(struct golang *g, const struct proc *p, const char *why)
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
int golang_describe(struct golang *g, struct proc *p)
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

/* Goes to a level; the kernel side knows before the first hit and after the last. */
int golang_set_level(struct golang *g, struct proc *p, enum go_level level, char why[GO_WHY])
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
bool golang_is_gone(const struct proc *p)
{
	return kill(p->tgid, 0) && errno == ESRCH;
}

void golang_start_level(struct golang *g, struct proc *p)
{
	enum go_level want = p->wanted == GO_AUTO ? GO_LIGHT : (enum go_level)p->wanted;
	char why[GO_WHY] = "";

	want = best_level(g, p, want, why);
	if (golang_set_level(g, p, want, why)) {
		char again[GO_WHY];

		golang_set_level(g, p, GO_SNAPSHOT, again);
	}
	if (golang_is_gone(p))
		return;
	if (*why)
		talk("without goroutines of pid %u in full: %s", p->tgid, why);
	else if (p->wanted == GO_AUTO)
		snprintf(why, sizeof(why), "auto: full if that is cheap");
	golang_tell_level(g, p, why);
	golang_measure_rates(g);
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
	golang_name_record(g, p, rec);
	return g->put(g->ctx, rec, len);
}

void golang_snapshot(struct golang *g, struct proc *p)
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
void golang_measure_rates(struct golang *g)
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
void golang_go_down(struct golang *g, struct proc *p)
{
	uint64_t cost = cost_permille(p, p->level);
	enum go_level to = p->level == GO_FULL && cost_permille(p, GO_LIGHT) < OFF_MIN_PERMILLE ? GO_LIGHT : GO_SNAPSHOT;
	char why[GO_WHY], err[GO_WHY];

	if (p->level < GO_LIGHT || cost < OFF_MIN_PERMILLE)
		return;
	snprintf(why, sizeof(why), "auto: probes taken off, they cost %" PRIu64 "%% of the target's CPU (%" PRIu64
		 " goroutines run a second); --go full keeps them", cost / 10, p->rate);
	talk("pid %u: %s", p->tgid, why);
	golang_set_level(g, p, to, err);
	p->settled = true;
	golang_tell_level(g, p, why);
}

/* After a while with the light probes: are the full ones cheap? */
void golang_decide(struct golang *g, struct proc *p)
{
	char why[GO_WHY] = "", cheap[GO_WHY];
	uint64_t cost;

	p->settled = true;
	golang_snapshot(g, p);
	golang_measure_rates(g);
	cost = cost_permille(p, GO_FULL);
	if (p->level != GO_LIGHT || !p->live)
		return;
	snprintf(cheap, sizeof(cheap), "auto: full probes cost %s%" PRIu64 ".%" PRIu64 "%% of the target's CPU",
		 cost > AUTO_MAX_PERMILLE ? "too much, " : "", cost / 10, cost % 10);
	if (cost <= AUTO_MAX_PERMILLE && best_level(g, p, GO_FULL, why) == GO_FULL)
		golang_set_level(g, p, GO_FULL, why);
	golang_tell_level(g, p, *why ? why : cheap);
	golang_go_down(g, p);
}
