/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "buildinfo.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The header (src/debug/buildinfo/buildinfo.go): magic, size of a pointer, flags, then by the flags two
 * pointers to Go strings, or (1.18) at byte 32 two strings with a varint's length before each.
 */
enum { HEADER = 32, ALIGNMENT = 16, FLAGS = 15, FLAG_BIG_ENDIAN = 1, FLAG_INLINE = 2, POINTERS = 16 };
/* The module's text stands between two markers of this many bytes (src/cmd/go/internal/modload/build.go). */
enum { MARKER = 16 };

static const char MAGIC[] = "\xff Go buildinf:";

struct text {
	const char *at;
	size_t len;
};

static bool is_header(const uint8_t *at)
{
	return memcmp(at, MAGIC, sizeof(MAGIC) - 1) == 0;
}

static struct image_bytes find_header(const struct image *im)
{
	struct image_bytes b = image_section(im, ".go.buildinfo");

	if (b.len >= HEADER && is_header(b.at))
		return b;
	for (size_t i = 0; i < im->segment_cnt; i++) {
		if (!im->segments[i].writable)
			continue;
		b = image_from(im, im->segments[i].addr);
		for (; b.len >= HEADER; b.at += ALIGNMENT, b.len -= ALIGNMENT) {
			if (is_header(b.at))
				return b;
		}
	}
	return (struct image_bytes){0};
}

/* Takes a string with a varint's length before it off the bytes. */
static bool take_text(struct image_bytes *b, struct text *out)
{
	uint64_t len = 0;

	for (unsigned int shift = 0; b->len && shift < 35; shift += 7) {
		uint8_t byte = *b->at++;

		b->len--;
		len |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (len > b->len)
			return false;
		*out = (struct text){(const char *)b->at, len};
		b->at += len;
		b->len -= len;
		return true;
	}
	return false;
}

/* The Go string (pointer, length) that a pointer leads to. One without a value is no bytes of the file: "". */
static struct text text_at(const struct image *im, const uint8_t *pointer)
{
	const uint8_t *string = image_at(im, image_number(pointer, 8), 16);
	uint64_t len = string ? image_number(string + 8, 8) : 0;
	const uint8_t *at = len ? image_at(im, image_number(string, 8), len) : NULL;

	return (struct text){(const char *)at, at ? len : 0};
}

static bool find_texts(const struct image *im, struct image_bytes b, struct text *version, struct text *module)
{
	const uint8_t *header = b.at;

	if (header[FLAGS] & FLAG_INLINE) {
		b.at += HEADER;
		b.len -= HEADER;
		return take_text(&b, version) && take_text(&b, module);
	}
	if (header[FLAGS] & FLAG_BIG_ENDIAN)
		return false;
	*version = text_at(im, header + POINTERS);
	*module = text_at(im, header + POINTERS + 8);
	return true;
}

static void copy_text(struct text from, char *to, size_t size)
{
	size_t len = from.len < size ? from.len : size - 1;

	memcpy(to, from.at, len);
	to[len] = '\0';
	for (char *c = to; *c; c++) {
		if (!isprint((unsigned char)*c))
			*c = '?';
	}
}

static bool after(struct text line, const char *start, struct text *rest)
{
	size_t len = strlen(start);

	if (line.len < len || memcmp(line.at, start, len) != 0)
		return false;
	*rest = (struct text){line.at + len, line.len - len};
	return true;
}

static void take_line(struct text line, struct buildinfo *out)
{
	struct text value;

	if (after(line, "path\t", &value))
		copy_text(value, out->path, sizeof(out->path));
	else if (after(line, "build\t-buildmode=", &value))
		copy_text(value, out->buildmode, sizeof(out->buildmode));
	else if (after(line, "build\tGOEXPERIMENT=", &value))
		copy_text(value, out->experiments, sizeof(out->experiments));
	else if (after(line, "build\t-pgo=", &value))
		out->pgo = true;
}

static void take_lines(struct text module, struct buildinfo *out)
{
	if (module.len < 2 * MARKER)
		return;
	module = (struct text){module.at + MARKER, module.len - 2 * MARKER};
	while (module.len) {
		const char *end = memchr(module.at, '\n', module.len);
		size_t len = end ? (size_t)(end - module.at) : module.len;

		take_line((struct text){module.at, len}, out);
		len += end != NULL;
		module = (struct text){module.at + len, module.len - len};
	}
}

/* "go1.19.8", "go1.22.1 X:rangefunc", "go1.26.1-X:..."; the experiments stand here too. */
static void take_version(struct text version, struct buildinfo *out)
{
	char whole[256];
	const char *experiments;

	copy_text(version, out->version, sizeof(out->version));
	copy_text(version, whole, sizeof(whole));
	out->minor = -1;
	if (strncmp(whole, "go1.", 4) == 0 && isdigit((unsigned char)whole[4]))
		out->minor = (int)(strtoul(whole + 4, NULL, 10) % 1000);
	experiments = strstr(whole, "X:");
	if (experiments && experiments > whole && strchr(" -", experiments[-1]))
		snprintf(out->experiments, sizeof(out->experiments), "%.*s", (int)sizeof(out->experiments) - 1,
			 experiments + 2);
}

bool buildinfo_exists(const struct image *im)
{
	return find_header(im).at;
}

int buildinfo_read(const struct image *im, struct buildinfo *out, char why[GO_WHY])
{
	struct image_bytes header = find_header(im);
	struct buildinfo info = {0};
	struct text version, module;

	if (!header.at || !find_texts(im, header, &version, &module) || !version.len)
		return image_refuse(why, -ENOTSUP, "a Go program whose build information is damaged");
	take_version(version, &info);
	take_lines(module, &info);
	*out = info;
	return 0;
}
