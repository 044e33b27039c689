/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Starts builds of symbol_target.c, and takes the frames of their stack once they wait in the futex. */
#pragma once

#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include <cmocka.h>

#include "src/symbol/space.h"
#include "take_stack.h"

enum { PATIENCE_S = 20, FRAMES = 64, SYS_FUTEX = 202 };

struct target {
	pid_t pid;
	int in, out;
	char path[512];
	uint64_t lock, pool, zeroed, shared, heap;
	struct space *space;
	uint64_t pcs[SPACE_PCS];
	size_t pc_cnt;
	struct space_frame frames[FRAMES];
	size_t frame_cnt;
};

struct start {
	const char *build, *what, *root;	/* root: to be in when it begins, or NULL */
	bool deleted;
};

static inline const char *built(const char *name)
{
	static char path[2][512];
	static int i;
	const char *b = getenv("B");

	i = !i;
	snprintf(path[i], sizeof(path[i]), "%s/symbol/%s", b ? b : "build", name);
	return path[i];
}

static inline void run(const struct start *how, const char *path, const char *library, int in, int out)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, 0);
	dup2(out, 1);
	if (how->root && (chroot(built(how->root)) || chdir("/")))
		_exit(99);
	execl(path, path, how->what, library, NULL);
	_exit(98);
}

/* What is deleted is a copy. */
static inline void copy_file(const char *from, const char *to)
{
	char command[1200];

	snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
	assert_int_equal(system(command), 0);
}

static inline void read_ready(struct target *t)
{
	char line[256] = "";
	struct pollfd p = {.fd = t->out, .events = POLLIN};

	for (size_t len = 0; len < sizeof(line) - 1 && !strchr(line, '\n'); len++) {
		assert_int_equal(poll(&p, 1, PATIENCE_S * 1000), 1);
		assert_int_equal(read(t->out, line + len, 1), 1);
	}
	assert_true(sscanf(line, "ready %lx %lx %lx %lx %lx", &t->lock, &t->pool, &t->zeroed, &t->shared, &t->heap) >= 1);
}

/* Until it sleeps in the futex. */
static inline void await_futex(pid_t pid)
{
	time_t end = time(NULL) + PATIENCE_S;
	char path[64], line[256];
	long number = -1;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	while (number != SYS_FUTEX) {
		FILE *f = fopen(path, "r");

		assert_non_null(f);
		assert_true(time(NULL) < end);
		number = fgets(line, sizeof(line), f) && line[0] != 'r' ? strtol(line, NULL, 10) : -1;
		fclose(f);
		sched_yield();
	}
}

static inline void start(struct target *t, struct start how)
{
	int in[2], out[2];
	char why[SPACE_WHY];

	*t = (struct target){};
	snprintf(t->path, sizeof(t->path), "%s", how.root ? "/by_id" : built(how.build));
	if (how.deleted) {
		copy_file(built(how.build), built("deleted"));
		snprintf(t->path, sizeof(t->path), "%s", built("deleted"));
	}
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	t->pid = fork();
	if (!t->pid)
		run(&how, t->path, built("library.so"), in[0], out[1]);
	assert_true(t->pid > 0);
	close(in[0]);
	close(out[1]);
	t->in = in[1];
	t->out = out[0];
	read_ready(t);
	if (how.deleted)
		assert_int_equal(unlink(t->path), 0);
	assert_int_equal(space_open((uint32_t)t->pid, &t->space, why), 0);
}

static inline void stop(struct target *t)
{
	space_close(t->space);
	kill(t->pid, SIGKILL);
	assert_int_equal(waitpid(t->pid, NULL, 0), t->pid);
	close(t->in);
	close(t->out);
}

/* All frames, inlined ones too, the innermost first. */
static inline void take_frames(struct target *t)
{
	static struct stack_copy copy;

	await_futex(t->pid);
	assert_int_equal(take_stack(t->pid, t->pid, &copy), 0);
	t->pc_cnt = space_unwind(t->space, &copy, t->pcs, SPACE_PCS);
	assert_int_equal(t->pcs[0], copy.ip);
	t->frame_cnt = 0;
	for (size_t i = 0; i < t->pc_cnt; i++)
		t->frame_cnt += space_resolve(t->space, t->pcs[i], i > 0, t->frames + t->frame_cnt,
					      FRAMES - t->frame_cnt);
}

static inline void print_frames(const struct target *t)
{
	for (size_t i = 0; i < t->frame_cnt; i++)
		print_error("  %s (%s) %s:%u\n", t->frames[i].func, t->frames[i].module, t->frames[i].file,
			    t->frames[i].line);
}

/* These functions one right behind the other; from where: the first of them, or NULL. */
static inline const struct space_frame *find_in_row(const struct target *t, const char *const *names)
{
	for (size_t i = 0; i < t->frame_cnt; i++) {
		size_t k = 0;

		while (names[k] && i + k < t->frame_cnt && !strcmp(t->frames[i + k].func, names[k]))
			k++;
		if (!names[k])
			return &t->frames[i];
	}
	return NULL;
}

static inline const struct space_frame *assert_row(const struct target *t, const char *const *names)
{
	const struct space_frame *first = find_in_row(t, names);

	if (!first) {
		print_error("%s: not %s, %s, ...:\n", t->path, names[0], names[1] ? names[1] : "");
		print_frames(t);
		fail();
	}
	return first;
}

#define ROW(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
