/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * symbol_target lock|semaphore|signal|jit|library PATH
 *
 * Takes a lock twice, and so waits forever in a futex, inside of functions whose names test_symbol_space.c knows.
 * Before it says "ready" with the addresses of its locks. A library is loaded after a line on stdin.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static pthread_mutex_t symbol_lock = PTHREAD_MUTEX_INITIALIZER;
/* In .data and in .bss. */
pthread_mutex_t symbol_pool[64] = {PTHREAD_MUTEX_INITIALIZER};
static pthread_mutex_t symbol_zeroed[64];
static volatile int calls;

static inline __attribute__((always_inline)) void take_inlined(void)
{
	pthread_mutex_lock(&symbol_lock);	/* the line: take_inlined */
	calls++;
}

static NOINLINE void innermost(volatile char *some)
{
	some[0] = 1;
	take_inlined();
	calls++;
}

/* Large frames of varying size: a frame pointer or good CFI is needed to get out of them. */
static NOINLINE void middle(size_t size)
{
	volatile char some[size];

	memset((char *)some, 0, size);
	innermost(some);
	calls++;
}

static NOINLINE void outermost(void)
{
	middle(300 + (size_t)calls);
	calls++;
}

static NOINLINE void wait_semaphore(void)
{
	static sem_t semaphore;

	sem_wait(&semaphore);
	calls++;
}

static void on_signal(int sig)
{
	(void)sig;
	outermost();
	calls++;
}

static NOINLINE void raise_signal(void)
{
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	calls++;
}

#ifdef __x86_64__
/* push %rbp; mov %rsp,%rbp; sub $64,%rsp; call *%rdi; leave; ret: what a JIT makes, which no file knows. */
static const unsigned char JIT_CODE[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x40, 0xff, 0xd7, 0xc9, 0xc3};

static NOINLINE void call_jit(void)
{
	unsigned char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	f = fopen(path, "w");
	if (code == MAP_FAILED || !f)
		abort();
	memcpy(code, JIT_CODE, sizeof(JIT_CODE));
	/* The name at first is another one: code moves. */
	fprintf(f, "%lx 1000 old_code\nnot a line\n%lx %zx compiled method(int)\n%lx 5 unfinis",
		(unsigned long)code, (unsigned long)code, sizeof(JIT_CODE), (unsigned long)code);
	fclose(f);
	((void (*)(void (*)(void)))code)(outermost);
	calls++;
}
#endif

#ifdef LIBRARY
static NOINLINE void call_library(const char *path)
{
	void *library;
	void (*fn)(void (*)(void));

	if (getchar() == EOF)
		exit(1);
	library = dlopen(path, RTLD_NOW);
	fn = library ? (void (*)(void (*)(void)))dlsym(library, "library_function") : NULL;
	if (!fn)
		abort();
	fn(outermost);
	calls++;
}
#endif

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "lock";
	char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return 1;
	pthread_mutex_lock(&symbol_lock);
	printf("ready %p %p %p %p %p\n", (void *)&symbol_lock, (void *)&symbol_pool[3], (void *)&symbol_zeroed[5],
	       (void *)(shared + 4160), malloc(100));
	fflush(stdout);
	if (!strcmp(what, "semaphore"))
		wait_semaphore();
	if (!strcmp(what, "signal"))
		raise_signal();
#ifdef __x86_64__
	if (!strcmp(what, "jit"))
		call_jit();
#endif
#ifdef LIBRARY
	if (!strcmp(what, "library") && argc > 2)
		call_library(argv[2]);
#endif
	outermost();
	return pthread_mutex_unlock(&symbol_zeroed[0]);
}
