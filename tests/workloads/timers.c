/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * timers [COUNT [WAIT_MS [SLACK_NS [KIND...]]]]
 *
 * Plants COUNT waits of every kind that a timer can end, each kind in a thread of its own of that
 * name, and measures each wait's lateness itself. Reported beside it: the class that the wait must
 * be given (alternatives with |) and the slack that the kernel adds to the kind.
 */
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include "self.h"

#define TIMER_SIGNAL (SIGRTMIN + 3)
#define NEVER_SIGNAL (SIGRTMIN + 4)	/* waited for, never sent */

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

struct waiter {
	const struct kind *kind;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	sem_t sem;
	int fd, epoll;
	int sockets[2];
	timer_t timer;
	uint32_t word;
	struct truth truth;
};

struct kind {
	const char *name;
	const char *klass;	/* what wakelag must call it */
	int has_slack;		/* the thread's timer slack is added */
	void (*prepare)(struct waiter *w);
	int64_t (*wait)(struct waiter *w, uint64_t ns);	/* waits ns, says how late it came back */
};

static long count = 50, wait_ms = 2, slack_ns = 50000;

static int64_t late_by(clockid_t clock, uint64_t asked)
{
	return (int64_t)(clock_ns(clock) - asked);
}

static int64_t wait_nanosleep(struct waiter *w, uint64_t ns)
{
	struct timespec ts = to_timespec(ns);
	uint64_t asked = now_ns() + ns;

	(void)w;
	if (syscall(SYS_nanosleep, &ts, NULL))
		die("nanosleep");
	return late_by(CLOCK_MONOTONIC, asked);
}

static int64_t wait_clock(clockid_t clock, int flags, uint64_t ns)
{
	uint64_t asked = clock_ns(clock) + ns;
	struct timespec ts = to_timespec(flags & TIMER_ABSTIME ? asked : ns);

	must(clock_nanosleep(clock, flags, &ts, NULL), "clock_nanosleep");
	return late_by(clock, asked);
}

static int64_t wait_mono_rel(struct waiter *w, uint64_t ns)
{
	(void)w;
	return wait_clock(CLOCK_MONOTONIC, 0, ns);
}

static int64_t wait_mono_abs(struct waiter *w, uint64_t ns)
{
	(void)w;
	return wait_clock(CLOCK_MONOTONIC, TIMER_ABSTIME, ns);
}

static int64_t wait_real_rel(struct waiter *w, uint64_t ns)
{
	(void)w;
	return wait_clock(CLOCK_REALTIME, 0, ns);
}

static int64_t wait_real_abs(struct waiter *w, uint64_t ns)
{
	(void)w;
	return wait_clock(CLOCK_REALTIME, TIMER_ABSTIME, ns);
}

static int64_t wait_boot_abs(struct waiter *w, uint64_t ns)
{
	(void)w;
	return wait_clock(CLOCK_BOOTTIME, TIMER_ABSTIME, ns);
}

static int64_t wait_poll(struct waiter *w, uint64_t ns)
{
	uint64_t asked = now_ns() + ns;

	(void)w;
	if (syscall(SYS_poll, NULL, 0, (int)(ns / NSEC_PER_MSEC)))
		die("poll");
	return late_by(CLOCK_MONOTONIC, asked);
}

static int64_t wait_ppoll(struct waiter *w, uint64_t ns)
{
	struct timespec ts = to_timespec(ns);
	uint64_t asked = now_ns() + ns;

	(void)w;
	if (ppoll(NULL, 0, &ts, NULL))
		die("ppoll");
	return late_by(CLOCK_MONOTONIC, asked);
}

static int64_t wait_select(struct waiter *w, uint64_t ns)
{
	struct timeval tv = { .tv_usec = ns / NSEC_PER_USEC };
	uint64_t asked = now_ns() + ns;

	(void)w;
	if (select(0, NULL, NULL, NULL, &tv))
		die("select");
	return late_by(CLOCK_MONOTONIC, asked);
}

static void prepare_epoll(struct waiter *w)
{
	w->epoll = epoll_create1(0);
	if (w->epoll < 0)
		die("epoll_create1");
}

static int64_t wait_epoll(struct waiter *w, uint64_t ns)
{
	struct epoll_event event;
	uint64_t asked = now_ns() + ns;

	if (epoll_wait(w->epoll, &event, 1, ns / NSEC_PER_MSEC))
		die("epoll_wait");
	return late_by(CLOCK_MONOTONIC, asked);
}

static int64_t wait_futex(struct waiter *w, int op, clockid_t clock, int absolute, uint64_t ns)
{
	uint64_t asked = clock_ns(clock) + ns;
	struct timespec ts = to_timespec(absolute ? asked : ns);

	if (syscall(SYS_futex, &w->word, op, 0, &ts, NULL, FUTEX_BITSET_MATCH_ANY) != -1 || errno != ETIMEDOUT)
		die("futex");
	return late_by(clock, asked);
}

