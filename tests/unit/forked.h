/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Runs what prints and exits in a child, and takes what it printed. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct forked {
	int status;		/* of the exit, -1: it was killed */
	char out[65536], err[4096];
};

static inline void forked_take(FILE *f, char *to, size_t size)
{
	rewind(f);
	to[fread(to, 1, size - 1, f)] = '\0';
	fclose(f);
}

/* fn's result is the exit status, if it returns. */
static inline struct forked *run_forked(int (*fn)(void *arg), void *arg)
{
	static struct forked r;
	FILE *out = tmpfile(), *err = tmpfile();
	int status = -1;
	pid_t pid;

	if (!out || !err)
		abort();
	fflush(stdout);
	fflush(stderr);
	pid = fork();
	if (!pid) {
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(err), STDERR_FILENO);
		exit(fn(arg));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	r.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	forked_take(out, r.out, sizeof(r.out));
	forked_take(err, r.err, sizeof(r.err));
	return &r;
}
