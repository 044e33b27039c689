/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * planted SECONDS CPU STAGE US
 *
 * Lateness of a known amount in a known stage, for comparisons that must find it: threads `worker` ask to be
 * woken every millisecond or so.
 *	runq	a thread of the same process, `hog`, has the CPU for US of each 10 ms: as many wakeups are up to
 *		US late
 *	slack	the workers agreed to US of timer slack, and all wakeups are that late
 *	busy	each 33rd frame takes US longer than its period: one wakeup in 33 is just that late
 * Real-time priorities keep the tasks of others away; a real-time thread has no slack.
 */
#include "self.h"

#define FRAME_NS (NSEC_PER_MSEC / 2)

enum { WORKERS = 4, WORKER_PRIO = 10, HOG_PRIO = 20 };

static uint64_t end_ns, planted_ns;
static int cpu;

static void be_realtime(int prio)
{
	struct sched_param param = { .sched_priority = prio };

	pin_to(cpu);
	must(pthread_setschedparam(pthread_self(), SCHED_FIFO, &param), "pthread_setschedparam");
}

static void *run_hog(void *arg)
{
	pthread_setname_np(pthread_self(), "hog");
	be_realtime(HOG_PRIO);
	for (uint64_t next = now_ns(); next < end_ns; next += 10 * NSEC_PER_MSEC) {
		sleep_until(next);
		busy_until(now_ns() + planted_ns);
	}
	return arg;
}

/* Periods that share no factor with the hog's: a wakeup falls anywhere into its time. */
static void *run_sleeper(void *arg)
{
	uint64_t period = NSEC_PER_MSEC + ((uint64_t)(uintptr_t)arg + 1) * 37 * NSEC_PER_USEC;

	pthread_setname_np(pthread_self(), "worker");
	be_realtime(WORKER_PRIO);
	for (uint64_t next = now_ns(); next < end_ns; next += period)
		sleep_until(next);
	return NULL;
}

static void *run_slack(void *arg)
{
	struct timespec ts = to_timespec(NSEC_PER_MSEC + (uint64_t)(uintptr_t)arg * 37 * NSEC_PER_USEC);

	pthread_setname_np(pthread_self(), "worker");
	pin_to(cpu);
	if (prctl(PR_SET_TIMERSLACK, planted_ns))
		die("PR_SET_TIMERSLACK");
	while (now_ns() < end_ns)
		must(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL), "clock_nanosleep");
	return NULL;
}

static void *run_busy(void *arg)
{
	pthread_setname_np(pthread_self(), "worker");
	be_realtime(WORKER_PRIO);
	for (uint64_t next = now_ns(), n = 0; next < end_ns; next += FRAME_NS, n++) {
		sleep_until(next);
		if (n % 33 == 0)
			busy_until(next + FRAME_NS + planted_ns);
	}
	return arg;
}

static const struct plan {
	const char *stage;
	void *(*worker)(void *arg);
	int workers;
	void *(*hog)(void *arg);
} plans[] = {
	{ "runq", run_sleeper, WORKERS, run_hog },
	{ "slack", run_slack, WORKERS, NULL },
	{ "busy", run_busy, 1, NULL },
};

static const struct plan *plan_of(const char *stage)
{
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		if (!strcmp(plans[i].stage, stage))
			return &plans[i];
	errno = EINVAL;
	die(stage);
	return NULL;
}

int main(int argc, char **argv)
{
	const struct plan *plan = plan_of(argc > 3 ? argv[3] : "");
	pthread_t threads[WORKERS + 1];
	int cnt = 0;

	end_ns = now_ns() + arg_number(argc, argv, 1, 1) * NSEC_PER_SEC;
	cpu = arg_number(argc, argv, 2, -1);
	planted_ns = arg_number(argc, argv, 4, 0) * NSEC_PER_USEC;
	for (int i = 0; i < plan->workers; i++)
		threads[cnt++] = start_thread(plan->worker, (void *)(uintptr_t)i);
	if (plan->hog)
		threads[cnt++] = start_thread(plan->hog, NULL);
	while (cnt)
		join_thread(threads[--cnt]);
	return 0;
}
