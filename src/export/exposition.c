/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "exposition.h"

#include <inttypes.h>
#include <string.h>

#include "text.h"

static const struct {
	const char *name, *suffix, *classic;	/* classic: the type in the older form */
} types[] = {
	[OM_COUNTER] = {"counter", "_total", "counter"},
	[OM_GAUGE] = {"gauge", "", "gauge"},
	[OM_HISTOGRAM] = {"histogram", "", "histogram"},
	[OM_INFO] = {"info", "_info", "gauge"},
};

static const char *unit_of(const char *name)
{
	static const char *const units[] = {"seconds", "bytes"};
	size_t len = strlen(name);

	for (size_t i = 0; i < 2; i++) {
		size_t unit = strlen(units[i]);

		if (len > unit && name[len - unit - 1] == '_' && !strcmp(name + len - unit, units[i]))
			return units[i];
	}
	return NULL;
}

void om_family(struct om *o, enum om_type type, const char *name, const char *help)
{
	const char *suffix = o->classic ? types[type].suffix : "", *unit = unit_of(name);

	o->type = type;
	snprintf(o->name, sizeof(o->name), "%s", name);
	fprintf(o->out, "# TYPE %s%s %s\n", name, suffix, o->classic ? types[type].classic : types[type].name);
	if (unit && !o->classic)
		fprintf(o->out, "# UNIT %s %s\n", name, unit);
	fprintf(o->out, "# HELP %s%s %s\n", name, suffix, help);
}

const char *om_metric_name(enum metric m, const char *suffix, char *buf, size_t size)
{
	snprintf(buf, size, "wakelag_%s%s", metrics[m].name, suffix);
	for (char *c = buf; *c; c++)
		*c = *c == '.' || *c == '-' ? '_' : *c;
	return buf;
}

/* Escaped twice: once for people, since names may hold anything, and for the quotes around it. */
static void put_value(FILE *out, const char *raw)
{
	char text[TEXT_SZ];

	text_escape(raw, text, sizeof(text));
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			putc('\\', out);
		putc(*c, out);
	}
}

/* The labels, and le if it is not NULL. */
static void put_labels(const struct om *o, const struct om_label *labels, const char *le)
{
	char before = '{';

	for (const struct om_label *l = labels; l && l->name; l++) {
		if (!l->value || !*l->value)
			continue;
		fprintf(o->out, "%c%s=\"", before, l->name);
		put_value(o->out, l->value);
		putc('"', o->out);
		before = ',';
	}
	if (le)
		fprintf(o->out, "%cle=\"%s\"", before, le);
	if (le || before == ',')
		putc('}', o->out);
}

static void begin(const struct om *o, const char *suffix, const struct om_label *labels, const char *le)
{
	fprintf(o->out, "%s%s", o->name, suffix);
	put_labels(o, labels, le);
	putc(' ', o->out);
}

/* All digits: a double would lose some. */
static void put_seconds(FILE *out, uint64_t ns)
{
	fprintf(out, "%" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

void om_number(const struct om *o, const struct om_label *labels, uint64_t value)
{
	begin(o, types[o->type].suffix, labels, NULL);
	fprintf(o->out, "%" PRIu64 "\n", value);
}

void om_ns(const struct om *o, const struct om_label *labels, uint64_t ns)
{
	begin(o, types[o->type].suffix, labels, NULL);
	put_seconds(o->out, ns);
}

/* "1e-06" to "0.5", "1.0" and "+Inf"; the older form has no ".0". */
static const char *bound_text(const struct om *o, size_t i, char *buf, size_t size)
{
	uint64_t ns = i < TOTALS_BOUND_CNT ? totals_bounds[i] : 0;

	if (!ns)
		snprintf(buf, size, "+Inf");
	else
		snprintf(buf, size, "%g%s", (double)ns / 1e9, ns % 1000000000 || o->classic ? "" : ".0");
	return buf;
}

void om_histogram(const struct om *o, const struct om_label *labels, const struct totals_hist *h)
{
	uint64_t count = 0;
	char le[32];

	for (size_t i = 0; i < TOTALS_BUCKET_CNT; i++) {
		count += h->buckets[i];
		begin(o, "_bucket", labels, bound_text(o, i, le, sizeof(le)));
		fprintf(o->out, "%" PRIu64 "\n", count);
	}
	begin(o, "_count", labels, NULL);
	fprintf(o->out, "%" PRIu64 "\n", count);
	begin(o, "_sum", labels, NULL);
	put_seconds(o->out, h->sum_ns);
}

void om_end(const struct om *o)
{
	if (!o->classic)
		fputs("# EOF\n", o->out);
}

/* Those that only grow, under the name that Prometheus wants them to have. */
static const struct {
	const char *name;
	bool is_ns;
} sums[GAUGE_CNT] = {
	[GAUGE_GC_CYCLES] = {"wakelag_gc_cycles", false},
	[GAUGE_SCHED_TICKS] = {"wakelag_sched_ticks", false},
	[GAUGE_MUTEX_WAIT] = {"wakelag_mutex_wait_seconds", true},
};

void om_gauge_family(struct om *o, enum gauge_id id)
{
	char name[96];

	snprintf(name, sizeof(name), "wakelag_%s", gauge_names[id]);
	om_family(o, sums[id].name ? OM_COUNTER : OM_GAUGE, sums[id].name ? sums[id].name : name, gauge_helps[id]);
}

void om_gauge(const struct om *o, enum gauge_id id, const struct totals_gauge *g)
{
	char pid[16];
	const struct om_label labels[] = {
		{"pid", pid}, {"process", g->process}, {"entity", g->entity}, {"name", g->name}, {NULL, NULL},
	};

	snprintf(pid, sizeof(pid), "%" PRIu32, g->tgid);
	if (sums[id].is_ns)
		om_ns(o, labels, g->value);
	else
		om_number(o, labels, g->value);
}
