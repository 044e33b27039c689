/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Profiles: samples by stack with their sums, names that bite, bounds, and what other tools read. */
#include <unistd.h>
#include <zlib.h>

#include "export_sample.h"
#include "profile.pb-c.h"
#include "src/export/text.h"
#include "src/stats/stacks.h"

enum { PID = 100, TID = 101, STACK = 7, LOCK_AT = 0xc0de };

static void add_symbol(struct names *n, uint32_t tgid, uint64_t pc, const char *func, const char *file, uint32_t line)
{
	struct rec_symbol r = {.tgid = tgid, .pc = pc, .line = line, .last = 1};

	memcpy(r.func, func, strnlen(func, sizeof(r.func)));
	memcpy(r.file, file, strnlen(file, sizeof(r.file)));
	snprintf(r.module, sizeof(r.module), "%s", tgid == PID ? "mixer" : "");
	assert_int_equal(names_symbol(n, &r), 0);
}

/* A stack of three: inner in outer in an address without a name. */
static struct names *stack_names(const char *inner, const char *outer)
{
	const struct rec_stack stack = {.tgid = PID, .id = STACK, .pc0 = 0x10, .pc1 = 0x20, .pc2 = 0x30};
	struct names *n = names_new();

	assert_non_null(n);
	add_name(n, PID, 0, "mixer");
	add_name(n, TID, 0, "wor;ker");
	add_name(n, TID + 1, 0, "holder");
	add_symbol(n, PID, 0x10, inner, "/src/mix.c", 12);
	add_symbol(n, PID, 0x20, outer, "/src/main.c", 40);
	assert_int_equal(names_stack(n, &stack), 0);
	return n;
}

/* A wait of 3 ms for the lock that TID + 1 held. */
static struct span wait_of(enum metric m, uint32_t klass, uint64_t end)
{
	static const struct blame holder = {.tid = TID + 1, .kind = BLAME_HOLDER, .ns = 3 * MS};
	struct span s = span_of(m, klass, TID, end, 3 * MS);

	s.tgid = PID;
	s.lock = LOCK_AT;
	s.stack = STACK;
	s.stack_tgid = PID;
	s.blame = &holder;
	s.blame_cnt = 1;
	return s;
}

static struct tables *waits(const struct span *spans, size_t cnt, unsigned int metrics_mask)
{
	struct tables *t = new_tables((struct tables_opts){
		.tables = TABLE_BIT(LOSS), .metrics = metrics_mask, .stacks = true,
	});

	assert_int_equal(feed(t, spans, cnt), 1);
	return t;
}

/* Writes the profile to a file and reads it through zlib; to be freed with pprof__profile__free_unpacked. */
static Pprof__Profile *profile_of(const struct tables *t, const struct names *n)
{
	static uint8_t bytes[32 << 20];
	FILE *file = tmpfile();
	gzFile gz;
	int len;

	assert_non_null(file);
	assert_int_equal(exporter_find("pprof")->run(t, n, &sample_opts, file), 0);
	rewind(file);
	gz = gzdopen(dup(fileno(file)), "r");
	assert_non_null(gz);
	len = gzread(gz, bytes, sizeof(bytes));
	assert_true(len > 0 && len < (int)sizeof(bytes));
	assert_false(gzdirect(gz));
	assert_int_equal(gzclose(gz), Z_OK);
	fclose(file);
	Pprof__Profile *p = pprof__profile__unpack(NULL, (size_t)len, bytes);

	assert_non_null(p);
	return p;
}

static const char *text_at(const Pprof__Profile *p, int64_t at)
{
	assert_true(at >= 0 && (size_t)at < p->n_string_table);
	return p->string_table[at];
}

static const Pprof__Location *location_at(const Pprof__Profile *p, const Pprof__Sample *s, size_t i)
{
	assert_true(i < s->n_location_id && s->location_id[i] && s->location_id[i] <= p->n_location);
	assert_int_equal(p->location[s->location_id[i] - 1]->id, s->location_id[i]);
	return p->location[s->location_id[i] - 1];
}

static const Pprof__Function *function_at(const Pprof__Profile *p, const Pprof__Sample *s, size_t i)
{
	const Pprof__Location *l = location_at(p, s, i);

	assert_int_equal(l->n_line, 1);
	assert_true(l->line[0]->function_id && l->line[0]->function_id <= p->n_function);
	assert_int_equal(p->function[l->line[0]->function_id - 1]->id, l->line[0]->function_id);
	return p->function[l->line[0]->function_id - 1];
}

