/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * libFuzzer target: programs that say they are Go's.
 *
 * An input that begins as an ELF file does is one. Any other is a list of changes to a sound one: a byte that
 * chooses its form, then each change's place (u16), length (u8, 1 to 8) and bytes.
 *
 *	fuzz_go_binary FOLDER
 */
#include <stdio.h>
#include <sys/mman.h>

#include "tests/unit/go_image.h"
#include "tests/unit/go_use.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void change(struct go_image *im, const uint8_t *data, size_t size)
{
	while (size > 3) {
		size_t at = (data[0] | (size_t)data[1] << 8) % GO_IMAGE_SIZE, len = data[2] % 8 + 1;

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		if (len > GO_IMAGE_SIZE - at)
			len = GO_IMAGE_SIZE - at;
		memcpy(im->bytes + at, data, len);
		data += len;
		size -= len;
	}
}

static void write_or_die(int fd, const void *bytes, size_t len)
{
	if (ftruncate(fd, 0) || pwrite(fd, bytes, len, 0) != (ssize_t)len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct go_image_opts FORMS[] = {
		{.version = "go1.17.1", .minor = 17}, {.version = "go1.17.1", .minor = 17, .pie = true},
		{.version = "go1.19.8", .minor = 18}, {.version = "go1.19.8", .minor = 18, .pie = true},
		{.version = "go1.24.4 X:rangefunc", .minor = 20, .settings = "build\t-pgo=default.pgo\n"},
		{.version = "devel go1.28", .minor = 27, .pie = true},
	};
	static struct go_image im;
	static int fd = -1;
	struct go_binary *b;
	char why[GO_WHY];

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || size < 1)
		return -1;
	if (size >= 4 && memcmp(data, ELFMAG, SELFMAG) == 0) {
		write_or_die(fd, data, size);
	} else {
		go_image_make(&im, FORMS[data[0] % (sizeof(FORMS) / sizeof(FORMS[0]))]);
		change(&im, data + 1, size - 1);
		write_or_die(fd, im.bytes, sizeof(im.bytes));
	}
	if (go_use_open(fd, &b, why)) {
		go_use_text(why, sizeof(why));
		return 0;
	}
	go_use_all(b);
	go_binary_close(b);
	return 0;
}
