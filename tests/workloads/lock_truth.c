/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * lock_truth HOLD_US ROUNDS [CASE...]
 *
 * Every kind of lock and wait of the C library, one case after the other: a holder keeps it HOLD_US, waiters come for
 * it. Built in several ways, see the Makefile: with glibc and musl, static, without symbols.
 */
#include <limits.h>
#include <semaphore.h>
#include <sys/syscall.h>

#include "lock_self.h"

#define NOINLINE __attribute__((noinline))
#define FOREVER (3600 * NSEC_PER_SEC)

#ifdef __GLIBC__
#define GLIBC_ONLY(X, ...) X(__VA_ARGS__)
#else
#define GLIBC_ONLY(X, ...)
#endif

/* X(name, type, protocol, robust, owned): the mutexes that are waited for by pthread_mutex_lock() */
#define MUTEXES(X) \
	X(normal, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, NORMAL_OWNED) \
	X(recursive, PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, true) \
	X(errorcheck, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, true) \
	GLIBC_ONLY(X, adaptive, PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, true) \
	X(robust, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, true) \
	X(pi, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, true)

#ifdef __GLIBC__
#define NORMAL_OWNED true
#else
#define NORMAL_OWNED false	/* musl's word of a normal mutex is EBUSY */
#endif

static void init_mutex(pthread_mutex_t *mutex, int type, int protocol, int robust, int shared)
{
	pthread_mutexattr_t attr;

	must(pthread_mutexattr_init(&attr), "pthread_mutexattr_init");
	must(pthread_mutexattr_settype(&attr, type), "pthread_mutexattr_settype");
	must(pthread_mutexattr_setprotocol(&attr, protocol), "pthread_mutexattr_setprotocol");
	must(pthread_mutexattr_setrobust(&attr, robust), "pthread_mutexattr_setrobust");
	must(pthread_mutexattr_setpshared(&attr, shared), "pthread_mutexattr_setpshared");
	must(pthread_mutex_init(mutex, &attr), "pthread_mutex_init");
}

static void take_mutex(pthread_mutex_t *mutex)
{
	must(pthread_mutex_lock(mutex), "pthread_mutex_lock");
}

static void give_mutex(pthread_mutex_t *mutex)
{
	must(pthread_mutex_unlock(mutex), "pthread_mutex_unlock");
}

