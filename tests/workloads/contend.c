/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * contend [LIBRARY]
 *
 * Has a thread wait for a lock over and over, says `ready`, and goes on until a line comes in; then loads the library
 * (this file, built with -DPLUGIN), and has it do the same with its own lock: it says `loaded`.
 */
#include <dlfcn.h>
#include <poll.h>

#include "self.h"

enum { HOLD_MS = 2, ROUNDS = 10 };

#ifdef PLUGIN
#define LOCK plugin_lock
#define WAITER plugin_waiter
#else
#define LOCK program_lock
#define WAITER program_waiter
#endif

static pthread_mutex_t LOCK = PTHREAD_MUTEX_INITIALIZER;

static __attribute__((noinline)) void *WAITER(void *arg)
{
	pthread_mutex_lock(&LOCK);
	pthread_mutex_unlock(&LOCK);
	return arg;
}

static void contend_once(void)
{
	pthread_t waiter;

	pthread_mutex_lock(&LOCK);
	waiter = start_thread(WAITER, NULL);
	sleep_until(now_ns() + HOLD_MS * NSEC_PER_MSEC);
	pthread_mutex_unlock(&LOCK);
	join_thread(waiter);
}

/* Says `word` when it has been at it for a while, and goes on until a line comes in, or the end of all. */
void contend(const char *word);
void contend(const char *word)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	char line[64];

	for (int i = 0; i < ROUNDS; i++)
		contend_once();
	puts(word);
	while (!poll(&in, 1, 0))
		contend_once();
	if (read(STDIN_FILENO, line, sizeof(line)) < 0)
		die("stdin");
}

#ifndef PLUGIN
int main(int argc, char **argv)
{
	void (*plugin)(const char *word);
	void *library;

	setvbuf(stdout, NULL, _IOLBF, 0);
	contend("ready");
	if (argc < 2)
		return 0;
	library = dlopen(argv[1], RTLD_NOW);
	plugin = library ? (void (*)(const char *))dlsym(library, "contend") : NULL;
	if (!plugin) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	plugin("loaded");
	return 0;
}
#endif