static void check_frame(const Pprof__Profile *p, const Pprof__Sample *s, size_t i, const char *func)
{
	assert_string_equal(text_at(p, function_at(p, s, i)->name), func);
}

static void check_label(const Pprof__Profile *p, const Pprof__Sample *s, const char *key, const char *want)
{
	for (size_t i = 0; i < s->n_label; i++) {
		if (strcmp(text_at(p, s->label[i]->key), key))
			continue;
		assert_non_null(want);
		assert_string_equal(text_at(p, s->label[i]->str), want);
		return;
	}
	assert_null(want);
}

static void a_wait_has_its_stack_and_labels(void **state)
{
	struct names *n = stack_names("pthread_mutex_lock", "mix_buffer");
	struct span spans[] = {
		wait_of(METRIC_LOCK_WAIT, CLASS_MUTEX, 10 * MS), wait_of(METRIC_LOCK_WAIT, CLASS_MUTEX, 20 * MS),
	};
	struct tables *t = waits(spans, 2, 0);
	Pprof__Profile *p = profile_of(t, n);
	const Pprof__Sample *s;

	(void)state;
	assert_int_equal(p->n_sample_type, 2);
	assert_string_equal(text_at(p, p->sample_type[0]->type), "contentions");
	assert_string_equal(text_at(p, p->sample_type[0]->unit), "count");
	assert_string_equal(text_at(p, p->sample_type[1]->type), "delay");
	assert_string_equal(text_at(p, p->sample_type[1]->unit), "nanoseconds");
	assert_string_equal(text_at(p, p->default_sample_type), "delay");
	assert_string_equal(text_at(p, 0), "");
	assert_int_equal(p->duration_nanos, 30 * MS);
	assert_int_equal(p->time_nanos, 1700000000000000000);
	assert_int_equal(p->n_sample, 1);
	s = p->sample[0];
	assert_int_equal(s->n_value, 2);
	assert_int_equal(s->value[0], 2);
	assert_int_equal(s->value[1], 6 * MS);
	assert_int_equal(s->n_location_id, 3);
	check_frame(p, s, 0, "pthread_mutex_lock");
	check_frame(p, s, 1, "mix_buffer");
	assert_string_equal(text_at(p, function_at(p, s, 1)->filename), "main.c");
	assert_int_equal(location_at(p, s, 1)->line[0]->line, 40);
	assert_int_equal(location_at(p, s, 2)->address, 0x30);
	check_label(p, s, "thread", "wor;ker (101)");
	check_label(p, s, "process", "mixer (100)");
	check_label(p, s, "metric", "lock.wait");
	check_label(p, s, "class", "mutex");
	check_label(p, s, "holder", "holder (102)");
	check_label(p, s, "waker", NULL);
	check_label(p, s, "goroutine", NULL);
	pprof__profile__free_unpacked(p, NULL);
	tables_free(t);
	names_free(n);
}

static void a_module_is_a_mapping(void **state)
{
	struct names *n = stack_names("lock", "mix");
	struct span s = wait_of(METRIC_LOCK_WAIT, CLASS_MUTEX, 10 * MS);
	struct tables *t = waits(&s, 1, 0);
	struct site_name frame;
	Pprof__Profile *p = profile_of(t, n);

	(void)state;
	assert_true(names_frame(n, PID, STACK, 0, &frame));
	assert_string_equal(frame.module, "mixer");
	assert_int_equal(p->n_mapping, 1);
	assert_string_equal(text_at(p, p->mapping[0]->filename), "mixer");
	assert_true(p->mapping[0]->has_functions);
	assert_int_equal(location_at(p, p->sample[0], 0)->mapping_id, p->mapping[0]->id);
	pprof__profile__free_unpacked(p, NULL);
	tables_free(t);
	names_free(n);
}

/* A stack that nobody told, or none: the class, below whose it was. */
static void what_has_no_stack_has_its_class(void **state)
{
	struct names *n = stack_names("lock", "mix");
	struct span spans[] = {
		wait_of(METRIC_THREAD_BLOCK, CLASS_SLEEP, 10 * MS), wait_of(METRIC_THREAD_BLOCK, CLASS_POLL, 20 * MS),
		wait_of(METRIC_THREAD_BLOCK, CLASS_NONE, 30 * MS),
	};
	static const char *const want[] = {"[sleep]", "[poll]", "[thread.block]"};
	struct tables *t;
	Pprof__Profile *p;

	(void)state;
	spans[0].stack = 0;
	spans[1].stack = STACK + 1;
	spans[2].stack = 0;
	for (size_t i = 0; i < 3; i++) {
		t = waits(&spans[i], 1, 0);
		p = profile_of(t, n);
		assert_int_equal(p->n_sample, 1);
		assert_int_equal(p->sample[0]->n_location_id, 2);
		check_frame(p, p->sample[0], 0, want[i]);
		check_frame(p, p->sample[0], 1, "wor;ker");
		pprof__profile__free_unpacked(p, NULL);
		tables_free(t);
	}
	names_free(n);
}

