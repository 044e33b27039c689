/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Runs the fixtures tests/fixtures/model/NAME.txt: lines of records, each followed by the => lines that
 * the model must make of it:
 *
 *	=> thread.drift nanosleep tid=1 cpu=0 1ms..1500us | slack=50us wake=450us | competitor:7=100us
 *	=> thread.futex other tid=1 cpu=0 lock=0x1000 1ms..2ms | | waker:7=1ms
 *	=> goroutine.lock mutex tid=1 cpu=0 lock=0x1000 goid=7 site=main.f(main.main main.go:9)
 *	   in=main.f(main.go:20) 1ms..2ms | | waker:main.g#8=1ms
 *	=> lock.wait mutex tid=1 cpu=0 of=INODE lock=0x1000 holder=7 stack=3 in=main(a.c:5) 1ms..2ms | | holder:7=1ms
 *	   | blocked:sleep=900us unknown=100us
 *	=> gauge goroutines tgid=1 12 at 1s
 *	=> count jiffies 1 of 1
 *	=> EBADMSG
 *
 * `syscall=@NAME` in a record is that call's number. A line `eof` is the end of the stream; the totals
 * that are not 0 follow as `=> total NAME VALUE`. Stages of 0 are left out. BLESS=1 rewrites the files
 * with what the model says: read the diff.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/model/model.h"
#include "src/trace/record_info.h"
#include "src/trace/text.h"
#include "fixtures.h"

static const char *const count_names[] = {
#define X(number, name, is_loss, help) [number] = #name,
	COUNTS(X)
#undef X
};

static void put_ns(FILE *f, uint64_t ns)
{
	if (ns && ns % 1000000 == 0)
		fprintf(f, "%llums", (unsigned long long)ns / 1000000);
	else if (ns && ns % 1000 == 0)
		fprintf(f, "%lluus", (unsigned long long)ns / 1000);
	else
		fprintf(f, "%llu", (unsigned long long)ns);
}

static void put_stages(FILE *f, const struct span *s)
{
	for (int i = 0; i < STAGE_CNT; i++) {
		if (!s->stage_ns[i])
			continue;
		fprintf(f, " %s=", stage_names[i]);
		put_ns(f, s->stage_ns[i]);
	}
}

/* A running model and where to write what it says. */
struct run {
	struct model *model;
	FILE *f;
};

static void put_blame(const struct run *r, const struct span *s)
{
	FILE *f = r->f;

	for (size_t i = 0; i < s->blame_cnt; i++) {
		const struct blame *b = &s->blame[i];

		fprintf(f, " %s", blame_names[b->kind]);
		if (b->tid)
			fprintf(f, ":%u", b->tid);
		if (b->goid)
			fprintf(f, ":%s#%llu", names_of_site(model_names(r->model), b->site)->func,
				(unsigned long long)b->goid);
		fputc('=', f);
		put_ns(f, b->ns);
	}
}

static void put_site(const struct run *r, const char *what, uint32_t number)
{
	const struct site_name *site = names_of_site(model_names(r->model), number);

	if (number && *site->at)
		fprintf(r->f, "%s=%s(%s) ", what, site->func, site->at);
	else if (number)
		fprintf(r->f, "%s=%s ", what, site->func);
}

static void put_goroutine(const struct run *r, const struct span *s)
{
	const char *label = names_label(model_names(r->model), s->tgid, s->label);

	if (s->goid)
		fprintf(r->f, "goid=%llu ", (unsigned long long)s->goid);
	put_site(r, "site", s->site);
	put_site(r, "in", s->wait_site);
	if (label)
		fprintf(r->f, "label=%s ", label);
}

static void put_lock(const struct run *r, const struct span *s)
{
	if (s->lock_space == LOCK_OF_KERNEL)
		fputs("of=kernel ", r->f);
	else if (s->lock_space)
		fprintf(r->f, "of=%llu ", (unsigned long long)s->lock_space);
	if (s->lock)
		fprintf(r->f, "lock=0x%llx ", (unsigned long long)s->lock);
	if (s->holder)
		fprintf(r->f, "holder=%u ", s->holder);
	if (s->stack && s->metric == METRIC_LOCK_WAIT)
		fprintf(r->f, "stack=%s%u ", s->stack_tgid == TGID_KERNEL ? "kernel:" : "", s->stack);
}

static void put_holds(const struct run *r, const struct span *s)
{
	char name[64];

	if (s->hold_cnt)
		fputs(" |", r->f);
	for (size_t i = 0; i < s->hold_cnt; i++) {
		const struct hold *h = &s->holds[i];

		fprintf(r->f, " %s", hold_names[h->doing]);
		if (h->klass)
			fprintf(r->f, ":%s", names_class(model_names(r->model), h->klass, name, sizeof(name)));
		if (h->root)
			fprintf(r->f, ":%u", h->root);
		fputc('=', r->f);
		put_ns(r->f, h->ns);
	}
}

