/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Two recordings against each other: what was planted is found, named and blamed; what was not, is not. */
#include "src/export/diff.h"
#include "src/stats/bootstrap.h"
#include "src/stats/compare.h"
#include "src/stats/windows.h"
#include "tests/unit/export_sample.h"

enum { SPANS = 6000, WORKER = 101, STRANGER = 900, HOG = 102 };

/* How a recording is made: a sample a millisecond, one in ten of them late. */
struct plan {
	uint32_t tid;
	size_t cnt;		/* 0: SPANS */
	uint64_t late_us;	/* 0: 1,000 */
	uint64_t slack_us;	/* 0: 50 */
	uint32_t competitor;	/* who had the CPU while it was late */
	uint64_t stranger_us;	/* and what a stranger took of each late one */
	size_t disturbed_every;	/* a stranger takes 300 us of each so many of the others; 0: of none */
	uint64_t lost;
};

static struct names *thread_names(void)
{
	struct names *n = names_new();

	assert_non_null(n);
	add_name(n, WORKER, 0, "worker");
	add_name(n, WORKER + 4, 0, "worker");
	add_name(n, HOG, 0, "hog");
	add_name(n, STRANGER, 0, "stranger");
	return n;
}

static void set_span(const struct plan *p, size_t i, struct span *s, struct blame *b)
{
	uint64_t slack = (p->slack_us ? p->slack_us : 50) * 1000, late = (p->late_us ? p->late_us : 1000) * 1000;
	uint64_t runq = 5000 + random_below(3000), strangers = p->stranger_us * 1000;

	if (i % 10 == 0)
		runq += late - random_below(late / 4) + strangers;
	else
		strangers = 0;
	if (i % 10 && p->disturbed_every && i % p->disturbed_every == 0) {
		strangers = 300000;
		runq += strangers;
	}
	*s = span_of(METRIC_THREAD_DRIFT, CLASS_NANOSLEEP, p->tid, (i + 10) * MS, slack + runq);
	s->stage_ns[STAGE_SLACK] = slack;
	s->stage_ns[STAGE_RUNQ] = runq;
	b[0] = (struct blame){.tid = p->competitor ? p->competitor : HOG, .kind = BLAME_COMPETITOR, .ns = runq - strangers};
	b[1] = (struct blame){.tid = STRANGER, .kind = BLAME_COMPETITOR, .ns = strangers};
	s->blame = b;
	s->blame_cnt = 2;
}

static struct tables *recording(const struct plan *p, const struct names *n)
{
	size_t cnt = p->cnt ? p->cnt : SPANS;
	struct span *spans = calloc(cnt, sizeof(*spans));
	struct blame *blame = calloc(cnt, 2 * sizeof(*blame));
	struct tables *t = new_tables((struct tables_opts){.windows = true,
							   .tables = TABLE_BIT(HEATMAP) | TABLE_BIT(LOSS)});

	assert_true(spans && blame);
	tables_names(t, n);
	for (size_t i = 0; i < cnt; i++)
		set_span(p, i, &spans[i], &blame[2 * i]);
	tables_sink(t).total(t, COUNT_ring_waking, p->lost);
	feed(t, spans, cnt);
	free(spans);
	free(blame);
	return t;
}

struct pair {
	struct names *names;
	struct tables *base, *now;
	struct compare *compare;
};

static struct pair compared(const struct plan *base, const struct plan *now, const struct compare_opts *opts)
{
	struct pair p = {.names = thread_names()};
	const struct compare_opts none = {0};

	p.base = recording(base, p.names);
	p.now = recording(now, p.names);
	assert_int_equal(compare_make(&(struct compare_side){p.base, p.names}, &(struct compare_side){p.now, p.names},
				      opts ? opts : &none, &p.compare), 0);
	return p;
}

static void pair_done(struct pair *p)
{
	compare_free(p->compare);
	tables_free(p->base);
	tables_free(p->now);
	names_free(p->names);
}

static const struct compare_row *row_of(const struct pair *p, const char *name, unsigned int stage)
{
	const struct compare_row *row;

	for (size_t i = 0; (row = compare_row(p->compare, i)); i++)
		if (row->name && !strcmp(row->name, name) && row->klass && row->stage == stage)
			return row;
	fail_msg("no row of %s", name);
	return NULL;
}

static void wants(const struct compare_stat *s, enum compare_verdict verdict, enum compare_reason why)
{
	if (s->verdict != verdict || s->why != why)
		fail_msg("%s (%s): base %.0f, new %.0f, %.0f (%.0f to %.0f), own %.0f to %.0f, chance %g and %g",
			 compare_verdict_names[s->verdict], compare_reason_texts[s->why], s->base, s->now, s->shift,
			 s->lo, s->hi, s->own_lo, s->own_hi, s->tails, s->own_tails);
}

