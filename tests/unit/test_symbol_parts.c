/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names for people, expressions of unwind information, and the kernel's symbols. */
#include <dwarf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/symbol/bytes.h"
#include "src/symbol/parts.h"
#include "src/symbol/unwind.h"

static void names_are_for_people(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{"main", "main"},
		{"", ""},
		{"pthread_mutex_lock@@GLIBC_2.2.5", "pthread_mutex_lock"},
		{"memcpy@GLIBC_2.2.5", "memcpy"},
		{"__GI___lll_lock_wait", "__lll_lock_wait"},
		{"work.part.0", "work"},
		{"work.constprop.0.isra.2", "work"},
		{"work.cold", "work"},
		{"work.coldest", "work.coldest"},
		{"runtime.partition", "runtime.partition"},
		{".cold", ".cold"},
		{"_ZNSt5mutex4lockEv", "std::mutex::lock"},
		{"_ZN4game5Queue4pushIlEEvT_", "game::Queue::push<long>"},
		{"_ZN4game12_GLOBAL__N_14feedERNS_5QueueE.isra.0", "game::(anonymous namespace)::feed"},
		{"_ZNSt3__15mutex4lockEv", "std::__1::mutex::lock"},
		{"_ZN3std4sync5mutex14Mutex$LT$T$GT$4lock17h0123456789abcdefE", "std::sync::mutex::Mutex<T>::lock"},
		{"_ZN4core3ops8function6FnOnce9call_once17h0123456789abcdefE.llvm.123", "core::ops::function::FnOnce::call_once"},
		{"_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"},
		{"_Znot_mangled", "_Znot_mangled"},
		{"_R", "_R"},
	};
	char out[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		demangle(rows[i].name, out, sizeof(out));
		assert_string_equal(out, rows[i].want);
	}
}

/* Each substitution doubles what is printed: the name of 300 bytes would be of gigabytes. */
static void a_name_that_explodes_is_cut(void **state)
{
	static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char name[512] = "_ZN1AI1B1CIS0_S0_E", out[64];
	size_t len = strlen(name);

	(void)state;
	for (unsigned int n = 2; n < 66; n += 2) {
		char is[3] = {DIGITS[n / 36 ? n / 36 : n % 36], n / 36 ? DIGITS[n % 36] : '\0'};

		len += (size_t)snprintf(name + len, sizeof(name) - len, "1DIS%s_S%s_E", is, is);
	}
	snprintf(name + len, sizeof(name) - len, "E1fEv");
	demangle(name, out, sizeof(out));
	assert_string_equal(out, "A<B, C<B, B>, D<C<B, B>, C<B, B> >, D<D<C<B, B>, C<B, B> >, D<C");
}

static void a_long_name_is_cut(void **state)
{
	static char name[5000];
	char out[16];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	demangle(name, out, sizeof(out));
	assert_string_equal(out, "aaaaaaaaaaaaaaa");
	memcpy(name, "_ZN", 3);
	demangle(name, out, sizeof(out));
	assert_string_equal(out, "_ZNaaaaaaaaaaaa");
	demangle("_ZNSt5mutex4lockEv", out, 8);
	assert_string_equal(out, "std::mu");
}

static void expressions_of_unwind_information_are_run(void **state)
{
	static const uint64_t words[4] = {11, 22, 33, 44};
	const struct stack_view stack = {0x1000, (const uint8_t *)words, sizeof(words)};
	const struct frame f = {.regs = {[7] = 0x1008, [16] = 0x77}, .known = 1U << 7 | 1U << 16};
	static const struct {
		Dwarf_Op ops[6];
		size_t cnt;
		bool ok, is_value;
		uint64_t want;
	} rows[] = {
		{{{.atom = DW_OP_breg7, .number = 8}}, 1, true, false, 0x1010},
		{{{.atom = DW_OP_bregx, .number = 7, .number2 = 16}, {.atom = DW_OP_deref}}, 2, true, false, 44},
		{{{.atom = DW_OP_call_frame_cfa}, {.atom = DW_OP_plus_uconst, .number = (uint64_t)-8}}, 2, true, false, 0x4ff8},
		{{{.atom = DW_OP_reg7}}, 1, true, true, 0x1008},
		/* Of a procedure linkage table: rsp + 8 + ((rip & 15) >= 11) * 8 */
		{{{.atom = DW_OP_lit15}, {.atom = DW_OP_lit11}, {.atom = DW_OP_ge}, {.atom = DW_OP_lit3}, {.atom = DW_OP_shl},
		  {.atom = DW_OP_stack_value}}, 6, true, true, 8},
		{{{.atom = DW_OP_breg3, .number = 8}}, 1, false, false, 0},	/* rbx is not known */
		{{{.atom = DW_OP_breg7, .number = 4096}, {.atom = DW_OP_deref}}, 2, false, false, 0},
		{{{.atom = DW_OP_plus}}, 1, false, false, 0},
		{{{.atom = DW_OP_drop}}, 1, false, false, 0},
		{{{.atom = DW_OP_skip}}, 1, false, false, 0},
		{{{.atom = 0}}, 0, false, false, 0},
	};
	Dwarf_Op many[100];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t out = 0;
		bool is_value = false;

		assert_int_equal(expr_run(rows[i].ops, rows[i].cnt, &f, &stack, 0x5000, &out, &is_value), rows[i].ok);
		if (!rows[i].ok)
			continue;
		assert_int_equal(out, rows[i].want);
		assert_int_equal(is_value, rows[i].is_value);
	}
	for (size_t i = 0; i < 100; i++) {
		uint64_t out;
		bool is_value;

		many[i] = (Dwarf_Op){.atom = DW_OP_lit1};
		if (i >= 32)
			assert_false(expr_run(many, i + 1, &f, &stack, 0, &out, &is_value));
	}
}