static void stages_are_values(void **state)
{
	struct names *n = stack_names("lock", "mix");
	struct span s = span_of(METRIC_GOROUTINE_RUNQ, CLASS_READIED, TID, 10 * MS, 5 * MS);
	struct tables *t;
	Pprof__Profile *p;
	int64_t sum = 0;

	(void)state;
	s.goid = 33;
	s.stage_ns[STAGE_HANDOFF] = 1 * MS;
	s.stage_ns[STAGE_GRUNQ] = 4 * MS;
	t = waits(&s, 1, 0);
	p = profile_of(t, n);
	assert_int_equal(p->n_sample_type, 2 + __builtin_popcount(GO_WAIT_STAGES));
	for (size_t i = 2; i < p->n_sample_type; i++) {
		const char *type = text_at(p, p->sample_type[i]->type);
		int64_t value = p->sample[0]->value[i];

		assert_int_equal(value, !strcmp(type, "delay_handoff") ? 1 * MS : !strcmp(type, "delay_grunq") ? 4 * MS : 0);
		sum += value;
	}
	assert_int_equal(sum, p->sample[0]->value[1]);
	assert_int_equal(p->sample[0]->label[p->sample[0]->n_label - 1]->num, 33);
	pprof__profile__free_unpacked(p, NULL);
	tables_free(t);
	names_free(n);
}

static int64_t sum_of(const Pprof__Profile *p)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->n_sample; i++)
		sum += p->sample[i]->value[1];
	return sum;
}

/* The same wait is a sample of thread.futex and of lock.wait: unless asked for, only one of them is in. */
static void nothing_is_counted_twice_unasked(void **state)
{
	struct names *n = stack_names("lock", "mix");
	const unsigned int futex = 1u << METRIC_THREAD_FUTEX, lock = 1u << METRIC_LOCK_WAIT;
	struct span spans[] = {
		wait_of(METRIC_THREAD_FUTEX, CLASS_MUTEX, 10 * MS), wait_of(METRIC_LOCK_WAIT, CLASS_MUTEX, 10 * MS),
	};
	const struct {
		unsigned int metrics;
		size_t spans, waits;
	} cases[] = {{0, 2, 1}, {futex, 2, 1}, {lock, 2, 1}, {futex | lock, 2, 2}, {0, 1, 1}, {lock, 1, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct tables *t = waits(spans, cases[i].spans, cases[i].metrics);
		Pprof__Profile *p = profile_of(t, n);

		assert_int_equal(sum_of(p), cases[i].waits * 3 * MS);
		pprof__profile__free_unpacked(p, NULL);
		tables_free(t);
	}
	names_free(n);
}

/* The judge, where it is installed. */
static void check_with_protoc(const struct tables *t, const struct names *n)
{
	FILE *protoc;

	if (system("command -v protoc >/dev/null 2>&1"))
		return;
	protoc = popen("zcat | protoc --proto_path=src/export --decode=pprof.Profile profile.proto >/dev/null", "w");
	assert_non_null(protoc);
	assert_int_equal(exporter_find("pprof")->run(t, n, &sample_opts, protoc), 0);
	assert_int_equal(pclose(protoc), 0);
}

static void names_do_nothing(void **state)
{
	static const char *const bites[] = {
		"a\x1b[2J\x1b]0;x\x07", "\xff\xfe\n\r\t", "%s%n\"'&", ";;; 1", "0x", "0x12zz", "", "\xe2\x80\xae" "flip",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bites) / sizeof(*bites); i++) {
		struct names *n = stack_names(bites[i], "main");
		struct span s = wait_of(METRIC_LOCK_WAIT, CLASS_MUTEX, 10 * MS);
		struct tables *t = waits(&s, 1, 0);
		Pprof__Profile *p = profile_of(t, n);

		for (size_t k = 0; k < p->n_string_table; k++) {
			char escaped[2 * TEXT_SZ];

			text_escape(p->string_table[k], escaped, sizeof(escaped));
			assert_string_equal(escaped, p->string_table[k]);
		}
		check_with_protoc(t, n);
		pprof__profile__free_unpacked(p, NULL);
		tables_free(t);
		names_free(n);
	}
}