#define MUTEX_FUNCTIONS(name, type, protocol, robust, owned) \
	static pthread_mutex_t name##_lock; \
	static void init_##name(void) \
	{ \
		init_mutex(&name##_lock, type, protocol, robust, PTHREAD_PROCESS_PRIVATE); \
	} \
	static void take_##name(void) \
	{ \
		take_mutex(&name##_lock); \
	} \
	static void give_##name(void) \
	{ \
		give_mutex(&name##_lock); \
	} \
	static NOINLINE void wait_##name(int waiter) \
	{ \
		(void)waiter; \
		must(pthread_mutex_lock(&name##_lock), "pthread_mutex_lock"); \
	} \
	static void leave_##name(int waiter) \
	{ \
		(void)waiter; \
		give_mutex(&name##_lock); \
	} \
	static void *at_##name(int waiter) \
	{ \
		(void)waiter; \
		return &name##_lock; \
	}

MUTEXES(MUTEX_FUNCTIONS)
#undef MUTEX_FUNCTIONS

static void take_twice(void)
{
	take_recursive();
	take_recursive();
}

static void give_twice(void)
{
	give_recursive();
	give_recursive();
}

static struct timespec real_in(uint64_t ns)
{
	return to_timespec(clock_ns(CLOCK_REALTIME) + ns);
}

/* Gives up and tries again, three times in the time that it is held. */
static uint64_t patience_ns;
static pthread_mutex_t impatient_lock = PTHREAD_MUTEX_INITIALIZER;

static void take_impatient(void)
{
	take_mutex(&impatient_lock);
}

static void give_impatient(void)
{
	give_mutex(&impatient_lock);
}

static NOINLINE void wait_impatient(int waiter)
{
	int err;

	(void)waiter;
	do {
		struct timespec until = real_in(patience_ns);
		err = pthread_mutex_timedlock(&impatient_lock, &until);
	} while (err == ETIMEDOUT);
	must(err, "pthread_mutex_timedlock");
}

/* Never waits. */
static NOINLINE void wait_trying(int waiter)
{
	int err;

	(void)waiter;
	do
		err = pthread_mutex_trylock(&impatient_lock);
	while (err == EBUSY);
	must(err, "pthread_mutex_trylock");
}

static void leave_impatient(int waiter)
{
	(void)waiter;
	give_impatient();
}

static void *at_impatient(int waiter)
{
	(void)waiter;
	return &impatient_lock;
}

/* Two locks without a name that are waited for at one place. */
static pthread_mutex_t *heap_locks;

static void init_heap(void)
{
	heap_locks = calloc(2, sizeof(*heap_locks));
	if (!heap_locks)
		die("calloc");
}

static void take_heap(void)
{
	take_mutex(&heap_locks[0]);
	take_mutex(&heap_locks[1]);
}

static void give_heap(void)
{
	give_mutex(&heap_locks[0]);
	give_mutex(&heap_locks[1]);
}

static NOINLINE void wait_heap(int waiter)
{
	must(pthread_mutex_lock(&heap_locks[waiter]), "pthread_mutex_lock");
}

static void leave_heap(int waiter)
{
	give_mutex(&heap_locks[waiter]);
}

static void *at_heap(int waiter)
{
	return &heap_locks[waiter];
}

enum { SHARED_AT = 256 };	/* in that memory: the rounds have theirs before it */

static pthread_mutex_t *shared_lock;

static void init_shared(void)
{
	shared_lock = (void *)((char *)lock_shared_memory(SHARED_AT + sizeof(*shared_lock)) + SHARED_AT);
	init_mutex(shared_lock, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_SHARED);
}

static void take_shared(void)
{
	take_mutex(shared_lock);
}

static void give_shared(void)
{
	give_mutex(shared_lock);
}

static NOINLINE void wait_shared(int waiter)
{
	(void)waiter;
	must(pthread_mutex_lock(shared_lock), "pthread_mutex_lock");
}

static void leave_shared(int waiter)
{
	(void)waiter;
	give_shared();
}

/* Its place in what stands for a file. */
static void *at_shared(int waiter)
{
	(void)waiter;
	return (void *)SHARED_AT;
}

static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;

static void take_write(void)
{
	must(pthread_rwlock_wrlock(&table_lock), "pthread_rwlock_wrlock");
}

static void take_read(void)
{
	must(pthread_rwlock_rdlock(&table_lock), "pthread_rwlock_rdlock");
}

static void give_table(void)
{
	must(pthread_rwlock_unlock(&table_lock), "pthread_rwlock_unlock");
}

static NOINLINE void wait_reader(int waiter)
{
	(void)waiter;
	must(pthread_rwlock_rdlock(&table_lock), "pthread_rwlock_rdlock");
}

static NOINLINE void wait_writer(int waiter)
{
	(void)waiter;
	must(pthread_rwlock_wrlock(&table_lock), "pthread_rwlock_wrlock");
}

static void leave_table(int waiter)
{
	(void)waiter;
	give_table();
}

static void *at_table(int waiter)
{
	(void)waiter;
	return &table_lock;
}

static sem_t slots;

static void give_slots(void)
{
	if (sem_post(&slots) || sem_post(&slots))
		die("sem_post");
}

static NOINLINE void wait_slot(int waiter)
{
	(void)waiter;
	if (sem_wait(&slots))
		die("sem_wait");
}

static NOINLINE void wait_slot_timed(int waiter)
{
	struct timespec until = real_in(FOREVER);

	(void)waiter;
	if (sem_timedwait(&slots, &until))
		die("sem_timedwait");
}

static void *at_slots(int waiter)
{
	(void)waiter;
	return &slots;
}

static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t news_lock = PTHREAD_MUTEX_INITIALIZER;
static bool has_news;
static uint64_t news_hold_ns;

static void give_news(void)
{
	take_mutex(&news_lock);
	has_news = true;
	give_mutex(&news_lock);
	must(pthread_cond_signal(&news), "pthread_cond_signal");
}

/* Who was told finds the mutex taken. */
static void give_news_slowly(void)
{
	take_mutex(&news_lock);
	has_news = true;
	must(pthread_cond_signal(&news), "pthread_cond_signal");
	sleep_until(now_ns() + news_hold_ns);
	give_mutex(&news_lock);
}

static NOINLINE void wait_news(int waiter)
{
	(void)waiter;
	take_mutex(&news_lock);
	while (!has_news)
		must(pthread_cond_wait(&news, &news_lock), "pthread_cond_wait");
	has_news = false;
	give_mutex(&news_lock);
}

static void *at_news(int waiter)
{
	(void)waiter;
	return &news;
}

static pthread_t child;
static uint64_t child_ns;

static void *run_child(void *arg)
{
	sleep_until(now_ns() + child_ns);
	return arg;
}

static void take_child(void)
{
	child = start_thread(run_child, NULL);
}

static void give_nothing(void)
{
}

static NOINLINE void wait_child(int waiter)
{
	(void)waiter;
	must(pthread_join(child, NULL), "pthread_join");
}

static void *at_nothing(int waiter)
{
	(void)waiter;
	return NULL;
}

static pthread_barrier_t gate;

static void init_gate(void)
{
	must(pthread_barrier_init(&gate, NULL, 3), "pthread_barrier_init");
}

static void give_gate(void)
{
	pthread_barrier_wait(&gate);
}

static NOINLINE void wait_gate(int waiter)
{
	(void)waiter;
	if (pthread_barrier_wait(&gate) > 0)
		die("pthread_barrier_wait");
}

static void *at_gate(int waiter)
{
	(void)waiter;
	return &gate;
}

/* Linux 5.16's call, which the C library has no function for: two words, of which the first one ends the wait. */
struct vector_wait {
	uint64_t val, word;
	uint32_t flags, pad;
};

enum { NR_FUTEX_WAITV = 449, WAKE_PRIVATE = 1 | 128, WORDS_OF_32_PRIVATE = 2 | 128 };

static uint32_t vector[2];

static void take_vector(void)
{
	__atomic_store_n(&vector[0], 0, __ATOMIC_SEQ_CST);
}

static void give_vector(void)
{
	__atomic_store_n(&vector[0], 1, __ATOMIC_SEQ_CST);
	if (syscall(SYS_futex, &vector[0], WAKE_PRIVATE, INT_MAX, NULL, NULL, 0) < 0)
		die("futex");
}

static NOINLINE void wait_vector(int waiter)
{
	const struct vector_wait words[] = {
		{ .word = (uintptr_t)&vector[0], .flags = WORDS_OF_32_PRIVATE },
		{ .word = (uintptr_t)&vector[1], .flags = WORDS_OF_32_PRIVATE },
	};

	(void)waiter;
	while (!__atomic_load_n(&vector[0], __ATOMIC_SEQ_CST)) {
		if (syscall(NR_FUTEX_WAITV, words, 2, 0, NULL, CLOCK_MONOTONIC) < 0 && errno != EAGAIN)
			die("futex_waitv");
	}
}

static void *at_vector(int waiter)
{
	(void)waiter;
	return vector;
}

#define MUTEX_CASE(name_, type, protocol, robust, owned_) \
	{ #name_, "mutex", #name_ "_lock", "wait_" #name_, 2, false, owned_, false, init_##name_, take_##name_, give_##name_, \
	  wait_##name_, leave_##name_, at_##name_, sizeof(pthread_mutex_t) },

static const struct lock_case cases[] = {
	MUTEXES(MUTEX_CASE)
	{ "twice", "mutex", "recursive_lock", "wait_recursive", 1, false, true, false, init_recursive, take_twice, give_twice,
	  wait_recursive, leave_recursive, at_recursive, sizeof(pthread_mutex_t) },
	{ "impatient", "mutex", "impatient_lock", "wait_impatient", 1, false, NORMAL_OWNED, false, NULL, take_impatient,
	  give_impatient, wait_impatient, leave_impatient, at_impatient, sizeof(pthread_mutex_t) },
	{ "trying", "mutex", "impatient_lock", "wait_trying", 1, false, NORMAL_OWNED, true, NULL, take_impatient,
	  give_impatient, wait_trying, leave_impatient, at_impatient, sizeof(pthread_mutex_t) },
	{ "heap", "mutex", "-", "wait_heap", 2, false, NORMAL_OWNED, false, init_heap, take_heap, give_heap, wait_heap,
	  leave_heap, at_heap, sizeof(pthread_mutex_t) },
	{ "shared", "mutex", "-", "wait_shared", 2, true, NORMAL_OWNED, false, init_shared, take_shared, give_shared,
	  wait_shared, leave_shared, at_shared, sizeof(pthread_mutex_t) },
	{ "reader", "rwlock", "table_lock", "wait_reader", 2, false, false, false, NULL, take_write, give_table, wait_reader,
	  leave_table, at_table, sizeof(pthread_rwlock_t) },
	{ "writer", "rwlock", "table_lock", "wait_writer", 2, false, false, false, NULL, take_read, give_table, wait_writer,
	  leave_table, at_table, sizeof(pthread_rwlock_t) },
	{ "sem", "sem", "slots", "wait_slot", 2, false, false, false, NULL, NULL, give_slots, wait_slot, NULL, at_slots,
	  sizeof(sem_t) },
	{ "semtimed", "sem", "slots", "wait_slot_timed", 2, false, false, false, NULL, NULL, give_slots, wait_slot_timed, NULL,
	  at_slots, sizeof(sem_t) },
	{ "cond", "cond", "news", "wait_news", 1, false, false, false, NULL, NULL, give_news, wait_news, NULL, at_news,
	  sizeof(pthread_cond_t) },
	{ "relock", "cond", "news", "wait_news", 1, false, false, false, NULL, NULL, give_news_slowly, wait_news, NULL, at_news,
	  sizeof(pthread_cond_t) },
	{ "join", "join", "-", "wait_child", 1, false, false, false, NULL, take_child, give_nothing, wait_child, NULL,
	  at_nothing, 0 },
	{ "barrier", "barrier", "gate", "wait_gate", 2, false, false, false, init_gate, NULL, give_gate, wait_gate, NULL,
	  at_gate, sizeof(pthread_barrier_t) },
	{ "vector", "other", "vector", "wait_vector", 2, false, false, false, NULL, take_vector, give_vector, wait_vector,
	  NULL, at_vector, sizeof(vector) },
};

int main(int argc, char **argv)
{
	uint64_t hold_ns = arg_number(argc, argv, 1, 20000) * NSEC_PER_USEC;
	long rounds = arg_number(argc, argv, 2, 25);

	child_ns = news_hold_ns = hold_ns;
	patience_ns = hold_ns / 4;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool wanted = argc < 4;
		for (int a = 3; a < argc; a++)
			wanted |= !strcmp(argv[a], cases[i].name);
		if (wanted)
			lock_run_case(&cases[i], hold_ns, rounds);
	}
	printf("relocked news_lock at 0x%" PRIxPTR " size %zu\n", (uintptr_t)&news_lock, sizeof(news_lock));
	return 0;
}
