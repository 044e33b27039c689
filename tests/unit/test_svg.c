/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The picture: whole XML, nothing of a name in its markup, every sample in it, and not too large. */
#include <unistd.h>

#include "export_sample.h"
#include "src/export/grid.h"
#include "src/export/palette.h"
#include "src/export/text.h"

/* Tags close in order, attributes are quoted, entities are known, no control characters, UTF-8. */
static void check_xml(const char *text)
{
	char open[16][16], escaped[2 * TEXT_SZ], line[2 * TEXT_SZ];
	size_t depth = 0;

	for (const char *s = text; *s; s++) {
		if (*s == '&')
			assert_true(!strncmp(s, "&lt;", 4) || !strncmp(s, "&gt;", 4) || !strncmp(s, "&amp;", 5) ||
				    !strncmp(s, "&quot;", 6) || !strncmp(s, "&#39;", 5));
		assert_true((unsigned char)*s >= 0x20 || *s == '\n');
		if (*s != '<')
			continue;
		const char *end = strchr(s, '>');
		size_t quotes = 0;

		assert_non_null(end);
		for (const char *c = s; c < end; c++)
			quotes += *c == '"';
		assert_int_equal(quotes % 2, 0);
		if (s[1] == '?')
			continue;
		size_t name = strspn(s + 1 + (s[1] == '/'), "abcdefghijklmnopqrstuvwxyz");

		if (s[1] == '/') {
			assert_true(depth > 0);
			depth--;
			assert_true(strlen(open[depth]) == name && !memcmp(open[depth], s + 2, name));
		} else if (end[-1] != '/') {
			assert_true(depth < 16 && name && name < 16);
			snprintf(open[depth++], sizeof(open[0]), "%.*s", (int)name, s + 1);
		}
		s = end;
	}
	assert_int_equal(depth, 0);
	/* Escaping what is escaped changes nothing. */
	for (const char *s = text; *s; s += strlen(line) + (s[strlen(line)] == '\n')) {
		assert_true(strcspn(s, "\n") < sizeof(line));
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(s, "\n"), s);
		text_escape(line, escaped, sizeof(escaped));
		assert_string_equal(line, escaped);
	}
}

/* The judge, where it is installed. */
static void check_with_xmllint(const char *text)
{
	FILE *lint;

	if (system("command -v xmllint >/dev/null 2>&1"))
		return;
	lint = popen("xmllint --noout --nonet -", "w");
	assert_non_null(lint);
	fputs(text, lint);
	assert_int_equal(pclose(lint), 0);
}

static size_t count(const char *text, const char *what)
{
	size_t cnt = 0;

	for (const char *s = text; (s = strstr(s, what)); s++)
		cnt++;
	return cnt;
}

static void names_do_nothing(void **state)
{
	struct names *n = hostile_names();

	(void)state;
	for (const struct dim *by = dims; by->name; by++) {
		struct tables *t = random_tables(2000, 700 * MS, (struct tables_opts){.by = by});
		char *text = exported("svg", t, n, &sample_opts);

		check_xml(text);
		check_with_xmllint(text);
		assert_null(strstr(text, "<script"));
		assert_null(strstr(text, "<b>"));
		assert_int_equal(count(text, "<!--"), 0);
		assert_non_null(strstr(text, "pid 10 (mix\\x1ber &lt;b&gt;) on h&amp;st"));
		free(text);
		tables_free(t);
	}
	names_free(n);
}

/* "N of M samples" of all cells: the Ns add up to M. */
static void every_sample_is_in_a_cell(void **state)
{
	struct names *n = hostile_names();

	(void)state;
	for (size_t cnt = 1; cnt < 20000; cnt = cnt * 5 + 1) {
		struct tables *t = random_tables(cnt, cnt * MS, (struct tables_opts){.metrics = 1});
		struct model_info info = sample_info;
		struct export_opts o = sample_opts;
		unsigned long long sum = 0, total = 0, part;

		info.end_ns = START + (cnt + 2) * MS;
		o.info = &info;
		char *text = exported("svg", t, n, &o);

		for (const char *s = text; (s = strstr(s, " late: ")); s++) {
			assert_int_equal(sscanf(s, " late: %llu of %llu", &part, &total), 2);
			sum += part;
		}
		assert_int_equal(sum, total);
		free(text);
		tables_free(t);
	}
	names_free(n);
}

