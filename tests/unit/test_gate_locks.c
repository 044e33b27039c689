/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Budgets of lock.wait: by the lock's symbol or by the function that waited for it. */
#include "src/gate/evidence.h"
#include "tests/unit/gate_feed.h"

enum { NAMED = 0x5000, UNNAMED = 0x6000, STACK = 1 };

static void name_locks(struct model *m)
{
	struct rec_lock lock = {
		.hdr = {REC_LOCK_KIND, sizeof(lock)}, .tgid = 10, .futex = NAMED, .base = NAMED, .name = "queue_lock",
	};
	struct rec_symbol symbol = {
		.hdr = {REC_SYMBOL_KIND, sizeof(symbol)}, .tgid = 10, .pc = 0x100, .line = 31, .last = 1,
		.func = "log_write", .file = "/src/log.c",
	};
	struct rec_stack stack = {.hdr = {REC_STACK_KIND, sizeof(stack)}, .tgid = 10, .id = STACK, .pc0 = 0x100};

	assert_int_equal(model_feed(m, &lock, sizeof(lock)), 0);
	assert_int_equal(model_feed(m, &symbol, sizeof(symbol)), 0);
	assert_int_equal(model_feed(m, &stack, sizeof(stack)), 0);
}

/* 100 waits of 1 ms for the one, by log_write() too, and 100 of 5 ms for the other: in 10 s that is 1% and 5%. */
static void waits(struct fed *f, uint32_t site)
{
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t ns = i % 2 ? MS : 5 * MS, end = START + (i + 1) * 50 * MS;
		struct blame by = {.kind = BLAME_HOLDER, .tid = 13, .ns = ns};
		struct span s = {
			.metric = METRIC_LOCK_WAIT, .klass = CLASS_MUTEX, .tid = 11, .tgid = 10, .begin_ns = end - ns,
			.end_ns = end, .lock = i % 2 ? NAMED : UNNAMED, .wait_site = site, .blame = &by, .blame_cnt = 1,
		};

		f->sink.span(f->sink.ctx, &s);
	}
}

static void shares_and_names_are_judged(void **state)
{
	static const struct {
		const char *budget;
		enum result result;
		uint64_t n;
	} rows[] = {
		{"lock.wait total < 3%", RESULT_FAIL, 200},
		{"lock.wait total < 10%", RESULT_PASS, 200},
		{"lock.wait total < 3% for queue_lock", RESULT_PASS, 100},
		{"lock.wait total < 3% for \"queue*\"", RESULT_PASS, 100},
		{"lock.wait total < 3% for log_write", RESULT_FAIL, 200},
		{"lock.wait max < 2ms for queue_lock", RESULT_PASS, 100},
		{"lock.wait max < 2ms", RESULT_FAIL, 200},
		{"lock.wait total < 3% for nothing", RESULT_INCONCLUSIVE, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct verdict v;
		struct fed f;

		fed_begin(&f, &rows[i].budget, 1);
		name_locks(f.model);
		waits(&f, names_call_site((struct names *)model_names(f.model), 10, STACK));
		v = judged(&f, 0);
		if (v.result != rows[i].result || v.n != rows[i].n)
			fail_msg("%s: %s (%s), n %llu", v.text, result_words[v.result], v.why, (unsigned long long)v.n);
		fed_end(&f);
	}
}

static void no_waits_are_a_share_of_none(void **state)
{
	const char *const budget = "lock.wait total < 3%";
	struct verdict v;
	struct fed f;

	(void)state;
	fed_begin(&f, &budget, 1);
	drifts(&f, 11, 100, MS, 2 * MS);
	v = judged(&f, 0);
	assert_int_equal(v.result, RESULT_PASS);
	fed_end(&f);
}

static void the_worst_names_the_lock_and_its_holder(void **state)
{
	const char *const budget = "lock.wait max < 100us for queue_lock";
	char text[2000];
	struct verdict v;
	struct fed f;

	(void)state;
	fed_begin(&f, &budget, 1);
	name_locks(f.model);
	waits(&f, 0);
	v = judged(&f, 0);
	evidence_worst(&v, &v.series->worst[0], model_names(f.model), text, sizeof(text));
	assert_string_equal(text, "1.00ms at 100ms, queue_lock (10:0x5000) on CPU 0; other (13) held the lock for 1.00ms");
	fed_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_and_names_are_judged),
		cmocka_unit_test(no_waits_are_a_share_of_none),
		cmocka_unit_test(the_worst_names_the_lock_and_its_holder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