static void numbers_beyond_the_end_are_refused(void **state)
{
	static const uint8_t raw[] = {0xe5, 0x8e, 0x26, 0x7f, 'a', 0, 0x80};
	struct bytes b = {raw, raw + sizeof(raw), false};

	(void)state;
	assert_int_equal(bytes_uleb(&b), 624485);
	assert_int_equal(bytes_sleb(&b), -1);
	assert_string_equal(bytes_string(&b), "a");
	assert_false(b.is_bad);
	assert_int_equal(bytes_uleb(&b), 0);
	assert_true(b.is_bad);
	b = (struct bytes){raw, raw + 3, false};
	assert_int_equal(bytes_number(&b, 4), 0);
	assert_true(b.is_bad);
	b = (struct bytes){raw + 4, raw + 5, false};
	assert_null(bytes_string(&b));
	assert_true(b.is_bad);
}

static uint64_t kernel_address(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[512], is[256];
	uint64_t addr = 0, at;

	assert_non_null(f);
	while (!addr && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx %*c %255s", &at, is) == 2 && !strcmp(is, name))
			addr = at;
	fclose(f);
	return addr;
}

static void the_kernel_has_names(void **state)
{
	uint64_t addr = kernel_address("schedule");
	struct space_frame f;
	struct space *s;
	char why[SPACE_WHY];

	(void)state;
	if (!addr)
		skip();
	assert_int_equal(space_open_kernel(&s, why), 0);
	assert_int_equal(space_resolve(s, addr + 5, true, &f, 1), 1);
	assert_string_equal(f.func, "schedule");
	assert_string_equal(f.module, "[kernel]");
	assert_int_equal(space_resolve(s, 0x1000, true, &f, 1), 0);
	assert_false(space_is_go(s, addr));
	assert_false(space_object(s, addr, &(struct space_object){}));
	assert_int_equal(space_refresh(s), 0);
	space_close(s);
}

static void what_has_no_memory_is_not_opened(void **state)
{
	char why[SPACE_WHY] = "";
	struct space *s;

	(void)state;
	assert_int_equal(space_open(2, &s, why), -ESRCH);	/* kthreadd, or nobody */
	assert_int_equal(space_open(0x7fffffff, &s, why), -ESRCH);
	assert_true(*why);
}

/* Our own addresses: of a function, an object, nothing at all. */
static void our_own_process_is_read(void **state)
{
	static int own_object[4];
	struct space_object o;
	struct space_frame f[8];
	struct space *s;
	char why[SPACE_WHY];
	size_t cnt;

	(void)state;
	assert_int_equal(space_open((uint32_t)getpid(), &s, why), 0);
	cnt = space_resolve(s, (uint64_t)(uintptr_t)our_own_process_is_read, false, f, 8);
	assert_in_range(cnt, 1, 8);
	assert_string_equal(f[cnt - 1].func, "our_own_process_is_read");
	assert_int_equal(space_resolve(s, 8, true, f, 8), 0);
	assert_int_equal(space_resolve(s, (uint64_t)(uintptr_t)our_own_process_is_read, false, f, 0), 0);
	assert_true(space_object(s, (uint64_t)(uintptr_t)&own_object[2], &o));
	assert_int_equal(o.base, (uintptr_t)own_object);
	assert_int_equal(strncmp(o.name, "own_object", 10), 0);
	assert_false(space_object(s, (uint64_t)(uintptr_t)&o, &o));
	space_close(s);
}

/* Its file is in memory only. */
static void the_vdso_has_names(void **state)
{
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	struct space_frame f = {};
	struct space *s;
	char why[SPACE_WHY];

	(void)state;
	if (!vdso)
		skip();
	assert_int_equal(space_open((uint32_t)getpid(), &s, why), 0);
	for (uint64_t pc = vdso; strcmp(f.func, "clock_gettime"); pc += 16) {
		assert_in_range(pc, vdso, vdso + 65536);
		assert_int_equal(space_resolve(s, pc, false, &f, 1), 1);
	}
	assert_string_equal(f.module, "[vdso]");
	space_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_for_people),
		cmocka_unit_test(a_name_that_explodes_is_cut),
		cmocka_unit_test(a_long_name_is_cut),
		cmocka_unit_test(expressions_of_unwind_information_are_run),
		cmocka_unit_test(numbers_beyond_the_end_are_refused),
		cmocka_unit_test(the_kernel_has_names),
		cmocka_unit_test(what_has_no_memory_is_not_opened),
		cmocka_unit_test(our_own_process_is_read),
		cmocka_unit_test(the_vdso_has_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
