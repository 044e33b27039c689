/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * lock_chain MODE HOLD_US ROUNDS
 *
 * What a holder does while others wait for it. `lock`: it waits for another lock, whose holder is on a CPU.
 * `preempt`: a SCHED_FIFO thread has its CPU for half of the time. `blocked`: it waits for a pipe. `running`: it is
 * on a CPU. In each, the waiter waits in wait_outer() for outer_lock.
 */
#include "lock_self.h"

static pthread_mutex_t outer_lock = PTHREAD_MUTEX_INITIALIZER, inner_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t held, over;
static pthread_barrier_t pushed;	/* the preempting thread is wanted */
static uint64_t hold_ns;
static long rounds;
static int to_holder[2];

struct party {
	const char *name;
	struct truth truth;	/* what it waited; of the preempting thread: what it took; of who holds it awake: CPU time */
	uint64_t held_ns;	/* the same, off the CPU or not */
};

struct mode {
	const char *name;
	void *(*hold)(void *party);
	void *(*other)(void *party);	/* what the holder waits for, or is pushed off by */
	bool is_other_in_rounds;
};

static __attribute__((noinline)) void wait_outer(void)
{
	must(pthread_mutex_lock(&outer_lock), "pthread_mutex_lock");
}

static __attribute__((noinline)) void wait_inner(void)
{
	must(pthread_mutex_lock(&inner_lock), "pthread_mutex_lock");
}

static void begin(struct party *p)
{
	prctl(PR_SET_NAME, p->name);
	truth_init(&p->truth, rounds);
}

static void *wait_rounds(void *arg)
{
	struct party *p = arg;

	begin(p);
	for (long i = 0; i < rounds; i++) {
		pthread_barrier_wait(&held);
		uint64_t start = now_ns();
		wait_outer();
		truth_add(&p->truth, now_ns() - start);
		must(pthread_mutex_unlock(&outer_lock), "pthread_mutex_unlock");
		pthread_barrier_wait(&over);
	}
	return NULL;
}

/* The inner lock is taken before the holder comes for it, and kept on a CPU. */
static void *hold_inner(void *arg)
{
	struct party *p = arg;

	begin(p);
	for (long i = 0; i < rounds; i++) {
		wait_inner();
		pthread_barrier_wait(&held);
		uint64_t start = now_ns();
		busy_until(start + hold_ns);
		truth_add(&p->truth, now_ns() - start);
		must(pthread_mutex_unlock(&inner_lock), "pthread_mutex_unlock");
		pthread_barrier_wait(&over);
	}
	return NULL;
}

static void *hold_and_lock(void *arg)
{
	struct party *p = arg;

	begin(p);
	for (long i = 0; i < rounds; i++) {
		wait_outer();
		pthread_barrier_wait(&held);
		uint64_t start = now_ns();
		wait_inner();
		truth_add(&p->truth, now_ns() - start);
		must(pthread_mutex_unlock(&inner_lock), "pthread_mutex_unlock");
		must(pthread_mutex_unlock(&outer_lock), "pthread_mutex_unlock");
		pthread_barrier_wait(&over);
	}
	return NULL;
}

static int last_cpu(void)
{
	cpu_set_t set;
	int cpu = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(set), &set))
		die("sched_getaffinity");
	while (cpu > 0 && !CPU_ISSET(cpu, &set))
		cpu--;
	return cpu;
}

static void *push(void *arg)
{
	struct party *p = arg;
	struct sched_param param = { .sched_priority = 1 };

	begin(p);
	pin_to(last_cpu());
	must(pthread_setschedparam(pthread_self(), SCHED_FIFO, &param), "pthread_setschedparam");
	for (long i = 0; i < rounds; i++) {
		pthread_barrier_wait(&pushed);
		uint64_t start = now_ns();
		busy_until(start + hold_ns / 2);
		truth_add(&p->truth, now_ns() - start);
	}
	return NULL;
}

