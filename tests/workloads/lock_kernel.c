/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * lock_kernel [THREADS [MS]]
 *
 * Threads that map, touch and unmap memory of their process all at once: they wait for its mmap_lock in the kernel.
 */
#include <sys/mman.h>

#include "self.h"

enum { PAGES = 256, PAGE_BYTES = 4096 };

static uint64_t until_ns;

static void *run_mapper(void *arg)
{
	uint64_t *rounds = arg;

	prctl(PR_SET_NAME, "mapper");
	while (now_ns() < until_ns) {
		char *memory = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			die("mmap");
		for (size_t i = 0; i < PAGES; i++)
			memory[i * PAGE_BYTES] = 1;
		if (munmap(memory, PAGES * PAGE_BYTES))
			die("munmap");
		++*rounds;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	enum { MAX_THREADS = 64 };
	long cnt = arg_number(argc, argv, 1, 8);
	uint64_t rounds[MAX_THREADS] = { 0 }, sum = 0;
	pthread_t threads[MAX_THREADS];

	if (cnt < 1 || cnt > MAX_THREADS) {
		fprintf(stderr, "lock_kernel: 1 to %d threads\n", MAX_THREADS);
		return 64;
	}
	until_ns = now_ns() + arg_number(argc, argv, 2, 1000) * NSEC_PER_MSEC;
	for (long i = 0; i < cnt; i++)
		threads[i] = start_thread(run_mapper, &rounds[i]);
	for (long i = 0; i < cnt; i++) {
		join_thread(threads[i]);
		sum += rounds[i];
	}
	printf("threads %ld rounds %" PRIu64 "\n", cnt, sum);
	return 0;
}
