/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/trace/record_info.h"
#include "src/trace/text.h"
#include "tests/unit/trace_streams.h"

static void tables_cover_each_struct_without_holes(void **state)
{
	(void)state;
	for (unsigned int kind = 1; kind < REC_KIND_END; kind++) {
		const struct record_info *info = record_info(kind);
		size_t end = sizeof(struct rec_hdr);

		assert_non_null(info);
		assert_int_equal(info->kind, kind);
		assert_ptr_equal(record_info_named(info->name, strlen(info->name)), info);
		for (unsigned int i = 0; i < info->field_cnt; i++) {
			assert_int_equal(info->fields[i].offset, end);
			end += info->fields[i].size;
		}
		assert_int_equal(info->size, end);
	}
	assert_null(record_info(0));
	assert_null(record_info(REC_KIND_END));
	assert_null(record_info_named("wai", 3));
}

static void a_line_gives_the_record(void **state)
{
	const struct rec_wait want = {
		.hdr = { .kind = REC_WAIT_KIND, .len = sizeof(want) }, .tid = 101, .ran = 1500000,
		.waking = 0x1000, .off = 10, .futex = 0x7f00, .by = BY_SLICES,
		.futex_ret = FUTEX_RET_UNKNOWN, .syscall = SYSCALL_COMPAT, .why = WAIT_BLOCKED,
		.woken_by = WOKEN_TIMER, .timer = TIMER_SLEEPER,
	};
	union any_record got;
	char why[128];
	size_t len;

	(void)state;
	assert_int_equal(record_parse("\twait  off=10ns ran=1.5ms tid=101 waking=0x1000 by=slices "
		"why=blocked woken_by=timer timer=sleeper syscall=compat futex=0x7f00 "
		"futex_ret=unknown # and talk\n", &got, sizeof(got), &len, why, sizeof(why)), 0);
	assert_int_equal(len, sizeof(want));
	assert_memory_equal(&got, &want, sizeof(want));
}

static void units_are_exact(void **state)
{
	static const struct { const char *line; uint64_t ns; } rows[] = {
		{ "wait ran=7", 7 }, { "wait ran=7ns", 7 }, { "wait ran=7us", 7000 },
		{ "wait ran=7ms", 7000000 }, { "wait ran=7s", 7000000000 }, { "wait ran=0.25us", 250 },
		{ "wait ran=1.000000001s", 1000000001 }, { "wait ran=0xff", 255 },
		{ "wait ran=18446744073709551615", UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		union any_record got;
		char why[128];
		size_t len;

		assert_int_equal(record_parse(rows[i].line, &got, sizeof(got), &len, why, sizeof(why)), 0);
		assert_true(got.wait.ran == rows[i].ns);
	}
}

static void a_bad_line_is_refused_and_says_what(void **state)
{
	static const struct { const char *line, *what; } rows[] = {
		{ "", "''" }, { "nap tid=1", "'nap'" }, { "wait foo=1", "'foo'" }, { "wait tid", "'tid'" },
		{ "wait tid=1 tid=2", "twice" }, { "wait tid=", "''" }, { "wait tid=-1", "'-1'" },
		{ "wait tid=4294967296", "fit" }, { "wait cpu=70000", "fit" },
		{ "wait syscall=32768", "fit" }, { "wait syscall=-32769", "fit" },
		{ "wait why=sleepy", "'sleepy'" }, { "wait ran=1.5", "'1.5'" }, { "wait ran=1.5ns", "'1.5ns'" },
		{ "wait ran=1.0005us", "'1.0005us'" }, { "wait ran=1h", "'1h'" }, { "wait ran=0x", "'0x'" },
		{ "wait ran=18446744073709551616", "1844" }, { "wait ran=20000000000s", "2000" },
		{ "clock tai=9223372036854775808", "9223" }, { "task comm=abcdefghijklmnopq", "16" },
		{ "task comm=\"abc", "quote" }, { "task comm=\"a\\q\"", "escape" },
		{ "task comm=\"a\"b", "behind" }, { "task comm=\"a\\x00b\"", "escape" },
		{ "task flags=tracked|", "tracked" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		union any_record got = { .hdr = { .kind = 77 } };
		size_t len = 5;
		char why[128] = "";

		assert_int_equal(record_parse(rows[i].line, &got, sizeof(got), &len, why, sizeof(why)), -EINVAL);
		if (!strstr(why, rows[i].what))
			fail_msg("'%s' said: %s", rows[i].line, why);
		assert_int_equal(got.hdr.kind, 77);
		assert_int_equal(len, 5);
	}
}

static void printing_is_short_and_uses_names(void **state)
{
	static const char *const lines[] = {
		"wait",
		"wait tid=101 ran=1500000 futex=0x7f00 by=slices syscall=-32768 why=preempted",
		"task tid=1 flags=tracked|execed|0x100 comm=\"a b\\n\\\"\\\\\\x01\\xff\"",
		"task tid=1 comm==cmd()#",
		"count id=ring_slice value=3",
		"clock realtime=-9223372036854775808 tai=9223372036854775807",
		"overrun id=3 timer=posix", "end reason=command_exit status=-1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char buf[RECORD_TEXT_MAX], why[128];
		union any_record rec;
		size_t len;

		assert_int_equal(record_parse(lines[i], &rec, sizeof(rec), &len, why, sizeof(why)), 0);
		assert_int_equal(record_print(&rec, len, buf, sizeof(buf)), strlen(lines[i]));
		assert_string_equal(buf, lines[i]);
		assert_int_equal(record_print(&rec, len, buf, strlen(lines[i])), -ENOSPC);
		assert_int_equal(record_print(&rec, len - 1, buf, sizeof(buf)), -EBADMSG);
	}
}

static void any_record_survives_its_text(void **state)
{
	struct stream s = stream_new(3);

	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		union any_record rec, back;
		char buf[RECORD_TEXT_MAX], why[128];
		size_t len, back_len;

		len = stream_any(&s, &rec);
		assert_true(record_print(&rec, len, buf, sizeof(buf)) > 0);
		if (record_parse(buf, &back, sizeof(back), &back_len, why, sizeof(why)))
			fail_msg("%s: %s", buf, why);
		assert_int_equal(back_len, len);
		assert_memory_equal(&back, &rec, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_cover_each_struct_without_holes),
		cmocka_unit_test(a_line_gives_the_record),
		cmocka_unit_test(units_are_exact),
		cmocka_unit_test(a_bad_line_is_refused_and_says_what),
		cmocka_unit_test(printing_is_short_and_uses_names),
		cmocka_unit_test(any_record_survives_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