/* Who comes last to a barrier wakes the others: then the other has the CPU. */
static void *hold_pushed(void *arg)
{
	struct party *p = arg;

	begin(p);
	pin_to(last_cpu());
	for (long i = 0; i < rounds; i++) {
		wait_outer();
		pthread_barrier_wait(&held);
		uint64_t begin_ns = now_ns(), start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		busy_until(now_ns() + hold_ns / 2);
		pthread_barrier_wait(&pushed);
		truth_add(&p->truth, clock_ns(CLOCK_THREAD_CPUTIME_ID) - start);
		p->held_ns += now_ns() - begin_ns;
		must(pthread_mutex_unlock(&outer_lock), "pthread_mutex_unlock");
		pthread_barrier_wait(&over);
	}
	return NULL;
}

static void *hold_blocked(void *arg)
{
	struct party *p = arg;
	char byte;

	begin(p);
	for (long i = 0; i < rounds; i++) {
		wait_outer();
		pthread_barrier_wait(&held);
		uint64_t start = now_ns();
		if (read(to_holder[0], &byte, 1) != 1)
			die("read");
		truth_add(&p->truth, now_ns() - start);
		must(pthread_mutex_unlock(&outer_lock), "pthread_mutex_unlock");
		pthread_barrier_wait(&over);
	}
	return NULL;
}

static void *feed(void *arg)
{
	struct party *p = arg;

	begin(p);
	for (long i = 0; i < rounds; i++) {
		pthread_barrier_wait(&held);
		sleep_until(now_ns() + hold_ns);
		if (write(to_holder[1], "", 1) != 1)
			die("write");
		pthread_barrier_wait(&over);
	}
	return NULL;
}

static void *hold_running(void *arg)
{
	struct party *p = arg;

	begin(p);
	for (long i = 0; i < rounds; i++) {
		wait_outer();
		pthread_barrier_wait(&held);
		uint64_t begin_ns = now_ns(), start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		busy_until(now_ns() + hold_ns);
		truth_add(&p->truth, clock_ns(CLOCK_THREAD_CPUTIME_ID) - start);
		p->held_ns += now_ns() - begin_ns;
		must(pthread_mutex_unlock(&outer_lock), "pthread_mutex_unlock");
		pthread_barrier_wait(&over);
	}
	return NULL;
}

static const struct mode modes[] = {
	{ "lock", hold_and_lock, hold_inner, true },
	{ "preempt", hold_pushed, push, false },
	{ "blocked", hold_blocked, feed, true },
	{ "running", hold_running, NULL, false },
};

static void print(const struct party *p)
{
	truth_print(&p->truth, p->name, 0);
	printf(" held %" PRIu64 " outer 0x%" PRIxPTR " inner 0x%" PRIxPTR "\n", p->held_ns, (uintptr_t)&outer_lock,
	       (uintptr_t)&inner_lock);
}

static void run_mode(const struct mode *m)
{
	struct party waiter = { .name = "waiter" }, holder = { .name = "holder" }, other = { .name = "other" };
	unsigned int cnt = m->is_other_in_rounds ? 3 : 2;
	pthread_t third = 0;

	must(pthread_barrier_init(&held, NULL, cnt), "pthread_barrier_init");
	must(pthread_barrier_init(&over, NULL, cnt), "pthread_barrier_init");
	must(pthread_barrier_init(&pushed, NULL, 2), "pthread_barrier_init");
	pthread_t first = start_thread(wait_rounds, &waiter), second = start_thread(m->hold, &holder);
	if (m->other)
		third = start_thread(m->other, &other);
	join_thread(first);
	join_thread(second);
	print(&waiter);
	print(&holder);
	if (!m->other)
		return;
	join_thread(third);
	print(&other);
}

int main(int argc, char **argv)
{
	hold_ns = arg_number(argc, argv, 2, 20000) * NSEC_PER_USEC;
	rounds = arg_number(argc, argv, 3, 25);
	if (pipe(to_holder))
		die("pipe");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (argc > 1 && !strcmp(argv[1], modes[i].name)) {
			run_mode(&modes[i]);
			return 0;
		}
	}
	fprintf(stderr, "usage: lock_chain lock|preempt|blocked|running [HOLD_US [ROUNDS]]\n");
	return 64;
}