static void put_span(void *ctx, const struct span *s)
{
	const struct run *r = ctx;
	FILE *f = r->f;
	char name[64];

	names_class(model_names(r->model), s->klass, name, sizeof(name));
	fprintf(f, "=> %s%s%s tid=%u cpu=%u ", metrics[s->metric].name, *name ? " " : "", name, s->tid, s->cpu);
	put_lock(r, s);
	put_goroutine(r, s);
	put_ns(f, s->begin_ns);
	fputs("..", f);
	put_ns(f, s->end_ns);
	fputs(" |", f);
	put_stages(f, s);
	fputs(" |", f);
	put_blame(r, s);
	put_holds(r, s);
	fputc('\n', f);
}

static void put_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	fprintf(((struct run *)ctx)->f, "=> count %s %llu of %u\n", entity_counter_names[id], (unsigned long long)n, tid);
}

static void put_total(void *ctx, unsigned int count_id, uint64_t value)
{
	if (value)
		fprintf(((struct run *)ctx)->f, "=> total %s %llu\n", count_names[count_id],
			(unsigned long long)value);
}

static void put_gauge(void *ctx, const struct gauge *g)
{
	const struct run *r = ctx;

	fprintf(r->f, "=> gauge %s ", gauge_names[g->id]);
	put_site(r, "site", g->site);
	fprintf(r->f, "tgid=%u %llu at ", g->tgid, (unsigned long long)g->value);
	put_ns(r->f, g->time_ns);
	fputc('\n', r->f);
}

/* Fixtures say syscall=@read: numbers differ between architectures. */
static void replace_syscall(const char *line, char *out, size_t size)
{
	const char *at = strchr(line, '@');
	size_t len = at ? strcspn(at + 1, " ") : 0;

	snprintf(out, size, "%s", line);
	for (int nr = 0; at && nr < 1024; nr++) {
		const char *name = syscall_name(nr);

		if (name && strlen(name) == len && !strncmp(name, at + 1, len))
			snprintf(out, size, "%.*s%d%s", (int)(at - line), line, nr, at + 1 + len);
	}
}

/* Feeds the line's record; what comes out of the model goes to f. */
static void feed_line(struct model *m, const char *line, FILE *f)
{
	union any_record rec;
	char why[200], text[1024];
	size_t len;
	int err;

	if (!*line || *line == '#')
		return;
	if (!strcmp(line, "eof")) {
		model_end(m);
		return;
	}
	replace_syscall(line, text, sizeof(text));
	if (record_parse(text, &rec, sizeof(rec), &len, why, sizeof(why))) {
		fprintf(f, "=> not a record: %s\n", why);
		return;
	}
	err = model_feed(m, &rec, len);
	if (err)
		fprintf(f, "=> %s\n", strerrorname_np(-err));
}

/* The fixture as it would be if the model were right: its records with what the model makes of them. */
static char *run_fixture(const char *text)
{
	char *copy = strdup(text), *rest = copy, *line, *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);
	struct run run = {.f = f};
	struct span_sink sink = {.ctx = &run, .span = put_span, .counter = put_counter, .total = put_total,
				 .gauge = put_gauge};
	struct model *m = model_new(&sink);

	assert_non_null(copy);
	assert_non_null(f);
	assert_non_null(m);
	run.model = m;
	while ((line = strsep(&rest, "\n"))) {
		if (!rest && !*line)
			break;
		if (!strncmp(line, "=>", 2))
			continue;
		fprintf(f, "%s\n", line);
		feed_line(m, line, f);
	}
	model_free(m);
	fclose(f);
	free(copy);
	return out;
}

static void fixtures_give_their_spans(void **state)
{
	(void)state;
	check_fixtures("tests/fixtures/model", run_fixture);
}

static void no_span(void *ctx, const struct span *s)
{
	(void)ctx;
	(void)s;
	fail();
}

static void no_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	(void)ctx;
	fail_msg("counter %d of %u: %llu", id, tid, (unsigned long long)n);
}

static void keep_total(void *ctx, unsigned int count_id, uint64_t value)
{
	((uint64_t *)ctx)[count_id] = value;
}

