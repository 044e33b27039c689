/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Go programs: small ones made here, in the form of every version; and tests/workloads/go/frames.go, which
 * prints the runtime's own view of its frames, linked in four ways.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "tests/unit/go_image.h"
#include "tests/unit/go_use.h"

enum { LINE = 8192, MAX_FRAMES = 64 };
enum variant { PLAIN, STRIPPED, PIE, PIE_STRIPPED, VARIANT_CNT };

static char folder[] = "/tmp/go_binary.XXXXXX";
static char programs[VARIANT_CNT][PATH_MAX];

static const char *go_tool(void)
{
	return getenv("GO") ? getenv("GO") : "go";
}

static int image_fd(const struct go_image *im)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, im->bytes, sizeof(im->bytes)), sizeof(im->bytes));
	return fd;
}

static int open_image(const struct go_image *im, struct go_binary **out, char why[GO_WHY])
{
	int fd = image_fd(im), err = go_use_open(fd, out, why);

	close(fd);
	return err;
}

static struct go_binary *must_open(const char *path)
{
	char why[GO_WHY] = "";
	struct go_binary *b;

	if (go_binary_open(path, &b, why))
		fail_msg("%s: %s", path, why);
	return b;
}

static void assert_frames(const struct go_binary *b, uint64_t pc, bool is_return, const struct go_frame *want,
			  size_t cnt)
{
	struct go_frame got[8];

	assert_int_equal(go_binary_resolve(b, pc, is_return, got, 8), cnt);
	for (size_t i = 0; i < cnt; i++) {
		assert_string_equal(got[i].func, want[i].func);
		assert_string_equal(got[i].file, want[i].file);
		assert_int_equal(got[i].line, want[i].line);
	}
}

static void assert_small_program(const struct go_binary *b)
{
	const struct go_frame inlined[] = {
		{"main.leaf", "dir/small.go", 30},
		{"main.mid", "dir/small.go", 20},
		{"main.outer", "dir/small.go", 10},
	};
	const struct go_frame outer[] = {{"main.outer", "dir/small.go", 10}};
	const struct go_frame assembly[] = {{"main.asm", "", 0}};
	struct go_frame first;
	uint64_t addr, size;

	assert_frames(b, GO_IMAGE_TEXT + 0x19, false, inlined, 3);
	assert_frames(b, GO_IMAGE_TEXT + 0x20, true, inlined, 3);
	assert_frames(b, GO_IMAGE_TEXT + 0x10, true, outer, 1);
	assert_frames(b, GO_IMAGE_TEXT + 0xa8, false, assembly, 1);
	assert_frames(b, GO_IMAGE_TEXT - 1, false, NULL, 0);
	assert_frames(b, GO_IMAGE_TEXT, true, NULL, 0);
	assert_frames(b, GO_IMAGE_TEXT + GO_IMAGE_TEXT_SIZE, false, NULL, 0);
	assert_int_equal(go_binary_resolve(b, GO_IMAGE_TEXT + 0x19, false, &first, 1), 1);
	assert_string_equal(first.func, "main.leaf");
	assert_true(go_binary_func(b, "main.outer", &addr, &size));
	assert_true(addr == GO_IMAGE_TEXT && size == 0x40);
	assert_true(go_binary_func(b, "main.both", &addr, &size));
	assert_true(addr == GO_IMAGE_TEXT + 0x80 && size == 0x18);
	assert_false(go_binary_func(b, "main.mid", &addr, &size));
	assert_false(go_binary_func(b, "main.oute", &addr, &size));
	assert_true(go_binary_is_inlined(b, "main.mid") && go_binary_is_inlined(b, "main.leaf"));
	assert_false(go_binary_is_inlined(b, "main.outer") || go_binary_is_inlined(b, "main.both"));
}

