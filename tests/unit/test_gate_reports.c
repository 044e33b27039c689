/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reports of a gate: their forms hold whatever the target calls itself. Runs at the top of the tree. */
#include <math.h>
#include <stdlib.h>

#include <jansson.h>

#include "src/gate/evidence.h"
#include "src/gate/report.h"
#include "tests/unit/gate_feed.h"

static const char *const hostile[] = {
	"<b>&\"'", "]]><!--", "\x1b[31m\n::error", "\xff\xfe", "a|b`c`[x](y)", "%0A::set-env", "@all #1 *_~", "",
};

enum { HOSTILE_CNT = sizeof(hostile) / sizeof(*hostile) };

static const struct fact facts[] = {
	{"host.name", "h<o>\"st\x01"}, {"host.kernel", "6.1"}, {"target", "pid 10 (]]>\n::error::x)"}, {"options", "gate '\xff'"},
};

/* A failure, an inconclusive one and a pass a thread, each with its evidence; threads have hostile names. */
static void make(struct fed *f, struct gate *g, size_t times)
{
	static const char *const forms[] = {"thread.drift max < 1us", "thread.drift p99.9 < 3ms", "thread.drift max < 1s"};
	const char *budgets[BUDGETS_MAX];
	size_t cnt = 0;

	while (cnt < times * 3) {
		budgets[cnt] = forms[cnt % 3];
		cnt++;
	}
	fed_begin(f, budgets, cnt);
	for (uint32_t i = 0; i < HOSTILE_CNT; i++) {
		name_task(f->model, 100 + i, 100, hostile[i]);
		drifts(f, 100 + i, 60, MS, 2 * MS);
		drift(f, 100 + i, 9 * SECOND, (i + 3) * MS, STAGE_SLACK);
	}
	*g = (struct gate){.lost = 3, .loss = 0.0005};
	for (size_t i = 0; i < cnt; i++) {
		struct verdict v = judged(f, i);

		snprintf(v.of, sizeof(v.of), "%s", hostile[i % HOSTILE_CNT]);
		snprintf(v.text, sizeof(v.text), "%.100s for \"%zu %.100s\"", f->budgets.rows[i].text, i, hostile[i % HOSTILE_CNT]);
		assert_int_equal(gate_add(g, &v), 0);
	}
	g->samples = f->samples;
	g->view.model = f->model;
	g->about = (struct export_opts){.info = model_info(f->model), .facts = facts, .fact_cnt = 4};
}

static void unmake(struct fed *f, struct gate *g)
{
	free(g->verdicts);
	fed_end(f);
}

/* What a report writes, to be freed. */
static char *written(const struct gate *g, int (*write)(const struct gate *g, FILE *out))
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(write(g, out), 0);
	fclose(out);
	assert_int_equal(strlen(text), size);
	return text;
}

static int text_of(const struct gate *g, FILE *out)
{
	gate_text(g, out);
	return 0;
}

static int annotations_of(const struct gate *g, FILE *out)
{
	gate_annotations(g, out);
	return 0;
}

static size_t count_of(const char *text, const char *what)
{
	size_t cnt = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		cnt++;
	return cnt;
}

static void only_lines_and_text(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < 0x20 && *c != '\n')
			fail_msg("a control character, %u", *c);
}

static void is_valid_junit(const char *text)
{
	FILE *lint;

	if (system("command -v xmllint >/dev/null 2>&1"))
		skip();
	lint = popen("xmllint --noout --nonet --schema tests/gate/junit.xsd - 2>&1 | grep -v validates >&2", "w");
	assert_non_null(lint);
	fputs(text, lint);
	assert_int_equal(WEXITSTATUS(pclose(lint)), 1);	/* grep found nothing else */
}

static void junit_is_what_its_readers_take(void **state)
{
	struct gate g;
	struct fed f;
	char *text;

	(void)state;
	make(&f, &g, 3);
	text = written(&g, gate_junit);
	is_valid_junit(text);
	only_lines_and_text(text);
	assert_int_equal(count_of(text, "<testcase "), 9);
	assert_int_equal(count_of(text, "<failure "), 3);
	assert_int_equal(count_of(text, "<skipped "), 3);
	assert_int_equal(count_of(text, "failures=\"3\" errors=\"0\" skipped=\"3\""), 2);
	assert_non_null(strstr(text, "<property name=\"host.kernel\" value=\"6.1\"/>"));
	assert_non_null(strstr(text, "<property name=\"host.name\" value=\"h&lt;o&gt;&quot;st\\x01\"/>"));
	assert_non_null(strstr(text, "<property name=\"loss\" value=\"0.05%\"/>"));
	assert_non_null(strstr(text, "worst samples:\n10.0ms at 9.00s"));
	assert_non_null(strstr(text, "other (13) had the CPU for"));
	free(text);
	unmake(&f, &g);
}

static void no_verdicts_are_valid_too(void **state)
{
	struct gate g;
	struct fed f;
	char *text;

	(void)state;
	make(&f, &g, 0);
	text = written(&g, gate_junit);
	is_valid_junit(text);
	free(text);
	assert_int_equal(gate_result(&g), RESULT_PASS);
	unmake(&f, &g);
}

static void text_has_no_line_of_the_targets_own(void **state)
{
	struct gate g;
	struct fed f;
	char *text;

	(void)state;
	make(&f, &g, 3);
	text = written(&g, text_of);
	only_lines_and_text(text);
	assert_null(strstr(text, "\n::"));
	assert_non_null(strstr(text, "3 passed, 3 failed, 3 inconclusive\n"));
	free(text);
	unmake(&f, &g);
}

