/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Budgets: what they say, how they are shown, and where they are wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/gate/budget.h"
#include "tests/unit/forked.h"

static struct budget one(const char *text)
{
	struct budgets b = {.rows = NULL};
	struct budget_error err;
	struct budget row;

	if (budgets_add(&b, text, 0, &err))
		fail_msg("'%s': column %u: %s", text, err.column, err.text);
	row = b.rows[0];
	budgets_done(&b);
	return row;
}

static void quantiles(void **state)
{
	struct budget b = one("thread.drift p99 < 2ms");

	(void)state;
	assert_int_equal(b.source, BUDGET_METRIC);
	assert_int_equal(b.id, METRIC_THREAD_DRIFT);
	assert_int_equal(b.stat, STAT_QUANTILE);
	assert_int_equal(b.ppm, 990000);
	assert_int_equal(b.op, OP_LESS);
	assert_true(b.limit == 2e6);
	assert_int_equal(b.stage, STAGE_CNT);
	assert_string_equal(b.name, "");
	assert_int_equal(one("thread.runq p50 < 1us").ppm, 500000);
	assert_int_equal(one("thread.runq p99.9 < 1us").ppm, 999000);
	assert_int_equal(one("thread.runq p99.99 < 1us").ppm, 999900);
}

static void every_statistic(void **state)
{
	static const struct {
		const char *text;
		enum budget_source source;
		enum budget_stat stat;
		double limit;
	} rows[] = {
		{"thread.futex max <= 1.5s", BUDGET_METRIC, STAT_MAX, 1.5e9},
		{"thread.futex mean < 500us", BUDGET_METRIC, STAT_MEAN, 500e3},
		{"thread.throttle count < 1", BUDGET_METRIC, STAT_COUNT, 1},
		{"goroutine.lock total < 3%", BUDGET_METRIC, STAT_TOTAL, 0.03},
		{"thread.preempt rate < 30/min", BUDGET_METRIC, STAT_RATE, 0.5},
		{"thread.drift rate > 90/s", BUDGET_METRIC, STAT_RATE, 90},
		{"thread.drift rate >= 36/h", BUDGET_METRIC, STAT_RATE, 0.01},
		{"threads < 500", BUDGET_GAUGE, STAT_MAX, 500},
		{"goroutines max < 3000", BUDGET_GAUGE, STAT_MAX, 3000},
		{"goroutines mean < 12.5", BUDGET_GAUGE, STAT_MEAN, 12.5},
		{"timers last <= 7", BUDGET_GAUGE, STAT_LAST, 7},
		{"goroutines slope < 1/s", BUDGET_GAUGE, STAT_SLOPE, 1},
		{"loss < 0.1%", BUDGET_LOSS, STAT_SHARE, 0.001},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct budget b = one(rows[i].text);

		assert_int_equal(b.source, rows[i].source);
		assert_int_equal(b.stat, rows[i].stat);
		assert_true(b.limit > rows[i].limit * 0.999999 && b.limit < rows[i].limit * 1.000001);
	}
}

static void names_and_stages(void **state)
{
	struct budget b = one("  goroutine.drift\tp99.9<5ms for \"mixer *\" stage grunq # of the mixers");

	(void)state;
	assert_string_equal(b.name, "mixer *");
	assert_int_equal(b.stage, STAGE_GRUNQ);
	assert_string_equal(b.text, "goroutine.drift p99.9 < 5ms for \"mixer *\" stage grunq");
	b = one("thread.drift p99 < 2ms stage runq for 'for'");
	assert_string_equal(b.name, "for");
	assert_int_equal(b.stage, STAGE_RUNQ);
	assert_string_equal(one("threads<5 for mix*").text, "threads max < 5 for \"mix*\"");
	assert_string_equal(one("loss   <0.1%").text, "loss < 0.1%");
}