static void a_dense_picture_is_below_a_megabyte(void **state)
{
	struct names *n = hostile_names();
	struct tables *t = random_tables(300000, 60000 * MS, (struct tables_opts){0});
	struct model_info info = sample_info;
	struct export_opts o = sample_opts;
	char *text;

	(void)state;
	info.end_ns = START + 60002 * MS;
	o.info = &info;
	text = exported("svg", t, n, &o);
	assert_true(strlen(text) < 1000000);
	assert_true(count(text, "<rect") > 2000);
	free(text);
	tables_free(t);
	names_free(n);
}

static void only_what_was_not_recorded_is_hatched(void **state)
{
	struct names *n = hostile_names();
	struct tables *t = random_tables(500, 29 * MS, (struct tables_opts){0});
	struct model_info cut = sample_info;
	struct export_opts o = sample_opts;
	char *text = exported("svg", t, n, &o);

	(void)state;
	assert_int_equal(count(text, "url(#wakelag-hatch)"), 0);
	free(text);
	cut.has_end = false;
	o.info = &cut;
	text = exported("svg", t, n, &o);
	assert_int_equal(count(text, "url(#wakelag-hatch)"), 3);
	assert_non_null(strstr(text, "lost: what came after the cut"));
	check_xml(text);
	free(text);
	tables_free(t);
	names_free(n);
}

static void no_samples_is_a_picture_too(void **state)
{
	struct names *n = names_new();
	struct tables *t = random_tables(0, MS, (struct tables_opts){0});
	char *text = exported("svg", t, n, &(struct export_opts){0});

	(void)state;
	check_xml(text);
	check_with_xmllint(text);
	assert_non_null(strstr(text, "no samples"));
	free(text);
	tables_free(t);
	names_free(n);
}

static void grids_fit_and_lose_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < 60; i++) {
		size_t cnt = 1 + random_below(5000);
		uint64_t length = (1 + random_below(5000)) * MS;
		struct tables *t = random_tables(cnt, length, (struct tables_opts){.metrics = 1});
		struct grid_limits limits = {.cols = 1 + random_below(300), .rows = 1 + random_below(100),
					     .cells = 100 + random_below(4000)};
		const struct group *group;
		uint64_t want = 0, sum = 0;
		struct grid g;

		for (size_t k = 0; (group = tables_group(t, k)); k++)
			want += group->count;
		assert_int_equal(grid_make(t, METRIC_THREAD_DRIFT, length + 2 * MS, &limits, &g), 0);
		for (size_t k = 0; k < g.rows * g.cols; k++)
			sum += g.counts[k];
		assert_int_equal(sum, want);
		assert_int_equal(g.total, want);
		assert_true(g.cols <= limits.cols || !g.rows);
		assert_true(g.rows <= limits.rows || g.per_octave == 1);
		for (size_t row = 0; row < g.rows; row++)
			assert_true(grid_row_lo(&g, row) < grid_row_lo(&g, row + 1));
		grid_done(&g);
		tables_free(t);
	}
}

/* The sum of the numbers that stand between these texts. */
static unsigned long long sum_between(const char *text, const char *before, const char *behind)
{
	unsigned long long sum = 0, n;
	int len;

	for (const char *s = text; (s = strstr(s, before));) {
		s += strlen(before);
		if (sscanf(s, "%llu%n", &n, &len) == 1 && !strncmp(s + len, behind, strlen(behind)))
			sum += n;
	}
	return sum;
}

/* Threads of more kinds than there are rows and columns, and locks, wait for each other. */
static struct tables *lock_tables(size_t cnt, uint32_t tids, uint64_t locks)
{
	struct tables *t = new_tables((struct tables_opts){0});
	struct span *spans = calloc(cnt, sizeof(*spans));
	struct blame *blame = calloc(cnt, sizeof(*blame));

