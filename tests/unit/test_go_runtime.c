/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The runtime of Go programs: tests/workloads/go/frames.go in three ways to link it, a program with C, and
 * copies with other versions or damaged code; what the linker's symbol table and the debug information say is
 * the truth. Programs in GO_PROGRAMS (a list like PATH), of other versions, are looked at as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "go_image.h"
#include "go_use.h"
#include "src/go/amd64.h"
#include "src/go/layouts.h"
#include "src/go/runtime.h"

enum { PATH_SIZE = 4096, MAX_PROGRAMS = 128, LINE_SIZE = 400, DAMAGED = 20 };
enum variant { PLAIN, CGO, STRIPPED, PIE_STRIPPED, VARIANT_CNT };

static char folder[] = "/tmp/go_runtime.XXXXXX";
static char programs[MAX_PROGRAMS][PATH_SIZE];
static size_t program_cnt = VARIANT_CNT;
static char source[sizeof(folder) + 16];

static const char *go_tool(void)
{
	return getenv("GO") ? getenv("GO") : "go";
}

static struct go_binary *open_program(const char *path)
{
	struct go_binary *b = NULL;
	char why[GO_WHY] = "";

	if (go_binary_open(path, &b, why))
		fail_msg("%s: %s", path, why);
	return b;
}

static struct go_runtime resolve(const struct go_binary *b)
{
	struct go_runtime r;
	char why[GO_WHY];

	if (go_runtime_resolve(b, &r, why))
		fail_msg("%s", why);
	return r;
}

static const struct go_site *site_of(const struct go_runtime *r, enum go_site_id id)
{
	for (size_t i = 0; i < r->site_cnt; i++)
		if (r->sites[i].id == id)
			return &r->sites[i];
	return NULL;
}

static uint64_t place_of(const struct go_binary *b, const struct go_site *site)
{
	uint64_t addr, size;

	assert_true(go_binary_func(b, site->symbol, &addr, &size));
	assert_true(site->addr >= addr && site->addr < addr + size);
	return site->addr - addr;
}

static void assert_table_is_debug_information(const struct go_binary *b)
{
	const struct go_build *build = go_binary_build(b);
	struct go_layout table, dwarf;
	char why[GO_WHY];

	if (!build->has_dwarf || build->minor > GO_MINOR_LAST)
		return;
	go_layout_of_table(build->minor, &table);
	assert_int_equal(go_layout_of_dwarf(b, &dwarf, why), 0);
	for (size_t at = 0; at < GO_AT_CNT; at++)
		if (go_layout_get(&table, at) != go_layout_get(&dwarf, at))
			fail_msg("%s of Go 1.%d: %u by the table, %u by DWARF", go_at_rows[at].id, build->minor,
				 go_layout_get(&table, at), go_layout_get(&dwarf, at));
	assert_memory_equal(&table, &dwarf, sizeof(table));
}

static void the_table_is_what_debug_information_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < program_cnt; i++) {
		struct go_binary *b = open_program(programs[i]);

		assert_true(i != PLAIN || go_binary_build(b)->has_dwarf);
		assert_table_is_debug_information(b);
		go_binary_close(b);
	}
}

static void debug_information_of_a_stripped_program_is_not_there(void **state)
{
	struct go_binary *b = open_program(programs[STRIPPED]);
	struct go_layout layout;
	char why[GO_WHY];

	(void)state;
	assert_int_equal(go_layout_of_dwarf(b, &layout, why), -ENOENT);
	go_binary_close(b);
}

/* What the kernel emulates, told apart from what the resolver thinks of it. */
static bool is_emulated(const struct go_site *s)
{
	static const char push[] = "\x55", jbe_near[] = "\x0f\x86", jbe[] = "\x76", jne_near[] = "\x0f\x85", jne[] = "\x75",
			  je[] = "\x74", nop[] = "\x90";
	const char *const codes[] = {push, jbe_near, jbe, jne_near, jne, je, nop};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (!memcmp(s->bytes, codes[i], strlen(codes[i])))
			return true;
	return false;
}

