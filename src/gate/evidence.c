/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "evidence.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../export/label.h"
#include "../export/text.h"
#include "../model/names.h"
#include "verdict.h"

static const char *bound(const struct verdict *v, double value, char *buf, size_t size)
{
	if (isinf(value))
		snprintf(buf, size, "unknown");
	else
		budget_value_text(v->unit, value, buf, size);
	return buf;
}

const char *evidence_interval(const struct verdict *v, char *buf, size_t size)
{
	char lo[32], hi[32];

	*buf = '\0';
	if (v->has_estimate)
		snprintf(buf, size, "[%s, %s]", bound(v, v->lo, lo, sizeof(lo)), bound(v, v->hi, hi, sizeof(hi)));
	return buf;
}

const char *evidence_estimate(const struct verdict *v, char *buf, size_t size)
{
	char value[32], lo[32], hi[32], of[TEXT_SZ];
	size_t at;

	*buf = '\0';
	if (!v->has_estimate)
		return buf;
	at = (size_t)snprintf(buf, size, "%s", budget_value_text(v->unit, v->estimate, value, sizeof(value)));
	if (v->lo < v->hi && at < size)
		at += (size_t)snprintf(buf + at, size - at, ", 95%% interval %s to %s", bound(v, v->lo, lo, sizeof(lo)),
				       bound(v, v->hi, hi, sizeof(hi)));
	if (at < size)
		at += (size_t)snprintf(buf + at, size - at, ", n %" PRIu64, v->n);
	text_escape(v->of, of, sizeof(of));
	if (*v->of && at < size)
		snprintf(buf + at, size - at, ", %s", of);
	return buf;
}

static void put_label(const struct label *l, char *buf, size_t size)
{
	char name[TEXT_SZ], key[TEXT_SZ];

	text_escape(l->name, name, sizeof(name));
	text_escape(l->key, key, sizeof(key));
	snprintf(buf, size, *key ? "%s (%s)" : "%s", name, key);
}

static void label_worst(const struct verdict *v, const struct worst *w, const struct names *n, struct label *out)
{
	const struct span lock = {
		.metric = v->series->metric, .tgid = w->tgid, .lock = w->lock, .lock_space = w->lock_space,
		.wait_site = w->wait_site,
	};

	switch (metrics[v->series->metric].entity) {
	case ENTITY_GOROUTINE:
		label_site(n, w->site, out);
		return;
	case ENTITY_LOCK:
		label_lock(n, &lock, out);
		return;
	case ENTITY_PROCESS:
		label_task(n, w->tgid, out);
		return;
	case ENTITY_THREAD:
		label_task(n, w->tid, out);
	}
}

const char *evidence_who(const struct verdict *v, const struct worst *w, const struct names *n, char *buf, size_t size)
{
	struct label l = {.name = ""};

	label_worst(v, w, n, &l);
	put_label(&l, buf, size);
	return buf;
}

/* The stage with the most time of those that were not shown; STAGE_CNT: none has any. */
static unsigned int biggest(const struct worst *w, unsigned int left)
{
	unsigned int best = STAGE_CNT;

	for (unsigned int i = 0; i < STAGE_CNT; i++)
		if (left >> i & 1 && w->stage_ns[i] && (best == STAGE_CNT || w->stage_ns[i] > w->stage_ns[best]))
			best = i;
	return best;
}

const char *evidence_stages(const struct verdict *v, const struct worst *w, char *buf, size_t size)
{
	unsigned int left = metrics[v->series->metric].stages, stage;
	char ns[32];
	size_t at = 0;

	*buf = '\0';
	for (; (stage = biggest(w, left)) != STAGE_CNT && at < size; left &= ~(1u << stage))
		at += (size_t)snprintf(buf + at, size - at, "%s%s %s", at ? ", " : "", stage_names[stage],
				       text_ns(w->stage_ns[stage], ns, sizeof(ns)));
	return buf;
}

static const char *blamed(const struct blame *b, const struct names *n, char *buf, size_t size)
{
	static const char *const others[BLAME_CNT] = {
		[BLAME_HOLDER] = "somebody", [BLAME_WAKER] = "somebody", [BLAME_COMPETITOR] = "somebody",
		[BLAME_IRQ] = "interrupts", [BLAME_SOFTIRQ] = "soft interrupts", [BLAME_STEAL] = "the hypervisor",
		[BLAME_IDLE] = "the CPU's waking up", [BLAME_UNKNOWN] = "something not known",
	};
	struct label l = {.name = ""};

	if (b->site)
		label_site(n, b->site, &l);
	else if (b->tid)
		label_task(n, b->tid, &l);
	else
		snprintf(l.name, sizeof(l.name), "%s", others[b->kind]);
	put_label(&l, buf, size);
	return buf;
}

const char *evidence_blame(const struct worst *w, const struct names *n, char *buf, size_t size)
{
	static const char *const did[BLAME_CNT] = {
		[BLAME_HOLDER] = "held the lock for", [BLAME_WAKER] = "came with the waking after",
		[BLAME_COMPETITOR] = "had the CPU for", [BLAME_IRQ] = "took", [BLAME_SOFTIRQ] = "took",
		[BLAME_STEAL] = "took", [BLAME_IDLE] = "took", [BLAME_UNKNOWN] = "took",
	};
	char who[640], ns[32];

	*buf = '\0';
	if (w->has_blame)
		snprintf(buf, size, "%s %s %s", blamed(&w->by, n, who, sizeof(who)), did[w->by.kind],
			 text_ns(w->by.ns, ns, sizeof(ns)));
	return buf;
}

const char *evidence_worst(const struct verdict *v, const struct worst *w, const struct names *n, char *buf,
			   size_t size)
{
	char value[32], t[32], who[640], stages[320], blame[700];

	evidence_stages(v, w, stages, sizeof(stages));
	evidence_blame(w, n, blame, sizeof(blame));
	snprintf(buf, size, "%s at %s, %s on CPU %u%s%s%s%s%s", text_ns(w->value, value, sizeof(value)),
		 text_ns(w->t_ns, t, sizeof(t)), evidence_who(v, w, n, who, sizeof(who)), w->cpu, *stages ? " (" : "", stages,
		 *stages ? ")" : "", *blame ? "; " : "", blame);
	return buf;
}
