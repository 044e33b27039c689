/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Live processes (symbol_target.c, built in many ways) that wait in a futex: their stacks, names, locks. As root. */
#include <sys/resource.h>

#include "symbol_start.h"

/* The line of symbol_target.c with these words. */
static uint32_t line_of(const char *words)
{
	FILE *f = fopen("tests/unit/symbol_target.c", "r");
	char line[512];
	uint32_t number = 0;

	assert_non_null(f);
	do
		number++;
	while (fgets(line, sizeof(line), f) && !strstr(line, words));
	fclose(f);
	return number;
}

static void assert_lines(const struct target *t)
{
	const struct space_frame *f = assert_row(t, ROW("take_inlined", "innermost", "middle", "outermost", "main"));

	assert_string_equal(base(f->file), "symbol_target.c");
	assert_int_equal(f->line, line_of("/* the line: take_inlined */"));
	assert_string_equal(base(f[1].file), "symbol_target.c");
	assert_int_equal(f[1].line, line_of("\ttake_inlined();"));
	assert_string_equal(f[1].module, base(t->path));
	assert_true(f[2].line > f[1].line && f[3].line > f[2].line && f[4].line > f[3].line);
}

static void builds_with_debug_information_have_names_lines_and_inlined_calls(void **state)
{
	static const char *const BUILDS[] = {"plain", "fp", "dwarf4", "packed", "clang", "static", "static_pie", "musl",
					     "musl_static", "linked"};

	(void)state;
	for (size_t i = 0; i < sizeof(BUILDS) / sizeof(*BUILDS); i++) {
		struct target t;

		start(&t, (struct start){.build = BUILDS[i], .what = "lock"});
		take_frames(&t);
		assert_lines(&t);
		stop(&t);
	}
}

