/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The symbolizer's process: what is asked, what comes back, and what becomes of one that dies, hangs or lies. What it
 * knows of a process is made up here: its id says how it behaves.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "src/symbol/helper.h"
#include "src/symbol/helper_protocol.h"
#include "src/symbol/space.h"

#include <cmocka.h>

enum {
	USUAL = 100,
	DIES = 200,		/* and more: dies as its stack is unwound */
	HANGS = 300,
	GONE = 400,
	EATS = 500,		/* all memory that it gets */
	JAILED = 600,		/* says what it may do */
	LIES = 700,		/* and more: number of a lie */
	LATE = 800,		/* has a library that was loaded since its maps were read */

	GO_PC = 0x600000,
	LATE_PC = 0x700000,
	IP = 0x401000,
	WORD = 0x500040,
	SHARED_WORD = 0x510000,
	HEAP_WORD = 0x900000,
};

struct space {
	uint32_t pid;
	unsigned int refreshed;
};

int space_open(uint32_t pid, struct space **out, char why[SPACE_WHY])
{
	if (pid == GONE) {
		snprintf(why, SPACE_WHY, "gone");
		return -ESRCH;
	}
	*out = calloc(1, sizeof(**out));
	(*out)->pid = pid;
	return 0;
}

int space_open_kernel(struct space **out, char why[SPACE_WHY])
{
	return space_open(TGID_KERNEL, out, why);
}

void space_close(struct space *s)
{
	free(s);
}

int space_refresh(struct space *s)
{
	s->refreshed++;
	return 0;
}

static struct rec_symbol made_symbol(uint32_t tgid, uint64_t pc)
{
	return (struct rec_symbol){.hdr = {REC_SYMBOL_KIND, sizeof(struct rec_symbol)}, .tgid = tgid, .pc = pc, .last = 1};
}

static void lie(uint32_t pid)
{
	struct rec_symbol symbol = made_symbol(pid, IP);
	struct rec_stack stack = {.hdr = {REC_STACK_KIND, sizeof(stack)}, .tgid = pid, .id = 999, .pc0 = IP};
	struct rec_lock lock = {.hdr = {REC_LOCK_KIND, sizeof(lock)}, .tgid = pid, .futex = WORD};
	struct rec_wait wait = {.hdr = {REC_WAIT_KIND, sizeof(wait)}, .tgid = pid};
	struct helper_done done = {.hdr = {HELPER_DONE_KIND, sizeof(done)}, .err = 1};

	switch (pid - LIES) {
	case 0:		/* of somebody else */
		symbol.tgid++;
		send(HELPER_SOCKET, &symbol, sizeof(symbol), 0);
		break;
	case 1:
		symbol.hdr.len--;
		send(HELPER_SOCKET, &symbol, sizeof(symbol), 0);
		break;
	case 2:
		send(HELPER_SOCKET, &stack, sizeof(stack), 0);
		break;
	case 3:
		send(HELPER_SOCKET, &lock, sizeof(lock), 0);
		break;
	case 4:
		send(HELPER_SOCKET, &wait, sizeof(wait), 0);
		break;
	case 5:
		send(HELPER_SOCKET, &done, sizeof(done), 0);
		break;
	case 6:
		send(HELPER_SOCKET, "x", 1, 0);
		break;
	case 7:		/* without end */
		while (send(HELPER_SOCKET, &symbol, sizeof(symbol), 0) > 0)
			;
		break;
	case 8:		/* texts without an end: mended */
		memset(symbol.func, 'f', sizeof(symbol.func));
		memset(symbol.module, 'm', sizeof(symbol.module));
		send(HELPER_SOCKET, &symbol, sizeof(symbol), 0);
		break;
	}
}

size_t space_unwind(struct space *s, const struct stack_copy *c, uint64_t *pcs, size_t max)
{
	assert_true(max >= 3);
	if (s->pid >= DIES && s->pid < HANGS)
		raise(SIGKILL);
	if (s->pid == HANGS)
		pause();
	if (s->pid >= LIES && s->pid < LATE)
		lie(s->pid);
	pcs[0] = c->ip;
	pcs[1] = c->ip + c->bytes[0];
	pcs[2] = GO_PC;
	if (s->pid == LATE && !s->refreshed)
		pcs[2] = LATE_PC;
	return 3;
}