static int64_t wait_futex_rel(struct waiter *w, uint64_t ns)
{
	return wait_futex(w, FUTEX_WAIT_PRIVATE, CLOCK_MONOTONIC, 0, ns);
}

static int64_t wait_futex_abs(struct waiter *w, uint64_t ns)
{
	return wait_futex(w, FUTEX_WAIT_BITSET_PRIVATE, CLOCK_MONOTONIC, 1, ns);
}

static int64_t wait_futex_real(struct waiter *w, uint64_t ns)
{
	return wait_futex(w, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, CLOCK_REALTIME, 1, ns);
}

static int64_t wait_cond(struct waiter *w, uint64_t ns)
{
	uint64_t asked = clock_ns(CLOCK_REALTIME) + ns;
	struct timespec ts = to_timespec(asked);

	pthread_mutex_lock(&w->mutex);
	if (pthread_cond_timedwait(&w->cond, &w->mutex, &ts) != ETIMEDOUT)
		die("pthread_cond_timedwait");
	int64_t late = late_by(CLOCK_REALTIME, asked);
	pthread_mutex_unlock(&w->mutex);
	return late;
}

static int64_t wait_sem(struct waiter *w, uint64_t ns)
{
	uint64_t asked = clock_ns(CLOCK_REALTIME) + ns;
	struct timespec ts = to_timespec(asked);

	if (!sem_timedwait(&w->sem, &ts) || errno != ETIMEDOUT)
		die("sem_timedwait");
	return late_by(CLOCK_REALTIME, asked);
}

static void prepare_timerfd(struct waiter *w)
{
	prepare_epoll(w);
	w->fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct epoll_event event = { .events = EPOLLIN };
	if (w->fd < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->fd, &event))
		die("timerfd");
}

static uint64_t arm_timerfd(struct waiter *w, uint64_t ns)
{
	uint64_t asked = now_ns() + ns;
	struct itimerspec spec = { .it_value = to_timespec(asked) };

	if (timerfd_settime(w->fd, TFD_TIMER_ABSTIME, &spec, NULL))
		die("timerfd_settime");
	return asked;
}

static int64_t wait_timerfd(struct waiter *w, uint64_t ns)
{
	uint64_t asked = arm_timerfd(w, ns), fired;

	if (read(w->fd, &fired, sizeof(fired)) != sizeof(fired))
		die("timerfd read");
	return late_by(CLOCK_MONOTONIC, asked);
}

static int64_t wait_timerfd_epoll(struct waiter *w, uint64_t ns)
{
	uint64_t asked = arm_timerfd(w, ns), fired;
	struct epoll_event event;

	if (epoll_wait(w->epoll, &event, 1, -1) != 1)
		die("epoll_wait");
	int64_t late = late_by(CLOCK_MONOTONIC, asked);
	if (read(w->fd, &fired, sizeof(fired)) != sizeof(fired))
		die("timerfd read");
	return late;
}

static void on_signal(int signal)
{
	(void)signal;
}

static void prepare_posix(struct waiter *w)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = TIMER_SIGNAL };

	event.sigev_notify_thread_id = own_tid();
	if (timer_create(CLOCK_MONOTONIC, &event, &w->timer))
		die("timer_create");
}

static uint64_t arm_posix(struct waiter *w, uint64_t ns)
{
	uint64_t asked = now_ns() + ns;
	struct itimerspec spec = { .it_value = to_timespec(asked) };

	if (timer_settime(w->timer, TIMER_ABSTIME, &spec, NULL))
		die("timer_settime");
	return asked;
}

static void suspend_for(int signal)
{
	sigset_t all;

	sigfillset(&all);
	sigdelset(&all, signal);
	sigsuspend(&all);
}

static int64_t wait_posix_suspend(struct waiter *w, uint64_t ns)
{
	uint64_t asked = arm_posix(w, ns);

	suspend_for(TIMER_SIGNAL);
	return late_by(CLOCK_MONOTONIC, asked);
}

static int64_t wait_posix_info(struct waiter *w, uint64_t ns)
{
	sigset_t set;
	uint64_t asked = arm_posix(w, ns);

	sigemptyset(&set);
	sigaddset(&set, TIMER_SIGNAL);
	if (sigwaitinfo(&set, NULL) != TIMER_SIGNAL)
		die("sigwaitinfo");
	return late_by(CLOCK_MONOTONIC, asked);
}

static int64_t wait_itimer(struct waiter *w, uint64_t ns)
{
	struct itimerval value = { .it_value.tv_usec = ns / NSEC_PER_USEC };
	uint64_t asked = now_ns() + ns;

	(void)w;
	if (setitimer(ITIMER_REAL, &value, NULL))
		die("setitimer");
	suspend_for(SIGALRM);	/* pause() would miss an early one */
	return late_by(CLOCK_MONOTONIC, asked);
}