static void assert_site(const struct go_binary *b, const struct go_site *site)
{
	uint8_t bytes[GO_INSN_MAX];

	assert_true(is_emulated(site));
	assert_true(site->len && site->len <= 6);
	assert_int_equal(pread(go_binary_fd(b), bytes, site->len, (off_t)site->file_offset), site->len);
	assert_memory_equal(bytes, site->bytes, site->len);
	place_of(b, site);
	/* From 1.21 on, what has a frame begins by a push, and probes are there: it is passed once a call. */
	if (go_binary_build(b)->minor >= 22 && site->id != GO_SITE_STW_STOPPED)
		assert_int_equal(site->bytes[0], 0x55);
}

static void all_probes_have_a_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < program_cnt; i++) {
		struct go_binary *b = open_program(programs[i]);
		struct go_runtime r = resolve(b);

		assert_string_equal(r.missing, "");
		assert_int_equal(r.max_level, GO_FULL);
		assert_string_equal(r.layout_from, "table");
		for (enum go_site_id id = 0; id < GO_SITE_CNT; id++) {
			const struct go_site *site = site_of(&r, id);

			assert_int_equal(!site, id == GO_SITE_STW_STOPPED && r.layout.stw_args == GO_STW_ALL);
			if (site)
				assert_site(b, site);
		}
		go_binary_close(b);
	}
}

/* The stack's own check is 4 bytes behind the begin of all these in 1.19 (objdump). */
static void places_of_1_19_are_the_known_ones(void **state)
{
	struct go_binary *b = open_program(programs[PLAIN]);
	struct go_runtime r = resolve(b);

	(void)state;
	if (go_binary_build(b)->minor == 19)
		for (enum go_site_id id = GO_SITE_EXECUTE; id < GO_SITE_STW_STOPPED; id++)
			assert_int_equal(place_of(b, site_of(&r, id)), id == GO_SITE_NETPOLL ? 3 : 4);
	go_binary_close(b);
}

static void globals_are_where_the_symbol_table_says(void **state)
{
	struct go_binary *b = open_program(programs[PLAIN]), *stripped = open_program(programs[STRIPPED]);
	struct go_runtime r = resolve(stripped);
	uint64_t addr;

	(void)state;
	assert_false(go_binary_symbol(stripped, "runtime.sched", &addr));
	assert_true(go_binary_symbol(b, "runtime.allgs", &addr));
	assert_int_equal(r.globals.allgs, addr);
	assert_true(go_binary_symbol(b, "runtime.allp", &addr));
	assert_int_equal(r.globals.allp, addr);
	assert_true(go_binary_symbol(b, "runtime.allm", &addr));
	assert_int_equal(r.globals.allm, addr);
	assert_true(go_binary_symbol(b, "runtime.sched", &addr));
	assert_int_equal(r.globals.sched, addr);
	assert_true(go_binary_symbol(b, "runtime.work", &addr));
	assert_in_range(r.globals.gc_cycles, addr + 8, addr + 1024);
	go_binary_close(stripped);
	go_binary_close(b);
}

static void globals_are_found_in_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < program_cnt; i++) {
		struct go_binary *b = open_program(programs[i]);
		struct go_runtime r = resolve(b);

		assert_true(r.globals.allgs && r.globals.allp && r.globals.allm && r.globals.sched && r.globals.gc_cycles);
		go_binary_close(b);
	}
}

/* Without C there is one word of thread storage; with C, the linker says where in it Go's is. */
static void g_is_in_the_threads_storage(void **state)
{
	(void)state;
	for (size_t i = 0; i < program_cnt; i++) {
		struct go_binary *b = open_program(programs[i]);
		uint64_t tlsg, memsz, align;
		int64_t want = -8;

		if (go_binary_symbol(b, "runtime.tlsg", &tlsg) && go_binary_tls(b, &memsz, &align))
			want = (int64_t)tlsg - (int64_t)((memsz + align - 1) / align * align);
		assert_true(i != CGO || want < -8);
		if (i == PLAIN || i == CGO)
			assert_int_equal(resolve(b).tls, want);
		go_binary_close(b);
	}
}

struct copy {
	int fd;
	size_t size;
	char *bytes;
};

static struct copy copy_of(const char *path)
{
	int in = open(path, O_RDONLY | O_CLOEXEC);
	struct copy c = {.fd = memfd_create("program", MFD_CLOEXEC), .size = (size_t)lseek(in, 0, SEEK_END)};