	assert_true(spans && blame);
	for (size_t i = 0; i < cnt; i++) {
		uint64_t latency = 1 + random_below(5 * MS);
		struct span *s = &spans[i];

		*s = span_of(METRIC_LOCK_WAIT, CLASS_MUTEX, 100 + (uint32_t)random_below(tids), 6 * MS + i * 20 * MS / cnt,
			     latency);
		s->tgid = 100;
		s->lock = 0xabc000 + 16 * random_below(locks);
		s->holder = i % 3 ? 100 + (uint32_t)random_below(tids) : 0;
		blame[i] = (struct blame){.tid = s->holder ? s->holder : 100 + (uint32_t)random_below(tids),
					  .kind = s->holder ? BLAME_HOLDER : BLAME_WAKER, .ns = latency};
		s->blame = &blame[i];
		s->blame_cnt = 1;
	}
	feed(t, spans, cnt);
	free(spans);
	free(blame);
	return t;
}

static void every_lock_wait_is_in_both_plots(void **state)
{
	static const struct {
		uint32_t tids;
		uint64_t locks;
	} cases[] = {{1, 1}, {5, 3}, {13, 13}, {14, 14}, {60, 60}};
	struct names *n = hostile_names();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum { CNT = 3000 };
		struct tables *t = lock_tables(CNT, cases[i].tids, cases[i].locks);
		char *text = exported("svg", t, n, &sample_opts);

		check_xml(text);
		check_with_xmllint(text);
		assert_int_equal(sum_between(text, "waits that ended: ", ", the longest"), CNT);
		assert_int_equal(sum_between(text, ", waits: ", ", the longest"), CNT);
		assert_true(count(text, " waited for ") > 0);
		assert_true(count(text, " waited until woken by ") > 0 || cases[i].tids > 5);
		assert_int_equal(!!strstr(text, "italic: the waker"), 1);
		assert_int_equal(!!strstr(text, "and 56 other locks"), cases[i].locks == 60);
		free(text);
		tables_free(t);
	}
	names_free(n);
}

static void without_lock_waits_there_are_no_lock_plots(void **state)
{
	struct names *n = hostile_names();
	struct tables *t = random_tables(500, 29 * MS, (struct tables_opts){.metrics = 1u << METRIC_THREAD_FUTEX});
	char *text = exported("svg", t, n, &sample_opts);

	(void)state;
	assert_null(strstr(text, "lock.wait"));
	free(text);
	tables_free(t);
	names_free(n);
}

/* Lightness by the eye's own weights, as in any grey picture. */
static void more_is_darker(void **state)
{
	int last = 256 * 1000;
	char hex[8];

	(void)state;
	for (unsigned int step = 0; step < PALETTE_STEPS; step++) {
		unsigned int r, g, b;

		assert_int_equal(sscanf(palette_hex(step, hex), "#%2x%2x%2x", &r, &g, &b), 3);
		int grey = (int)(r * 299 + g * 587 + b * 114);

		assert_true(grey < last);
		last = grey;
	}
	assert_int_equal(palette_step(1, 1, 1), PALETTE_STEPS - 1);
	assert_int_equal(palette_step(1, 1, 100), 0);
	assert_int_equal(palette_step(100, 1, 100), PALETTE_STEPS - 1);
	assert_int_equal(palette_step(0, 0, 1), 0);
	assert_int_equal(palette_step(UINT64_MAX, 0, UINT64_MAX), PALETTE_STEPS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_do_nothing),
		cmocka_unit_test(every_sample_is_in_a_cell),
		cmocka_unit_test(a_dense_picture_is_below_a_megabyte),
		cmocka_unit_test(only_what_was_not_recorded_is_hatched),
		cmocka_unit_test(no_samples_is_a_picture_too),
		cmocka_unit_test(every_lock_wait_is_in_both_plots),
		cmocka_unit_test(without_lock_waits_there_are_no_lock_plots),
		cmocka_unit_test(grids_fit_and_lose_nothing),
		cmocka_unit_test(more_is_darker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
