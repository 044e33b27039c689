/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The report's section of a Go process: its scheduler now and over time, what grows, where goroutines wait. */
#include <inttypes.h>
#include <string.h>

#include "../model/model.h"
#include "go_about.h"
#include "report_parts.h"
#include "text.h"

enum { SHOWN_PROCESSES = 8 };

static void put_raw(const struct report *r, const char *raw)
{
	char text[4 * TEXT_SZ] = "  ";

	term_escape(&r->term, raw, text + 2, sizeof(text) - 2);
	report_wrapped(r, 4, text);
}

static void put_head(const struct report *r, const struct go_process *p)
{
	char name[TEXT_SZ + 128], raw[640];
	struct label who;

	label_task(r->n, p->tgid, &who);
	report_label(r, &who, r->term.width - 16, name, sizeof(name));
	putc('\n', r->out);
	term_bold(&r->term, r->out, true);
	fputs("Go runtime", r->out);
	term_bold(&r->term, r->out, false);
	fprintf(r->out, " of %s\n", name);
	snprintf(raw, sizeof(raw), "%s, probes %s%s%s%s", *p->version ? p->version : "version not known",
		 go_level_name(p->level), *p->why ? ": " : "", p->why,
		 p->level != GO_OFF && !p->checked ? "; not compared with the live process" : "");
	put_raw(r, raw);
}

/* As GODEBUG=schedtrace would print it now; the run queues of the Ps as their sum. */
static void put_schedtrace(const struct report *r, const struct rec_gosnap *s)
{
	uint64_t start = tables_start_ns(r->t);
	char raw[320];

	snprintf(raw, sizeof(raw), "SCHED %" PRIu64 "ms: gomaxprocs=%u idleprocs=%u threads=%u spinningthreads=%u "
		 "idlethreads=%u runqueue=%u [sum %u]", (s->time > start ? (uint64_t)s->time - start : 0) / 1000000,
		 s->ps, s->ps_idle, s->ms, s->ms_spinning, s->ms_idle, s->runq_global, s->runq_local);
	put_raw(r, raw);
	if (!s->partial)
		return;
	snprintf(raw, sizeof(raw), "%" PRIu64 " goroutines were not looked at: too many", (uint64_t)s->partial);
	put_raw(r, raw);
}

bool gauge_is_total(enum gauge_id id)
{
	return id == GAUGE_GC_CYCLES || id == GAUGE_SCHED_TICKS || id == GAUGE_MUTEX_WAIT;
}

static void put_totals(struct report *r, uint32_t tgid)
{
	static const enum gauge_id ids[] = {GAUGE_GC_CYCLES, GAUGE_SCHED_TICKS, GAUGE_MUTEX_WAIT};
	bool any = false;

	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		char item[128], value[32], rate[32];
		struct growth g;
		uint64_t grown;

		if (!growth_of(r->t, ids[i], tgid, &g) || g.last <= g.first)
			continue;
		grown = g.last - g.first;
		if (ids[i] == GAUGE_MUTEX_WAIT)
			snprintf(item, sizeof(item), "waits for mutexes %s in all, by the runtime's own estimate",
				 text_ns(grown, value, sizeof(value)));
		else
			snprintf(item, sizeof(item), "%s %" PRIu64 " (%s)", gauge_names[ids[i]], grown,
				 growth_rate_text(growth_per_s(&g), rate, sizeof(rate)));
		if (!any)
			report_list_begin(r, "meanwhile");
		report_list_item(r, any ? "," : NULL, item);
		any = true;
	}
	if (any)
		report_list_end(r);
}

/* "+812 in 10.0s (81/s), 1204 now", and that it did not come and go. */
static size_t growth_text(const struct growth *g, char *buf, size_t size)
{
	char length[32], rate[32];

	return (size_t)snprintf(buf, size, "+%" PRIu64 " in %s (%s), %" PRIu64 " now%s", g->last - g->first,
				text_ns(g->to_ns - g->from_ns, length, sizeof(length)),
				growth_rate_text(growth_per_s(g), rate, sizeof(rate)), g->last,
				g->is_steady ? ", steadily" : "");
}

