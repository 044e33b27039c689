/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* README, docs, man page and completion agree with the tables of the program. Runs at the top of the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf/record.h"
#include "src/cli.h"
#include "src/commands.h"
#include "src/model/names.h"
#include "src/model/span.h"
#include "src/options.h"
#include "tests/unit/forked.h"

static char *read_file(const char *path)
{
	static char text[1 << 18];
	FILE *f = fopen(path, "re");

	if (!f)
		fail_msg("%s: cannot be read", path);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

static void wants(const char *where, const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("%s lacks %s", where, what);
}

/* Written as `word`. */
static void wants_word(const char *where, const char *text, const char *word)
{
	char quoted[80];

	snprintf(quoted, sizeof(quoted), "`%s`", word);
	wants(where, text, quoted);
}

static int print_man(void *arg)
{
	(void)arg;
	return cmd_print_man(NULL);
}

static int print_completion(void *arg)
{
	(void)arg;
	return cmd_print_completion(NULL);
}

static void man_page_has_it_all(void **state)
{
	struct forked *r = run_forked(print_man, NULL);
	char text[128];

	(void)state;
	assert_int_equal(r->status, 0);
	for (const struct option_row *o = option_rows; o->name; o++) {
		size_t at = snprintf(text, sizeof(text), "\\fB\\-\\-");

		for (const char *c = o->name; *c; c++)
			at += snprintf(text + at, sizeof(text) - at, "%s%c", *c == '-' ? "\\" : "", *c);
		snprintf(text + at, sizeof(text) - at, "\\fR");
		wants("man page", r->out, text);
	}
	for (const struct command *c = commands; c->run; c++) {
		snprintf(text, sizeof(text), ".B wakelag %s\n", c->name ? c->name : "");
		if (c->name)
			assert_int_equal(!!strstr(r->out, text), !!c->help);
	}
	for (size_t i = 0; i < METRIC_CNT; i++)
		wants("man page", r->out, metrics[i].name);
	for (size_t i = 0; i < STAGE_CNT; i++)
		wants("man page", r->out, stage_helps[i]);
	for (size_t i = 0; i < GAUGE_CNT; i++)
		wants("man page", r->out, gauge_helps[i]);
	for (const struct exporter *e = exporters; e->name; e++)
		wants("man page", r->out, e->name);
}

/* A line of text that begins with . or ' would be taken for a macro. */
static void man_page_has_only_known_macros(void **state)
{
	static const char *const macros[] = {".TH ", ".SH ", ".SS ", ".TP\n", ".B ", ".BR ", ".I ", ".RI ", ".PP\n", ".br\n", ".nh\n",
					     ".ad l\n", ".\\\" "};
	struct forked *r = run_forked(print_man, NULL);

	(void)state;
	for (const char *line = r->out; line && *line; line = strchr(line, '\n'), line += line != NULL) {
		bool known = *line != '.' && *line != '\'';

		for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++)
			known |= !strncmp(line, macros[i], strlen(macros[i]));
		if (!known)
			fail_msg("man page: %.40s", line);
	}
}

static void completion_has_it_all(void **state)
{
	struct forked *r = run_forked(print_completion, NULL);
	char text[128];

	(void)state;
	assert_int_equal(r->status, 0);
	for (const struct option_row *o = option_rows; o->name; o++) {
		snprintf(text, sizeof(text), "--%s ", o->name);
		wants("completion", r->out, text);
	}
	for (size_t i = 0; i < METRIC_CNT; i++)
		wants("completion", r->out, metrics[i].name);
	for (const struct exporter *e = exporters; e->name; e++)
		wants("completion", r->out, e->name);
	for (size_t i = 0; i < TABLE_CNT; i++)
		wants("completion", r->out, table_infos[i].name);
}

static void definitions_have_every_word(void **state)
{
	static const char *const totals[] = {
#define X(number, name, loss, help) #name,
		COUNTS(X)
#undef X
	};
	static const char path[] = "docs/definitions.md";
	const char *text = read_file(path);
	char word[64];

	(void)state;
	for (size_t i = 0; i < METRIC_CNT; i++)
		wants_word(path, text, metrics[i].name);
	for (size_t i = 0; i < STAGE_CNT; i++)
		wants_word(path, text, stage_names[i]);
	for (size_t i = 0; i < BLAME_CNT; i++)
		wants_word(path, text, blame_names[i]);
	for (size_t i = 0; i < HOLD_CNT; i++)
		wants_word(path, text, hold_names[i]);
	for (size_t i = 0; i < TABLE_CNT; i++)
		wants_word(path, text, table_infos[i].name);
	for (size_t i = 0; i < ECOUNT_CNT; i++)
		wants_word(path, text, entity_counter_names[i]);
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
		wants_word(path, text, totals[i]);
	for (size_t i = 0; i < GAUGE_CNT; i++)
		wants_word(path, text, gauge_names[i]);
	for (uint32_t klass = CLASS_NONE + 1; klass <= CLASS_BARRIER; klass++)
		wants_word(path, text, class_name(klass, word, sizeof(word)));
	for (const struct dim *d = dims; d->name; d++)
		wants_word(path, text, d->name);
	for (size_t i = 0; i < SHAPE_CNT; i++)
		wants_word(path, text, shape_names[i]);
}

static void readme_has_commands_metrics_and_tables(void **state)
{
	const char *text = read_file("README.md");
	char line[64];

	(void)state;
	for (const struct command *c = commands; c->run; c++) {
		snprintf(line, sizeof(line), "\nwakelag %s", c->name ? c->name : "-p PID");
		if (c->help)
			wants("README.md", text, line);
	}
	for (size_t i = 0; i < METRIC_CNT; i++)
		wants_word("README.md", text, metrics[i].name);
	for (unsigned int i = 0; i < STAGE_CNT; i++)
		for (size_t m = 0; m < METRIC_CNT; m++)
			if (metrics[m].stages >> i & 1)
				wants("README.md", text, stage_names[i]);
	for (size_t i = 0; i < TABLE_CNT; i++)
		wants_word("README.md", text, table_infos[i].name);
	for (const struct exporter *e = exporters; e->name; e++)
		wants("README.md", text, e->name);
}

static bool is_option(const char *name, size_t len)
{
	static const char *const others[] = {"help", "version", "usage"};

	for (const struct option_row *o = option_rows; o->name; o++)
		if (strlen(o->name) == len && !strncmp(o->name, name, len))
			return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strlen(others[i]) == len && !strncmp(others[i], name, len))
			return true;
	return false;
}

static void documents_name_only_options_that_exist(void **state)
{
	static const char *const paths[] = {"README.md", "docs/definitions.md", "docs/architecture.md"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		for (const char *at = read_file(paths[i]); (at = strstr(at, "--")); at++) {
			size_t len = strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-");

			if (at[2] < 'a' || at[2] > 'z')	/* a rule of a table */
				at += 1 + strspn(at + 2, "-");
			else if (!is_option(at + 2, len))
				fail_msg("%s: %.*s is no option", paths[i], (int)len + 2, at);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(man_page_has_it_all),
		cmocka_unit_test(man_page_has_only_known_macros),
		cmocka_unit_test(completion_has_it_all),
		cmocka_unit_test(definitions_have_every_word),
		cmocka_unit_test(readme_has_commands_metrics_and_tables),
		cmocka_unit_test(documents_name_only_options_that_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