static void the_same_is_unchanged(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		struct pair p = compared(&(struct plan){.tid = WORKER}, &(struct plan){.tid = WORKER + 4}, NULL);
		struct compare_sum sum = compare_sum(p.compare);

		assert_int_equal(sum.changed, 0);
		assert_int_equal(sum.tests, COMPARE_STAT_CNT);
		assert_int_equal(sum.verdict, COMPARE_UNCHANGED);
		pair_done(&p);
	}
}

static void a_fifth_more_is_found_and_its_stage_named(void **state)
{
	struct pair p = compared(&(struct plan){.tid = WORKER}, &(struct plan){.tid = WORKER + 4, .late_us = 1200},
				 &(struct compare_opts){.tolerance = 0.1, .only_worse = true});
	const struct compare_row *row = row_of(&p, "worker", STAGE_CNT);
	const struct compare_stat *s = &row->stats[COMPARE_P99];
	struct compare_sum sum = compare_sum(p.compare);

	(void)state;
	wants(s, COMPARE_CHANGED, COMPARE_WHY_NONE);
	assert_int_equal(s->stage, STAGE_RUNQ);
	assert_true(s->lo > 100000 && s->hi < 300000 && s->lo <= s->shift && s->shift <= s->hi);
	wants(&row->stats[COMPARE_P50], COMPARE_UNCHANGED, COMPARE_WHY_NONE);
	assert_int_equal(sum.verdict, COMPARE_CHANGED);
	assert_ptr_equal(sum.worst, row);
	assert_int_equal(sum.stat, COMPARE_P99);
	pair_done(&p);
}

/* Lateness that was agreed to doubles: the median is all of it. */
static void another_stage_is_named(void **state)
{
	struct pair p = compared(&(struct plan){.tid = WORKER, .slack_us = 200},
				 &(struct plan){.tid = WORKER, .slack_us = 400}, NULL);
	const struct compare_stat *s = &row_of(&p, "worker", STAGE_CNT)->stats[COMPARE_P50];

	(void)state;
	wants(s, COMPARE_CHANGED, COMPARE_WHY_NONE);
	assert_int_equal(s->stage, STAGE_SLACK);
	wants(&row_of(&p, "worker", STAGE_SLACK)->stats[COMPARE_P50], COMPARE_CHANGED, COMPARE_WHY_NONE);
	wants(&row_of(&p, "worker", STAGE_RUNQ)->stats[COMPARE_P50], COMPARE_UNCHANGED, COMPARE_WHY_NONE);
	pair_done(&p);
}

static void better_is_a_change_but_nothing_worse(void **state)
{
	struct plan slow = {.tid = WORKER, .late_us = 2000}, fast = {.tid = WORKER};
	struct pair both = compared(&slow, &fast, NULL);
	struct pair worse = compared(&slow, &fast, &(struct compare_opts){.only_worse = true});

	(void)state;
	wants(&row_of(&both, "worker", STAGE_CNT)->stats[COMPARE_P99], COMPARE_CHANGED, COMPARE_WHY_NONE);
	wants(&row_of(&worse, "worker", STAGE_CNT)->stats[COMPARE_P99], COMPARE_UNCHANGED, COMPARE_WHY_NONE);
	pair_done(&both);
	pair_done(&worse);
}

/* The same shift, once taken by a thread of the process and once by somebody else, who took little at a time. */
static void strangers_time_is_not_the_programs(void **state)
{
	struct plan quiet = {.tid = WORKER}, noisy = {.tid = WORKER, .stranger_us = 190};
	struct pair p = compared(&quiet, &noisy, NULL);
	const struct compare_stat *s = &row_of(&p, "worker", STAGE_CNT)->stats[COMPARE_P99];

	(void)state;
	wants(s, COMPARE_UNCHANGED, COMPARE_WHY_STRANGERS);
	assert_true(s->lo > 150000 && s->own_hi < 50000);
	assert_int_equal(compare_sum(p.compare).verdict, COMPARE_UNCHANGED);
	pair_done(&p);
	p = compared(&quiet, &(struct plan){.tid = WORKER, .late_us = 1190}, NULL);
	wants(&row_of(&p, "worker", STAGE_CNT)->stats[COMPARE_P99], COMPARE_CHANGED, COMPARE_WHY_NONE);
	pair_done(&p);
}

/* Much at a time: those samples are left out, and what is left cannot tell. */
static void a_disturbed_machine_is_unknown(void **state)
{
	struct plan quiet = {.tid = WORKER}, noisy = {.tid = WORKER, .stranger_us = 1000};
	struct pair p = compared(&quiet, &noisy, &(struct compare_opts){.only_worse = true});
	struct compare_sum sum = compare_sum(p.compare);

	(void)state;
	wants(&row_of(&p, "worker", STAGE_CNT)->stats[COMPARE_P99], COMPARE_UNKNOWN, COMPARE_WHY_STRANGERS);
	assert_int_equal(sum.verdict, COMPARE_UNKNOWN);
	assert_int_equal(sum.why, COMPARE_WHY_STRANGERS);
	pair_done(&p);
}

