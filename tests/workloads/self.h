/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the workloads share: clocks, a list of self-measured latencies, and the lines they report as
 * truth: `key value key value ...`, one thread a line, times in ns. Any failure ends the program
 * with status 1: a workload that did not do what it claims is no truth.
 */
#pragma once

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull

static inline void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static inline void must(int err, const char *what)
{
	if (!err)
		return;
	errno = err;
	die(what);
}

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		die("clock_gettime");
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static inline uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static inline struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC };
}

static inline uint32_t own_tid(void)
{
	return syscall(SYS_gettid);
}

static inline void busy_until(uint64_t deadline)
{
	while (now_ns() < deadline)
		;
}

static inline void sleep_until(uint64_t deadline)
{
	struct timespec ts = to_timespec(deadline);

	must(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), "clock_nanosleep");
}

static inline void pin_to(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(pthread_setaffinity_np(pthread_self(), sizeof(set), &set), "pthread_setaffinity_np");
}

static inline pthread_t start_thread(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, run, arg), "pthread_create");
	return thread;
}

static inline void join_thread(pthread_t thread)
{
	must(pthread_join(thread, NULL), "pthread_join");
}

/* The number at argv[i], or the default; anything else ends the program. */
static inline long arg_number(int argc, char **argv, int i, long otherwise)
{
	if (i >= argc)
		return otherwise;
	char *end;
	long n = strtol(argv[i], &end, 10);
	if (*end || end == argv[i]) {
		errno = EINVAL;
		die(argv[i]);
	}
	return n;
}

/* Self-measured latencies of one thread, in the order they happened. */
struct truth {
	uint32_t tid;
	size_t cnt, cap;
	uint64_t *ns;
};

static inline void truth_init(struct truth *t, size_t cap)
{
	*t = (struct truth){ .tid = own_tid(), .cap = cap, .ns = calloc(cap ? cap : 1, sizeof(uint64_t)) };
	if (!t->ns)
		die("calloc");
}

static inline void truth_add(struct truth *t, int64_t ns)
{
	if (t->cnt < t->cap)
		t->ns[t->cnt++] = ns < 0 ? 0 : ns;
}

static inline int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* `list` adds every latency, comma separated, in the order they happened. */
static inline void truth_print(const struct truth *t, const char *name, int list)
{
	printf("thread %s tid %u count %zu", name, t->tid, t->cnt);
	uint64_t *sorted = calloc(t->cnt + 1, sizeof(*sorted));
	if (!sorted)
		die("calloc");
	uint64_t sum = 0;
	for (size_t i = 0; i < t->cnt; i++)
		sum += sorted[i] = t->ns[i];
	qsort(sorted, t->cnt, sizeof(*sorted), compare_ns);
	static const struct { const char *name; unsigned int per_mille; } quantiles[] = {
		{ "p50", 500 }, { "p90", 900 }, { "p99", 990 }, { "max", 1000 },
	};
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		size_t rank = (t->cnt * quantiles[i].per_mille + 999) / 1000;
		printf(" %s %" PRIu64, quantiles[i].name, rank ? sorted[rank - 1] : 0);
	}
	printf(" sum %" PRIu64, sum);
	free(sorted);
	if (list && t->cnt) {
		printf(" list ");
		for (size_t i = 0; i < t->cnt; i++)
			printf("%s%" PRIu64, i ? "," : "", t->ns[i]);
	}
}

static inline void truth_done(struct truth *t)
{
	free(t->ns);
	*t = (struct truth){ 0 };
}
