/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "about.h"
#include "diff_parts.h"
#include "label.h"
#include "report_parts.h"
#include "text.h"

/* What stands behind the name takes 57 columns. */
enum { OTHER_WIDTH = 57, NAME_MAX_WIDTH = 40 };

static int name_width(const struct report *r)
{
	size_t left = r->term.width - OTHER_WIDTH;

	return left < NAME_MAX_WIDTH ? (int)left : NAME_MAX_WIDTH;
}


static void put_side(const struct report *r, const char *word, const struct diff_side *s)
{
	char raw[1400], text[TEXT_SZ * 2], target[600], start[64] = "", length[32];

	if (s->about.info)
		about_start(s->about.info, start, sizeof(start));
	about_target(&s->about, target, sizeof(target));
	snprintf(raw, sizeof(raw), "%s %s: %s%s%s%s%s", word, s->file,
		 text_ns(about_length(s->tables, s->about.info), length, sizeof(length)), *start ? " from " : "", start,
		 *target ? ", " : "", target);
	term_escape(&r->term, raw, text, sizeof(text));
	report_wrapped(r, 6, text);
}

/* The lines of one verdict. Returns how many. */
static size_t put_found(const struct report *r, const struct diff *d, enum compare_verdict verdict,
			enum compare_reason why, const char *head)
{
	const struct compare_row *row;
	char raw[800], text[TEXT_SZ];
	size_t cnt = 0;

	for (size_t i = 0; (row = compare_row(d->compare, i)); i++) {
		for (int id = 0; row->is_gated && id < COMPARE_STAT_CNT; id++) {
			const struct compare_stat *s = &row->stats[id];

			if (s->verdict != verdict || s->why != why)
				continue;
			if (!cnt++)
				fprintf(r->out, "\n%s:\n", head);
			diff_line(row, (enum compare_stat_id)id, raw, sizeof(raw));
			fputs("  ", r->out);
			term_escape(&r->term, raw, text, sizeof(text));
			report_wrapped(r, 6, text);
		}
	}
	return cnt;
}

static void put_name(const struct report *r, const struct compare_row *row)
{
	struct label l = {.key = ""};

	if (row->stage < STAGE_CNT) {
		fprintf(r->out, "    %-*s ", name_width(r) - 2, stage_names[row->stage]);
		return;
	}
	snprintf(l.name, sizeof(l.name), "%s", row->name ? row->name : "all");
	snprintf(l.key, sizeof(l.key), "%s", row->klass ? row->klass : "");
	fputs("  ", r->out);
	report_put_label(r, &l, (size_t)name_width(r));
	putc(' ', r->out);
}

static void put_stat(const struct report *r, const struct compare_stat *s, const char *name)
{
	char v[4][32], range[80];

	snprintf(range, sizeof(range), "%s to %s", text_signed_ns(llround(s->own_lo), v[2], sizeof(v[2])),
		 text_signed_ns(llround(s->own_hi), v[3], sizeof(v[3])));
	fprintf(r->out, "%-4s %7s %7s  %-20s %s\n", name, text_ns((uint64_t)s->base, v[0], sizeof(v[0])),
		text_ns((uint64_t)s->now, v[1], sizeof(v[1])), range,
		s->why == COMPARE_WHY_FEW ? "too few" : compare_verdict_names[s->verdict]);
}

/* p50 and p99 of all, the others where they changed; of a stage p99 alone. */
static bool is_shown(const struct compare_row *row, size_t id)
{
	const struct compare_stat *s = &row->stats[id];

	if (s->verdict == COMPARE_CHANGED || id == COMPARE_P99)
		return true;
	return row->stage == STAGE_CNT && id == COMPARE_P50;
}

static void put_row(const struct report *r, const struct compare_row *row)
{
	bool is_first = true;

	if (!row->base_cnt || !row->now_cnt) {
		put_name(r, row);
		fprintf(r->out, "only in %s: %" PRIu64 " samples\n", row->base_cnt ? "base" : "new",
			row->base_cnt + row->now_cnt);
		return;
	}
	for (size_t id = 0; id < COMPARE_STAT_CNT; id++) {
		if (!is_shown(row, id))
			continue;
		if (is_first)
			put_name(r, row);
		else
			fprintf(r->out, "%*s", name_width(r) + 3, "");
		put_stat(r, &row->stats[id], compare_stat_names[id]);
		is_first = false;
	}
}

static void put_rows(const struct report *r, const struct diff *d)
{
	enum metric metric = METRIC_CNT;
	const struct compare_row *row;

	for (size_t i = 0; (row = compare_row(d->compare, i)); i++) {
		if (row->metric != metric) {
			fprintf(r->out, "\n%s: %s\n  %-*s %-4s %7s %7s  %-20s %s\n", metrics[row->metric].name,
				metrics[row->metric].help, name_width(r), "name (class)", "", "base", "new",
				"own shift, 95%", "verdict");
		}
		metric = row->metric;
		put_row(r, row);
	}
}

int diff_text(const struct diff *d, FILE *out)
{
	struct report r = {.out = out, .term = d->now.about.term ? *d->now.about.term : term_of(out)};
	struct compare_sum sum = compare_sum(d->compare);

	put_side(&r, "base", &d->base);
	put_side(&r, "new ", &d->now);
	fprintf(out, "\n%zu of %zu comparisons changed\n", sum.changed, sum.tests);
	put_found(&r, d, COMPARE_CHANGED, COMPARE_WHY_NONE, "changed");
	put_found(&r, d, COMPARE_UNCHANGED, COMPARE_WHY_STRANGERS,
		  "unchanged, though the whole moved: others had the CPU, or the kernel was late");
	put_found(&r, d, COMPARE_UNKNOWN, COMPARE_WHY_STRANGERS, "unknown: others had the CPU, or the kernel was late");
	put_found(&r, d, COMPARE_UNKNOWN, COMPARE_WHY_LOST, "unknown: more was lost than allowed");
	put_rows(&r, d);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
