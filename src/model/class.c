/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "class.h"

#include <linux/futex.h>
#include <stdio.h>
#include <string.h>

#include "../../bpf/record.h"

static const char *const words[] = {
	[CLASS_NONE] = "",
	[CLASS_TIMER] = "timer",
	[CLASS_TASK] = "task",
	[CLASS_IRQ] = "irq",
	[CLASS_NEW] = "new",
	[CLASS_NANOSLEEP] = "nanosleep",
	[CLASS_POLL] = "poll",
	[CLASS_EPOLL] = "epoll",
	[CLASS_FUTEX] = "futex",
	[CLASS_TIMERFD] = "timerfd",
	[CLASS_POSIX] = "posix",
	[CLASS_ITIMER] = "itimer",
	[CLASS_ALARM] = "alarm",
	[CLASS_MUTEX] = "mutex",
	[CLASS_OTHER] = "other",
	[CLASS_SLEEP] = "sleep",
	[CLASS_FAULT] = "fault",
	[CLASS_KERNEL] = "kernel",
	[CLASS_COMPAT] = "compat",
	[CLASS_UNKNOWN] = "unknown",
	[CLASS_RWLOCK] = "rwlock",
	[CLASS_COND] = "cond",
	[CLASS_SEM] = "sem",
	[CLASS_GO_IDLE] = "go-idle",
	[CLASS_GO_RUNTIME] = "go-runtime",
	[CLASS_WAITGROUP] = "waitgroup",
	[CLASS_TICKER] = "ticker",
	[CLASS_FUNC] = "func",
	[CLASS_DEADLINE] = "deadline",
	[CLASS_READIED] = "readied",
	[CLASS_PREEMPTED] = "preempted",
	[CLASS_YIELDED] = "yielded",
	[CLASS_IN_SYSCALL] = "syscall",
	[CLASS_SAMPLED] = "sampled",
	[CLASS_BLOCKED] = "blocked",
	[CLASS_SEND] = "send",
	[CLASS_RECEIVE] = "receive",
	[CLASS_SELECT] = "select",
	[CLASS_JOIN] = "join",
	[CLASS_BARRIER] = "barrier",
};

/* System calls with a class of their own; CLASS_NONE: the call's own name. */
static const struct {
	const char *name;
	uint16_t drift, block;
} special[] = {
	{"nanosleep", CLASS_NANOSLEEP, CLASS_SLEEP},
	{"clock_nanosleep", CLASS_NANOSLEEP, CLASS_SLEEP},
	{"pause", CLASS_NONE, CLASS_SLEEP},
	{"rt_sigtimedwait", CLASS_NONE, CLASS_SLEEP},
	{"rt_sigsuspend", CLASS_NONE, CLASS_SLEEP},
	{"poll", CLASS_POLL, CLASS_POLL},
	{"ppoll", CLASS_POLL, CLASS_POLL},
	{"select", CLASS_POLL, CLASS_POLL},
	{"pselect6", CLASS_POLL, CLASS_POLL},
	{"epoll_wait", CLASS_EPOLL, CLASS_POLL},
	{"epoll_pwait", CLASS_EPOLL, CLASS_POLL},
	{"epoll_pwait2", CLASS_EPOLL, CLASS_POLL},
	{"futex", CLASS_FUTEX, CLASS_FUTEX},
	{"futex_wait", CLASS_FUTEX, CLASS_FUTEX},
	{"futex_waitv", CLASS_FUTEX, CLASS_FUTEX},
};

static void classify(struct classes *c, int nr, const char *name)
{
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if (strcmp(special[i].name, name))
			continue;
		if (special[i].drift)
			c->drift[nr] = special[i].drift;
		if (special[i].block)
			c->block[nr] = special[i].block;
	}
	if (!strcmp(name, "futex"))
		c->futex_nr = nr;
}

void classes_init(struct classes *c)
{
	c->futex_nr = -1;
	for (int nr = 0; nr < CLASSES_SYSCALL_CNT; nr++) {
		const char *name = syscall_name(nr);

		c->drift[nr] = c->block[nr] = CLASS_SYSCALL + nr;
		if (name)
			classify(c, nr, name);
	}
}