static void functions_and_inlined_calls_are_found_in_every_form(void **state)
{
	static const struct go_image_opts forms[] = {
		{.version = "go1.17.1", .minor = 17}, {.version = "go1.17.1", .minor = 17, .pie = true},
		{.version = "go1.18", .minor = 18}, {.version = "go1.19.8", .minor = 18, .pie = true},
		{.version = "go1.20.4", .minor = 20}, {.version = "go1.26.11", .minor = 20, .pie = true},
		{.version = "go1.27.3", .minor = 27}, {.version = "go1.27.3", .minor = 27, .pie = true},
		{.version = "devel go1.30-0123456789", .minor = 27},
	};
	static struct go_image im;

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char why[GO_WHY] = "";
		struct go_binary *b;

		go_image_make(&im, forms[i]);
		if (open_image(&im, &b, why))
			fail_msg("%s: %s", forms[i].version, why);
		assert_string_equal(go_binary_build(b)->version, forms[i].version);
		assert_string_equal(go_binary_build(b)->path, "example.org/small");
		assert_int_equal(go_binary_build(b)->pie, forms[i].pie);
		assert_small_program(b);
		go_binary_close(b);
	}
}

static void where_things_are_in_the_file(void **state)
{
	const struct go_image_opts opts = {.version = "go1.19.8", .minor = 18};
	static struct go_image im;
	uint64_t lo, hi;
	struct go_binary *b;
	char why[GO_WHY];

	(void)state;
	go_image_make(&im, opts);
	memset(im.bytes + GO_IMAGE_TEXT_OFFSET, 0x90, GO_IMAGE_TEXT_SIZE);
	assert_int_equal(open_image(&im, &b, why), 0);
	go_binary_text(b, &lo, &hi);
	assert_true(lo == GO_IMAGE_TEXT && hi == GO_IMAGE_TEXT + GO_IMAGE_TEXT_SIZE);
	assert_memory_equal(go_binary_bytes(b, lo, hi - lo), im.bytes + GO_IMAGE_TEXT_OFFSET, hi - lo);
	assert_int_equal(go_binary_file_offset(b, lo + 5), GO_IMAGE_TEXT_OFFSET + 5);
	assert_true(go_binary_file_offset(b, GO_IMAGE_BASE + GO_IMAGE_DATA) == UINT64_MAX);
	assert_non_null(go_binary_bytes(b, GO_IMAGE_BASE + GO_IMAGE_SIZE - 1, 1));
	assert_null(go_binary_bytes(b, GO_IMAGE_BASE + GO_IMAGE_SIZE - 1, 2));
	assert_null(go_binary_bytes(b, GO_IMAGE_BASE + GO_IMAGE_SIZE, 1));
	assert_null(go_binary_bytes(b, UINT64_MAX, 2));
	assert_true(go_binary_tls(b, &lo, &hi));
	assert_true(lo == 24 && hi == 8);
	assert_false(go_binary_symbol(b, "runtime.tlsg", &lo));
	go_binary_close(b);
}

static void build_information_is_read(void **state)
{
	static const struct {
		const char *version, *settings;
		int minor;
		const char *experiments;
		bool pgo;
	} rows[] = {
		{"go1.22.1 X:rangefunc,aliastypeparams", NULL, 22, "rangefunc,aliastypeparams", false},
		{"go1.26.1-X:nodwarf5", NULL, 26, "nodwarf5", false},
		{"go1.24rc1", "build\t-pgo=/x/default.pgo\nbuild\tGOEXPERIMENT=synctest\n", 24, "synctest", true},
		{"go1.21-20231128-RC02 cl/586117301 +6111acc8e6 with very much more text X:boringcrypto", NULL, 21,
		 "boringcrypto", false},
		{"devel +0123456789 Mon", "build\tCGO_ENABLED=1\n", -1, "", false},
	};
	static struct go_image im;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct go_image_opts opts = {.version = rows[i].version, .settings = rows[i].settings,
						   .minor = rows[i].minor < 0 ? 27 : 20};
		const struct go_build *build;
		struct go_binary *b;
		char why[GO_WHY] = "";

		go_image_make(&im, opts);
		if (open_image(&im, &b, why))
			fail_msg("%s: %s", rows[i].version, why);
		build = go_binary_build(b);
		assert_int_equal(strncmp(build->version, rows[i].version, sizeof(build->version) - 1), 0);
		assert_string_equal(build->experiments, rows[i].experiments);
		assert_int_equal(build->minor, rows[i].minor);
		assert_int_equal(build->pgo, rows[i].pgo);
		assert_false(build->cgo || build->has_dwarf || build->pie);
		go_binary_close(b);
	}
}

