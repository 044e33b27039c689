/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pprof.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../base/err.h"
#include "../model/model.h"
#include "about.h"
#include "label.h"
#include "pprof_parts.h"

enum { FRAMES_MAX = 256, LABELS_MAX = 8 };

/* What all samples are measured in: the first two, and the stages of all metrics in the profile. */
struct values {
	unsigned int stages;	/* mask of STAGE_BIT */
	size_t cnt;
};

struct labels {
	Pprof__Label label[LABELS_MAX], *each[LABELS_MAX];
	size_t cnt;
};

static bool has_stages(enum metric m)
{
	return __builtin_popcount(metrics[m].stages) > 1;	/* a single one is the sample itself */
}

static struct values values_of(unsigned int mask)
{
	struct values v = {.cnt = 2};

	for (size_t m = 0; m < METRIC_CNT; m++) {
		if (mask >> m & 1 && has_stages((enum metric)m))
			v.stages |= metrics[m].stages;
	}
	v.cnt += (size_t)__builtin_popcount(v.stages);
	return v;
}

static void put_type(struct pprof *p, const char *type, const char *unit)
{
	Pprof__ValueType t = PPROF__VALUE_TYPE__INIT, *only = &t;
	Pprof__Profile part = PPROF__PROFILE__INIT;

	t.type = pprof_text(p, type);
	t.unit = pprof_text(p, unit);
	part.n_sample_type = 1;
	part.sample_type = &only;
	pprof_put(p, &part);
}

static void put_types(struct pprof *p, const struct values *v)
{
	char type[64];

	put_type(p, "contentions", "count");
	put_type(p, "delay", "nanoseconds");
	for (unsigned int left = v->stages; left; left &= left - 1) {
		snprintf(type, sizeof(type), "delay_%s", stage_names[__builtin_ctz(left)]);
		put_type(p, type, "nanoseconds");
	}
}

static Pprof__Label *new_label(struct pprof *p, struct labels *l, const char *key)
{
	Pprof__Label *label = &l->label[l->cnt];

	*label = (Pprof__Label)PPROF__LABEL__INIT;
	label->key = pprof_text(p, key);
	l->each[l->cnt++] = label;
	return label;
}

/* "" is no label. */
static void add_text(struct pprof *p, struct labels *l, const char *key, const char *raw)
{
	char text[2 * TEXT_SZ];

	text_escape(raw, text, sizeof(text));
	if (*text)
		new_label(p, l, key)->str = pprof_text(p, text);
}

static void add_label(struct pprof *p, struct labels *l, const char *key, const struct label *who)
{
	char raw[sizeof(who->name) + sizeof(who->key) + 3];

	snprintf(raw, sizeof(raw), *who->key ? "%s (%s)" : "%s", who->name, who->key);
	add_text(p, l, key, raw);
}

static void add_task(struct pprof *p, struct labels *l, const char *key, uint32_t tid)
{
	struct label who;

	if (!tid)
		return;
	label_task(p->n, tid, &who);
	add_label(p, l, key, &who);
}

static void add_blame(struct pprof *p, struct labels *l, const struct stack_row *r)
{
	struct label who;

	add_task(p, l, blame_names[r->by_kind], r->by);
	if (!r->by_site)
		return;
	label_site(p->n, r->by_site, &who);
	add_label(p, l, blame_names[r->by_kind], &who);
}

static void add_lock(struct pprof *p, const struct tables *t, struct labels *l, const struct stack_row *r)
{
	char name[TEXT_SZ], text[TEXT_SZ], raw[2 * TEXT_SZ + 3];

	tables_lock_name(t, p->n, r->lock, name, sizeof(name));
	tables_lock_text(t, p->n, r->lock, text, sizeof(text));
	if (*name && *text && strcmp(name, text))
		snprintf(raw, sizeof(raw), "%s (%s)", name, text);
	else
		snprintf(raw, sizeof(raw), "%s", *name ? name : text);
	add_text(p, l, "lock", raw);
}

static void make_labels(struct pprof *p, const struct tables *t, const struct stack_row *r, struct labels *l)
{
	char klass[256];

	l->cnt = 0;
	add_text(p, l, "metric", metrics[r->metric].name);
	add_text(p, l, "class", names_class(p->n, r->klass, klass, sizeof(klass)));
	add_task(p, l, "process", r->tgid);
	add_task(p, l, "thread", r->tid);
	if (r->goid)
		new_label(p, l, "goroutine")->num = (int64_t)r->goid;
	add_lock(p, t, l, r);
	add_blame(p, l, r);
}