static void malformed_headers_are_counted(void **state)
{
	uint64_t totals[COUNT_CNT];
	struct span_sink sink = {.ctx = totals, .span = no_span, .counter = no_counter, .total = keep_total};
	struct model *m = model_new(&sink);
	struct rec_wait w = {.hdr = {REC_WAIT_KIND, sizeof(w)}, .tid = 1, .ran = 5, .why = WAIT_PREEMPTED};

	(void)state;
	w.off = 1;
	assert_int_equal(model_feed(m, &w, 2), -EBADMSG);
	assert_int_equal(model_feed(m, &w, sizeof(w) - 8), -EBADMSG);
	w.hdr.len -= 8;
	assert_int_equal(model_feed(m, &w, sizeof(w) - 8), -EBADMSG);
	w.hdr = (struct rec_hdr){REC_KIND_END, sizeof(w)};
	assert_int_equal(model_feed(m, &w, sizeof(w)), -EBADMSG);
	w.hdr.kind = 0;
	assert_int_equal(model_feed(m, &w, sizeof(w)), -EBADMSG);
	model_end(m);
	assert_int_equal(totals[COUNT_file_bad_record], 5);
	assert_int_equal(totals[COUNT_file_cut], 1);
	model_free(m);
}

static void facts_names_and_cgroups_are_kept(void **state)
{
	static const char *const lines[] = {
		"clock time=1s realtime=5s",
		"fact name=kernel value=6.18",
		"fact name=samples value=1",
		"fact name=samples value=2",
		"task time=2s tid=7 tgid=6 comm=old",
		"task time=2s tid=7 tgid=6 ns_tid=3 cgroup=9 comm=0123456789abcdef",
		"cgroup id=9 path=/a",
		"cgroup id=9 path=/a/b",
		"cgstat time=2s id=9 nr_periods=10 nr_throttled=4 throttled_ns=100",
		"cgstat time=3s id=9 nr_periods=20 nr_throttled=5 throttled_ns=350",
		"end time=4s reason=2 status=9",
	};
	uint64_t totals[COUNT_CNT];
	struct span_sink sink = {.ctx = totals, .span = no_span, .counter = no_counter, .total = keep_total};
	struct model *m = model_new(&sink);
	struct cgroup_stat stat;
	const char *name, *value;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		feed_line(m, lines[i], stderr);
	model_end(m);
	assert_int_equal(totals[COUNT_file_cut], 0);
	assert_int_equal(model_info(m)->start_ns, 1000000000);
	assert_int_equal(model_info(m)->end_ns, 4000000000);
	assert_int_equal(model_info(m)->realtime_off, 5000000000);
	assert_int_equal(model_info(m)->end_reason, END_SIGNAL);
	assert_int_equal(model_info(m)->status, 9);
	assert_string_equal(model_fact(m, "samples"), "2");
	assert_null(model_fact(m, "none"));
	assert_true(model_fact_at(m, 1, &name, &value));
	assert_string_equal(name, "samples");
	assert_string_equal(value, "1");
	assert_false(model_fact_at(m, 3, &name, &value));
	assert_string_equal(names_of_task(model_names(m), 7)->comm, "0123456789abcdef");
	assert_int_equal(names_of_task(model_names(m), 7)->ns_tid, 3);
	assert_null(names_of_task(model_names(m), 8));
	assert_string_equal(names_of_cgroup(model_names(m), 9), "/a/b");
	assert_true(model_cgstat_at(m, 0, &stat));
	assert_int_equal(stat.nr_throttled, 1);
	assert_int_equal(stat.throttled_ns, 250);
	assert_false(model_cgstat_at(m, 1, &stat));
	model_free(m);
}

static void feed_lines(struct model *m, const char *const *lines, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		feed_line(m, lines[i], stderr);
}