static int64_t wait_sigtimedwait(struct waiter *w, uint64_t ns)
{
	struct timespec ts = to_timespec(ns);
	sigset_t set;

	(void)w;
	sigemptyset(&set);
	sigaddset(&set, NEVER_SIGNAL);
	uint64_t asked = now_ns() + ns;
	if (sigtimedwait(&set, NULL, &ts) != -1 || errno != EAGAIN)
		die("sigtimedwait");
	return late_by(CLOCK_MONOTONIC, asked);
}

static void prepare_socket(struct waiter *w)
{
	struct timeval tv = { .tv_usec = wait_ms * 1000 };

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, w->sockets) ||
	    setsockopt(w->sockets[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)))
		die("socketpair");
}

static int64_t wait_socket(struct waiter *w, uint64_t ns)
{
	char byte;
	uint64_t asked = now_ns() + ns;

	if (recv(w->sockets[0], &byte, 1, 0) != -1 || errno != EAGAIN)
		die("recv");
	return late_by(CLOCK_MONOTONIC, asked);
}

static const struct kind kinds[] = {
	{ "nanosleep", "nanosleep", 1, NULL, wait_nanosleep },
	{ "cns_mono_rel", "nanosleep", 1, NULL, wait_mono_rel },
	{ "cns_mono_abs", "nanosleep", 1, NULL, wait_mono_abs },
	{ "cns_real_rel", "nanosleep", 1, NULL, wait_real_rel },
	{ "cns_real_abs", "nanosleep", 1, NULL, wait_real_abs },
	{ "cns_boot_abs", "nanosleep", 1, NULL, wait_boot_abs },
	{ "poll", "poll", 1, NULL, wait_poll },
	{ "ppoll", "poll", 1, NULL, wait_ppoll },
	{ "select", "poll", 1, NULL, wait_select },
	{ "epoll", "epoll", 1, prepare_epoll, wait_epoll },
	{ "futex_rel", "futex", 1, NULL, wait_futex_rel },
	{ "futex_abs", "futex", 1, NULL, wait_futex_abs },
	{ "futex_real", "futex", 1, NULL, wait_futex_real },
	{ "cond", "futex", 1, NULL, wait_cond },
	{ "sem", "futex", 1, NULL, wait_sem },
	{ "timerfd", "timerfd", 0, prepare_timerfd, wait_timerfd },
	{ "timerfd_epoll", "timerfd", 0, prepare_timerfd, wait_timerfd_epoll },
	{ "posix_suspend", "posix", 0, prepare_posix, wait_posix_suspend },
	{ "posix_info", "posix", 0, prepare_posix, wait_posix_info },
	{ "itimer", "itimer", 0, NULL, wait_itimer },
	{ "sigtimedwait", "rt_sigtimedwait", 1, NULL, wait_sigtimedwait },
	{ "rcvtimeo", "jiffies", 0, prepare_socket, wait_socket },
};

#define KIND_CNT (sizeof(kinds) / sizeof(kinds[0]))

static void *run_waiter(void *arg)
{
	struct waiter *w = arg;

	pthread_setname_np(pthread_self(), w->kind->name);
	if (prctl(PR_SET_TIMERSLACK, slack_ns, 0, 0, 0))
		die("PR_SET_TIMERSLACK");
	truth_init(&w->truth, count);
	if (w->kind->prepare)
		w->kind->prepare(w);
	for (long i = 0; i < count; i++)
		truth_add(&w->truth, w->kind->wait(w, wait_ms * NSEC_PER_MSEC));
	return NULL;
}

static int is_wanted(const char *name, int argc, char **argv)
{
	for (int i = 4; i < argc; i++)
		if (!strcmp(argv[i], name))
			return 1;
	return argc <= 4;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t set;
	int cnt = 0;

	count = arg_number(argc, argv, 1, count);
	wait_ms = arg_number(argc, argv, 2, wait_ms);
	slack_ns = arg_number(argc, argv, 3, slack_ns);
	sigfillset(&set);
	must(pthread_sigmask(SIG_BLOCK, &set, NULL), "pthread_sigmask");
	sigaction(SIGALRM, &action, NULL);
	sigaction(TIMER_SIGNAL, &action, NULL);
	/* One after the other: timers that expire close together share an interrupt, and its time. */
	for (size_t i = 0; i < KIND_CNT; i++) {
		if (!is_wanted(kinds[i].name, argc, argv))
			continue;
		struct waiter w = { .kind = &kinds[i], .mutex = PTHREAD_MUTEX_INITIALIZER,
				    .cond = PTHREAD_COND_INITIALIZER };
		join_thread(start_thread(run_waiter, &w));
		truth_print(&w.truth, kinds[i].name, 1);
		printf(" class %s slack %ld\n", kinds[i].klass, kinds[i].has_slack ? slack_ns : 0);
		truth_done(&w.truth);
		cnt++;
	}
	if (!cnt)
		fprintf(stderr, "timers: no such kind\n");
	return !cnt;
}