/* Each has the column of what is wrong, and says what is valid there. */
static void what_is_wrong_and_where(void **state)
{
	static const struct {
		const char *text;
		unsigned int column;
		const char *says;
	} rows[] = {
		{"", 1, "it ends here"},
		{"thread.drft p99 < 2ms", 1, "valid: thread.drift, thread.runq"},
		{"thread.drft p99 < 2ms", 1, "goroutines, "},
		{"thread.drift", 13, "it ends here; a budget is METRIC STAT OP VALUE"},
		{"thread.drift < 2ms", 14, "valid: p50 to p99.99, max, mean, count, total, rate"},
		{"thread.drift p99x < 2ms", 14, "'p99x' is no statistic"},
		{"thread.drift p100 < 2ms", 14, "is no statistic"},
		{"thread.drift p0x9 < 2ms", 14, "is no statistic"},
		{"thread.drift p99.999999 < 2ms", 14, "is no statistic"},
		{"thread.drift slope < 2/s", 14, "is no statistic"},
		{"threads p99 < 2", 9, "valid: max, mean, last, slope"},
		{"loss max < 1%", 6, "'max' is no comparison"},
		{"thread.drift p99 = 2ms", 18, "valid: <, <=, >, >="},
		{"thread.drift p99 != 2ms", 18, "'!=' is no comparison"},
		{"thread.drift p99 <", 19, "it ends here"},
		{"thread.drift p99 < 2", 20, "give a time with its unit"},
		{"thread.drift p99 < -2ms", 20, "give a time with its unit"},
		{"thread.drift count < 2ms", 22, "a number without a unit"},
		{"thread.drift total < 3", 22, "a percentage"},
		{"thread.drift total < nan%", 22, "a percentage"},
		{"thread.drift rate < 3", 21, "a number a second, minute or hour"},
		{"thread.drift rate < 3/d", 21, "a number a second"},
		{"threads < 1e3", 11, "a number without a unit"},
		{"thread.drift p99 < 2ms for", 27, "for whom?"},
		{"thread.drift p99 < 2ms for x for y", 34, "only one name"},
		{"thread.drift p99 < 2ms for \"x", 28, "has no end"},
		{"thread.drift p99 < 2ms stage", 29, "'' is no stage of thread.drift; valid: busy, slack"},
		{"thread.drift p99 < 2ms stage grunq", 30, "'grunq' is no stage"},
		{"thread.futex p99 < 2ms stage runq", 30, "it has no stages"},
		{"threads < 2 stage runq", 19, "it has no stages"},
		{"thread.drift p99 < 2ms stage runq stage runq", 41, "only one stage"},
		{"loss < 1% for x", 15, "loss is of the whole recording"},
		{"thread.drift p99 < 2ms mixer", 24, "'mixer' is unexpected"},
		{"thread.drift p99 < 2ms # stage", 0, ""},
	};
	char text[400];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct budgets b = {.rows = NULL};
		struct budget_error err = {.column = 0};
		int ret = budgets_add(&b, rows[i].text, 0, &err);

		if (ret != (rows[i].column ? -EINVAL : 0) || err.column != rows[i].column || !strstr(err.text, rows[i].says))
			fail_msg("'%s': %d, column %u, %s", rows[i].text, ret, err.column, err.text);
		assert_int_equal(b.cnt, !rows[i].column);
		budgets_done(&b);
	}
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	struct budgets b = {.rows = NULL};
	struct budget_error err;

	assert_int_equal(budgets_add(&b, text, 0, &err), -EINVAL);
	assert_non_null(strstr(err.text, "longer than"));
}

static void too_many_are_refused(void **state)
{
	struct budgets b = {.rows = NULL};
	struct budget_error err;

	(void)state;
	for (int i = 0; i < BUDGETS_MAX; i++)
		assert_int_equal(budgets_add(&b, "loss < 1%", 0, &err), 0);
	assert_int_equal(budgets_add(&b, "loss < 1%", 0, &err), -E2BIG);
	assert_int_equal(b.cnt, BUDGETS_MAX);
	budgets_done(&b);
}

static void values_for_people(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(budget_value_text(UNIT_TIME, 2100000, buf, sizeof(buf)), "2.10ms");
	assert_string_equal(budget_value_text(UNIT_SHARE, 0.0005, buf, sizeof(buf)), "0.05%");
	assert_string_equal(budget_value_text(UNIT_RATE, 12, buf, sizeof(buf)), "12/s");
	assert_string_equal(budget_value_text(UNIT_NUMBER, 1234567, buf, sizeof(buf)), "1234567");
}

/* A file of that text: what it has, or what is told. */
struct file_case {
	const char *text;
	size_t len;
	size_t cnt;
};

static int read_case(void *arg)
{
	const struct file_case *c = arg;
	struct budgets b = {.rows = NULL};
	char path[] = "/tmp/wakelag-budgets-XXXXXX";
	int fd = mkstemp(path), err;

	if (fd < 0 || write(fd, c->text, c->len) != (ssize_t)c->len)
		return 9;
	close(fd);
	err = budgets_read(&b, path);
	unlink(path);
	if (!err && b.cnt != c->cnt)
		err = -ERANGE;
	if (!err && b.cnt && b.rows[b.cnt - 1].line != 3)
		err = -EILSEQ;
	budgets_done(&b);
	return -err;
}

static struct forked *read_text(const char *text, size_t cnt)
{
	struct file_case c = {text, strlen(text), cnt};

	return run_forked(read_case, &c);
}

static void files(void **state)
{
	static char text[2000];
	struct forked *r;

	(void)state;
	assert_int_equal(read_text("# comment\n\n  loss < 1%  # too\n", 1)->status, 0);
	assert_int_equal(read_text("thread.drift p99 < 2ms\r\n\t\nloss < 1%", 2)->status, 0);
	assert_int_equal(read_text("", 0)->status, 0);
	r = read_text("loss < 1%\nthread.drift p98x < 2ms\n", 0);
	assert_int_equal(r->status, EINVAL);
	assert_non_null(strstr(r->err, ":2:14: 'p98x' is no statistic"));
	memset(text, ' ', sizeof(text) - 1);
	r = read_text(text, 0);
	assert_int_equal(r->status, EINVAL);
	assert_non_null(strstr(r->err, ":1: a line of more than"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles),
		cmocka_unit_test(every_statistic),
		cmocka_unit_test(names_and_stages),
		cmocka_unit_test(what_is_wrong_and_where),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(values_for_people),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
