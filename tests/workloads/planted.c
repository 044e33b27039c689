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
 * All in times of the clock, so that what the machine does meanwhile takes nothing from it. Real-time priorities
 * keep the tasks of others away; a real-time thread has no slack. The workers measure their own lateness, all in
 * one line, so that what was planted can be checked.
 */
#include "self.h"

#define FRAME_NS (NSEC_PER_MSEC / 2)

enum { WORKERS = 4, WORKER_PRIO = 10, HOG_PRIO = 20 };

struct worker {
	unsigned int serial;
	struct truth truth;
};

static uint64_t end_ns, planted_ns;
static int cpu;
static struct worker workers[WORKERS];

static void be_realtime(int prio)
{
	struct sched_param param = { .sched_priority = prio };

	pin_to(cpu);
	must(pthread_setschedparam(pthread_self(), SCHED_FIFO, &param), "pthread_setschedparam");
}

/* The next one of the grid. After the machine stood still, frames are skipped: one pause is one late wakeup. */
static uint64_t next_frame(uint64_t asked, uint64_t period)
{
	uint64_t now = now_ns(), next = asked + period;

	if (now > next + 2 * planted_ns)
		next += (now - next) / period * period;
	return next;
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
static uint64_t period_of(const struct worker *w)
{
	return NSEC_PER_MSEC + w->serial * 37 * NSEC_PER_USEC;
}

static void measure_sleep(struct worker *w, uint64_t until)
{
	sleep_until(until);
	truth_add(&w->truth, now_ns() - until);
}

static void *run_sleeper(void *arg)
{
	struct worker *w = arg;

	be_realtime(WORKER_PRIO);
	for (uint64_t next = now_ns(); next < end_ns; next = next_frame(next, period_of(w)))
		measure_sleep(w, next);
	return NULL;
}

static void *run_slack(void *arg)
{
	struct worker *w = arg;
	struct timespec ts = to_timespec(period_of(w));

	pin_to(cpu);
	if (prctl(PR_SET_TIMERSLACK, planted_ns))
		die("PR_SET_TIMERSLACK");
	for (uint64_t start; (start = now_ns()) < end_ns;) {
		must(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL), "clock_nanosleep");
		truth_add(&w->truth, now_ns() - (start + period_of(w)));
	}
	return NULL;
}

static void *run_busy(void *arg)
{
	struct worker *w = arg;

	be_realtime(WORKER_PRIO);
	for (uint64_t next = now_ns(), n = 0; next < end_ns; next = next_frame(next, FRAME_NS), n++) {
		measure_sleep(w, next);
		if (n % 33 == 0)
			busy_until(next + FRAME_NS + planted_ns);
	}
	return NULL;
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

static void print_truth(int cnt)
{
	struct truth all;
	size_t samples = 0;

	for (int i = 0; i < cnt; i++)
		samples += workers[i].truth.cnt;
	truth_init(&all, samples);
	for (int i = 0; i < cnt; i++) {
		for (size_t k = 0; k < workers[i].truth.cnt; k++)
			truth_add(&all, workers[i].truth.ns[k]);
		truth_done(&workers[i].truth);
	}
	truth_print(&all, "worker", 0);
	printf("\n");
	truth_done(&all);
}

static pthread_t start_worker(const struct plan *plan, struct worker *w)
{
	pthread_t thread;

	truth_init(&w->truth, (end_ns - now_ns()) / FRAME_NS + 1);
	thread = start_thread(plan->worker, w);
	must(pthread_setname_np(thread, "worker"), "pthread_setname_np");
	return thread;
}

int main(int argc, char **argv)
{
	const struct plan *plan = plan_of(argc > 3 ? argv[3] : "");
	pthread_t threads[WORKERS + 1];
	int cnt = 0;

	end_ns = now_ns() + arg_number(argc, argv, 1, 1) * NSEC_PER_SEC;
	cpu = arg_number(argc, argv, 2, -1);
	planted_ns = arg_number(argc, argv, 4, 0) * NSEC_PER_USEC;
	for (; cnt < plan->workers; cnt++) {
		workers[cnt].serial = cnt + 1;
		threads[cnt] = start_worker(plan, &workers[cnt]);
	}
	if (plan->hog)
		threads[cnt++] = start_thread(plan->hog, NULL);
	while (cnt)
		join_thread(threads[--cnt]);
	print_truth(plan->workers);
	return 0;
}
