/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Recordings of hours in files that follow each other: whole in themselves, nothing missing, bounded. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "src/soak/merge.h"
#include "src/soak/parts.h"
#include "src/soak/rotate.h"
#include "tests/unit/soak_feed.h"

#ifdef __SANITIZE_ADDRESS__
enum { HZ = 5, IS_SANITIZED = 1 };	/* what it frees stays for a while, and it is slow */
#else
enum { HZ = 100, IS_SANITIZED = 0 };
#endif

/* What is in a file, or in several. */
struct content {
	uint64_t waits, clock, first_ran, last_ran, end_ns, waking, lost;
	uint64_t wakings;	/* of the threads */
	unsigned int seen, unseen, newest, tasks, symbols, ends, reason, worker_names, order_errors;
	char host[216];
};

static int take(void *ctx, const void *rec, size_t len)
{
	struct content *c = ctx;
	const union any_record *r = rec;

	(void)len;
	switch (r->hdr.kind) {
	case REC_WAIT_KIND:
		c->order_errors += r->wait.ran + 100000 < c->last_ran;
		c->last_ran = r->wait.ran;
		c->first_ran = c->first_ran ? c->first_ran : r->wait.ran;
		c->waits++;
		break;
	case REC_CLOCK_KIND:
		c->clock = c->clock ? c->clock : r->clock.time;
		break;
	case REC_TASK_KIND:
		c->tasks++;
		c->seen += !strcmp(r->task.comm, "seen");
		c->unseen += !strcmp(r->task.comm, "unseen");
		c->newest += !strcmp(r->task.comm, "last");
		c->worker_names += !strcmp(r->task.comm, "worker");
		break;
	case REC_TASK_END_KIND:
		c->wakings += r->task_end.waking;
		break;
	case REC_SYMBOL_KIND:
		c->symbols += !strcmp(r->symbol.func, "main.main") && !strcmp(r->symbol.file, "/src/main.go");
		break;
	case REC_COUNT_KIND:
		if (r->count.id == COUNT_waking)
			c->waking = r->count.value;
		if (r->count.id == COUNT_ring_waking)
			c->lost = r->count.value;
		break;
	case REC_FACT_KIND:
		if (!strcmp(r->fact.name, "host.name"))
			memcpy(c->host, r->fact.value, sizeof(c->host));
		break;
	case REC_END_KIND:
		c->ends++;
		c->reason = r->end.reason;
		c->end_ns = r->end.time;
		break;
	}
	return 0;
}

static struct content content_of(const char *path)
{
	struct content c = {};

	assert_int_equal(feed_read(path, take, &c), 0);
	return c;
}

static struct rotate *open_rotate(const struct feed_dir *d, const struct rotate_opts *opts)
{
	struct rotate_opts o = *opts;
	struct rotate *r;

	o.name = d->name;
	assert_int_equal(rotate_open(&o, FEED_BEGIN, FEED_REALTIME + (int64_t)FEED_BEGIN, &r), 0);
	return r;
}

static long rss_anon_kb(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	long kb = 0;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "RssAnon: %ld", &kb);
	if (f)
		fclose(f);
	return kb;
}

static struct content merged(char *const *files, size_t cnt)
{
	struct content c = {};
	struct merge *m;

	assert_int_equal(merge_open(files, cnt, &m), 0);
	assert_int_equal(merge_replay(m, take, &c), 0);
	c = (struct content){};
	assert_int_equal(merge_replay(m, take, &c), 0);	/* as often as one likes */
	merge_close(m);
	return c;
}

