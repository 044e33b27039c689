/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Locks in the report, in CSV and in JSON. */
#include <jansson.h>
#include <locale.h>

#include "lock_sample.h"
#include "src/export/text.h"

static char *report_of(const char *width, bool is_utf8, const char *lock, const char *func, struct tables_opts opts)
{
	struct names *n = lock_names(lock, func);
	struct tables *t = lock_tables(n, opts);
	struct export_opts o = {.info = &lock_info};
	char *text;

	assert_non_null(setlocale(LC_CTYPE, is_utf8 ? "C.UTF-8" : "C"));
	setenv("COLUMNS", width, 1);
	text = exported("text", t, n, &o);
	unsetenv("COLUMNS");
	tables_free(t);
	names_free(n);
	return text;
}

static const char sample_section[] =
	"locks: share of the time that somebody waited; queue: the most at once\n"
	"  lock               class         waits      sum      p99      max  share queue\n"
	"  queue_lock (20:0x5000)\n"
	"                     mutex             8    672ms   84.0ms   84.0ms     8%     8\n"
	"  log_write log.c:31 (20:0x6000)\n"
	"                     mutex            40   82.0ms   4.00ms   4.00ms     8%     1\n"
	"  exc_page_fault (kernel:0xffff888012345678)\n"
	"                     kernel            5   2.00ms    400us    400us    <1%     1\n"
	"\n"
	"  queue_lock: waited for at enqueue queue.c:88 (75%) and 1 more place; the\n"
	"    longest, 84.0ms until 184ms: worker (25) waited for flush (23), which\n"
	"    meanwhile was preempted 61.2ms, waited for a lock itself 20.0ms (in the end\n"
	"    for io (24)), ran 2.80ms\n"
	"  convoy: up to 8 waited at once for queue_lock, from 100ms to 190ms\n"
	"\n"
	"locks over time: how long all together waited\n"
	"queue_lock (20:0x5000)  |     #####\n"
	"log_write log.c:31      |               ..:::::::::::*******\n"
	"exc_page_fault          |                                        :\n"
	"                        ++---------+---------+---------+---------+---------\n"
	"                         0         200ms     400ms     600ms     800ms\n"
	"                         .:*# in a column of 20ms: up to 160ms (log)\n"
	"\n"
	"who waited for whom: holders, else who released the lock\n"
	"  waiter                                A        B        C\n"
	"  worker (8 threads)                672ms        .        .\n"
	"  mixer (2 threads)                     .   82.0ms   2.00ms\n"
	"  there: A flush (23), B io (24) as waker, C not known\n"
	"\n"
	"  lost: nothing\n";

static void section_to_the_byte(void **state)
{
	char *text = report_of("80", false, "queue_lock", "log_write", (struct tables_opts){0});
	const char *section = strstr(text, "\nlocks: ");

	(void)state;
	assert_non_null(section);
	assert_string_equal(section + 1, sample_section);
	assert_non_null(strstr(text, "queue_lock (20:0x5000) was waited for up to 84.0ms"));
	free(text);
}

/* Whatever a lock and its place are called, and whatever an entity is. */
static void it_fits_and_names_do_nothing(void **state)
{
	static const char *const widths[] = {"60", "80", "123", "399"};
	char longest[200];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (const struct dim *by = dims; by->name; by++) {
		for (size_t i = 0; i < 4 * HOSTILE_CNT; i++) {
			const char *name = i % 2 ? longest : hostile_comms[i / 4];
			size_t width = i % 4 ? strtoul(widths[i % 4], NULL, 10) : 74;	/* the tables need 74 */
			char *text = report_of(widths[i % 4], i / 4 % 2, name, hostile_comms[i / 4],
					       (struct tables_opts){.by = by});

			for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
				if (text_width(line) > width)
					fail_msg("%zu columns of %zu: %s", text_width(line), width, line);
				for (const char *c = line; *c; c++)
					assert_true((unsigned char)*c >= 0x20 && *c != 0x7f && (i / 4 % 2 || !(*c & 0x80)));
			}
			free(text);
		}
	}
}

static void more_locks_than_are_shown_are_the_others(void **state)
{
	struct tables *t = new_tables((struct tables_opts){.top = 12});
	struct span spans[15];
	struct names *n = names_new();
	struct export_opts o = {.info = &lock_info};
	char *text;

	(void)state;
	for (size_t i = 0; i < 15; i++) {
		spans[i] = span_of(METRIC_LOCK_WAIT, CLASS_MUTEX, 21, (i + 1) * 10 * MS, (i + 1) * MS / 2);
		spans[i].lock = 0x1000 * (i + 1);
	}
	feed(t, spans, 15);
	text = exported("text", t, n, &o);
	assert_non_null(strstr(text, "lock 20:0x6000     mutex             1   3.00ms"));
	/* of ranks 10 and 11, and three in the rest */
	assert_non_null(strstr(text, "the others                           5   7.50ms            2.50ms\n"));
	free(text);
	tables_free(t);
	names_free(n);
}