/* A quarter of the samples disturbed: what is left of them shows a shift, but it may be the strangers' doing. */
static void a_machine_too_busy_makes_it_unknown(void **state)
{
	struct plan quiet = {.tid = WORKER}, later = {.tid = WORKER, .late_us = 2000, .disturbed_every = 3};
	struct pair p = compared(&quiet, &later, NULL);
	const struct compare_row *row = row_of(&p, "worker", STAGE_CNT);
	struct compare_sum sum = compare_sum(p.compare);

	(void)state;
	assert_int_equal(row->base_own_cnt, SPANS);
	assert_in_range(row->now_own_cnt, SPANS / 4, SPANS * 3 / 4 - 1);
	wants(&row->stats[COMPARE_P99], COMPARE_UNKNOWN, COMPARE_WHY_STRANGERS);
	assert_int_equal(sum.verdict, COMPARE_UNKNOWN);
	pair_done(&p);
	later.disturbed_every = 49;
	p = compared(&quiet, &later, NULL);
	wants(&row_of(&p, "worker", STAGE_CNT)->stats[COMPARE_P99], COMPARE_CHANGED, COMPARE_WHY_NONE);
	pair_done(&p);
}

/* As it was in one of the earlier runs it may be again. */
static void of_several_bases_the_worst_counts(void **state)
{
	struct plan slow = {.tid = WORKER, .late_us = 2000}, fast = {.tid = WORKER};
	struct pair to_fast = compared(&fast, &slow, NULL), to_slow = compared(&slow, &slow, NULL),
		    again = compared(&fast, &slow, NULL);

	(void)state;
	assert_int_equal(compare_sum(to_fast.compare).verdict, COMPARE_CHANGED);
	compare_narrow(to_fast.compare, again.compare);
	assert_int_equal(compare_sum(to_fast.compare).verdict, COMPARE_CHANGED);
	compare_narrow(to_fast.compare, to_slow.compare);
	assert_int_equal(compare_sum(to_fast.compare).verdict, COMPARE_UNCHANGED);
	compare_narrow(to_slow.compare, again.compare);
	assert_int_equal(compare_sum(to_slow.compare).verdict, COMPARE_UNCHANGED);
	pair_done(&to_fast);
	pair_done(&to_slow);
	pair_done(&again);
}

/* No rows of all threads, and all stages of what changed. */
static void a_gate_has_only_its_rows(void **state)
{
	struct pair p = compared(&(struct plan){.tid = WORKER}, &(struct plan){.tid = WORKER, .late_us = 2000},
				 &(struct compare_opts){.only_gated = true});
	const struct compare_row *row;

	(void)state;
	for (size_t i = 0; (row = compare_row(p.compare, i)); i++)
		assert_true(row->name && (row->is_gated || row->stage != STAGE_CNT));
	assert_int_equal(row_of(&p, "worker", STAGE_CNT)->stats[COMPARE_P99].stage, STAGE_RUNQ);
	pair_done(&p);
}

static void few_samples_say_nothing(void **state)
{
	struct pair p = compared(&(struct plan){.tid = WORKER, .cnt = 1900}, &(struct plan){.tid = WORKER}, NULL);
	const struct compare_row *row = row_of(&p, "worker", STAGE_CNT);

	(void)state;
	wants(&row->stats[COMPARE_P99], COMPARE_UNKNOWN, COMPARE_WHY_FEW);
	wants(&row->stats[COMPARE_P50], COMPARE_UNCHANGED, COMPARE_WHY_NONE);
	pair_done(&p);
	p = compared(&(struct plan){.tid = WORKER, .cnt = 10}, &(struct plan){.tid = WORKER, .cnt = 10}, NULL);
	assert_int_equal(compare_sum(p.compare).verdict, COMPARE_UNKNOWN);
	assert_int_equal(compare_sum(p.compare).why, COMPARE_WHY_FEW);
	pair_done(&p);
}

static void names_must_be_in_both(void **state)
{
	struct pair p = compared(&(struct plan){.tid = WORKER}, &(struct plan){.tid = HOG}, NULL);
	const struct compare_row *worker = row_of(&p, "worker", STAGE_CNT), *hog = row_of(&p, "hog", STAGE_CNT);

	(void)state;
	wants(&worker->stats[COMPARE_P50], COMPARE_UNKNOWN, COMPARE_WHY_ONE_SIDE);
	assert_int_equal(worker->now_cnt, 0);
	assert_int_equal(hog->base_cnt, 0);
	assert_int_equal(hog->now_cnt, SPANS);
	pair_done(&p);
}