static void two_hours_in_twelve_files(void **state)
{
	struct rotate *r;
	struct record_sink sink;
	struct feed_dir d;
	uint64_t waking = 0;
	long rss = 0;

	(void)state;
	feed_dir_make(&d);
	r = open_rotate(&d, &(struct rotate_opts){.period_ns = 600 * SECOND, .keep = 36});
	sink = rotate_sink(r);
	assert_int_equal(feed_begin(&sink, "here"), 0);
	for (uint64_t s = 0; s < 7199; s++) {
		assert_int_equal(feed_count(&sink, FEED_BEGIN + s * SECOND, COUNT_ring_waking, s + 1), 0);
		assert_int_equal(feed_second(&sink, FEED_BEGIN + s * SECOND, HZ, &waking), 0);
		if (s == 700)
			rss = rss_anon_kb();
	}
	if (!IS_SANITIZED)
		assert_in_range(rss_anon_kb(), 0, rss + 1024);
	for (uint32_t i = 0; i < FEED_THREADS; i++)
		assert_int_equal(feed_end(&sink, FEED_BEGIN + 7199 * SECOND, FEED_TGID + i, waking / FEED_THREADS), 0);
	assert_int_equal(feed_finish(&sink, FEED_BEGIN + 7199 * SECOND), 0);
	assert_int_equal(rotate_files(r), 12);
	assert_int_equal(rotate_close(r), 0);
	feed_dir_list(&d);
	assert_int_equal(d.cnt, 12);
	assert_non_null(strstr(d.files[0], "r-20261121T120000.wlag"));
	assert_non_null(strstr(d.files[11], "r-20261121T135000.wlag"));
	for (size_t i = 0; i < d.cnt; i++) {
		struct content c = content_of(d.files[i]);
		uint64_t seconds = i == 11 ? 599 : 600;

		assert_int_equal(c.clock, FEED_BEGIN + i * 600 * SECOND);
		assert_int_equal(c.waits, seconds * HZ * FEED_THREADS);
		assert_int_equal(c.wakings, c.waits);
		assert_int_equal(c.waking, c.waits);
		assert_int_equal(c.lost, seconds);
		assert_int_equal(c.worker_names, FEED_THREADS);
		assert_int_equal(c.symbols, 1);
		assert_int_equal(c.ends, 1);
		assert_int_equal(c.end_ns, FEED_BEGIN + (i * 600 + seconds) * SECOND);
		assert_int_equal(c.reason, i == 11 ? END_SIGNAL : END_FILE_LIMIT);
		assert_string_equal(c.host, "here");
	}
	rss = rss_anon_kb();
	struct content all = merged(d.files, d.cnt);

	if (!IS_SANITIZED)
		assert_in_range(rss_anon_kb(), 0, rss + 4096);
	assert_int_equal(all.waits, waking);
	assert_int_equal(all.waking, waking);
	assert_int_equal(all.wakings, waking);
	assert_int_equal(all.lost, 7199);
	assert_int_equal(all.order_errors, 0);
	assert_int_equal(all.ends, 1);
	assert_int_equal(all.reason, END_SIGNAL);
	assert_int_equal(all.clock, FEED_BEGIN);
	feed_dir_remove(&d);
}

/* A build beside the target: a name a millisecond. One old task is seen now and then, another never again. */
static void names_of_strangers_are_bounded(void **state)
{
	enum { FORKS = 300000 };
	struct rotate *r;
	struct record_sink sink;
	struct feed_dir d;
	struct content c;
	uint64_t now = FEED_BEGIN;
	long rss = 0;

	(void)state;
	feed_dir_make(&d);
	r = open_rotate(&d, &(struct rotate_opts){.period_ns = FORKS * 1000000ull});
	sink = rotate_sink(r);
	assert_int_equal(feed_begin(&sink, "here"), 0);
	for (uint32_t i = 0; i < FORKS; i++, now += 1000000) {
		struct rec_task t = {.hdr = {REC_TASK_KIND, sizeof(t)}, .tid = 1000 + i, .tgid = 1000 + i, .time = now};
		struct rec_slice s = {.hdr = {REC_SLICE_KIND, sizeof(s)}, .tid = 1000, .start = now, .end = now + 10};

		snprintf(t.comm, sizeof(t.comm), "%s", i == 0 ? "seen" : i == 1 ? "unseen" : i + 1 == FORKS ? "last" : "cc1");
		assert_int_equal(feed_rec(&sink, &t), 0);
		if (i % 1000 == 0)
			assert_int_equal(feed_rec(&sink, &s), 0);
		if (i == 20000)
			rss = rss_anon_kb();
	}
	if (!IS_SANITIZED)
		assert_in_range(rss_anon_kb(), 0, rss + 1024);
	sink.due(sink.ctx, now);
	assert_int_equal(sink.flush(sink.ctx), 0);
	assert_int_equal(rotate_close(r), 0);
	feed_dir_list(&d);
	assert_int_equal(d.cnt, 2);
	c = content_of(d.files[1]);
	assert_int_equal(c.worker_names, FEED_THREADS);
	assert_int_equal(c.seen, 1);
	assert_int_equal(c.unseen, 0);
	assert_int_equal(c.newest, 1);
	assert_in_range(c.tasks, 4096, 8192 + FEED_THREADS);
	feed_dir_remove(&d);
}