	assert_true(in >= 0 && c.fd >= 0 && !ftruncate(c.fd, (off_t)c.size));
	c.bytes = mmap(NULL, c.size, PROT_READ | PROT_WRITE, MAP_SHARED, c.fd, 0);
	assert_true(c.bytes != MAP_FAILED);
	assert_int_equal(pread(in, c.bytes, c.size, 0), c.size);
	close(in);
	return c;
}

/* Gives the copy up for what it is as a program; NULL if it is none. */
static struct go_binary *opened(struct copy *c)
{
	struct go_binary *b = NULL;
	char why[GO_WHY];

	munmap(c->bytes, c->size);
	if (go_use_open(c->fd, &b, why))
		b = NULL;
	close(c->fd);
	return b;
}

/* A copy of a program, with `from` replaced by `to` (both `len` long) wherever it is. */
static struct go_binary *patched(const char *path, const char *from, const char *to, size_t len)
{
	struct copy c = copy_of(path);
	struct go_binary *b;

	for (char *at = c.bytes; (at = memmem(at, (size_t)(c.bytes + c.size - at), from, len)); at += len)
		memcpy(at, to, len);
	b = opened(&c);
	assert_non_null(b);
	return b;
}

static struct go_binary *of_version(const char *path, const char *minor)
{
	struct go_binary *b = open_program(path);
	char from[8], to[8];

	snprintf(from, sizeof(from), "go1.%.2d", go_binary_build(b)->minor);
	snprintf(to, sizeof(to), "go1.%s", minor);
	go_binary_close(b);
	return patched(path, from, to, strlen(from));
}

static void a_newer_version_is_read_by_its_debug_information(void **state)
{
	struct go_binary *b = of_version(programs[PLAIN], "99"), *old = open_program(programs[PLAIN]);
	struct go_runtime r = resolve(b), want = resolve(old);

	(void)state;
	assert_int_equal(go_binary_build(b)->minor, 99);
	assert_string_equal(r.layout_from, "DWARF");
	for (size_t at = 0; at < GO_AT_CNT; at++)
		if (go_layout_get(&want.layout, at) != GO_NO_OFFSET)
			assert_int_equal(go_layout_get(&r.layout, at), go_layout_get(&want.layout, at));
	go_binary_close(old);
	go_binary_close(b);
}

static void another_versions_layout_is_refused(void **state)
{
	static const char *const others[] = {"23", "25", "99"};
	struct go_binary *plain = open_program(programs[PLAIN]);
	int minor = go_binary_build(plain)->minor;
	struct go_runtime r;
	char why[GO_WHY];

	(void)state;
	go_binary_close(plain);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others) && minor == 19; i++) {
		struct go_binary *b = of_version(programs[STRIPPED], others[i]);

		assert_int_equal(go_runtime_resolve(b, &r, why), -ENOTSUP);
		assert_non_null(strstr(why, "differs from that of Go 1."));
		go_binary_close(b);
	}
}

/* The compare and swap of a goroutine's status, 8 bytes further behind than the table has it. */
static void code_that_disagrees_with_the_table_is_refused(void **state)
{
	struct go_binary *b = open_program(programs[STRIPPED]);
	struct go_code code;
	struct go_runtime r;
	char from[GO_INSN_MAX], to[GO_INSN_MAX], why[GO_WHY];
	size_t len = 0;

	(void)state;
	assert_int_equal(go_code_read(b, "runtime.casgstatus", &code), 0);
	for (size_t i = 0; i < code.cnt && !len; i++)
		if (code.insns[i].is_cas) {
			len = code.insns[i].len;
			memcpy(from, go_binary_bytes(b, code.insns[i].addr, len), len);
		}
	assert_true(len > 4);
	memcpy(to, from, len);
	to[len - 4] = (char)(to[len - 4] + 8);
	go_code_free(&code);
	go_binary_close(b);

	b = patched(programs[STRIPPED], from, to, len);
	assert_int_equal(go_runtime_resolve(b, &r, why), -ENOTSUP);
	assert_non_null(strstr(why, "runtime.casgstatus does not use g_status at "));
	go_binary_close(b);
}