/* "chan receive at main.(*Room).run room.go:88, the oldest for 9.1s". */
static size_t wait_text(const struct report *r, const struct go_group *g, char *buf, size_t size)
{
	const struct site_name *site = names_of_site(r->n, g->wait_site);
	size_t at = (size_t)snprintf(buf, size, "%s%s%s%s%s", g->reason ? g->reason : "not known why",
				     site ? " at " : "", site ? site->func : "", site ? " " : "",
				     site ? site->at : "");
	char age[32];

	if (g->oldest_ns && at < size)
		at += (size_t)snprintf(buf + at, size - at, ", the oldest for %s",
				       text_ns(g->oldest_ns, age, sizeof(age)));
	return at;
}

static void put_growth(const struct report *r, uint32_t tgid)
{
	struct growth grown[GO_GROWN_MAX], threads;
	size_t cnt = go_grown(r->t, tgid, grown);
	char raw[1600];

	for (size_t i = 0; i < cnt; i++) {
		const struct site_name *site = names_of_site(r->n, grown[i].site);
		struct go_group group;
		size_t at = (size_t)snprintf(raw, sizeof(raw), "grew: %s ", site ? site->func : "not known");

		at += growth_text(&grown[i], raw + at, sizeof(raw) - at);
		at += (size_t)snprintf(raw + at, sizeof(raw) - at, "; created at %s", site ? site->at : "");
		if (r->o->model && at < sizeof(raw) && go_waiting_of(r->o->model, tgid, grown[i].site, &group)) {
			at += (size_t)snprintf(raw + at, sizeof(raw) - at, "; mostly waiting: ");
			if (at < sizeof(raw))
				wait_text(r, &group, raw + at, sizeof(raw) - at);
		}
		put_raw(r, raw);
	}
	if (!growth_of(r->t, GAUGE_THREADS, tgid, &threads) || threads.last < threads.first + GROWTH_THREADS)
		return;
	size_t at = (size_t)snprintf(raw, sizeof(raw), "grew: threads ");

	growth_text(&threads, raw + at, sizeof(raw) - at);
	put_raw(r, raw);
}

static void put_waiting(const struct report *r, uint32_t tgid)
{
	struct go_group groups[GO_WAITING_MAX];
	size_t cnt = r->o->model ? go_waiting(r->o->model, tgid, groups) : 0;
	char raw[1600];

	for (size_t i = 0; i < cnt; i++) {
		const struct site_name *site = names_of_site(r->n, groups[i].site);
		size_t at = (size_t)snprintf(raw, sizeof(raw), "waiting: %" PRIu64 " of %s (%s): ", groups[i].count,
					     site ? site->func : "not known", site ? site->at : "");

		if (at < sizeof(raw))
			wait_text(r, &groups[i], raw + at, sizeof(raw) - at);
		put_raw(r, raw);
	}
}

static void put_hists(const struct report *r, uint32_t tgid)
{
	bool any = false;

	for (size_t i = 0; r->o->model && i < GO_HISTS; i++) {
		struct go_hist_sum h;
		char buf[4][32];

		if (!go_hist_sum(r->o->model, tgid, i, &h))
			continue;
		if (!any)
			fprintf(r->out, "\n  %-28s %9s %8s %8s %8s %8s\n", "by the runtime itself", "count", "p50", "p90",
				"p99", "max");
		any = true;
		fprintf(r->out, "  %-28s %9" PRIu64 " %8s %8s %8s %8s\n", h.help, h.count,
			text_ns(h.p50, buf[0], sizeof(buf[0])), text_ns(h.p90, buf[1], sizeof(buf[1])),
			text_ns(h.p99, buf[2], sizeof(buf[2])), text_ns(h.max, buf[3], sizeof(buf[3])));
	}
}

static void put_process(struct report *r, const struct go_process *p, bool is_only)
{
	put_head(r, p);
	if (p->snap)
		put_schedtrace(r, p->snap);
	report_timeline(r, p->tgid, is_only);
	put_totals(r, p->tgid);
	put_growth(r, p->tgid);
	put_waiting(r, p->tgid);
	put_hists(r, p->tgid);
}

void report_go(struct report *r)
{
	struct go_process p;
	bool is_only;
	size_t i = 0;

	if (!r->o->model)
		return;
	is_only = !model_go_at(r->o->model, 1, &p);
	for (; model_go_at(r->o->model, i, &p); i++) {
		if (i < SHOWN_PROCESSES)
			put_process(r, &p, is_only);
	}
	if (i > SHOWN_PROCESSES)
		fprintf(r->out, "\n%zu more Go processes are in the table gauges\n", i - SHOWN_PROCESSES);
}