static void losses_make_it_unknown(void **state)
{
	struct plan base = {.tid = WORKER}, now = {.tid = WORKER, .late_us = 2000, .lost = 60};
	struct pair p = compared(&base, &now, NULL);

	(void)state;
	wants(&row_of(&p, "worker", STAGE_CNT)->stats[COMPARE_P99], COMPARE_UNKNOWN, COMPARE_WHY_LOST);
	assert_int_equal(compare_sum(p.compare).verdict, COMPARE_UNKNOWN);
	pair_done(&p);
	p = compared(&base, &now, &(struct compare_opts){.max_loss = 0.02});
	wants(&row_of(&p, "worker", STAGE_CNT)->stats[COMPARE_P99], COMPARE_CHANGED, COMPARE_WHY_NONE);
	pair_done(&p);
}

/* Windows merge as the recording grows; no sample is lost by it, and stages have as many as the whole. */
static void windows_hold_all_samples(void **state)
{
	struct names *n = thread_names();
	struct tables *t = recording(&(struct plan){.tid = WORKER, .cnt = 20000}, n);
	struct boot *whole = boot_new(tables_window_cnt(t)), *slack = boot_new(tables_window_cnt(t));

	(void)state;
	assert_in_range(tables_window_cnt(t), 120, 240);
	assert_int_equal(tables_window_ns(t), 160 * MS);
	assert_int_equal(tables_add_windows(t, tables_group(t, 0), STAGE_CNT, whole), 0);
	assert_int_equal(tables_add_windows(t, tables_group(t, 0), STAGE_SLACK, slack), 0);
	assert_int_equal(boot_count(whole), 20000);
	assert_int_equal(boot_count(slack), 20000);
	assert_int_equal(tables_add_windows(t, tables_group(t, 0), STAGE_GRUNQ, slack), 0);	/* not of the metric */
	assert_int_equal(boot_count(slack), 20000);
	boot_free(whole);
	boot_free(slack);
	tables_free(t);
	names_free(n);
}

static char *written(const struct pair *p, const char *format, enum table table)
{
	struct diff d = {.compare = p->compare, .table = table};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	d.base = (struct diff_side){.file = "<base>&", .tables = p->base, .names = p->names, .about.info = &sample_info};
	d.now = (struct diff_side){.file = "new", .tables = p->now, .names = p->names, .about.info = &sample_info};
	assert_non_null(out);
	assert_int_equal(diff_format_find(format)->run(&d, out), 0);
	fclose(out);
	return text;
}

static void holds(char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("no '%s' in: %.2000s", what, text);
	free(text);
}

static void formats_say_it(void **state)
{
	struct pair p = compared(&(struct plan){.tid = WORKER}, &(struct plan){.tid = WORKER, .late_us = 2000}, NULL);
	char *first = written(&p, "csv", TABLE_STAGES), *second = written(&p, "csv", TABLE_STAGES);

	(void)state;
	assert_string_equal(first, second);
	free(first);
	holds(second, "\nthread.drift,nanosleep,worker,total,p99,6000,6000,");
	holds(written(&p, "csv", TABLE_STAGES), ",1,changed,,runq\n");
	holds(written(&p, "csv", TABLE_HEATMAP), "metric,t_start_ns,t_end_ns,lat_lo_ns,lat_hi_ns,base_count,new_count\n");
	holds(written(&p, "json", TABLE_STAGES), "\"moved_stage\":\"runq\"");
	holds(written(&p, "text", TABLE_STAGES), "thread.drift p99 of worker (nanosleep): ");
	holds(written(&p, "svg", TABLE_STAGES), "&lt;base&gt;&amp;");
	holds(written(&p, "svg", TABLE_STAGES), "late: base 0, new ");
	pair_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_unchanged),
		cmocka_unit_test(a_fifth_more_is_found_and_its_stage_named),
		cmocka_unit_test(another_stage_is_named),
		cmocka_unit_test(better_is_a_change_but_nothing_worse),
		cmocka_unit_test(strangers_time_is_not_the_programs),
		cmocka_unit_test(a_disturbed_machine_is_unknown),
		cmocka_unit_test(a_machine_too_busy_makes_it_unknown),
		cmocka_unit_test(of_several_bases_the_worst_counts),
		cmocka_unit_test(a_gate_has_only_its_rows),
		cmocka_unit_test(few_samples_say_nothing),
		cmocka_unit_test(names_must_be_in_both),
		cmocka_unit_test(losses_make_it_unknown),
		cmocka_unit_test(windows_hold_all_samples),
		cmocka_unit_test(formats_say_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