static void folded_lines_are_frames_and_ns(void **state)
{
	struct names *n = stack_names("lock;1", "mix buffer");
	struct span spans[] = {
		wait_of(METRIC_LOCK_WAIT, CLASS_MUTEX, 10 * MS), wait_of(METRIC_LOCK_WAIT, CLASS_RWLOCK, 20 * MS),
		wait_of(METRIC_LOCK_WAIT, CLASS_SEM, 30 * MS), wait_of(METRIC_THREAD_FUTEX, CLASS_MUTEX, 10 * MS),
	};
	struct tables *t;
	char *text;

	(void)state;
	spans[1].lock++;
	spans[2].stack = 0;
	t = waits(spans, 4, 0);
	text = exported("folded", t, n, &sample_opts);
	assert_string_equal(text, "wor:ker;0x30;mix buffer;lock:1 6000000\nwor:ker;[sem] 3000000\n");
	free(text);
	tables_free(t);
	names_free(n);
}

/* More rows than are kept: they lose what they are apart by, and not a nanosecond. */
static void rows_are_bounded(void **state)
{
	enum { CNT = 100000 };
	struct tables *t = new_tables((struct tables_opts){.tables = TABLE_BIT(LOSS), .stacks = true});
	struct span_sink sink = tables_sink(t);
	uint64_t sum = 0, count = 0;
	struct stack_row r;
	size_t rows = 0;
	bool again;

	(void)state;
	for (uint32_t i = 0; i < 2 * CNT; i++) {
		struct span s = wait_of(METRIC_LOCK_WAIT, CLASS_MUTEX, 10 * MS);

		s.tid = 1000 + i % CNT;
		s.stack = i < CNT ? STACK : i;
		sink.span(sink.ctx, &s);
	}
	assert_int_equal(tables_pass_done(t, &again), 0);
	for (; tables_stack(t, rows, &r); rows++) {
		sum += r.sum;
		count += r.count;
	}
	assert_true(rows > 60000 && rows < 90000);
	assert_int_equal(count, 2 * CNT);
	assert_int_equal(sum, 2 * CNT * 3 * MS);
	assert_int_equal(tables_stacks_folded(t), 2 * CNT - 65536);
	tables_free(t);
}

static void rows_are_the_biggest_first(void **state)
{
	enum { CNT = 5000 };
	struct span *spans = calloc(CNT, sizeof(*spans));
	struct stack_row r, last = {.metric = METRIC_THREAD_DRIFT, .sum = UINT64_MAX};
	uint64_t sum = 0, want = 0;
	struct tables *t;

	(void)state;
	assert_non_null(spans);
	random_spans(spans, CNT, 10, 700 * MS);
	for (size_t i = 0; i < CNT; i++)
		want += spans[i].end_ns - spans[i].begin_ns;
	t = waits(spans, CNT, 0);
	for (size_t i = 0; tables_stack(t, i, &r); i++) {
		assert_true(r.metric > last.metric || (r.metric == last.metric && r.sum <= last.sum));
		assert_true(r.max <= r.sum && r.count);
		sum += r.sum;
		last = r;
	}
	assert_int_equal(sum, want);
	tables_free(t);
	free(spans);
}

static void no_samples_is_a_profile_too(void **state)
{
	struct names *n = names_new();
	struct tables *t = waits(NULL, 0, 0);
	Pprof__Profile *p = profile_of(t, n);
	char *text = exported("folded", t, n, &sample_opts);

	(void)state;
	assert_int_equal(p->n_sample, 0);
	assert_int_equal(p->n_sample_type, 2);
	assert_string_equal(text, "");
	check_with_protoc(t, n);
	free(text);
	pprof__profile__free_unpacked(p, NULL);
	tables_free(t);
	names_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wait_has_its_stack_and_labels),
		cmocka_unit_test(a_module_is_a_mapping),
		cmocka_unit_test(what_has_no_stack_has_its_class),
		cmocka_unit_test(stages_are_values),
		cmocka_unit_test(nothing_is_counted_twice_unasked),
		cmocka_unit_test(names_do_nothing),
		cmocka_unit_test(folded_lines_are_frames_and_ns),
		cmocka_unit_test(rows_are_bounded),
		cmocka_unit_test(rows_are_the_biggest_first),
		cmocka_unit_test(no_samples_is_a_profile_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
