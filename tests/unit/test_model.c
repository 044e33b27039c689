/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Runs the fixtures tests/fixtures/model/NAME.txt: lines of records, each followed by the => lines that
 * the model must make of it:
 *
 *	=> thread.drift nanosleep tid=1 cpu=0 1ms..1500us | slack=50us wake=450us | competitor:7=100us
 *	=> thread.futex other tid=1 cpu=0 lock=0x1000 1ms..2ms | | waker:7=1ms
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

static void put_blame(FILE *f, const struct span *s)
{
	for (size_t i = 0; i < s->blame_cnt; i++) {
		const struct blame *b = &s->blame[i];

		fprintf(f, " %s", blame_names[b->kind]);
		if (b->tid)
			fprintf(f, ":%u", b->tid);
		fputc('=', f);
		put_ns(f, b->ns);
	}
}

static void put_span(void *ctx, const struct span *s)
{
	FILE *f = ctx;
	char name[64];

	class_name(s->klass, name, sizeof(name));
	fprintf(f, "=> %s%s%s tid=%u cpu=%u ", metrics[s->metric].name, *name ? " " : "", name, s->tid, s->cpu);
	if (s->lock)
		fprintf(f, "lock=0x%llx ", (unsigned long long)s->lock);
	put_ns(f, s->begin_ns);
	fputs("..", f);
	put_ns(f, s->end_ns);
	fputs(" |", f);
	put_stages(f, s);
	fputs(" |", f);
	put_blame(f, s);
	fputc('\n', f);
}

static void put_counter(void *ctx, enum entity_counter id, uint32_t tid, uint64_t n)
{
	fprintf(ctx, "=> count %s %llu of %u\n", entity_counter_names[id], (unsigned long long)n, tid);
}

static void put_total(void *ctx, unsigned int count_id, uint64_t value)
{
	if (value)
		fprintf(ctx, "=> total %s %llu\n", count_names[count_id], (unsigned long long)value);
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
	struct span_sink sink = {.ctx = f, .span = put_span, .counter = put_counter, .total = put_total};
	struct model *m = model_new(&sink);

	assert_non_null(copy);
	assert_non_null(f);
	assert_non_null(m);
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

static void classes_have_names(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(class_name(CLASS_NONE, buf, sizeof(buf)), "");
	for (int i = CLASS_TIMER; i <= CLASS_UNKNOWN; i++)
		assert_true(strncmp(class_name(i, buf, sizeof(buf)), "class_", 6));
	assert_string_equal(class_name(CLASS_SYSCALL, buf, sizeof(buf)), syscall_name(0));
	assert_string_equal(class_name(CLASS_SYSCALL + 455, buf, sizeof(buf)), "futex_wait");
	assert_string_equal(class_name(CLASS_SYSCALL + 30000, buf, sizeof(buf)), "syscall_30000");
	assert_string_equal(class_name(CLASS_UNKNOWN + 1, buf, 6), "class");
	assert_null(syscall_name(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixtures_give_their_spans),
		cmocka_unit_test(malformed_headers_are_counted),
		cmocka_unit_test(facts_names_and_cgroups_are_kept),
		cmocka_unit_test(classes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
