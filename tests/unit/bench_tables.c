/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the tables cost: ns of CPU per span and the memory they take, for few and for many threads (argument:
 * only that case).
 * Build by hand: cc -O2 -I. tests/unit/bench_tables.c build/libwakelag.a -o bench_tables
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "src/model/names.h"
#include "src/stats/impl.h"

enum { SPANS = 1 << 20, ROUNDS = 4 };

static uint64_t seed = 1;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull >> 11;
}

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Around 4 us, the way latencies are: a sum of 12 is nearly normal, and it is the exponent; 1 in 16 a tail. */
static uint64_t random_latency(void)
{
	uint64_t sum = 0, bits;

	for (int i = 0; i < 12; i++)
		sum += next_random() % 256;
	bits = next_random() % 16 ? 8 * 256 + sum * 2 / 3 : 10 * 256 + next_random() % (10 * 256);
	return ((256 + bits % 256) << bits / 256) >> 8;
}

/* As small as a record, so that reading them costs little. */
struct sample {
	uint32_t tid, by, klass, ns;
};

static void make_samples(struct sample *samples, uint32_t tids)
{
	for (size_t i = 0; i < SPANS; i++) {
		samples[i] = (struct sample){
			.tid = 1000 + (uint32_t)(next_random() % tids),
			.by = 1000 + (uint32_t)(next_random() % tids),
			.klass = CLASS_TIMER + (uint32_t)(next_random() % 2),
			.ns = (uint32_t)random_latency(),
		};
	}
}

/* Half run-queue waits, a quarter drift with four stages, the rest preemptions and blocked waits. */
static void feed(const struct span_sink *sink, const struct sample *sample, size_t i, uint64_t step)
{
	static const enum metric mix[] = {METRIC_THREAD_RUNQ, METRIC_THREAD_DRIFT, METRIC_THREAD_RUNQ,
					  METRIC_THREAD_BLOCK, METRIC_THREAD_RUNQ, METRIC_THREAD_DRIFT,
					  METRIC_THREAD_RUNQ, METRIC_THREAD_PREEMPT};
	uint64_t ns = sample->ns;
	struct blame blame[] = {{.tid = sample->by, .kind = BLAME_COMPETITOR, .ns = ns},
				{.tid = 1000, .kind = BLAME_WAKER}};
	struct span s = {.metric = mix[i % 8], .tid = sample->tid, .tgid = 1000, .klass = sample->klass,
			 .begin_ns = i * step, .end_ns = i * step + ns, .blame = blame};

	s.blame_cnt = s.metric == METRIC_THREAD_BLOCK ? 1 : 2;
	s.stage_ns[STAGE_RUNQ] = ns;
	if (s.metric == METRIC_THREAD_DRIFT) {
		s.stage_ns[STAGE_SLACK] = ns / 4;
		s.stage_ns[STAGE_TIMER] = ns / 4;
		s.stage_ns[STAGE_WAKE] = ns / 4;
		s.stage_ns[STAGE_RUNQ] = ns - ns / 4 * 3;
	}
	sink->span(sink->ctx, &s);
}

/* Goroutines: drift with all its stages, run queues with causes, locks by whom they wait for. */
static void feed_goroutine(const struct span_sink *sink, const struct sample *sample, size_t i, uint64_t step)
{
	static const enum metric mix[] = {METRIC_GOROUTINE_DRIFT, METRIC_GOROUTINE_RUNQ, METRIC_GOROUTINE_LOCK,
					  METRIC_GOROUTINE_RUNQ};
	uint64_t ns = sample->ns;
	struct blame blame[] = {{.site = sample->by, .goid = sample->by, .kind = BLAME_WAKER, .ns = ns}};
	struct span s = {.metric = mix[i % 4], .site = sample->tid, .goid = sample->tid, .tgid = 1000,
			 .klass = CLASS_READIED + (uint32_t)(i % 5), .lock = 0xc0000000 + sample->by % 1000 * 8,
			 .wait_site = sample->by % 100, .begin_ns = i * step, .end_ns = i * step + ns, .blame = blame,
			 .blame_cnt = 1};

	for (int stage = 0; stage < STAGE_CNT; stage++)
		s.stage_ns[stage] = ns / STAGE_CNT;
	sink->span(sink->ctx, &s);
}

typedef void feed_fn(const struct span_sink *sink, const struct sample *sample, size_t i, uint64_t step);

static double pass(struct tables *t, const struct sample *samples, feed_fn *give, uint64_t step, bool *again)
{
	struct span_sink sink = tables_sink(t);
	double begin = now_ns(), spent;

	for (size_t i = 0; i < (size_t)SPANS * ROUNDS; i++)
		give(&sink, &samples[i % SPANS], i, step);
	spent = (now_ns() - begin) / ((double)SPANS * ROUNDS);
	if (tables_pass_done(t, again))
		exit(1);
	return spent;
}

static long anon_kib(void)
{
	char line[128];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "RssAnon: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		uint32_t tids;
		uint64_t step;
		unsigned int tables;
		feed_fn *feed;
	} cases[] = {
		{"4 threads, 10 s", 4, 2400, 0},
		{"60 threads, 10 s", 60, 2400, 0},
		{"60 threads, a day", 60, 20000000, 0},
		{"10000 threads, a day", 10000, 20000000, 0},
		{"60 threads, 10 s, heatmap only", 60, 2400, TABLE_BIT(HEATMAP)},
		{"60 threads, 10 s, events only", 60, 2400, TABLE_BIT(EVENTS)},
		{"60 sites, 10 s", 60, 2400, 0, feed_goroutine},
		{"10000 sites, a day", 10000, 20000000, 0, feed_goroutine},
	};
	struct sample *samples = malloc(SPANS * sizeof(*samples));

	if (!samples)
		return 1;
	size_t only = argc > 1 ? strtoul(argv[1], NULL, 10) : SIZE_MAX;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (only != SIZE_MAX && only != i)
			continue;
		struct tables_opts opts = {.tables = cases[i].tables};
		bool again = true;

		make_samples(samples, cases[i].tids);
		long before = anon_kib();
		struct tables *t = tables_new(&opts);

		printf("%-32s", cases[i].name);
		while (t && again)
			printf(" %6.1f ns/span", pass(t, samples, cases[i].feed ? cases[i].feed : feed, cases[i].step, &again));
		printf("  %6ld KiB  %zu cells %zu blame %zu groups\n", anon_kib() - before,
		       t ? t->cells.cnt : 0, t ? t->blame.cnt : 0, t ? t->group_cnt : 0);
		tables_free(t);
	}
	free(samples);
	return 0;
}
