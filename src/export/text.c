/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct range {
	uint32_t from, to;
};

/* Format characters: invisible, or they turn the direction of what follows. And what XML can't hold. */
static const struct range hidden[] = {
	{0xad, 0xad}, {0x61c, 0x61c}, {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
	{0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe0fff},
};

/* Marks that stand on the character before them. */
static const struct range combining[] = {
	{0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x5bd}, {0x610, 0x61a}, {0x64b, 0x65f}, {0x1ab0, 0x1aff},
	{0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

/* East Asian wide and fullwidth, and emoji: two columns. */
static const struct range wide[] = {
	{0x1100, 0x115f}, {0x231a, 0x231b}, {0x23e9, 0x23ec}, {0x2614, 0x2615}, {0x26a1, 0x26a1},
	{0x2705, 0x2705}, {0x2728, 0x2728}, {0x274c, 0x274c}, {0x2b50, 0x2b50}, {0x2e80, 0x303e},
	{0x3041, 0xa4cf}, {0xa960, 0xa97c}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f},
	{0xff01, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x18aff}, {0x1b000, 0x1b2ff}, {0x1f004, 0x1f004},
	{0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f19a}, {0x1f200, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f7e0, 0x1f7eb},
	{0x1f90c, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

#define IS_IN(code, ranges) is_in(code, ranges, sizeof(ranges) / sizeof(*(ranges)))

static bool is_in(uint32_t code, const struct range *r, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		if (code >= r[i].from && code <= r[i].to)
			return true;
	}
	return false;
}

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Bytes of the character at s, or 0: no UTF-8 (overlong forms, surrogates, beyond U+10FFFF) or a C1. */
static size_t decode(const unsigned char *s, uint32_t *code)
{
	static const uint32_t least[] = {[2] = 0xa0, [3] = 0x800, [4] = 0x10000};	/* C1 is below 0xa0 */
	size_t len;

	*code = s[0];
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	*code &= 0x7f >> len;
	for (size_t i = 1; i < len; i++) {
		if (!is_continuation(s[i]))
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if (*code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

/* Bytes of the character at s if it can be shown as it is, else 0. */
static size_t shown_len(const unsigned char *s, bool only_ascii)
{
	uint32_t code;
	size_t len = decode(s, &code);

	if (len == 1)
		return code >= 0x20 && code != 0x7f;
	return only_ascii || IS_IN(code, hidden) ? 0 : len;
}

static size_t escape(const char *raw, bool only_ascii, char *out, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;

	for (const unsigned char *s = (const unsigned char *)raw; *s;) {
		size_t len = shown_len(s, only_ascii);

		if (at + (len ? len : 4) >= size)
			break;
		if (len) {
			memcpy(out + at, s, len);
			at += len;
			s += len;
			continue;
		}
		memcpy(out + at, "\\x", 2);
		out[at + 2] = hex[*s >> 4];
		out[at + 3] = hex[*s & 15];
		at += 4;
		s++;
	}
	out[at] = '\0';
	return at;
}

size_t text_escape(const char *raw, char *out, size_t size)
{
	return escape(raw, false, out, size);
}

size_t text_escape_ascii(const char *raw, char *out, size_t size)
{
	return escape(raw, true, out, size);
}

size_t text_csv(const char *raw, char *out, size_t size)
{
	char plain[TEXT_SZ];
	bool is_formula = *raw && strchr("=+-@\t", *raw);
	size_t at = 0;

	text_escape(raw, plain, sizeof(plain));
	bool is_quoted = strpbrk(plain, "\",");

	if (size < 8)
		return *out = '\0';
	if (is_quoted)
		out[at++] = '"';
	if (is_formula)
		out[at++] = '\'';
	for (const char *s = plain; *s && at + 4 < size; s++) {
		if (*s == '"')
			out[at++] = '"';
		out[at++] = *s;
	}
	if (is_quoted)
		out[at++] = '"';
	out[at] = '\0';
	return at;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* The biggest unit first, one with a factor of 1 last: 999.6us has no three digits, it is 1.00ms. */
static const char *in_units(uint64_t value, const struct unit *units, char *out, size_t size)
{
	for (; units->factor > 1; units++) {
		double v = (double)value / (double)units->factor;

		if (v < 0.9995)
			continue;
		snprintf(out, size, "%.*f%s", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, units->name);
		return out;
	}
	snprintf(out, size, "%u%s", (unsigned int)value, units->name);
	return out;
}

const char *text_ns(uint64_t ns, char *out, size_t size)
{
	static const struct unit units[] = {{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}};

	return in_units(ns, units, out, size);
}

const char *text_signed_ns(int64_t ns, char *out, size_t size)
{
	if (!ns || size < 2)
		return text_ns(0, out, size);
	*out = ns < 0 ? '-' : '+';
	text_ns(ns < 0 ? -(uint64_t)ns : (uint64_t)ns, out + 1, size - 1);
	return out;
}

const char *text_bytes(uint64_t bytes, char *out, size_t size)
{
	static const struct unit units[] = {{"GB", 1000000000}, {"MB", 1000000}, {"kB", 1000}, {"B", 1}};

	return in_units(bytes, units, out, size);
}

const char *text_tick(uint64_t ns, char *out, size_t size)
{
	static const struct unit units[] = {
		{"h", UINT64_C(3600000000000)}, {"min", UINT64_C(60000000000)}, {"s", 1000000000},
		{"ms", 1000000}, {"us", 1000}, {"ns", 1},
	};

	if (!ns) {
		snprintf(out, size, "0");
		return out;
	}
	for (const struct unit *u = units;; u++) {
		double v = (double)ns / (double)u->factor;

		/* 1h, but 90s and 100min: easier to read than 1.5min and 1.67h. */
		bool is_whole = ns % u->factor == 0;

		if (u->factor > 1 && !is_whole && v < (u->factor > 1000000000 ? 2 : 0.9995))
			continue;
		snprintf(out, size, "%.6g%s", v, u->name);
		return out;
	}
}

static size_t char_width(uint32_t code)
{
	if (code < 0x300 || !IS_IN(code, combining))
		return code >= 0x1100 && IS_IN(code, wide) ? 2 : 1;
	return 0;
}

/* The next character of a text; what is no UTF-8 counts byte by byte. */
static size_t next_char(const char *s, size_t *width)
{
	uint32_t code;
	size_t len = decode((const unsigned char *)s, &code);

	*width = len ? char_width(code) : 1;
	return len ? len : 1;
}

size_t text_width(const char *utf8)
{
	size_t sum = 0, width;

	while (*utf8) {
		utf8 += next_char(utf8, &width);
		sum += width;
	}
	return sum;
}

size_t text_cut(const char *utf8, size_t width, const char *end, char *out, size_t size)
{
	size_t room = text_width(end), len = 0, used = 0;
	bool fits = text_width(utf8) <= width && strlen(utf8) < size;

	if (fits || width < room + 1 || size < strlen(end) + 1) {
		end = "";
		room = 0;
	}
	while (utf8[len]) {
		size_t w, next = next_char(utf8 + len, &w);

		if (used + w > width - room || len + next + strlen(end) >= size)
			break;
		used += w;
		len += next;
	}
	memcpy(out, utf8, len);
	snprintf(out + len, size - len, "%s", end);
	return len + strlen(end);
}

size_t text_line(const char *utf8, size_t width)
{
	size_t len = 0, used = 0, last_space = 0;

	while (utf8[len]) {
		size_t w, next = next_char(utf8 + len, &w);

		if (used + w > width)
			return utf8[len] == ' ' || !last_space ? len ? len : next : last_space;
		if (utf8[len] == ' ')
			last_space = len;
		used += w;
		len += next;
	}
	return len;
}

void text_put_xml(const char *text, FILE *out)
{
	static const char *const entities[256] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
	};

	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (entities[*c])
			fputs(entities[*c], out);
		else
			putc(*c, out);
	}
}
