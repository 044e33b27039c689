/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * writers [MIB [ROUNDS]]
 *
 * Every round two threads write MIB to one file in memory at once: the kernel lets one in and the other waits for the
 * file's lock. Each measures how long its calls took.
 */
#include <sys/mman.h>

#include "self.h"

enum { WRITERS = 2 };

static pthread_barrier_t both;
static char *data;
static size_t size;
static long rounds;
static int fd;

struct writer {
	pthread_t thread;
	struct truth truth;
};

static void *run_writer(void *arg)
{
	struct writer *w = arg;

	truth_init(&w->truth, rounds);
	for (long i = 0; i < rounds; i++) {
		pthread_barrier_wait(&both);
		uint64_t start = now_ns();
		if (pwrite(fd, data, size, 0) != (ssize_t)size)
			die("pwrite");
		truth_add(&w->truth, now_ns() - start);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct writer writers[WRITERS] = {0};

	size = arg_number(argc, argv, 1, 32) << 20;
	rounds = arg_number(argc, argv, 2, 10);
	data = calloc(1, size);
	fd = memfd_create("writers", 0);
	if (!data || fd < 0)
		die("memory");
	must(pthread_barrier_init(&both, NULL, WRITERS), "pthread_barrier_init");
	for (int i = 0; i < WRITERS; i++)
		writers[i].thread = start_thread(run_writer, &writers[i]);
	for (int i = 0; i < WRITERS; i++) {
		join_thread(writers[i].thread);
		truth_print(&writers[i].truth, "writer", 0);
		printf("\n");
		truth_done(&writers[i].truth);
	}
	free(data);
	return 0;
}
