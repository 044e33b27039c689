/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * overrun timerfd|posix|itimer|ontime [COUNT]
 *
 * A thread whose timer fires COUNT times while it runs, so with nobody waiting: each one is an
 * overrun and no sample of drift. `ontime` waits for its timerfd every time: no overrun at all.
 */
#include <sys/time.h>
#include <sys/timerfd.h>

#include "self.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define FIRE_NS (1 * NSEC_PER_MSEC)
#define BUSY_NS (3 * NSEC_PER_MSEC)
/* Far more than a thread is kept from its CPU between arming and waiting; else it is an overrun indeed. */
#define ONTIME_NS (20 * NSEC_PER_MSEC)

static volatile sig_atomic_t signals;

static void on_signal(int signal)
{
	(void)signal;
	signals++;
}

static void read_timerfd(int fd)
{
	uint64_t fired;

	if (read(fd, &fired, sizeof(fired)) != sizeof(fired) || fired != 1)
		die("timerfd read");
}

static void run_timerfd(long count, int is_late)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec spec = { .it_value = to_timespec(is_late ? FIRE_NS : ONTIME_NS) };

	for (long i = 0; i < count; i++) {
		uint64_t start = now_ns();
		if (timerfd_settime(fd, 0, &spec, NULL))
			die("timerfd_settime");
		if (is_late)
			busy_until(start + BUSY_NS);
		read_timerfd(fd);
	}
	close(fd);
}

static void run_posix(long count)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	struct itimerspec spec = { .it_value = to_timespec(FIRE_NS) };
	timer_t timer;

	event.sigev_notify_thread_id = own_tid();
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		die("timer_create");
	for (long i = 0; i < count; i++) {
		uint64_t start = now_ns();
		if (timer_settime(timer, 0, &spec, NULL))
			die("timer_settime");
		busy_until(start + BUSY_NS);
	}
	timer_delete(timer);
}

static void run_itimer(long count)
{
	struct itimerval value = { .it_value.tv_usec = FIRE_NS / NSEC_PER_USEC };

	for (long i = 0; i < count; i++) {
		uint64_t start = now_ns();
		if (setitimer(ITIMER_REAL, &value, NULL))
			die("setitimer");
		busy_until(start + BUSY_NS);
	}
}

struct plan {
	const char *kind;
	long count;
};

static void *run_plan(void *arg)
{
	struct plan *p = arg;
	sigset_t set;
	long expected = strcmp(p->kind, "ontime") ? p->count : 0;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGUSR1);
	must(pthread_sigmask(SIG_UNBLOCK, &set, NULL), "pthread_sigmask");
	if (!strcmp(p->kind, "timerfd") || !strcmp(p->kind, "ontime"))
		run_timerfd(p->count, expected > 0);
	else if (!strcmp(p->kind, "posix"))
		run_posix(p->count);
	else if (!strcmp(p->kind, "itimer"))
		run_itimer(p->count);
	else
		exit(1);
	printf("thread %s tid %u pid %d overruns %ld signals %d\n", p->kind, own_tid(), getpid(), expected,
	       (int)signals);
	return NULL;
}

int main(int argc, char **argv)
{
	struct plan plan = { .kind = argc > 1 ? argv[1] : "timerfd", .count = arg_number(argc, argv, 2, 100) };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	sigset_t set;

	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	sigfillset(&set);
	must(pthread_sigmask(SIG_BLOCK, &set, NULL), "pthread_sigmask");
	/* Not the main thread, so that the thread's id differs from the process's. */
	join_thread(start_thread(run_plan, &plan));
	return 0;
}
