/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* JSON: read back with the library's reader; the same rows as CSV, names escaped as there. */
#include <jansson.h>

#include "export_sample.h"

static json_t *parsed(const struct tables *t, const struct names *n, const struct export_opts *o)
{
	char *text = exported("json", t, n, o);
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		fail_msg("line %d: %s", error.line, error.text);
	free(text);
	return root;
}

static const char *text_at(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	assert_non_null(text);
	return text;
}

static void report_is_one_object(void **state)
{
	struct names *n = hostile_names();
	struct tables *t = random_tables(3000, 29 * MS, (struct tables_opts){.by = dim_find("tid")});
	json_t *root = parsed(t, n, &sample_opts), *recording = json_object_get(root, "recording");

	(void)state;
	assert_string_equal(text_at(recording, "start"), "2023-11-14T22:13:20.000000000Z");
	assert_int_equal(json_integer_value(json_object_get(recording, "start_unix_ns")), 1700000000000000000);
	assert_int_equal(json_integer_value(json_object_get(recording, "duration_ns")), 30 * MS);
	assert_string_equal(text_at(recording, "end"), "duration");
	assert_string_equal(text_at(recording, "target"), "pid 10 (mix\\x1ber <b>)");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(recording, "host"), "cpus")), 2);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(recording, "cost"), "bytes")), 50496);
	assert_string_equal(text_at(json_object_get(recording, "absent"), "futex_results"), "EACCES");
	assert_string_equal(text_at(json_object_get(root, "headline"), "metric"), "goroutine.drift");
	assert_int_equal(json_array_size(json_object_get(root, "metrics")), METRIC_CNT);
	for (size_t i = 0; i < METRIC_CNT; i++) {
		const json_t *m = json_array_get(json_object_get(root, "metrics"), i), *e;
		json_int_t sum = 0;
		size_t k;

		assert_string_equal(text_at(m, "metric"), metrics[i].name);
		json_array_foreach(json_object_get(m, "entities"), k, e)
			sum += json_integer_value(json_object_get(e, "sum_ns"));
		assert_int_equal(sum, json_integer_value(json_object_get(json_object_get(m, "total"), "sum_ns")));
		assert_int_equal(k, HOSTILE_CNT);
	}
	json_decref(root);
	tables_free(t);
	names_free(n);
}

/* Reads the columns of CSV's first line. */
static size_t columns_of(char *header, char **names, size_t max)
{
	size_t cnt = 0;

	header[strcspn(header, "\n")] = '\0';
	for (char *save, *c = strtok_r(header, ",", &save); c && cnt < max; c = strtok_r(NULL, ",", &save))
		names[cnt++] = c;
	return cnt;
}

static void tables_have_the_rows_and_columns_of_csv(void **state)
{
	struct names *n = names_new();
	struct tables *t = random_tables(300, 29 * MS, (struct tables_opts){.tables = ~0u, .top = 4});

	(void)state;
	for (int table = 0; table < TABLE_CNT; table++) {
		struct export_opts o = {.table = (enum table)table, .has_table = true};
		char *csv = exported("csv", t, n, &o), *names[32];
		size_t lines = 0, cnt, i;
		json_t *rows = parsed(t, n, &o);
		const json_t *row, *value;
		const char *key;

		for (const char *s = csv; (s = strchr(s, '\n')); s++)
			lines++;
		assert_int_equal(json_array_size(rows), lines - 1);
		cnt = columns_of(csv, names, 32);
		json_array_foreach(rows, i, row) {
			size_t at = 0;

			assert_int_equal(json_object_size(row), cnt);
			json_object_foreach((json_t *)row, key, value)
				assert_string_equal(key, names[at++]);
		}
		json_decref(rows);
		free(csv);
	}
	tables_free(t);
	names_free(n);
}

static void names_are_escaped_as_in_csv(void **state)
{
	static const char *const want[] = {"<script>alert(1", "\\x1b[2J\\x1b]0;x\\x07", "new\\x0aline\\x0d\\x09",
					   "\\xff\\xfe\\xc0\\xaf", "\\xe2\\x80\\xaeflip", "cut \\xe2\\x82"};
	struct names *n = hostile_names();
	struct tables *t = random_tables(3000, 29 * MS, (struct tables_opts){0});
	struct export_opts o = {.table = TABLE_STAGES, .has_table = true};
	char *text = exported("json", t, n, &o);
	json_t *rows = parsed(t, n, &o);
	const json_t *row;
	size_t i;

	(void)state;
	for (const char *s = text; *s; s++)
		assert_true((unsigned char)*s >= 0x20 || *s == '\n');
	for (size_t k = 0; k < sizeof(want) / sizeof(*want); k++) {
		bool found = false;

		json_array_foreach(rows, i, row)
			found = found || !strcmp(text_at(row, "name"), want[k]);
		assert_true(found);
	}
	json_decref(rows);
	free(text);
	tables_free(t);
	names_free(n);
}

static void numbers_without_room_are_the_greatest(void **state)
{
	struct tables *t = new_tables((struct tables_opts){0});
	struct span s = {.metric = METRIC_THREAD_RUNQ, .tid = 1, .begin_ns = 0, .end_ns = UINT64_MAX};
	struct names *n = names_new();
	struct export_opts o = {.table = TABLE_HEATMAP, .has_table = true};
	json_t *rows;

	(void)state;
	feed(t, &s, 1);
	rows = parsed(t, n, &o);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, 0), "lat_hi_ns")), INT64_MAX);
	json_decref(rows);
	tables_free(t);
	names_free(n);
}

static void nothing_is_an_object_too(void **state)
{
	struct tables *t = random_tables(0, MS, (struct tables_opts){0});
	struct names *n = names_new();
	json_t *root = parsed(t, n, &(struct export_opts){0});

	(void)state;
	assert_true(json_is_null(json_object_get(root, "headline")));
	assert_true(json_is_null(json_object_get(json_object_get(root, "recording"), "start")));
	assert_int_equal(json_array_size(json_object_get(root, "metrics")), 0);
	json_decref(root);
	tables_free(t);
	names_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_is_one_object),
		cmocka_unit_test(tables_have_the_rows_and_columns_of_csv),
		cmocka_unit_test(names_are_escaped_as_in_csv),
		cmocka_unit_test(numbers_without_room_are_the_greatest),
		cmocka_unit_test(nothing_is_an_object_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