static uint32_t class_of_syscall(const uint16_t *table, int nr)
{
	if (nr >= CLASSES_SYSCALL_CNT)
		return CLASS_SYSCALL + (uint32_t)nr;
	if (nr >= 0)
		return table[nr];
	switch (nr) {
	case SYSCALL_FAULT:
		return CLASS_FAULT;
	case SYSCALL_KERNEL:
		return CLASS_KERNEL;
	case SYSCALL_COMPAT:
		return CLASS_COMPAT;
	default:
		return CLASS_UNKNOWN;
	}
}

uint32_t class_of_drift(const struct classes *c, const struct rec_wait *w)
{
	switch ((enum timer_kind)w->timer) {
	case TIMER_SLEEPER:
		return class_of_syscall(c->drift, w->syscall);
	case TIMER_TIMERFD:
		return CLASS_TIMERFD;
	case TIMER_POSIX:
		return CLASS_POSIX;
	case TIMER_ITIMER:
		return CLASS_ITIMER;
	case TIMER_ALARM:
		return CLASS_ALARM;
	case TIMER_NONE:
	case TIMER_JIFFIES:
	case TIMER_GO:
		break;
	}
	return CLASS_UNKNOWN;
}

uint32_t class_of_runq(const struct rec_wait *w)
{
	static const uint8_t class_of[] = {
		[WOKEN_NOT] = CLASS_NONE,
		[WOKEN_TIMER] = CLASS_TIMER,
		[WOKEN_TASK] = CLASS_TASK,
		[WOKEN_IRQ] = CLASS_IRQ,
		[WOKEN_NEW] = CLASS_NEW,
	};

	return class_of[w->woken_by];
}

uint32_t class_of_block(const struct classes *c, int nr)
{
	return class_of_syscall(c->block, nr);
}

int futex_op(const struct classes *c, const struct rec_wait *w)
{
	/* Only the multiplexed call has an op: its siblings' flags would be mistaken for one. */
	if (w->syscall != c->futex_nr)
		return -1;
	return (int)(w->futex_op & FUTEX_CMD_MASK);
}

bool is_futex_pi(int op)
{
	return op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2;
}

bool is_lock_class(uint32_t klass)
{
	return klass == CLASS_MUTEX || klass == CLASS_RWLOCK || klass == CLASS_SEM || klass == CLASS_GO_RUNTIME;
}

/* glibc's lock that somebody waits for (lowlevellock.c): no other kind of its words is waited for with this op. */
static bool is_low_level(int op, const struct rec_wait *w)
{
	return op == FUTEX_WAIT && w->futex_val == WORD_LLL_WAITERS;
}

/* A thread's id and FUTEX_WAITERS: robust mutexes, those of musl. */
static bool has_owner(const struct names *names, const struct rec_wait *w)
{
	return w->futex_val & FUTEX_WAITERS &&
	       names_thread(names, w->tgid, w->futex_val & FUTEX_TID_MASK, w->off);
}

static uint32_t class_by_word(int op, const struct names *names, const struct rec_wait *w)
{
	if (is_futex_pi(op) || op == FUTEX_WAIT_REQUEUE_PI || is_low_level(op, w) || has_owner(names, w))
		return CLASS_MUTEX;
	return CLASS_OTHER;
}

uint32_t class_of_futex(const struct classes *c, struct names *names, const struct rec_wait *w)
{
	uint32_t klass = names_futex_class(names, w->tgid, w->stack);
	int op = futex_op(c, w);

	/* without its symbols the stack does not show that it takes its mutex again */
	if (klass == CLASS_COND && is_low_level(op, w) && names_lock_word(names, w->tgid, w->stack) == WORD_COND)
		return CLASS_MUTEX;
	if (klass != CLASS_NONE)
		return klass;
	if (w->goid == GOID_PARKED)
		return CLASS_GO_IDLE;
	if (w->goid == GOID_SCHEDULER)
		return CLASS_GO_RUNTIME;
	return class_by_word(op, names, w);
}