static size_t make_frames(struct pprof *p, const struct stack_row *r, uint64_t ids[FRAMES_MAX])
{
	struct profile_frame f;
	size_t cnt = 0;

	while (cnt < FRAMES_MAX && profile_frame(p->n, r, cnt, &f))
		ids[cnt++] = pprof_location(p, &f);
	if (profile_has_stack(p->n, r))
		return cnt;
	f = (struct profile_frame){.line = 0};
	profile_whose(p->n, r, f.func, sizeof(f.func));
	ids[cnt++] = pprof_location(p, &f);
	return cnt;
}

static void make_values(const struct stack_row *r, const struct values *v, int64_t *values)
{
	unsigned int own = has_stages(r->metric) ? metrics[r->metric].stages : 0;
	const uint64_t *ns = r->stage_ns;

	*values++ = (int64_t)r->count;
	*values++ = (int64_t)r->sum;
	for (unsigned int left = v->stages; left; left &= left - 1)
		*values++ = own & left & -left ? (int64_t)*ns++ : 0;
}

static void put_row(struct pprof *p, const struct tables *t, const struct stack_row *r, const struct values *v)
{
	Pprof__Sample s = PPROF__SAMPLE__INIT, *only = &s;
	Pprof__Profile part = PPROF__PROFILE__INIT;
	int64_t values[2 + STAGE_CNT];
	uint64_t ids[FRAMES_MAX];
	struct labels l;

	make_values(r, v, values);
	make_labels(p, t, r, &l);
	s.n_location_id = make_frames(p, r, ids);
	s.location_id = ids;
	s.n_value = v->cnt;
	s.value = values;
	s.n_label = l.cnt;
	s.label = l.each;
	part.n_sample = 1;
	part.sample = &only;
	pprof_put(p, &part);
}

/* "" is no comment. */
static void put_comment(struct pprof *p, const char *raw)
{
	Pprof__Profile part = PPROF__PROFILE__INIT;
	char text[2 * TEXT_SZ];
	int64_t at;

	text_escape(raw, text, sizeof(text));
	if (!*text)
		return;
	at = pprof_text(p, text);
	part.n_comment = 1;
	part.comment = &at;
	pprof_put(p, &part);
}

static void put_comments(struct pprof *p, const struct tables *t, const struct export_opts *o, unsigned int mask)
{
	char raw[1024], list[512];
	const char *cause;
	uint64_t cnt;

	snprintf(raw, sizeof(raw), "wakelag: %s", metrics_list(mask, list, sizeof(list)));
	put_comment(p, raw);
	put_comment(p, about_target(o, raw, sizeof(raw)));
	put_comment(p, about_host(o, raw, sizeof(raw)));
	for (size_t i = 0; tables_loss(t, i, &cause, &cnt); i++) {
		snprintf(raw, sizeof(raw), "lost: %s %" PRIu64, cause, cnt);
		if (cnt)
			put_comment(p, raw);
	}
	if (tables_stacks_folded(t)) {
		snprintf(raw, sizeof(raw), "without thread, lock and holder: %" PRIu64 " samples", tables_stacks_folded(t));
		put_comment(p, raw);
	}
}

/* Values that are no lists: when, how long, and what is shown first. */
static void put_about(struct pprof *p, const struct tables *t, const struct export_opts *o)
{
	Pprof__ValueType period = PPROF__VALUE_TYPE__INIT;
	Pprof__Profile part = PPROF__PROFILE__INIT;

	if (o->info && o->info->has_clock)
		part.time_nanos = (int64_t)(o->info->start_ns + (uint64_t)o->info->realtime_off);
	part.duration_nanos = (int64_t)about_length(t, o->info);
	period.type = pprof_text(p, "contentions");
	period.unit = pprof_text(p, "count");
	part.period_type = &period;
	part.period = 1;
	part.default_sample_type = pprof_text(p, "delay");
	pprof_put(p, &part);
}

unsigned int pprof_needs(const struct export_opts *o)
{
	(void)o;
	return TABLE_BIT(LOSS);
}

int export_pprof(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out)
{
	unsigned int mask = profile_metrics(t, "pprof");
	struct values v = values_of(mask);
	struct stack_row r;
	struct pprof p;
	int err;

	pprof_begin(&p, n, out);
	put_types(&p, &v);
	put_about(&p, t, o);
	for (size_t i = 0; tables_stack(t, i, &r) && !p.err; i++) {
		if (mask >> r.metric & 1)
			put_row(&p, t, &r, &v);
	}
	put_comments(&p, t, o, mask);
	err = pprof_end(&p);
	return err && err != -EIO ? fail(err, "pprof") : err;
}