static void touch(const struct feed_dir *d, const char *name)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void old_files_go_and_others_stay(void **state)
{
	static const char *const mine[] = {"r-20200101T000000.wlag", "r-20200101T000000_2.wlag", "r-20200101T000000_10.wlag"};
	static const char *const others[] = {"r-20200101.wlag", "r.wlag", "rr-20200101T000000.wlag", "r-20200101T000000.svg",
					     "r-20200101T00000x.wlag"};
	struct rotate *r;
	struct record_sink sink;
	struct feed_dir d;
	uint64_t waking = 0;

	(void)state;
	feed_dir_make(&d);
	for (size_t i = 0; i < 3; i++)
		touch(&d, mine[i]);
	for (size_t i = 0; i < 5; i++)
		touch(&d, others[i]);
	r = open_rotate(&d, &(struct rotate_opts){.period_ns = SECOND, .keep = 3});
	feed_dir_list(&d);
	assert_int_equal(d.cnt, 5 + 3);	/* the oldest of an earlier run made room */
	sink = rotate_sink(r);
	assert_int_equal(feed_begin(&sink, "here"), 0);
	for (uint64_t s = 0; s < 5; s++)
		assert_int_equal(feed_second(&sink, FEED_BEGIN + s * SECOND, 1, &waking), 0);
	assert_int_equal(rotate_close(r), 0);
	feed_dir_list(&d);
	assert_int_equal(d.cnt, 5 + 3);
	for (size_t i = 0; i < d.cnt; i++)
		assert_true(strstr(d.files[i], "/r-20261121T12000") || !strstr(d.files[i], "T000000_"));
	feed_dir_remove(&d);
}

static void no_file_is_larger_than_allowed(void **state)
{
	enum { MAX = 1 << 20 };
	struct rotate *r;
	struct record_sink sink;
	struct feed_dir d;
	uint64_t waking = 0, waits = 0;
	struct stat st;

	(void)state;
	feed_dir_make(&d);
	r = open_rotate(&d, &(struct rotate_opts){.period_ns = 3600 * SECOND, .max_bytes = MAX});
	sink = rotate_sink(r);
	assert_int_equal(feed_begin(&sink, "here"), 0);
	for (uint64_t s = 0; s < 5; s++)
		assert_int_equal(feed_second(&sink, FEED_BEGIN + s * SECOND, 20000, &waking), 0);
	assert_int_equal(feed_finish(&sink, FEED_BEGIN + 5 * SECOND), 0);
	assert_int_equal(rotate_close(r), 0);
	feed_dir_list(&d);
	assert_true(d.cnt > 2);
	for (size_t i = 0; i < d.cnt; i++) {
		assert_int_equal(stat(d.files[i], &st), 0);
		assert_in_range(st.st_size, i + 1 < d.cnt ? MAX / 2 : 1, MAX);
		waits += content_of(d.files[i]).waits;
	}
	assert_int_equal(waits, waking);
	assert_int_equal(merged(d.files, d.cnt).waits, waking);
	feed_dir_remove(&d);
}

/* Records as fast as it can, a file a second of its time, and says on a pipe how far it is. */
static void record_until_killed(const struct feed_dir *d, int progress)
{
	struct rotate *r = open_rotate(d, &(struct rotate_opts){.period_ns = 3 * SECOND, .keep = 5});
	struct record_sink sink = rotate_sink(r);
	uint64_t waking = 0;

	feed_begin(&sink, "here");
	for (uint64_t s = 0; write(progress, ".", 1) == 1; s++)
		feed_second(&sink, FEED_BEGIN + s * SECOND, 50, &waking);
	_exit(0);
}