static void what_cannot_be_read_is_refused_with_the_reason(void **state)
{
	static const struct {
		struct go_image_opts opts;
		unsigned int at, value, size;	/* a change of the program */
		int err;
		const char *why;
	} rows[] = {
		{{.version = "go1.16.8", .minor = 17}, 0, 0, 0, -ENOTSUP, "go1.16.8: Go 1.17 and later"},
		{{.version = "go1.15", .minor = 17}, 0, 0, 0, -ENOTSUP, "Go 1.17 and later"},
		{{.version = "go1.19", .settings = "build\t-buildmode=c-archive\n", .minor = 18}, 0, 0, 0, -ENOTSUP,
		 "Go code inside a C program"},
		{{.version = "go1.19", .settings = "build\t-buildmode=c-shared\n", .minor = 18}, 0, 0, 0, -ENOTSUP,
		 "Go code inside a C program"},
		{{.version = "go1.19", .minor = 18, .pie = true}, GO_IMAGE_DYNAMIC + 40, 0, 8, -ENOTSUP,
		 "Go code inside a C program"},
		{{.version = "go1.19", .minor = 18}, offsetof(Elf64_Ehdr, e_machine), EM_AARCH64, 2, -ENOTSUP, "amd64"},
		{{.version = "go1.19", .minor = 18}, sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz),
		 GO_IMAGE_SIZE + 1, 8, -ENOTSUP, "damaged ELF"},
		{{.version = "go1.19", .minor = 18}, offsetof(Elf64_Ehdr, e_phnum), 0x7000, 2, -ENOTSUP, "damaged ELF"},
		{{.version = "go1.19", .minor = 18}, GO_IMAGE_TABLE, 0xfb, 1, -ENOTSUP, "pclntab) was not found"},
		{{.version = "go1.19", .minor = 18}, GO_IMAGE_MODULE + 136, 77, 8, -ENOTSUP, "pclntab) was not found"},
		{{.version = "go1.19", .minor = 18}, GO_IMAGE_MODULE + 184, GO_IMAGE_TEXT, 8, -ENOTSUP,
		 "pclntab) is damaged"},
		{{.version = "go1.17", .minor = 18}, 0, 0, 0, -ENOTSUP, "pclntab) was not found"},
		{{.version = "", .minor = 18}, 0, 0, 0, -ENOTSUP, "build information is damaged"},
		{{.version = "go1.19", .minor = 18}, GO_IMAGE_BUILDINFO + 39, 0xffff, 2, -ENOTSUP,
		 "build information is damaged"},
		{{.version = "go1.17", .minor = 17}, GO_IMAGE_BUILDINFO + 16, 1, 8, -ENOTSUP,
		 "build information is damaged"},
		{{.version = "go1.19", .minor = 18}, GO_IMAGE_BUILDINFO, 0, 1, -ENOENT, "no Go build information"},
		{{.version = "go1.19", .minor = 18}, EI_CLASS, ELFCLASS32, 1, -ENOENT, "64 bits"},
		{{.version = "go1.19", .minor = 18}, EI_MAG1, 'e', 1, -ENOENT, "no program"},
	};
	static struct go_image im;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct go_binary *b = NULL;
		char why[GO_WHY] = "";

		go_image_make(&im, rows[i].opts);
		go_image_put(&im, rows[i].at, rows[i].value, rows[i].size);
		assert_int_equal(open_image(&im, &b, why), rows[i].err);
		assert_null(b);
		if (!strstr(why, rows[i].why))
			fail_msg("row %zu: '%s' does not say '%s'", i, why, rows[i].why);
	}
}