/* Some of these jump to others, without a frame of their own: sem_wait() does, and musl's pthread_mutex_lock(). */
static void the_library_function_is_named_as_people_know_it(void **state)
{
	static const struct {
		const char *build, *what, *names[4];
	} rows[] = {
		{"plain", "lock", {"pthread_mutex_lock", "take_inlined"}},
		{"static", "lock", {"pthread_mutex_lock", "take_inlined"}},
		{"stripped", "lock", {"pthread_mutex_lock"}},
		{"cxx", "lock", {"pthread_mutex_lock", "__gthread_mutex_lock"}},
		{"musl", "lock", {"pthread_mutex_timedlock", "pthread_mutex_lock", "take_inlined"}},
		{"musl_static", "lock", {"pthread_mutex_timedlock", "pthread_mutex_lock", "take_inlined"}},
		{"plain", "semaphore", {"sem_wait", "wait_semaphore", "main"}},
		{"static", "semaphore", {"sem_wait", "wait_semaphore", "main"}},
		{"stripped", "semaphore", {"sem_wait"}},
		{"musl", "semaphore", {"sem_timedwait", "sem_wait", "wait_semaphore", "main"}},
		{"musl_static", "semaphore", {"sem_timedwait", "sem_wait", "wait_semaphore", "main"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct target t;

		const char *names[5] = {};

		memcpy(names, rows[i].names, sizeof(rows[i].names));
		start(&t, (struct start){.build = rows[i].build, .what = rows[i].what});
		take_frames(&t);
		assert_row(&t, names);
		stop(&t);
	}
}

static void a_debug_file_is_found_by_build_id_in_the_root_of_the_process(void **state)
{
	struct target t;

	(void)state;
	start(&t, (struct start){.build = "by_id", .root = "by_id.root", .what = "lock"});
	take_frames(&t);
	assert_lines(&t);
	stop(&t);
}

static void a_deleted_program_is_read(void **state)
{
	struct target t;

	(void)state;
	start(&t, (struct start){.build = "plain", .what = "lock", .deleted = true});
	take_frames(&t);
	assert_string_equal(base(t.path), "deleted");
	assert_lines(&t);
	stop(&t);
}

static void compressed_symbols_are_read(void **state)
{
	struct target t;

	(void)state;
	start(&t, (struct start){.build = "mini", .what = "lock"});
	take_frames(&t);
	assert_row(&t, ROW("innermost", "middle", "outermost"));
	stop(&t);
}

/* Places in the file, the same for all addresses of a function. */
static void a_stripped_program_has_addresses(void **state)
{
	struct target t, plain;
	char name[64];
	FILE *f;
	uint64_t begin;

	(void)state;
	start(&t, (struct start){.build = "stripped", .what = "lock"});
	start(&plain, (struct start){.build = "plain", .what = "lock"});
	take_frames(&t);
	take_frames(&plain);
	assert_int_equal(t.pc_cnt, plain.pc_cnt);
	snprintf(name, sizeof(name), "nm %s | grep ' innermost$'", built("plain"));
	f = popen(name, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lx", &begin), 1);
	pclose(f);
	snprintf(name, sizeof(name), "stripped+0x%lx", begin);
	assert_row(&t, ROW(name));
	stop(&plain);
	stop(&t);
}

static void cxx_names_are_demangled(void **state)
{
	struct target t;
	struct space_object o;

	(void)state;
	start(&t, (struct start){.build = "cxx", .what = NULL});
	take_frames(&t);
	assert_row(&t, ROW("std::mutex::lock", "std::lock_guard<std::mutex>::lock_guard", "game::Queue::push<long>",
			   "game::(anonymous namespace)::feed"));
	assert_true(space_object(t.space, t.lock, &o));
	assert_string_equal(o.name, "game::shared_queue");
	assert_int_equal(o.base, t.lock);
	stop(&t);
}

static void a_signal_is_stepped_over(void **state)
{
	struct target t;

	(void)state;
	start(&t, (struct start){.build = "plain", .what = "signal"});
	take_frames(&t);
	assert_row(&t, ROW("outermost", "on_signal"));
	assert_row(&t, ROW("raise_signal", "main"));
	stop(&t);
}

static void code_of_a_jit_has_names_of_its_map(void **state)
{
	struct target t;
	char path[64], why[SPACE_WHY];
	const struct space_frame *f;

	(void)state;
	start(&t, (struct start){.build = "plain", .what = "jit"});
	take_frames(&t);
	f = assert_row(&t, ROW("outermost", "compiled method(int)", "call_jit", "main"));
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", t.pid);
	assert_string_equal(f[1].module, base(path));
	/* Somebody else's map says nothing. */
	assert_int_equal(chown(path, 65534, 65534), 0);
	space_close(t.space);
	assert_int_equal(space_open((uint32_t)t.pid, &t.space, why), 0);
	take_frames(&t);
	assert_null(find_in_row(&t, ROW("compiled method(int)")));
	unlink(path);
	stop(&t);
}

static void a_library_that_is_loaded_later_is_found(void **state)
{
	struct target t;

	(void)state;
	start(&t, (struct start){.build = "late", .what = "library"});
	assert_int_equal(write(t.in, "\n", 1), 1);
	take_frames(&t);
	assert_row(&t, ROW("outermost", "library_inner", "library_function", "call_library", "main"));
	stop(&t);
}

static void a_program_that_ended_is_said(void **state)
{
	struct space *s = NULL;
	char why[SPACE_WHY] = "";
	struct target t;

	(void)state;
	start(&t, (struct start){.build = "plain", .what = "lock"});
	kill(t.pid, SIGKILL);
	assert_int_equal(waitpid(t.pid, NULL, 0), t.pid);
	assert_int_equal(space_refresh(t.space), -ESRCH);
	assert_int_equal(space_open((uint32_t)t.pid, &s, why), -ESRCH);
	assert_non_null(strstr(why, "/maps"));
	space_close(t.space);
	close(t.in);
	close(t.out);
}

static void assert_object(const struct target *t, uint64_t addr, const char *name, uint64_t distance)
{
	struct space_object o;

	assert_true(space_object(t->space, addr, &o));
	assert_string_equal(o.name, name);
	assert_string_equal(o.module, base(t->path));
	assert_int_equal(addr - o.base, distance);
	assert_int_equal(o.inode, 0);
}

static void locks_have_names_of_objects(void **state)
{
	static const char *const BUILDS[] = {"plain", "dwarf4", "static", "static_pie", "musl", "musl_static", "linked"};

	(void)state;
	for (size_t i = 0; i < sizeof(BUILDS) / sizeof(*BUILDS); i++) {
		struct space_object o;
		struct target t;

		start(&t, (struct start){.build = BUILDS[i], .what = "lock"});
		assert_object(&t, t.lock, "symbol_lock", 0);
		assert_object(&t, t.pool, "symbol_pool", 3 * 40);
		assert_object(&t, t.pool + 40, "symbol_pool", 4 * 40);
		assert_object(&t, t.zeroed, "symbol_zeroed", 5 * 40);
		assert_false(space_object(t.space, t.heap, &o));
		assert_false(space_object(t.space, 8, &o));
		assert_true(space_object(t.space, t.shared, &o));
		assert_true(o.inode);
		assert_int_equal(o.offset, 4160);
		assert_int_equal(o.base, 0);
		stop(&t);
	}
}

static void a_stripped_program_has_no_objects(void **state)
{
	struct space_object o;
	struct target t;

	(void)state;
	start(&t, (struct start){.build = "stripped", .what = "lock"});
	assert_false(space_object(t.space, t.lock, &o));
	stop(&t);
}

static void text_is_of_the_program_and_its_libraries(void **state)
{
	static const char *const BUILDS[] = {"plain", "static", "static_pie", "musl"};

	(void)state;
	for (size_t i = 0; i < sizeof(BUILDS) / sizeof(*BUILDS); i++) {
		struct user_text text;
		struct target t;

		start(&t, (struct start){.build = BUILDS[i], .what = "lock"});
		take_frames(&t);
		space_text(t.space, &text);
		for (size_t k = 0; k < t.pc_cnt; k++)
			assert_true((t.pcs[k] >= text.lo[0] && t.pcs[k] < text.hi[0]) ||
				    (t.pcs[k] >= text.lo[1] && t.pcs[k] < text.hi[1]));
		assert_true(text.hi[0] - text.lo[0] < 4 << 20);
		assert_int_equal(!text.hi[1], !strncmp(BUILDS[i], "static", 6));
		stop(&t);
	}
}

static uint64_t cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static long rss_anon_kb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kb = -1;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "RssAnon: %ld", &kb);
	fclose(f);
	return kb;
}

/* The bounds are the product's; sanitizers need more. */
static void assert_small(uint64_t since_us, uint64_t most_us)
{
	uint64_t us = cpu_us() - since_us;
	long kb = rss_anon_kb();

#ifdef __SANITIZE_ADDRESS__
	most_us = UINT64_MAX;
	kb = 1;
#endif
	assert_in_range(us, 0, most_us);
	assert_in_range(kb, 1, 65536);
}

/* 200,000 functions in 200 MB. */
static void a_large_program_is_quick_and_small(void **state)
{
	struct space_frame f;
	struct target t;
	uint64_t before;

	(void)state;
	start(&t, (struct start){.build = "big", .what = "lock"});
	await_futex(t.pid);
	before = cpu_us();
	take_frames(&t);
	assert_small(before, 100000);
	assert_lines(&t);
	/* In a function of assembler code: the next before main. */
	before = cpu_us();
	for (uint64_t pc = t.pcs[t.pc_cnt - 1]; pc > t.pcs[t.pc_cnt - 1] - 100000000; pc -= 1001 * 100)
		space_resolve(t.space, pc, true, &f, 1);
	assert_small(before, 1000000);
	stop(&t);
}

/* The stack says whatever it likes: nothing but code is followed, and not for long. */
static void a_hostile_stack_ends(void **state)
{
	static struct stack_copy copy;
	struct target t;
	uint64_t pcs[SPACE_PCS];
	unsigned int seed = 1;

	(void)state;
	start(&t, (struct start){.build = "plain", .what = "lock"});
	await_futex(t.pid);
	assert_int_equal(take_stack(t.pid, t.pid, &copy), 0);
	for (int round = 0; round < 3000; round++) {
		struct stack_copy *c = &copy;
		size_t cnt;

		for (int i = 0; i < 8; i++) {
			uint64_t value = round % 3 ? t.lock - 0x4000 + (uint64_t)rand_r(&seed) % 0x8000 :
						     c->regs[7] + (uint64_t)rand_r(&seed) % c->len;

			memcpy(c->bytes + (size_t)rand_r(&seed) % (c->len / 8) * 8, &value, 8);
		}
		c->regs[rand_r(&seed) % STACK_REGS] ^= (uint64_t)rand_r(&seed) % 256 << rand_r(&seed) % 56;
		cnt = space_unwind(t.space, c, pcs, SPACE_PCS);
		assert_in_range(cnt, 1, SPACE_PCS);
		if (round % 16 == 15)
			assert_int_equal(take_stack(t.pid, t.pid, &copy), 0);
	}
	copy.len = UINT32_MAX;
	assert_in_range(space_unwind(t.space, &copy, pcs, SPACE_PCS), 1, SPACE_PCS);
	copy.len = 0;
	assert_in_range(space_unwind(t.space, &copy, pcs, SPACE_PCS), 1, 1);
	stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_with_debug_information_have_names_lines_and_inlined_calls),
		cmocka_unit_test(the_library_function_is_named_as_people_know_it),
		cmocka_unit_test(a_debug_file_is_found_by_build_id_in_the_root_of_the_process),
		cmocka_unit_test(a_deleted_program_is_read),
		cmocka_unit_test(compressed_symbols_are_read),
		cmocka_unit_test(a_stripped_program_has_addresses),
		cmocka_unit_test(cxx_names_are_demangled),
		cmocka_unit_test(a_signal_is_stepped_over),
		cmocka_unit_test(code_of_a_jit_has_names_of_its_map),
		cmocka_unit_test(a_library_that_is_loaded_later_is_found),
		cmocka_unit_test(a_program_that_ended_is_said),
		cmocka_unit_test(locks_have_names_of_objects),
		cmocka_unit_test(a_stripped_program_has_no_objects),
		cmocka_unit_test(text_is_of_the_program_and_its_libraries),
		cmocka_unit_test(a_large_program_is_quick_and_small),
		cmocka_unit_test(a_hostile_stack_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