static void annotations_are_ten_at_most(void **state)
{
	struct gate g;
	struct fed f;
	char *text;

	(void)state;
	make(&f, &g, 2);
	text = written(&g, annotations_of);
	assert_int_equal(count_of(text, "::error title="), 2);
	assert_int_equal(count_of(text, "::warning title="), 2);
	assert_int_equal(count_of(text, "\n"), 4);
	assert_non_null(strstr(text, "::error title=thread.drift max < 1us for \"0 <b>&\"'\"::10.0ms is over the budget of 1.00us\n"));
	free(text);
	unmake(&f, &g);
	make(&f, &g, 8);
	text = written(&g, annotations_of);
	assert_int_equal(count_of(text, "::error title="), 8);
	assert_int_equal(count_of(text, "::warning title="), 2);
	assert_int_equal(count_of(text, "\n"), ANNOTATIONS_MAX);
	assert_non_null(strstr(text, "%250A%3A%3Aset-env"));
	free(text);
	unmake(&f, &g);
}

static void markdown_stays_text(void **state)
{
	struct gate g;
	struct fed f;
	char *text;

	(void)state;
	make(&f, &g, 3);
	text = written(&g, gate_markdown);
	only_lines_and_text(text);
	assert_non_null(strstr(text, "### wakelag: over budget\n"));
	assert_null(strstr(text, "<b>"));
	assert_null(strstr(text, "@all"));
	assert_non_null(strstr(text, "\\[x\\]\\(y\\)"));
	/* Six cells in each row: what a name holds makes no other. */
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		size_t bars = count_of(line, "|") - count_of(line, "\\|");

		if (*line == '|' && bars != 7)
			fail_msg("%zu bars: %s", bars, line);
	}
	free(text);
	unmake(&f, &g);
}

static void markdown_has_a_bound(void **state)
{
	struct gate g;
	struct fed f;
	char *text;

	(void)state;
	make(&f, &g, 85);
	for (size_t i = 0; i < 6000; i++) {
		struct verdict v = g.verdicts[i % 255];

		memset(v.why, '|', sizeof(v.why) - 1);
		assert_int_equal(gate_add(&g, &v), 0);
	}
	text = written(&g, gate_markdown);
	assert_true(strlen(text) < MARKDOWN_MAX);
	assert_true(strlen(text) > MARKDOWN_MAX / 2);
	assert_non_null(strstr(text, "more are in the other reports"));
	assert_true(count_of(text, "**FAIL**") > count_of(text, "| pass |"));
	free(text);
	unmake(&f, &g);
}

static void json_has_all_evidence(void **state)
{
	json_error_t error;
	struct gate g;
	struct fed f;
	char *text;
	json_t *o, *first, *worst;

	(void)state;
	make(&f, &g, 3);
	text = written(&g, gate_json);
	o = json_loads(text, 0, &error);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "verdict")), "fail");
	assert_int_equal(json_array_size(json_object_get(o, "budgets")), 9);
	first = json_array_get(json_object_get(o, "budgets"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "verdict")), "fail");
	assert_true(json_real_value(json_object_get(first, "estimate")) == 10e6);
	worst = json_array_get(json_object_get(first, "worst"), 0);
	assert_int_equal(json_integer_value(json_object_get(worst, "value_ns")), 10000000);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(worst, "stages"), "slack")), 10000000);
	assert_string_equal(json_string_value(json_object_get(worst, "by_kind")), "competitor");
	assert_string_equal(json_string_value(json_object_get(worst, "class")), "nanosleep");
	/* What has no upper bound has none there, too. */
	assert_true(json_is_null(json_object_get(json_array_get(json_object_get(o, "budgets"), 1), "hi")));
	json_decref(o);
	free(text);
	unmake(&f, &g);
}

static void metrics_are_one_sample_a_budget(void **state)
{
	struct gate g;
	struct fed f;
	char *text;

	(void)state;
	make(&f, &g, 1);
	assert_int_equal(gate_add(&g, &g.verdicts[0]), 0);
	text = written(&g, gate_metrics);
	only_lines_and_text(text);
	assert_int_equal(count_of(text, "wakelag_gate_seconds{"), 3);
	assert_non_null(strstr(text, "wakelag_gate_seconds{budget=\"thread.drift max < 1us for \\\"0 <b>&\\\"'\\\"\"} 0.01\n"));
	assert_non_null(strstr(text, "wakelag_gate_budgets{verdict=\"fail\"} 2\n"));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	free(text);
	unmake(&f, &g);
}

static void intervals_as_text(void **state)
{
	struct verdict v = {.unit = UNIT_TIME, .has_estimate = true, .n = 7, .estimate = 2e6, .lo = 1e6, .hi = INFINITY};
	char text[EVIDENCE_SZ];

	(void)state;
	assert_string_equal(evidence_estimate(&v, text, sizeof(text)), "2.00ms, 95% interval 1.00ms to unknown, n 7");
	assert_string_equal(evidence_interval(&v, text, sizeof(text)), "[1.00ms, unknown]");
	v.has_estimate = false;
	assert_string_equal(evidence_estimate(&v, text, sizeof(text)), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(junit_is_what_its_readers_take),
		cmocka_unit_test(no_verdicts_are_valid_too),
		cmocka_unit_test(text_has_no_line_of_the_targets_own),
		cmocka_unit_test(annotations_are_ten_at_most),
		cmocka_unit_test(markdown_stays_text),
		cmocka_unit_test(markdown_has_a_bound),
		cmocka_unit_test(json_has_all_evidence),
		cmocka_unit_test(metrics_are_one_sample_a_budget),
		cmocka_unit_test(intervals_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