static void other_files_are_no_go_programs(void **state)
{
	static const char *const paths[] = {"/bin/sh", "/no/such/file", "/tmp", "/dev/null", "Makefile"};
	struct go_binary *b = NULL;
	char why[GO_WHY];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		why[0] = '\0';
		assert_int_equal(go_binary_open(paths[i], &b, why), -ENOENT);
		assert_null(b);
		assert_true(why[0]);
	}
}

/* Damage is refused or gives nonsense, but no more: this is for the sanitizers, and for loops that never end. */
static void damaged_programs_do_no_harm(void **state)
{
	static const int minors[] = {17, 18, 20, 27};
	static struct go_image im;
	unsigned int opened = 0, random = 1;
	int fd = memfd_create("damaged", MFD_CLOEXEC);

	(void)state;
	for (unsigned int i = 0; i < 8000; i++) {
		const struct go_image_opts opts = {.version = "devel", .minor = minors[i % 4], .pie = i & 4};
		struct go_binary *b;
		char why[GO_WHY];

		go_image_make(&im, opts);
		for (unsigned int change = 0; change <= i % 5; change++) {
			random = random * 1103515245 + 12345;
			im.bytes[(random >> 8) % GO_IMAGE_SIZE] = random & 0x40 ? 0xff : (uint8_t)(random >> 20);
		}
		assert_int_equal(ftruncate(fd, i % 7 ? GO_IMAGE_SIZE : (random >> 9) % GO_IMAGE_SIZE), 0);
		assert_true(pwrite(fd, im.bytes, i % 7 ? GO_IMAGE_SIZE : (random >> 9) % GO_IMAGE_SIZE, 0) >= 0);
		if (go_use_open(fd, &b, why))
			continue;
		opened++;
		go_use_all(b);
		go_binary_close(b);
	}
	close(fd);
	assert_in_range(opened, 1000, 7000);
}

