/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "parts.h"

/* Of a mangled name: longer ones are shown as they are. */
enum { MANGLED_MAX = 2048 };

/* What compilers append to the names of parts and copies of a function. */
static const char *const SUFFIXES[] = {"cold", "constprop", "isra", "llvm", "lto_priv", "part"};

/* A sink that ends the demangler when it is full: what a few hundred bytes expand to has no bound. */
struct sink {
	char *to;
	size_t size, len;
	jmp_buf full;
};

static void take(const char *text, size_t len, void *ctx)
{
	struct sink *s = ctx;
	size_t room = s->size - 1 - s->len;

	memcpy(s->to + s->len, text, len < room ? len : room);
	s->len += len < room ? len : room;
	s->to[s->len] = '\0';
	if (len > room)
		longjmp(s->full, 1);
}

static bool is_suffix(const char *dot)
{
	for (size_t i = 0; i < sizeof(SUFFIXES) / sizeof(*SUFFIXES); i++) {
		size_t len = strlen(SUFFIXES[i]);

		if (!strncmp(dot + 1, SUFFIXES[i], len) && (!dot[1 + len] || dot[1 + len] == '.'))
			return true;
	}
	return false;
}

/* Without the version of a library's symbol and without the compiler's suffixes. */
static size_t plain_len(const char *name)
{
	size_t len = strcspn(name, "@");

	for (const char *dot = strchr(name, '.'); dot && dot < name + len; dot = strchr(dot + 1, '.'))
		if (dot > name && is_suffix(dot))
			return (size_t)(dot - name);
	return len ? len : strlen(name);
}

/* Rust's old names are C++'s with a hash at the end: "17h" and 16 hexadecimal digits. */
static bool is_rust(const char *name, size_t len)
{
	return !strncmp(name, "_R", 2) || (len > 20 && name[len - 1] == 'E' && !strncmp(name + len - 20, "17h", 3));
}

static bool expand(const char *name, size_t len, struct sink *s)
{
	if (setjmp(s->full))
		return true;
	if (is_rust(name, len) && rust_demangle_callback(name, DMGL_NO_OPTS, take, s) && s->len)
		return true;
	s->len = 0;
	return cplus_demangle_v3_callback(name, DMGL_NO_OPTS, take, s) && s->len;
}

/* glibc calls its own functions by other names. */
static const char *without_prefix(const char *name)
{
	return strncmp(name, "__GI_", 5) ? name : name + 5;
}

void demangle(const char *mangled, char *out, size_t size)
{
	const char *name = without_prefix(mangled);
	char plain[MANGLED_MAX];
	struct sink s = {.to = out, .size = size};
	size_t len = plain_len(name);

	snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), name);
	if (strncmp(name, "_Z", 2) && strncmp(name, "_R", 2))
		return;
	if (len >= sizeof(plain))
		return;
	memcpy(plain, name, len);
	plain[len] = '\0';
	if (!expand(plain, len, &s))
		snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), name);
}
