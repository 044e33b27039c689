/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Go processes as read from outside, against a program of known goroutines (tests/workloads/go/crowd.go).
 * CROWD=PATH takes another build of that program: of another version, position-independent, stripped, ...
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/go/process.h"
#include "src/go/reader.h"

enum { SITES = 257, STACKS = 600, TGID = 77, PATIENCE_S = 20 };

struct seen {
	struct rec_gosnap snap;
	struct rec_gosite sites[SITES];
	struct rec_stack stacks[STACKS];
	size_t snaps, site_cnt, stack_cnt;
	uint64_t hist[GO_HIST_STW_TOTAL_OTHER + 1];
};

struct crowd {
	pid_t pid;
	FILE *in, *out;
	unsigned int goroutines, gomaxprocs;
	struct go_binary *binary;
	struct go_runtime runtime;
	struct go_process_reader *reader;
	struct seen seen;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static const char *crowd_path(void)
{
	static char path[512];
	const char *own = getenv("CROWD"), *b = getenv("B");

	snprintf(path, sizeof(path), "%s/workloads/go/crowd", b ? b : "build");
	return own ? own : path;
}

static void start_program(struct crowd *c, char *const args[])
{
	int in[2], out[2];

	assert_false(pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC));
	c->pid = fork();
	assert_true(c->pid >= 0);
	if (!c->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execv(args[0], args);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	c->in = fdopen(in[1], "w");
	c->out = fdopen(out[0], "r");
	assert_true(c->in && c->out);
}

static void read_until(struct crowd *c, const char *word)
{
	char line[100];

	while (fgets(line, sizeof(line), c->out)) {
		line[strcspn(line, "\n")] = '\0';
		sscanf(line, "goroutines %u", &c->goroutines);
		sscanf(line, "gomaxprocs %u", &c->gomaxprocs);
		if (!strcmp(line, word))
			return;
	}
	fail_msg("the program ended before it said %s", word);
}

static void tell(struct crowd *c, const char *line)
{
	fprintf(c->in, "%s\n", line);
	fflush(c->in);
	read_until(c, "done");
}

static void open_crowd(struct crowd *c, const char *options)
{
	char line[300], *args[40] = {(char *)crowd_path()}, why[GO_WHY] = "", *save;
	int cnt = 1, err;

	*c = (struct crowd){.pid = 0};
	snprintf(line, sizeof(line), "%s", options);
	for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save))
		args[cnt++] = word;
	start_program(c, args);
	read_until(c, "ready");
	err = go_binary_open(args[0], &c->binary, why);
	if (!err)
		err = go_runtime_resolve(c->binary, &c->runtime, why);
	if (!err)
		err = go_process_open((uint32_t)c->pid, c->binary, &c->runtime, &c->reader, why);
	if (err)
		fail_msg("%s: %s", why, strerror(-err));
}

static void close_crowd(struct crowd *c)
{
	fclose(c->in);
	fclose(c->out);
	assert_int_equal(waitpid(c->pid, NULL, 0), c->pid);
	go_process_close(c->reader);
	go_binary_close(c->binary);
}

static int take(void *ctx, const void *rec, size_t len)
{
	const struct rec_hdr *hdr = rec;
	struct seen *seen = ctx;

	assert_int_equal(hdr->len, len);
	switch (hdr->kind) {
	case REC_GOSNAP_KIND:
		seen->snaps++;
		memcpy(&seen->snap, rec, len);
		break;
	case REC_GOSITE_KIND:
		assert_true(seen->site_cnt < SITES);
		memcpy(&seen->sites[seen->site_cnt++], rec, len);
		break;
	case REC_STACK_KIND:
		assert_true(seen->stack_cnt < STACKS);
		memcpy(&seen->stacks[seen->stack_cnt++], rec, len);
		break;
	case REC_GOHIST_KIND: {
		const struct rec_gohist *hist = rec;

		assert_true(hist->lo_ns < hist->hi_ns && hist->count > 0);
		seen->hist[hist->which] += hist->count;
		break;
	}
	default:
		fail_msg("a record of kind %u", hdr->kind);
	}
	return 0;
}

/* Stacks are given once, so they stay from one to the next. */
static void snapshot(struct crowd *c)
{
	struct seen *seen = &c->seen;

	seen->site_cnt = seen->snaps = 0;
	memset(seen->hist, 0, sizeof(seen->hist));
	assert_int_equal(go_process_snapshot(c->reader, TGID, now_ns(), take, seen), 0);
	assert_int_equal(seen->snaps, 1);
}

static bool is_func(const struct crowd *c, uint64_t pc, bool is_return, const char *name)
{
	struct go_frame frames[16];
	size_t cnt = go_binary_resolve(c->binary, pc - go_process_bias(c->reader), is_return, frames, 16);

	for (size_t i = 0; i < cnt; i++)
		if (!strcmp(frames[i].func, name))
			return true;
	return false;
}