/* One line of a command's output. */
static bool next_line(FILE *from, char line[LINE])
{
	if (!fgets(line, LINE, from))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

static FILE *run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static FILE *run(const char *fmt, ...)
{
	char command[4 * PATH_MAX];
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	f = popen(command, "r");
	assert_non_null(f);
	return f;
}

/* The runtime prints generic functions without their types, whatever the table has: "main.pair[...].each". */
static void shorten_types(char *func)
{
	char *open = strchr(func, '['), *close = strrchr(func, ']');

	if (open && close && strncmp(open, "[...]", 5) != 0) {
		memmove(open + 5, close + 1, strlen(close + 1) + 1);
		memcpy(open, "[...]", 5);
	}
}

struct chain {
	size_t cnt;
	uint64_t pcs[MAX_FRAMES];
	struct go_frame frames[MAX_FRAMES];
};

static bool read_chain(FILE *from, struct chain *c)
{
	char line[LINE];

	for (c->cnt = 0; next_line(from, line) && *line; c->cnt++) {
		struct go_frame *f = &c->frames[c->cnt];

		assert_true(c->cnt < MAX_FRAMES);
		assert_int_equal(sscanf(line, "%" SCNx64 " %199s %199[^:]:%u", &c->pcs[c->cnt], f->func, f->file,
					&f->line), 4);
	}
	return c->cnt;
}

/* A frame with its inlined ones at a time: the PC of the innermost is where the call returns to. */
static size_t assert_chain(const struct go_binary *b, uint64_t bias, const struct chain *c)
{
	struct go_frame got[MAX_FRAMES];
	size_t inlined = 0;

	for (size_t i = 0; i < c->cnt;) {
		size_t cnt = go_binary_resolve(b, c->pcs[i] - bias, true, got, MAX_FRAMES);

		assert_in_range(cnt, 1, c->cnt - i);
		inlined += cnt - 1;
		for (size_t k = 0; k < cnt; k++, i++) {
			shorten_types(got[k].func);
			assert_string_equal(got[k].func, c->frames[i].func);
			assert_string_equal(got[k].file, c->frames[i].file);
			assert_int_equal(got[k].line, c->frames[i].line);
		}
	}
	return inlined;
}

static void frames_are_those_that_the_runtime_prints(void **state)
{
	static struct chain chain;

	(void)state;
	for (size_t i = 0; i < VARIANT_CNT; i++) {
		struct go_binary *b = must_open(programs[i]);
		FILE *f = run("%s 2>&1", programs[i]);
		size_t chains = 0, inlined = 0;
		uint64_t addr, size, live;
		char line[LINE];

		assert_true(next_line(f, line) && sscanf(line, "main %" SCNx64, &live) == 1);
		assert_true(go_binary_func(b, "main.main", &addr, &size));
		assert_true(i >= PIE || live == addr);
		for (; read_chain(f, &chain); chains++)
			inlined += assert_chain(b, live - addr, &chain);
		assert_int_equal(pclose(f), 0);
		assert_int_equal(chains, 8);
		assert_in_range(inlined, 8, 40);
		assert_true(go_binary_is_inlined(b, "main.once") && go_binary_is_inlined(b, "sync.(*Once).Do"));
		assert_false(go_binary_is_inlined(b, "main.show") || go_binary_is_inlined(b, "runtime.execute"));
		go_binary_close(b);
	}
}

static void functions_are_those_of_go_nm(void **state)
{
	struct go_binary *b = must_open(programs[PLAIN]);
	FILE *f = run("%s tool nm -size -type %s", go_tool(), programs[PLAIN]);
	uint64_t addr, size, lo, hi, body;
	unsigned int same = 0, other = 0;
	char line[LINE], type;
	int name;

	(void)state;
	go_binary_text(b, &lo, &hi);
	while (next_line(f, line)) {
		unsigned long long want, want_size;

		if (sscanf(line, "%llx %llu %c %n", &want, &want_size, &type, &name) != 3 || (type | 0x20) != 't')
			continue;
		if (want < lo || want >= hi || !go_binary_func(b, line + name, &addr, &size))
			continue;
		if (addr == want && size == want_size)
			same++;
		else
			other++;
	}
	assert_int_equal(pclose(f), 0);
	/* The others are wrappers, and parts of the text that are no functions. */
	assert_in_range(same, 1000, 4000);
	assert_in_range(other, 0, 40);
	/* One whose wrapper is larger than itself. */
	assert_true(go_binary_func(b, "runtime.osyield", &addr, &size));
	assert_true(go_binary_symbol(b, "runtime.osyield.abi0", &body) && body == addr);
	go_binary_close(b);
}

static void lines_are_those_of_go_addr2line(void **state)
{
	struct go_binary *b = must_open(programs[PLAIN]);
	char line[LINE], place[512], addresses[PATH_MAX];
	unsigned int cnt = 0;
	struct go_frame f[MAX_FRAMES];
	uint64_t lo, hi;
	FILE *list, *from;

	(void)state;
	go_binary_text(b, &lo, &hi);
	snprintf(addresses, sizeof(addresses), "%s/addresses", folder);
	list = fopen(addresses, "w");
	for (uint64_t pc = lo; pc < hi; pc += 61)
		fprintf(list, "0x%" PRIx64 "\n", pc);
	fclose(list);
	from = run("%s tool addr2line %s <%s", go_tool(), programs[PLAIN], addresses);
	for (uint64_t pc = lo; pc < hi; pc += 61, cnt++) {
		size_t frames = go_binary_resolve(b, pc, false, f, MAX_FRAMES);

		/* It names the function that is not inlined, and the line of the innermost. */
		assert_true(next_line(from, line));
		line[sizeof(f[0].func) - 1] = '\0';
		assert_string_equal(frames ? f[frames - 1].func : "?", line);
		snprintf(place, sizeof(place), "%s:%u", frames ? f[0].file : "?", frames ? f[0].line : 0);
		assert_true(next_line(from, line));
		/* Of an instruction without a line it knows no file, either. */
		if (!strstr(line, ":-"))
			assert_string_equal(place, line);
	}
	assert_int_equal(pclose(from), 0);
	assert_true(cnt > 4000);
	go_binary_close(b);
}

static void real_build_information_is_read(void **state)
{
	FILE *f = run("%s env GOVERSION", go_tool());
	char version[LINE];

	(void)state;
	assert_true(next_line(f, version));
	pclose(f);
	for (size_t i = 0; i < VARIANT_CNT; i++) {
		struct go_binary *b = must_open(programs[i]);
		const struct go_build *build = go_binary_build(b);
		uint64_t value;

		assert_string_equal(build->version, version);
		assert_int_equal(build->minor, atoi(version + strlen("go1.")));
		assert_string_equal(build->experiments, "");
		assert_string_equal(build->path, "command-line-arguments");
		assert_int_equal(build->pie, i >= PIE);
		assert_int_equal(build->has_dwarf, i == PLAIN || i == PIE);
		assert_int_equal(go_binary_symbol(b, "runtime.allgs", &value), i == PLAIN || i == PIE);
		assert_false(build->cgo || build->pgo);
		go_binary_close(b);
	}
}

/* The build's own program as it is, and built once more in other ways. */
static int build_programs(void **state)
{
	static const char *const flags[VARIANT_CNT] = {
		[STRIPPED] = "-ldflags='-s -w'",
		[PIE] = "-buildmode=pie",
		[PIE_STRIPPED] = "-buildmode=pie -ldflags='-s -w'",
	};
	const char *build = getenv("B") ? getenv("B") : "build";
	char command[2 * PATH_MAX + 400], cache[PATH_MAX];

	(void)state;
	if (!mkdtemp(folder) || !realpath(build, cache))
		return -1;
	snprintf(programs[PLAIN], sizeof(programs[PLAIN]), "%s/workloads/go/frames", build);
	for (size_t i = STRIPPED; i < VARIANT_CNT; i++) {
		snprintf(programs[i], sizeof(programs[i]), "%s/frames%zu", folder, i);
		snprintf(command, sizeof(command), "CGO_ENABLED=0 GOFLAGS=-trimpath GO111MODULE=off "
			 "GOCACHE=%s/go-cache %s build %s -o %s tests/workloads/go/frames.go", cache, go_tool(), flags[i], programs[i]);
		if (system(command))
			return -1;
	}
	return 0;
}

static int remove_programs(void **state)
{
	char path[PATH_MAX];

	(void)state;
	for (size_t i = STRIPPED; i < VARIANT_CNT; i++)
		unlink(programs[i]);
	snprintf(path, sizeof(path), "%s/addresses", folder);
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_and_inlined_calls_are_found_in_every_form),
		cmocka_unit_test(where_things_are_in_the_file),
		cmocka_unit_test(build_information_is_read),
		cmocka_unit_test(what_cannot_be_read_is_refused_with_the_reason),
		cmocka_unit_test(other_files_are_no_go_programs),
		cmocka_unit_test(damaged_programs_do_no_harm),
		cmocka_unit_test(frames_are_those_that_the_runtime_prints),
		cmocka_unit_test(functions_are_those_of_go_nm),
		cmocka_unit_test(lines_are_those_of_go_addr2line),
		cmocka_unit_test(real_build_information_is_read),
	};

	return cmocka_run_group_tests(tests, build_programs, remove_programs);
}