static uint64_t effective_caps(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	unsigned long long caps = ~0ull;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	if (f)
		fclose(f);
	return caps;
}

/* SYS_PTRACE, DAC_READ_SEARCH, SYSLOG, CHECKPOINT_RESTORE or SYS_ADMIN */
#define CAPS_LEFT (1ull << 19 | 1ull << 2 | 1ull << 34 | 1ull << 40 | 1ull << 21)

static const char *freedom(void)
{
	struct rlimit core, file;
	struct stat st;
	int open_fds = 0;

	for (int fd = HELPER_SOCKET + 1; fd < 256; fd++)
		open_fds += !fstat(fd, &st);
	getrlimit(RLIMIT_CORE, &core);
	getrlimit(RLIMIT_FSIZE, &file);
	raise(SIGINT);
	raise(SIGTERM);
	raise(SIGHUP);
	if (effective_caps() & ~CAPS_LEFT)
		return "caps";
	if (open_fds)
		return "fds";
	if (core.rlim_cur || file.rlim_cur)
		return "limits";
	if (prctl(PR_GET_DUMPABLE) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return "privileges";
	return "none";
}

static const char *appetite(void)
{
	size_t mib = 0;
	char *volatile p;

	while (mib < 4096 && (p = malloc(16 << 20)))
		mib += 16;
	return mib < 600 ? "modest" : "greedy";
}

size_t space_resolve(struct space *s, uint64_t pc, bool is_return, struct space_frame *frames, size_t max)
{
	assert_true(is_return && max >= 2);
	if (pc == LATE_PC)
		return 0;
	for (int i = 0; i < 2; i++)
		frames[i] = (struct space_frame){.file = "file.c", .module = "prog", .line = i + 1};
	snprintf(frames[0].func, sizeof(frames[0].func), "f_%llx", (unsigned long long)pc);
	snprintf(frames[1].func, sizeof(frames[1].func), "pid %d", getpid());
	if (s->pid == JAILED)
		snprintf(frames[0].func, sizeof(frames[0].func), "%s", freedom());
	if (s->pid == EATS)
		snprintf(frames[0].func, sizeof(frames[0].func), "%s", appetite());
	return 2;
}

bool space_is_go(struct space *s, uint64_t pc)
{
	(void)s;
	return pc == GO_PC;
}

bool space_object(struct space *s, uint64_t addr, struct space_object *out)
{
	(void)s;
	if (addr == WORD)
		*out = (struct space_object){.name = "queue_lock", .module = "prog", .base = WORD - 0x40};
	if (addr == SHARED_WORD)
		*out = (struct space_object){.inode = 77, .offset = 0x10};
	return addr == WORD || addr == SHARED_WORD;
}

void space_text(struct space *s, struct user_text *out)
{
	*out = (struct user_text){.lo = {0x400000 + s->refreshed}, .hi = {0x410000}};
}

/* What was given. */
struct taken {
	size_t cnt;
	union {
		struct rec_hdr hdr;
		struct rec_symbol symbol;
		struct rec_stack stack;
		struct rec_lock lock;
	} recs[64];
	int err;	/* to return */
};

static int take(void *ctx, const void *rec, size_t len)
{
	struct taken *t = ctx;

	assert_true(t->cnt < 64 && len <= sizeof(t->recs[0]));
	memcpy(&t->recs[t->cnt++], rec, len);
	return t->err;
}

static struct taken taken;
static struct user_text text;

static struct helper *begin(void)
{
	taken = (struct taken){};
	return helper_new("test-symbols", take, &taken);
}

static int ask_stack(struct helper *h, uint32_t tgid, bool go_named)
{
	static struct stack_copy c;

	c = (struct stack_copy){.tid = tgid, .tgid = tgid, .id = 7, .len = 16, .ip = IP, .bytes = {5}};
	c.hdr = (struct rec_hdr){STACK_COPY_KIND, offsetof(struct stack_copy, bytes) + c.len};
	taken.cnt = 0;
	return helper_stack(h, &c, go_named, &text);
}

static pid_t pid_of(const struct taken *t)
{
	pid_t pid = 0;

	assert_int_equal(sscanf(t->recs[1].symbol.func, "pid %d", &pid), 1);
	return pid;
}

static void assert_stack(uint32_t tgid, size_t symbols)
{
	const struct rec_stack *r = &taken.recs[symbols].stack;

	assert_int_equal(taken.cnt, symbols + 1);
	for (size_t i = 0; i < symbols; i++) {
		assert_int_equal(taken.recs[i].hdr.kind, REC_SYMBOL_KIND);
		assert_int_equal(taken.recs[i].symbol.depth, i % 2);
		assert_int_equal(taken.recs[i].symbol.last, i % 2);
	}
	assert_int_equal(r->hdr.kind, REC_STACK_KIND);
	assert_int_equal(r->tgid, tgid);
	assert_int_equal(r->id, 7);
	assert_int_equal(r->pc0, IP);
	assert_int_equal(r->pc1, IP + 5);
	assert_int_equal(r->pc2, GO_PC);
	assert_int_equal(r->pc3, 0);
}

static void names_come_first_and_once(void **state)
{
	struct helper *h = begin();

	(void)state;
	assert_int_equal(ask_stack(h, USUAL, false), 0);
	assert_stack(USUAL, 6);
	assert_string_equal(taken.recs[0].symbol.func, "f_401000");
	assert_string_equal(taken.recs[0].symbol.file, "file.c");
	assert_string_equal(taken.recs[0].symbol.module, "prog");
	assert_int_equal(taken.recs[0].symbol.line, 1);
	assert_int_equal(text.lo[0], 0x400000);
	assert_int_equal(text.hi[0], 0x410000);
	assert_int_equal(ask_stack(h, USUAL, false), 0);
	assert_stack(USUAL, 0);
	assert_int_equal(ask_stack(h, USUAL + 1, false), 0);
	assert_stack(USUAL + 1, 6);
	helper_forget(h, USUAL);
	assert_int_equal(ask_stack(h, USUAL, false), 0);
	assert_stack(USUAL, 6);
	helper_free(h);
}

static void go_code_may_be_named_elsewhere(void **state)
{
	struct helper *h = begin();

	(void)state;
	assert_int_equal(ask_stack(h, USUAL, true), 0);
	assert_stack(USUAL, 4);
	helper_free(h);
}

static void a_library_that_came_later_is_looked_for(void **state)
{
	struct helper *h = begin();

	(void)state;
	assert_int_equal(ask_stack(h, LATE, false), 0);
	assert_stack(LATE, 6);
	assert_int_equal(text.lo[0], 0x400001);
	helper_free(h);
}

static void many_processes_take_turns(void **state)
{
	struct helper *h = begin();

	(void)state;
	for (uint32_t i = 0; i < 60; i++)
		assert_int_equal(ask_stack(h, USUAL + i, false), 0);
	assert_int_equal(ask_stack(h, USUAL + 59, false), 0);
	assert_stack(USUAL + 59, 0);
	assert_int_equal(ask_stack(h, USUAL, false), 0);
	assert_stack(USUAL, 6);
	helper_free(h);
}

static void a_word_is_named_if_there_is_something_to_say(void **state)
{
	struct helper *h = begin();
	const struct rec_lock *r = &taken.recs[0].lock;

	(void)state;
	assert_int_equal(helper_lock(h, USUAL, WORD, false), 0);
	assert_int_equal(taken.cnt, 1);
	assert_int_equal(r->tgid, USUAL);
	assert_int_equal(r->futex, WORD);
	assert_int_equal(r->base, WORD - 0x40);
	assert_int_equal(r->inode, 0);
	assert_string_equal(r->name, "queue_lock");
	assert_string_equal(r->module, "prog");
	assert_int_equal(helper_lock(h, USUAL, HEAP_WORD, true), 0);
	assert_int_equal(helper_lock(h, USUAL, SHARED_WORD, false), 0);
	assert_int_equal(taken.cnt, 1);
	taken.cnt = 0;
	assert_int_equal(helper_lock(h, USUAL, SHARED_WORD, true), 0);
	assert_int_equal(taken.cnt, 1);
	assert_int_equal(r->inode, 77);
	assert_int_equal(r->offset, 0x10);
	assert_int_equal(r->base, 0);
	helper_free(h);
}

static void the_kernels_stacks_get_names(void **state)
{
	struct helper *h = begin();
	struct rec_stack r = {.hdr = {REC_STACK_KIND, sizeof(r)}, .tgid = TGID_KERNEL, .id = 3, .pc0 = IP, .pc1 = IP + 8};

	(void)state;
	assert_int_equal(helper_kernel(h, &r), 0);
	assert_int_equal(taken.cnt, 4);
	assert_int_equal(taken.recs[3].symbol.tgid, TGID_KERNEL);
	assert_int_equal(taken.recs[3].symbol.pc, IP + 8);
	helper_free(h);
}

static void the_kernels_symbols_are_not_waited_for(void **state)
{
	struct helper *h = begin();
	struct rec_stack r = {.hdr = {REC_STACK_KIND, sizeof(r)}, .tgid = TGID_KERNEL, .id = 3, .pc0 = IP};

	(void)state;
	assert_true(helper_is_ready(h));
	helper_warm_kernel(h);
	helper_warm_kernel(h);
	while (!helper_is_ready(h))
		sched_yield();
	helper_free(h);
	h = begin();
	helper_warm_kernel(h);
	assert_int_equal(helper_kernel(h, &r), 0);
	assert_int_equal(taken.cnt, 2);
	assert_true(helper_is_ready(h));
	assert_int_equal(helper_stats(h).died, 0);
	helper_free(h);
}

static void the_error_of_the_sink_ends_the_call(void **state)
{
	struct helper *h = begin();

	(void)state;
	taken.err = -ENOSPC;
	assert_int_equal(ask_stack(h, USUAL, false), -ENOSPC);
	assert_int_equal(taken.cnt, 1);
	helper_free(h);
}

static void a_target_that_is_gone_is_nobodys_failure(void **state)
{
	struct helper *h = begin();

	(void)state;
	assert_int_equal(ask_stack(h, GONE, false), -ESRCH);
	assert_int_equal(taken.cnt, 0);
	assert_int_equal(helper_stats(h).asked, 1);
	assert_int_equal(helper_stats(h).failed, 0);
	helper_free(h);
}

static void one_that_died_is_replaced(void **state)
{
	struct helper *h = begin();

	(void)state;
	assert_int_equal(ask_stack(h, DIES, false), -EPIPE);
	assert_int_equal(taken.cnt, 0);
	assert_int_equal(ask_stack(h, USUAL, false), 0);
	assert_stack(USUAL, 6);
	assert_int_equal(helper_stats(h).failed, 1);
	assert_int_equal(helper_stats(h).died, 2);
	helper_free(h);
}

static void one_that_died_idle_costs_nothing(void **state)
{
	struct helper *h = begin();
	pid_t pid;

	(void)state;
	assert_int_equal(ask_stack(h, USUAL, false), 0);
	pid = pid_of(&taken);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(ask_stack(h, USUAL, false), 0);
	assert_stack(USUAL, 6);
	assert_true(pid_of(&taken) != pid);
	assert_int_equal(helper_stats(h).failed, 0);
	assert_int_equal(helper_stats(h).died, 1);
	helper_free(h);
}

static void a_deadly_process_is_asked_about_twice(void **state)
{
	struct helper *h = begin();

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask_stack(h, DIES, false), -EPIPE);
	assert_int_equal(helper_stats(h).died, 2);
	assert_int_equal(helper_stats(h).failed, 5);
	assert_int_equal(ask_stack(h, USUAL, false), 0);
	helper_forget(h, DIES);
	assert_int_equal(ask_stack(h, DIES, false), -EPIPE);
	assert_int_equal(helper_stats(h).died, 4);
	helper_free(h);
}