uint32_t class_of_go_drift(const struct rec_go *r)
{
	static const uint8_t class_of[] = {
		[GO_TIMER_NONE] = CLASS_NONE,
		[GO_TIMER_SLEEP] = CLASS_SLEEP,
		[GO_TIMER_TIMER] = CLASS_TIMER,
		[GO_TIMER_TICKER] = CLASS_TICKER,
		[GO_TIMER_FUNC] = CLASS_FUNC,
		[GO_TIMER_DEADLINE] = CLASS_DEADLINE,
	};

	return class_of[r->timer];
}

uint32_t class_of_go_runq(const struct rec_go *r)
{
	static const uint8_t class_of[] = {
		[GO_UNSEEN] = CLASS_UNKNOWN,
		[GO_READIED] = CLASS_READIED,
		[GO_PREEMPTED] = CLASS_PREEMPTED,
		[GO_YIELDED] = CLASS_YIELDED,
		[GO_NEW] = CLASS_NEW,
		[GO_SYSCALL] = CLASS_IN_SYSCALL,
		[GO_NETPOLL] = CLASS_READIED,
	};

	return r->sampled ? CLASS_SAMPLED : class_of[r->cause];
}

/* waitReasonStrings of runtime/runtime2.go, Go 1.17 to 1.27; until 1.19 all of sync is "semacquire". */
static const struct go_wait go_waits[] = {
	{"chan receive", METRIC_GOROUTINE_CHAN, CLASS_RECEIVE},
	{"chan receive (nil chan)", METRIC_GOROUTINE_CHAN, CLASS_RECEIVE},
	{"chan send", METRIC_GOROUTINE_CHAN, CLASS_SEND},
	{"chan send (nil chan)", METRIC_GOROUTINE_CHAN, CLASS_SEND},
	{"select", METRIC_GOROUTINE_CHAN, CLASS_SELECT},
	{"select (no cases)", METRIC_GOROUTINE_CHAN, CLASS_SELECT},
	{"semacquire", METRIC_GOROUTINE_LOCK, CLASS_NONE},
	{"sync.Mutex.Lock", METRIC_GOROUTINE_LOCK, CLASS_MUTEX},
	{"sync.RWMutex.RLock", METRIC_GOROUTINE_LOCK, CLASS_RWLOCK},
	{"sync.RWMutex.Lock", METRIC_GOROUTINE_LOCK, CLASS_RWLOCK},
	{"sync.Cond.Wait", METRIC_GOROUTINE_LOCK, CLASS_COND},
	{"sync.WaitGroup.Wait", METRIC_GOROUTINE_LOCK, CLASS_WAITGROUP},
};

const struct go_wait *class_of_go_wait(const char *reason)
{
	for (size_t i = 0; i < sizeof(go_waits) / sizeof(go_waits[0]); i++) {
		if (!strcmp(go_waits[i].reason, reason))
			return &go_waits[i];
	}
	return NULL;
}

uint32_t class_of_sync(const char *func, uint32_t otherwise)
{
	static const struct {
		const char *method;
		uint32_t klass;
	} types[] = {
		{"sync.(*Mutex).", CLASS_MUTEX},
		{"sync.(*RWMutex).", CLASS_RWLOCK},
		{"sync.(*WaitGroup).", CLASS_WAITGROUP},
		{"sync.(*Once).", CLASS_MUTEX},
	};
	static const char internal[] = "internal/";	/* where Mutex is from 1.24 on */

	if (!strncmp(func, internal, sizeof(internal) - 1))
		func += sizeof(internal) - 1;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strncmp(func, types[i].method, strlen(types[i].method)))
			return types[i].klass;
	}
	return otherwise;
}

const char *class_name(uint32_t klass, char *buf, size_t size)
{
	const char *word = NULL;

	if (klass < sizeof(words) / sizeof(words[0]))
		word = words[klass];
	else if (klass >= CLASS_SYSCALL && klass - CLASS_SYSCALL <= INT16_MAX)
		word = syscall_name((int)(klass - CLASS_SYSCALL));
	if (word)
		snprintf(buf, size, "%s", word);
	else if (klass >= CLASS_SYSCALL && klass < CLASS_STW)
		snprintf(buf, size, "syscall_%u", klass - CLASS_SYSCALL);
	else
		snprintf(buf, size, "class_%u", klass);
	return buf;
}