static void go_processes_and_their_histograms_are_kept(void **state)
{
	static const char *const lines[] = {
		"goproc tgid=100 time=1s level=light version=go1.22.12",
		"goproc tgid=200 time=1s level=snapshot checked=1 version=go1.19.8 why=\"PGO build\"",
		"goproc tgid=100 time=2s level=full checked=1 version=go1.22.12 why=cheap",
		"gosnap tgid=100 time=2s goroutines=5",
		"gosnap tgid=100 time=3s goroutines=6",
		"gohist tgid=100 time=3s which=run lo_ns=64 hi_ns=128 count=3",
		"gohist tgid=100 time=3s which=run hi_ns=64 count=2",
		"gohist tgid=100 time=3s which=stw_total_gc lo_ns=512 hi_ns=1024 count=1",
		"gohist tgid=100 time=4s which=run lo_ns=64 hi_ns=128 count=4",
		"gohist tgid=100 time=4s which=run lo_ns=32 hi_ns=64 count=9",
	};
	struct span_sink sink = {.span = no_span, .counter = no_counter, .total = keep_total};
	struct model *m = model_new(&sink);
	struct go_process p;
	struct go_bucket b;

	(void)state;
	feed_lines(m, lines, sizeof(lines) / sizeof(lines[0]));
	assert_true(model_go_at(m, 0, &p));
	assert_int_equal(p.tgid, 100);
	assert_int_equal(p.level, GO_FULL);
	assert_true(p.checked);
	assert_string_equal(p.version, "go1.22.12");
	assert_string_equal(p.why, "cheap");
	assert_int_equal(p.snap->goroutines, 6);
	assert_int_equal(p.hist_cnt, 4);
	assert_true(model_go_at(m, 1, &p));
	assert_int_equal(p.tgid, 200);
	assert_string_equal(p.why, "PGO build");
	assert_null(p.snap);
	assert_false(model_go_at(m, 2, &p));
	assert_true(model_go_hist(m, 100, GO_HIST_RUN, 0, &b));
	assert_int_equal(b.lo_ns, 0);
	assert_int_equal(b.hi_ns, 64);
	assert_int_equal(b.count, 2);
	assert_true(model_go_hist(m, 100, GO_HIST_RUN, 1, &b));
	assert_int_equal(b.lo_ns, 32);
	assert_true(model_go_hist(m, 100, GO_HIST_RUN, 2, &b));
	assert_int_equal(b.lo_ns, 64);
	assert_int_equal(b.count, 7);
	assert_false(model_go_hist(m, 100, GO_HIST_RUN, 3, &b));
	assert_true(model_go_hist(m, 100, GO_HIST_STW_TOTAL_GC, 0, &b));
	assert_false(model_go_hist(m, 100, GO_HIST_STW_TOTAL_OTHER, 0, &b));
	assert_false(model_go_hist(m, 200, GO_HIST_RUN, 0, &b));
	assert_false(model_go_hist(m, 300, GO_HIST_RUN, 0, &b));
	model_free(m);
}

static void stacks_have_frames_with_inlined_calls(void **state)
{
	static const char *const lines[] = {
		"symbol tgid=100 pc=0x10 line=5 func=main.inner file=/a/b.go",
		"symbol tgid=100 pc=0x10 line=6 depth=1 func=main.middle file=c.go",
		"symbol tgid=100 pc=0x10 depth=2 last=1 func=main.outer file=/a/d.go",
		"symbol tgid=100 pc=0x20 line=9 last=1 func=main.main module=app",
		"stack tgid=100 id=3 pc0=0x10 pc1=0x30 pc2=0x20 pc4=0x10",
	};
	static const struct site_name want[] = {
		{"main.inner", "b.go:5", ""}, {"main.middle", "c.go:6", ""}, {"main.outer", "d.go", ""}, {"0x30", "", ""},
		{"main.main", "", "app"},
	};
	struct span_sink sink = {.span = no_span, .counter = no_counter, .total = keep_total};
	struct model *m = model_new(&sink);
	struct site_name have;

	(void)state;
	feed_lines(m, lines, sizeof(lines) / sizeof(lines[0]));
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(names_frame(model_names(m), 100, 3, i, &have));
		assert_string_equal(have.func, want[i].func);
		assert_string_equal(have.at, want[i].at);
		assert_string_equal(have.module, want[i].module);
	}
	assert_false(names_frame(model_names(m), 100, 3, 5, &have));
	assert_false(names_frame(model_names(m), 100, 4, 0, &have));
	assert_false(names_frame(model_names(m), 200, 3, 0, &have));
	/* told again, it may have fewer */
	feed_line(m, "symbol tgid=100 pc=0x10 line=7 last=1 func=main.other file=b.go", stderr);
	assert_true(names_frame(model_names(m), 100, 3, 0, &have));
	assert_string_equal(have.func, "main.other");
	assert_true(names_frame(model_names(m), 100, 3, 1, &have));
	assert_string_equal(have.func, "0x30");
	model_free(m);
}

static void classes_have_names(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(class_name(CLASS_NONE, buf, sizeof(buf)), "");
	for (int i = CLASS_TIMER; i <= CLASS_BARRIER; i++)
		assert_true(strncmp(class_name(i, buf, sizeof(buf)), "class_", 6));
	assert_string_equal(class_name(CLASS_SYSCALL, buf, sizeof(buf)), syscall_name(0));
	assert_string_equal(class_name(CLASS_SYSCALL + 455, buf, sizeof(buf)), "futex_wait");
	assert_string_equal(class_name(CLASS_SYSCALL + 30000, buf, sizeof(buf)), "syscall_30000");
	assert_string_equal(class_name(CLASS_BARRIER + 1, buf, 6), "class");
	assert_null(syscall_name(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixtures_give_their_spans),
		cmocka_unit_test(malformed_headers_are_counted),
		cmocka_unit_test(facts_names_and_cgroups_are_kept),
		cmocka_unit_test(go_processes_and_their_histograms_are_kept),
		cmocka_unit_test(stacks_have_frames_with_inlined_calls),
		cmocka_unit_test(classes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