static const struct rec_gosite *site(const struct crowd *c, const char *func, uint32_t status)
{
	uint64_t addr = 0, size;

	assert_true(go_binary_func(c->binary, func, &addr, &size));
	for (size_t i = 0; i < c->seen.site_cnt; i++)
		if (c->seen.sites[i].startpc == addr + go_process_bias(c->reader) && c->seen.sites[i].status == status)
			return &c->seen.sites[i];
	return NULL;
}

static uint32_t count_at(const struct crowd *c, const char *func, uint32_t status)
{
	const struct rec_gosite *s = site(c, func, status);

	return s ? s->count : 0;
}

struct kind {
	const char *func;
	uint32_t status, cnt;
	const char *reason, *reason_old;	/* old: until 1.19 */
};

static const char all_kinds[] = "-receive 7 -send 6 -select 5 -mutex 4 -sleep 3 -cond 9 -wait 8 -read 2 -locked 3 "
				"-labels 2 -timers 11";

static const struct kind kinds[] = {
	{"main.inReceive", GO_WAITING, 7, "chan receive", NULL},
	{"main.inSend", GO_WAITING, 6, "chan send", NULL},
	{"main.inSelect", GO_WAITING, 5, "select", NULL},
	{"main.inMutex", GO_WAITING, 4, "sync.Mutex.Lock", "semacquire"},
	{"main.inSleep", GO_WAITING, 3, "sleep", NULL},
	{"main.inCond", GO_WAITING, 9, "sync.Cond.Wait", NULL},
	{"main.inWait", GO_WAITING, 8, "sync.WaitGroup.Wait", "semacquire"},
	{"main.inLocked", GO_WAITING, 3, "chan receive", NULL},
	{"main.inLabels", GO_WAITING, 2, "chan receive", NULL},
	{"main.inRead", GO_SYSCALLING, 2, NULL, NULL},
	{"runtime.main", GO_SYSCALLING, 1, NULL, NULL},
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

static bool is_settled(const struct crowd *c)
{
	for (size_t i = 0; i < KINDS; i++)
		if (count_at(c, kinds[i].func, kinds[i].status) != kinds[i].cnt)
			return false;
	return !c->seen.snap.runnable && !c->seen.snap.running;
}

/* The program says that it is ready when its last goroutine is about to block, not when it has. */
static void wait_settled(struct crowd *c)
{
	uint64_t end = now_ns() + PATIENCE_S * 1000000000ull;

	do
		snapshot(c);
	while (!is_settled(c) && now_ns() < end);
	for (size_t i = 0; i < KINDS; i++)
		assert_int_equal(count_at(c, kinds[i].func, kinds[i].status), kinds[i].cnt);
}

static bool is_system(const struct crowd *c, const struct rec_gosite *s)
{
	struct go_frame f;

	if (!go_binary_resolve(c->binary, s->startpc - go_process_bias(c->reader), false, &f, 1))
		return false;
	return !strncmp(f.func, "runtime.", 8) && strcmp(f.func, "runtime.main");
}

static void counts_what_is_there(void **state)
{
	const struct rec_gosnap *snap;
	uint32_t sum = 0, system = 0;
	struct crowd c;

	(void)state;
	open_crowd(&c, all_kinds);
	wait_settled(&c);
	snap = &c.seen.snap;
	for (size_t i = 0; i < c.seen.site_cnt; i++) {
		sum += c.seen.sites[i].count;
		system += is_system(&c, &c.seen.sites[i]) ? c.seen.sites[i].count : 0;
	}
	assert_int_equal(sum, snap->goroutines);
	assert_int_equal(snap->goroutines - system, c.goroutines);
	assert_int_equal(snap->runnable + snap->running + snap->in_syscall + snap->waiting, snap->goroutines);
	assert_int_equal(snap->in_syscall, 3);
	assert_int_equal(snap->ms_syscall, 3);
	assert_int_equal(snap->ms_locked, 3);
	assert_true(snap->ms >= 6 && snap->ms_idle <= snap->ms - 6);
	assert_int_equal(snap->ps, c.gomaxprocs);
	assert_int_equal(snap->ps_idle + snap->ps_running + snap->ps_syscall + snap->ps_stopped, snap->ps);
	assert_int_equal(snap->runq_local + snap->runq_global, 0);
	/* The sleepers', those that are armed, and what the runtime itself may have. */
	assert_true(snap->timers >= 14 && snap->timers <= 16 && snap->timers_max <= snap->timers);
	assert_int_equal(snap->gc_waiting, 0);
	assert_true(snap->sched_ticks > 0);
	assert_int_equal(snap->partial, 0);
	assert_int_equal(snap->tgid, TGID);
	assert_true(snap->took_ns > 0);
	close_crowd(&c);
}

static const struct rec_stack *stack_of(const struct crowd *c, const struct rec_gosite *s)
{
	for (size_t i = 0; i < c->seen.stack_cnt; i++)
		if (c->seen.stacks[i].id == s->stack)
			return &c->seen.stacks[i];
	return NULL;
}

static void stacks_and_reasons_tell_where_they_wait(void **state)
{
	struct crowd c;
	size_t stacks;

	(void)state;
	open_crowd(&c, all_kinds);
	wait_settled(&c);
	for (size_t i = 0; i < KINDS; i++) {
		const struct rec_gosite *s = site(&c, kinds[i].func, kinds[i].status);
		const char *reason = go_runtime_word(c.binary, GO_WORD_REASON, s->reason);
		const struct rec_stack *stack = stack_of(&c, s);
		bool found = false;

		if (s->startpc != site(&c, "runtime.main", GO_SYSCALLING)->startpc)
			assert_true(is_func(&c, s->gopc, true, "main.main"));
		if (!kinds[i].reason)
			continue;
		assert_non_null(reason);
		if (strcmp(reason, kinds[i].reason))
			assert_string_equal(reason, kinds[i].reason_old ? kinds[i].reason_old : kinds[i].reason);
		assert_non_null(stack);
		assert_true(is_func(&c, stack->pc0, true, "runtime.gopark"));
		for (const __u64 *pc = &stack->pc0; pc <= &stack->pc11 && *pc; pc++)
			found |= is_func(&c, *pc, true, kinds[i].func);
		assert_true(found);
	}
	stacks = c.seen.stack_cnt;
	snapshot(&c);
	assert_int_equal(c.seen.stack_cnt, stacks);
	close_crowd(&c);
}

static void labels_are_read(void **state)
{
	struct crowd c;
	uint64_t labels;
	char text[200];

	(void)state;
	open_crowd(&c, all_kinds);
	wait_settled(&c);
	assert_int_equal(site(&c, "main.inReceive", GO_WAITING)->labels, 0);
	labels = site(&c, "main.inLabels", GO_WAITING)->labels;
	assert_int_equal(go_process_labels(c.reader, labels, text, sizeof(text)), 0);
	assert_string_equal(text, "kind=batch,tenant=blue");
	assert_int_equal(go_process_labels(c.reader, 8, text, sizeof(text)), -EIO);
	close_crowd(&c);
}

static void waits_have_an_age_once_the_collector_looked(void **state)
{
	uint64_t since;
	uint32_t cycles;
	struct crowd c;

	(void)state;
	open_crowd(&c, all_kinds);
	wait_settled(&c);
	since = now_ns();
	cycles = c.seen.snap.gc_cycles;
	/* Each tells what waits the time of the one before. */
	tell(&c, "gc");
	tell(&c, "gc");
	wait_settled(&c);
	assert_true(c.seen.snap.gc_cycles >= cycles + 2);
	for (size_t i = 0; i + 1 < KINDS; i++) {
		uint64_t oldest = site(&c, kinds[i].func, kinds[i].status)->oldest_ns;

		assert_true(oldest > 0 && oldest <= c.seen.snap.time - since);
	}
	close_crowd(&c);
}

static void histograms_grow_by_what_ran(void **state)
{
	const uint32_t ran = 8000;
	char line[40];
	struct crowd c;

	(void)state;
	open_crowd(&c, "");
	snapshot(&c);
	for (size_t i = 0; i < sizeof(c.seen.hist) / sizeof(*c.seen.hist); i++)
		assert_int_equal(c.seen.hist[i], 0);
	snprintf(line, sizeof(line), "churn %u", ran);
	tell(&c, line);
	snapshot(&c);
	/* One in eight departures is measured, from a random one on. */
	assert_in_range(c.seen.hist[GO_HIST_RUN], ran / 12, ran / 4);
	snapshot(&c);
	assert_true(c.seen.hist[GO_HIST_RUN] < ran / 12);
	close_crowd(&c);
}

static void small_groups_are_summed_up(void **state)
{
	uint64_t end = now_ns() + PATIENCE_S * 1000000000ull;
	uint32_t sum = 0;
	struct crowd c;

	(void)state;
	open_crowd(&c, "-receive 50 -tenants 400");
	do
		snapshot(&c);
	while (c.seen.snap.waiting < 450 && now_ns() < end);
	assert_int_equal(c.seen.site_cnt, SITES);
	assert_int_equal(c.seen.sites[0].count, 50);
	assert_int_equal(c.seen.sites[SITES - 1].startpc, 0);
	assert_int_equal(c.seen.sites[SITES - 1].gopc, 0);
	for (size_t i = 0; i < SITES; i++)
		sum += c.seen.sites[i].count;
	assert_int_equal(sum, c.seen.snap.goroutines);
	close_crowd(&c);
}

static void many_are_read_quickly(void **state)
{
	uint64_t best = UINT64_MAX;
	struct crowd c;

	(void)state;
	open_crowd(&c, "-receive 10000");
	for (int i = 0; i < 10; i++) {
		snapshot(&c);
		if (c.seen.snap.took_ns < best)
			best = c.seen.snap.took_ns;
	}
	assert_true(c.seen.snap.goroutines > 10000);
	print_message("10000 goroutines: %llu us\n", (unsigned long long)best / 1000);
	assert_true(best < 50000000);
	close_crowd(&c);
}

#define WRONG(field, by) {offsetof(struct go_layout, field), by, #field}

static void wrong_layouts_are_refused(void **state)
{
	static const struct {
		size_t field;
		int by;
		const char *name;
	} wrongs[] = {
		WRONG(m_curg, 8), WRONG(m_curg, -8), WRONG(m_procid, 8), WRONG(m_procid, -8), WRONG(m_alllink, -8),
		WRONG(g_status, 8), WRONG(g_status, 16), WRONG(g_startpc, 8),
	};
	struct crowd c;

	(void)state;
	open_crowd(&c, "-receive 20 -read 4");
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		struct go_runtime wrong = c.runtime;
		struct go_process_reader *reader = NULL;
		char why[GO_WHY] = "";
		int err;

		*(uint16_t *)((char *)&wrong.layout + wrongs[i].field) += (uint16_t)wrongs[i].by;
		err = go_process_open((uint32_t)c.pid, c.binary, &wrong, &reader, why);
		if (err != -ENOTSUP || !why[0])
			fail_msg("%s %+d was not refused: %d %s", wrongs[i].name, wrongs[i].by, err, why);
		assert_null(reader);
	}
	close_crowd(&c);
}