static void what_is_no_lock_is_told_apart(void **state)
{
	struct tables *t = new_tables((struct tables_opts){0});
	struct span spans[] = {
		span_of(METRIC_LOCK_WAIT, CLASS_MUTEX, 21, 10 * MS, MS),
		span_of(METRIC_THREAD_FUTEX, CLASS_MUTEX, 21, 10 * MS, MS),
		span_of(METRIC_THREAD_FUTEX, CLASS_COND, 21, 20 * MS, 3 * MS),
		span_of(METRIC_THREAD_FUTEX, CLASS_COND, 22, 20 * MS, 2 * MS),
		span_of(METRIC_THREAD_FUTEX, CLASS_JOIN, 21, 20 * MS, MS),
		span_of(METRIC_THREAD_FUTEX, CLASS_SEM, 21, 20 * MS, MS),
	};
	struct export_opts o = {.info = &lock_info};
	struct names *n = names_new();
	char *text;

	(void)state;
	feed(t, spans, sizeof(spans) / sizeof(*spans));
	text = exported("text", t, n, &o);
	assert_non_null(strstr(text, "  other futex waits, not for locks: cond 2x 5.00ms, join 1x 1.00ms\n"));
	free(text);
	tables_free(t);
	names_free(n);
}

static char *table_of(enum table table, const char *lock, const char *func, const char *by)
{
	struct names *n = lock_names(lock, func);
	struct tables *t = lock_tables(n, (struct tables_opts){.tables = 1u << table, .by = dim_find(by)});
	struct export_opts o = {.info = &lock_info, .table = table, .has_table = true};
	char *text = exported("csv", t, n, &o);

	tables_free(t);
	names_free(n);
	return text;
}

static void tables_to_the_byte(void **state)
{
	char *locks = table_of(TABLE_LOCKS, "queue_lock", "=log", "entity");
	char *holders = table_of(TABLE_HOLDERS, "queue_lock", "=log", "entity");

	(void)state;
	assert_string_equal(locks,
			    "class,entity,name,count,sum_ns,p50_ns,p99_ns,max_ns,contended_ns,queue_max,eagain,sites,site,site_ns,"
			    "holder,holder_name,holder_ns\n"
			    "mutex,20:0x5000,queue_lock,8,672000000,84000000,84000000,84000000,84700000,8,1234,2,"
			    "enqueue queue.c:88,504000000,23,flush,672000000\n"
			    "mutex,20:0x6000,'=log log.c:31,40,82000000,2015232,4000000,4000000,82000000,1,0,1,'=log log.c:31,"
			    "82000000,,,0\n"
			    "kernel,kernel:0xffff888012345678,exc_page_fault,5,2000000,400000,400000,400000,2000000,1,0,1,"
			    "exc_page_fault,2000000,,,0\n");
	assert_string_equal(holders,
			    "class,entity,name,holder,holder_name,doing,doing_class,root,root_name,count,sum_ns,max_ns\n"
			    "mutex,20:0x5000,queue_lock,23,flush,preempt,,,,8,489600000,61200000\n"
			    "mutex,20:0x5000,queue_lock,23,flush,lock,,24,io,8,160000000,20000000\n"
			    "mutex,20:0x5000,queue_lock,23,flush,running,,,,8,22400000,2800000\n");
	free(locks);
	free(holders);
}

/* The kernel's has no line, and is known by its function. */
static void by_site_a_row_is_a_place(void **state)
{
	char *text = table_of(TABLE_LOCKS, "queue_lock", "log_write", "site");

	(void)state;
	assert_non_null(strstr(text, "\nmutex,queue.c:88,enqueue,6,504000000,"));
	assert_non_null(strstr(text, "\nmutex,queue.c:120,drain,2,168000000,"));
	assert_non_null(strstr(text, "\nmutex,log.c:31,log_write,40,82000000,"));
	assert_non_null(strstr(text, "\nkernel,exc_page_fault,exc_page_fault,5,2000000,"));
	free(text);
}

/* The names of one table's rows in the report's JSON. */
static void wants_rows(const json_t *root, const char *table, size_t cnt, const char *first)
{
	const json_t *rows = json_object_get(root, table);

	assert_int_equal(json_array_size(rows), cnt);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "name")), first);
}

static void json_has_both_tables(void **state)
{
	struct names *n = lock_names("queue_lock", "log");
	struct tables *t = lock_tables(n, (struct tables_opts){0});
	char *text = exported("json", t, n, &(struct export_opts){.info = &lock_info});
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	(void)state;
	wants_rows(root, "locks", 3, "queue_lock");
	wants_rows(root, "holders", 3, "queue_lock");
	json_decref(root);
	free(text);
	tables_free(t);
	names_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(section_to_the_byte),
		cmocka_unit_test(it_fits_and_names_do_nothing),
		cmocka_unit_test(more_locks_than_are_shown_are_the_others),
		cmocka_unit_test(what_is_no_lock_is_told_apart),
		cmocka_unit_test(tables_to_the_byte),
		cmocka_unit_test(by_site_a_row_is_a_place),
		cmocka_unit_test(json_has_both_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