static void there_is_an_end_to_replacing(void **state)
{
	struct helper *h = begin();

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(ask_stack(h, DIES + i, false), -EPIPE);
	assert_int_equal(ask_stack(h, USUAL, false), -EPIPE);
	assert_int_equal(helper_stats(h).died, 6);
	assert_int_equal(helper_stats(h).failed, 11);
	helper_forget(h, USUAL);
	helper_free(h);
}

static void one_that_hangs_is_ended(void **state)
{
	struct helper *h = begin();

	(void)state;
	assert_int_equal(ask_stack(h, HANGS, false), -ETIMEDOUT);
	assert_in_range(helper_stats(h).waited_ns, 1900000000, 20000000000);
	assert_int_equal(ask_stack(h, USUAL, false), 0);
	assert_stack(USUAL, 6);
	helper_free(h);
}

static void lies_are_not_believed(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		struct helper *h = begin();

		assert_int_equal(ask_stack(h, LIES + i, false), -EBADMSG);
		assert_int_equal(taken.cnt, 0);
		assert_int_equal(helper_stats(h).died, 1);
		assert_int_equal(ask_stack(h, USUAL, false), 0);
		helper_free(h);
	}
}

static void texts_have_an_end(void **state)
{
	struct helper *h = begin();

	(void)state;
	assert_int_equal(ask_stack(h, LIES + 8, false), 0);
	assert_int_equal(strlen(taken.recs[0].symbol.func), sizeof(taken.recs[0].symbol.func) - 1);
	assert_int_equal(strlen(taken.recs[0].symbol.module), sizeof(taken.recs[0].symbol.module) - 1);
	helper_free(h);
}