static void not_our_program_and_gone_are_told(void **state)
{
	struct go_process_reader *reader = NULL;
	char why[GO_WHY];
	siginfo_t info;
	struct crowd c;

	(void)state;
	open_crowd(&c, "");
	assert_int_equal(go_process_open((uint32_t)getpid(), c.binary, &c.runtime, &reader, why), -ENOTSUP);
	assert_true(why[0]);
	kill(c.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)c.pid, &info, WNOWAIT | WEXITED), 0);
	assert_int_equal(go_process_snapshot(c.reader, TGID, 1, take, &c.seen), -ESRCH);
	assert_int_equal(waitpid(c.pid, NULL, 0), c.pid);
	assert_int_equal(go_process_snapshot(c.reader, TGID, 1, take, &c.seen), -ESRCH);
	assert_int_equal(go_process_open((uint32_t)c.pid, c.binary, &c.runtime, &reader, why), -ESRCH);
	fclose(c.in);
	fclose(c.out);
	go_process_close(c.reader);
	go_binary_close(c.binary);
}

/* As nobody, in a child: the exit status is the errno. */
static void without_privilege_it_is_eperm(void **state)
{
	struct crowd c;
	int status;
	pid_t pid;

	(void)state;
	if (getuid())
		skip();
	open_crowd(&c, "");
	pid = fork();
	if (!pid) {
		struct go_process_reader *reader;
		char why[GO_WHY];

		if (setgid(65534) || setuid(65534))
			_exit(0);
		_exit(-go_process_open((uint32_t)c.pid, c.binary, &c.runtime, &reader, why));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EPERM);
	close_crowd(&c);
}

static int refuse(void *ctx, const void *rec, size_t len)
{
	int *left = ctx;

	(void)rec;
	(void)len;
	return (*left)-- ? 0 : -ENOSPC;
}

static void what_put_says_comes_back(void **state)
{
	struct crowd c;

	(void)state;
	open_crowd(&c, all_kinds);
	for (int i = 0; i < 10; i += 3) {
		int left = i;

		assert_int_equal(go_process_snapshot(c.reader, TGID, now_ns(), refuse, &left), -ENOSPC);
	}
	close_crowd(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_what_is_there),
		cmocka_unit_test(stacks_and_reasons_tell_where_they_wait),
		cmocka_unit_test(labels_are_read),
		cmocka_unit_test(waits_have_an_age_once_the_collector_looked),
		cmocka_unit_test(histograms_grow_by_what_ran),
		cmocka_unit_test(small_groups_are_summed_up),
		cmocka_unit_test(many_are_read_quickly),
		cmocka_unit_test(wrong_layouts_are_refused),
		cmocka_unit_test(not_our_program_and_gone_are_told),
		cmocka_unit_test(without_privilege_it_is_eperm),
		cmocka_unit_test(what_put_says_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