static void kill_leaves_readable_files(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct feed_dir d;
		struct content c;
		int fds[2];
		pid_t pid;
		char dot;

		feed_dir_make(&d);
		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (!pid) {
			close(fds[0]);
			record_until_killed(&d, fds[1]);
		}
		close(fds[1]);
		seed = seed * 1664525 + 1013904223;
		for (uint32_t n = 2 + (seed >> 16) % 40; n; n--)
			assert_int_equal(read(fds[0], &dot, 1), 1);
		for (volatile uint32_t n = (seed >> 8) % 200000; n; n--)
			;	/* and some random moment behind that */
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		close(fds[0]);
		feed_dir_list(&d);
		assert_true(d.cnt > 0);
		for (size_t k = 0; k < d.cnt; k++) {
			if (strstr(d.files[k], ".part"))
				continue;	/* has no name yet */
			c = content_of(d.files[k]);
			if (k + 1 < d.cnt && !strstr(d.files[k + 1], ".part"))
				assert_int_equal(c.ends, 1);
		}
		feed_dir_remove(&d);
	}
}

static void write_one(const struct feed_dir *d, const char *host, uint64_t from_s, uint64_t cnt)
{
	struct rotate *r = open_rotate(d, &(struct rotate_opts){});
	struct record_sink sink = rotate_sink(r);
	struct rec_clock clock = {.hdr = {REC_CLOCK_KIND, sizeof(clock)}, .time = FEED_BEGIN + from_s * SECOND,
				  .realtime = FEED_REALTIME};
	uint64_t waking = 0;

	assert_int_equal(feed_fact(&sink, "host.name", host), 0);
	assert_int_equal(feed_rec(&sink, &clock), 0);
	for (uint64_t s = from_s; s < from_s + cnt; s++)
		assert_int_equal(feed_second(&sink, FEED_BEGIN + s * SECOND, 10, &waking), 0);
	assert_int_equal(feed_finish(&sink, FEED_BEGIN + (from_s + cnt) * SECOND), 0);
	assert_int_equal(rotate_close(r), 0);
}

static void hosts_are_not_mixed(void **state)
{
	struct feed_dir d;
	struct merge *m;

	(void)state;
	feed_dir_make(&d);
	write_one(&d, "here", 0, 2);
	write_one(&d, "there", 2, 2);
	feed_dir_list(&d);
	assert_int_equal(d.cnt, 2);
	assert_int_equal(merge_open(d.files, 2, &m), -EXDEV);
	feed_dir_remove(&d);
}

/* Given in any order, with a gap between them, and one of them twice. */
static void order_gap_and_overlap(void **state)
{
	struct feed_dir d;
	char *files[3];
	struct content c;

	(void)state;
	feed_dir_make(&d);
	write_one(&d, "here", 0, 5);
	write_one(&d, "here", 10, 5);
	feed_dir_list(&d);
	files[0] = d.files[1];
	files[1] = d.files[0];
	files[2] = d.files[0];
	c = merged(files, 2);
	assert_int_equal(c.waits, 10 * 10 * FEED_THREADS);
	assert_int_equal(c.waking, c.waits);
	assert_int_equal(c.order_errors, 0);
	assert_int_equal(c.first_ran / SECOND, FEED_BEGIN / SECOND);
	assert_int_equal(c.end_ns, FEED_BEGIN + 15 * SECOND);
	c = merged(files, 3);
	assert_int_equal(c.waits, 10 * 10 * FEED_THREADS);
	feed_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_hours_in_twelve_files),
		cmocka_unit_test(names_of_strangers_are_bounded),
		cmocka_unit_test(old_files_go_and_others_stay),
		cmocka_unit_test(no_file_is_larger_than_allowed),
		cmocka_unit_test(kill_leaves_readable_files),
		cmocka_unit_test(hosts_are_not_mixed),
		cmocka_unit_test(order_gap_and_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