static void what_is_missing_lowers_the_level(void **state)
{
	static const struct {
		const char *from, *to, *missing;
		enum go_level level;
	} names[] = {
		{"runtime.newproc1", "runtime.newproc_", "runtime.newproc1 is not there", GO_SNAPSHOT},
		{"runtime.park_m", "runtime.park_x", "runtime.park_m is not there", GO_LIGHT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct go_binary *b = patched(programs[STRIPPED], names[i].from, names[i].to, strlen(names[i].from) + 1);
		struct go_runtime r = resolve(b);

		assert_int_equal(r.max_level, names[i].level);
		assert_string_equal(r.missing, names[i].missing);
		go_binary_close(b);
	}
}

/* An argument is overwritten first, by `mov $0,%eax`: what follows is no place for a probe any more. */
static void a_probe_comes_before_arguments_are_overwritten(void **state)
{
	struct go_binary *b = open_program(programs[STRIPPED]);
	struct copy c = copy_of(programs[STRIPPED]);
	struct go_runtime r;
	uint64_t addr, size;

	(void)state;
	assert_true(go_binary_func(b, "runtime.park_m", &addr, &size));
	memcpy(c.bytes + go_binary_file_offset(b, addr), "\xb8\0\0\0", 5);
	go_binary_close(b);
	b = opened(&c);
	assert_non_null(b);
	r = resolve(b);
	assert_null(site_of(&r, GO_SITE_PARK));
	assert_string_equal(r.missing, "runtime.park_m has no place for a probe");
	assert_int_equal(r.max_level, GO_LIGHT);
	go_binary_close(b);
}

static uint64_t random_u64(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed * 0x2545f4914f6cdd1dull;
}

/* All bytes of one value in the code become another: a result or a reason, and nothing out of bounds. */
static void damaged_code_is_refused_or_read(void **state)
{
	struct go_binary *b = open_program(programs[STRIPPED]), *damaged;
	uint64_t seed = 1, lo, hi;
	struct go_runtime r;
	char why[GO_WHY];

	(void)state;
	go_binary_text(b, &lo, &hi);
	for (int i = 0; i < DAMAGED; i++) {
		struct copy c = copy_of(programs[STRIPPED]);
		uint64_t begin = go_binary_file_offset(b, lo);
		char from = (char)go_binary_bytes(b, lo + random_u64(&seed) % (hi - lo), 1)[0], to = (char)random_u64(&seed);

		assert_true(begin < c.size && hi - lo <= c.size - begin);
		for (uint64_t at = begin; at < begin + (hi - lo); at++)
			c.bytes[at] = c.bytes[at] == from ? to : c.bytes[at];
		damaged = opened(&c);
		assert_non_null(damaged);

		int err = go_runtime_resolve(damaged, &r, why);

		assert_true(!err || (err == -ENOTSUP && why[0]));
		go_binary_close(damaged);
	}
	go_binary_close(b);
}

/* Opens a program of a few functions, none of the runtime's. */
static struct go_binary *small(const char *version, int form)
{
	struct go_image im;
	struct go_binary *b = NULL;
	char why[GO_WHY];
	int fd = memfd_create("small", MFD_CLOEXEC);

	go_image_make(&im, (struct go_image_opts){.version = version, .minor = form});
	assert_int_equal(write(fd, im.bytes, sizeof(im.bytes)), sizeof(im.bytes));
	if (go_use_open(fd, &b, why))
		fail_msg("%s", why);
	close(fd);
	return b;
}

static void a_program_without_the_runtimes_code_is_refused(void **state)
{
	struct go_binary *b = small("go1.22.1", 20);
	struct go_runtime r;
	char why[GO_WHY];

	(void)state;
	assert_int_equal(go_runtime_resolve(b, &r, why), -ENOTSUP);
	assert_non_null(strstr(why, "runtime.casgstatus can't be read"));
	go_binary_close(b);
}

/* Numbers in the sources of the versions. */
static void words_are_those_of_the_version(void **state)
{
	static const struct {
		const char *version;
		int form;
		enum go_word word;
		uint32_t number;
		const char *text;
	} words[] = {
		{"go1.17.1", 17, GO_WORD_REASON, 21, "timer goroutine (idle)"},
		{"go1.19.8", 18, GO_WORD_REASON, 0, NULL},
		{"go1.19.8", 18, GO_WORD_REASON, 18, "semacquire"},
		{"go1.19.8", 18, GO_WORD_REASON, 25, "preempted"},
		{"go1.19.8", 18, GO_WORD_REASON, 26, "debug call"},
		{"go1.19.8", 18, GO_WORD_REASON, 27, NULL},
		{"go1.19.8", 18, GO_WORD_STW, 1, NULL},
		{"go1.20.4", 20, GO_WORD_REASON, 21, "sync.Mutex.Lock"},
		{"go1.20.4", 20, GO_WORD_REASON, 31, "stopping the world"},
		{"go1.20.4", 20, GO_WORD_REASON, 32, NULL},
		{"go1.21.13", 20, GO_WORD_STW, 7, "read mem stats"},
		{"go1.22.12", 20, GO_WORD_REASON, 36, "coroutine"},
		{"go1.23.5", 20, GO_WORD_REASON, 37, "GC weak to strong wait"},
		{"go1.24.4", 20, GO_WORD_REASON, 24, "sync.WaitGroup.Wait"},
		{"go1.24.4", 20, GO_WORD_REASON, 43, "select (synctest)"},
		{"go1.25.12", 20, GO_WORD_REASON, 20, "sleep"},
		{"go1.25.12", 20, GO_WORD_REASON, 46, "cleanup wait"},
		{"go1.26.11", 27, GO_WORD_REASON, 18, "select"},
		{"go1.26.11", 27, GO_WORD_REASON, 19, "chan receive"},
		{"go1.27.4", 27, GO_WORD_REASON, 22, "sync.Mutex.Lock"},
		{"go1.27.4", 27, GO_WORD_REASON, 46, "cleanup wait"},
		{"go1.27.4", 27, GO_WORD_REASON, 47, NULL},
		{"go1.27.4", 27, GO_WORD_STW, 16, "ResetDebugLog (test)"},
		{"go1.27.4", 27, GO_WORD_STW, 17, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct go_binary *b = small(words[i].version, words[i].form);
		const char *text = go_runtime_word(b, words[i].word, words[i].number);

		if (!text || !words[i].text)
			assert_ptr_equal(text, words[i].text);
		else
			assert_string_equal(text, words[i].text);
		go_binary_close(b);
	}
}

/* The texts of the array in the sources of the installed Go, in their order: its rows are sorted by number. */
static void reasons_are_those_of_the_installed_go(void **state)
{
	struct go_binary *b = open_program(programs[PLAIN]);
	char command[LINE_SIZE], line[LINE_SIZE];
	uint32_t number = 0;
	FILE *f;

	(void)state;
	snprintf(command, sizeof(command),
		 "sed -n '/^var waitReasonStrings/,/^}/ s/^\\twaitReason[^\"]*\"\\(.*\\)\",$/\\1/p' \"$(%s env GOROOT)\"/src/runtime/runtime2.go",
		 go_tool());
	f = popen(command, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const char *text = go_runtime_word(b, GO_WORD_REASON, number++);

		line[strcspn(line, "\n")] = 0;
		assert_string_equal(text ? text : "", line);
	}
	assert_int_equal(pclose(f), 0);
	assert_true(number > 20);
	assert_null(go_runtime_word(b, GO_WORD_REASON, number));
	go_binary_close(b);
}

static void histogram_buckets_tile_all_durations(void **state)
{
	static const struct {
		int minor;
		uint32_t cnt;
		uint64_t end;
	} versions[] = {{17, 720, 1ull << 48}, {19, 720, 1ull << 48}, {20, 160, 1ull << 47}, {27, 160, 1ull << 47}};

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		uint64_t lo, hi, end = 0;
		struct go_layout l;

		go_layout_of_table(versions[i].minor, &l);
		assert_int_equal(go_runtime_hist_cnt(&l), versions[i].cnt);
		for (uint32_t k = 0; k < versions[i].cnt; k++) {
			assert_true(go_runtime_hist_bucket(&l, k, &lo, &hi));
			assert_int_equal(lo, end);
			assert_true(hi > lo);
			end = hi;
		}
		assert_int_equal(end, versions[i].end);
		assert_false(go_runtime_hist_bucket(&l, versions[i].cnt, &lo, &hi));
	}
}

/* Bounds that runtime/metrics gives for /sched/latencies:seconds, in ns. */
static void histogram_buckets_are_the_runtimes(void **state)
{
	static const struct {
		int minor;
		uint32_t bucket;
		uint64_t lo, hi;
	} buckets[] = {
		{19, 15, 15, 16}, {19, 16, 16, 17}, {19, 32, 32, 34}, {19, 100, 640, 672},
		{20, 1, 64, 128}, {20, 4, 256, 320}, {20, 8, 512, 640}, {20, 159, 7ull << 44, 8ull << 44},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(buckets) / sizeof(*buckets); i++) {
		struct go_layout l;
		uint64_t lo, hi;

		go_layout_of_table(buckets[i].minor, &l);
		assert_true(go_runtime_hist_bucket(&l, buckets[i].bucket, &lo, &hi));
		assert_int_equal(lo, buckets[i].lo);
		assert_int_equal(hi, buckets[i].hi);
	}
}

/* C's own thread storage lies between Go's word and the thread pointer. */
static const char cgo_source[] =
	"package main\n"
	"// static __thread long words[3];\n"
	"// static void use(int i) { words[i]++; }\n"
	"import \"C\"\n"
	"func main() { C.use(1) }\n";

static int build_programs(void **state)
{
	static const struct {
		const char *flags, *source;
		int cgo;
	} builds[VARIANT_CNT] = {
		[STRIPPED] = {"-ldflags='-s -w'", "tests/workloads/go/frames.go", 0},
		[PIE_STRIPPED] = {"-buildmode=pie -ldflags='-s -w'", "tests/workloads/go/frames.go", 0},
		[CGO] = {"", source, 1},
	};
	const char *build = getenv("B") ? getenv("B") : "build", *more = getenv("GO_PROGRAMS");
	char command[3 * PATH_SIZE], cache[PATH_SIZE];
	FILE *f;

	(void)state;
	if (!mkdtemp(folder) || !realpath(build, cache))
		return -1;
	snprintf(source, sizeof(source), "%s/cgo.go", folder);
	f = fopen(source, "w");
	if (!f || fputs(cgo_source, f) < 0 || fclose(f))
		return -1;
	snprintf(programs[PLAIN], PATH_SIZE, "%s/workloads/go/frames", build);
	for (size_t i = PLAIN + 1; i < VARIANT_CNT; i++) {
		snprintf(programs[i], PATH_SIZE, "%s/program%zu", folder, i);
		snprintf(command, sizeof(command), "CGO_ENABLED=%d GOFLAGS=-trimpath GO111MODULE=off GOCACHE=%s/go-cache %s build"
			 " %s -o %s %s", builds[i].cgo, cache, go_tool(), builds[i].flags, programs[i], builds[i].source);
		if (system(command))
			return -1;
	}
	for (size_t len; more && (len = strcspn(more, ":")) && program_cnt < MAX_PROGRAMS; more += len + (more[len] == ':'))
		snprintf(programs[program_cnt++], PATH_SIZE, "%.*s", (int)len, more);
	return 0;
}

static int remove_programs(void **state)
{
	(void)state;
	unlink(source);
	for (size_t i = PLAIN + 1; i < VARIANT_CNT; i++)
		unlink(programs[i]);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_what_debug_information_says),
		cmocka_unit_test(debug_information_of_a_stripped_program_is_not_there),
		cmocka_unit_test(all_probes_have_a_place),
		cmocka_unit_test(places_of_1_19_are_the_known_ones),
		cmocka_unit_test(globals_are_where_the_symbol_table_says),
		cmocka_unit_test(globals_are_found_in_all),
		cmocka_unit_test(g_is_in_the_threads_storage),
		cmocka_unit_test(a_newer_version_is_read_by_its_debug_information),
		cmocka_unit_test(another_versions_layout_is_refused),
		cmocka_unit_test(code_that_disagrees_with_the_table_is_refused),
		cmocka_unit_test(what_is_missing_lowers_the_level),
		cmocka_unit_test(a_probe_comes_before_arguments_are_overwritten),
		cmocka_unit_test(damaged_code_is_refused_or_read),
		cmocka_unit_test(a_program_without_the_runtimes_code_is_refused),
		cmocka_unit_test(words_are_those_of_the_version),
		cmocka_unit_test(reasons_are_those_of_the_installed_go),
		cmocka_unit_test(histogram_buckets_tile_all_durations),
		cmocka_unit_test(histogram_buckets_are_the_runtimes),
	};

	return cmocka_run_group_tests(tests, build_programs, remove_programs);
}