static void it_may_do_little(void **state)
{
	struct helper *h = begin();

	(void)state;
	assert_int_equal(ask_stack(h, JAILED, false), 0);
	assert_string_equal(taken.recs[0].symbol.func, "none");
	helper_free(h);
}

#ifndef __SANITIZE_ADDRESS__	/* ASan maps what it gives out on its own terms */
static void its_memory_is_bounded(void **state)
{
	struct helper *h = begin();

	(void)state;
	assert_int_equal(ask_stack(h, EATS, false), 0);
	assert_string_equal(taken.recs[0].symbol.func, "modest");
	helper_free(h);
}
#endif

static void it_ends_with_the_collector(void **state)
{
	struct helper *h = begin();
	pid_t pid;

	(void)state;
	assert_int_equal(ask_stack(h, USUAL, false), 0);
	pid = pid_of(&taken);
	helper_free(h);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	helper_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_come_first_and_once),
		cmocka_unit_test(go_code_may_be_named_elsewhere),
		cmocka_unit_test(a_library_that_came_later_is_looked_for),
		cmocka_unit_test(many_processes_take_turns),
		cmocka_unit_test(a_word_is_named_if_there_is_something_to_say),
		cmocka_unit_test(the_kernels_stacks_get_names),
		cmocka_unit_test(the_kernels_symbols_are_not_waited_for),
		cmocka_unit_test(the_error_of_the_sink_ends_the_call),
		cmocka_unit_test(a_target_that_is_gone_is_nobodys_failure),
		cmocka_unit_test(one_that_died_is_replaced),
		cmocka_unit_test(one_that_died_idle_costs_nothing),
		cmocka_unit_test(a_deadly_process_is_asked_about_twice),
		cmocka_unit_test(there_is_an_end_to_replacing),
		cmocka_unit_test(one_that_hangs_is_ended),
		cmocka_unit_test(lies_are_not_believed),
		cmocka_unit_test(texts_have_an_end),
		cmocka_unit_test(it_may_do_little),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(its_memory_is_bounded),
#endif
		cmocka_unit_test(it_ends_with_the_collector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
