/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Pieces of the reader of Go processes, against our own memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/go/groups.h"
#include "src/go/reader.h"

static void a_part_that_is_not_there_costs_no_other(void **state)
{
	enum { CNT = 3000 };
	static uint64_t from[CNT], to[CNT];
	static struct memory_part parts[CNT];

	(void)state;
	for (size_t i = 0; i < CNT; i++) {
		bool bad = i % 700 == 1 || i == CNT - 1;

		from[i] = i * 3;
		parts[i] = (struct memory_part){bad ? 8 : (uintptr_t)&from[i], &to[i], sizeof(to[i]), !bad};
	}
	assert_int_equal(memory_read_parts((uint32_t)getpid(), parts, CNT), 0);
	for (size_t i = 0; i < CNT; i++) {
		assert_int_equal(parts[i].is_read, !(i % 700 == 1 || i == CNT - 1));
		assert_int_equal(to[i], parts[i].is_read ? i * 3 : 0);
	}
	assert_int_equal(memory_read((uint32_t)getpid(), UINT64_MAX - 3, to, 8), -EFAULT);
}

struct fake_string {
	const char *data;
	uint64_t len;
};

struct fake_bucket {
	uint8_t top[8];
	struct fake_string key[8], value[8];
	const struct fake_bucket *overflow;
};

struct fake_map {
	uint64_t cnt;
	uint8_t flags, log2_buckets;
	uint16_t overflows;
	uint32_t hash;
	const struct fake_bucket *buckets, *old_buckets;
};

static int read_map_text(const struct fake_map *map, char *text, size_t size)
{
	const struct go_runtime runtime = {.layout = {.labels_map = 1}};
	struct go_process_reader r = {.pid = (uint32_t)getpid(), .runtime = &runtime};

	return go_process_labels(&r, (uintptr_t)&map, text, size);
}

#define STRING(text) {text, sizeof(text) - 1}

static void label_maps_that_grow_are_read(void **state)
{
	const struct fake_bucket more = {.top = {77}, .key = {STRING("d")}, .value = {STRING("4")}};
	const struct fake_bucket now[2] = {
		{.top = {0, 9}, .key = {{0}, STRING("b")}, .value = {{0}, STRING("")}, .overflow = &more},
		{.top = {5}, .key = {STRING("a")}, .value = {STRING("1")}},
	};
	/* The first is not moved yet, the second is. */
	const struct fake_bucket old = {
		.top = {200, 2}, .key = {STRING("c"), STRING("a")}, .value = {STRING("3"), STRING("1")},
	};
	struct fake_map map = {.cnt = 4, .log2_buckets = 1, .buckets = now, .old_buckets = &old};
	char text[200];

	(void)state;
	assert_int_equal(read_map_text(&map, text, sizeof(text)), 0);
	assert_string_equal(text, "a=1,b=,c=3,d=4");
	assert_int_equal(read_map_text(&map, text, 8), 0);
	assert_string_equal(text, "a=1,b=");
	assert_int_equal(read_map_text(NULL, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void hostile_labels_are_bounded(void **state)
{
	struct fake_bucket loop = {.top = {5, 5, 5, 5, 5, 5, 5, 5}};
	struct fake_map map = {.buckets = &loop, .log2_buckets = 200};
	const struct go_runtime runtime = {.layout = {.labels_map = 0}};
	struct go_process_reader r = {.pid = (uint32_t)getpid(), .runtime = &runtime};
	struct {
		const void *data;
		uint64_t len, cap;
	} slice = {&loop, UINT64_MAX, 8};
	char text[200];

	(void)state;
	assert_int_equal(read_map_text(&map, text, sizeof(text)), -EIO);
	map.log2_buckets = 0;
	loop.overflow = &loop;
	assert_int_equal(read_map_text(&map, text, sizeof(text)), 0);
	loop.key[3] = (struct fake_string){(const char *)8, UINT64_MAX};
	assert_int_equal(read_map_text(&map, text, sizeof(text)), -EIO);
	assert_int_equal(go_process_labels(&r, (uintptr_t)&slice, text, sizeof(text)), -EIO);
	slice.cap = UINT64_MAX;
	slice.data = (const void *)8;
	assert_int_equal(go_process_labels(&r, (uintptr_t)&slice, text, sizeof(text)), -EIO);
}

static void groups_count_what_is_alike(void **state)
{
	struct go_groups groups = {.cnt = 0};

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(go_groups_add(&groups, &(struct go_group){
			.startpc = 0x400000 + i / 10 * 32, .status = 4, .reason = i % 10, .since = 9}), 0);
	assert_int_equal(groups.cnt, 1000);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(go_groups_add(&groups, &(struct go_group){
			.startpc = 0x400000 + 50 * 32, .status = 4, .reason = 7, .since = i < 4 ? 5 - i : 0}), 0);
	go_groups_sort(&groups);
	assert_int_equal(groups.all[0].cnt, 6);
	assert_int_equal(groups.all[0].reason, 7);
	assert_int_equal(groups.all[0].since, 2);
	for (size_t i = 1; i < 1000; i++)
		assert_int_equal(groups.all[i].cnt, 1);
	go_groups_done(&groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_that_is_not_there_costs_no_other),
		cmocka_unit_test(label_maps_that_grow_are_read),
		cmocka_unit_test(hostile_labels_are_bounded),
		cmocka_unit_test(groups_count_what_is_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
