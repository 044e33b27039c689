/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * Bytes of the character at s if it can be shown as it is, else 0: a control character, or no UTF-8
 * (overlong forms, surrogates and what is beyond U+10FFFF are none).
 */
static size_t shown_len(const unsigned char *s)
{
	uint32_t code;
	size_t len;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	code = s[0] & (0x7f >> len);
	for (size_t i = 1; i < len; i++) {
		if (!is_continuation(s[i]))
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	static const uint32_t least[] = {[2] = 0xa0, [3] = 0x800, [4] = 0x10000};	/* C1 is below 0xa0 */

	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return len;
}

size_t text_escape(const char *raw, char *out, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;

	for (const unsigned char *s = (const unsigned char *)raw; *s;) {
		size_t len = shown_len(s);

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

const char *text_ns(uint64_t ns, char *out, size_t size)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		double v = (double)ns / (double)units[i].ns;

		/* 999.6us has no three digits: it is 1.00ms. */
		if (v < 0.9995)
			continue;
		snprintf(out, size, "%.*f%s", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, units[i].name);
		return out;
	}
	snprintf(out, size, "%uns", (unsigned int)ns);
	return out;
}

size_t text_width(const char *utf8)
{
	size_t width = 0;

	for (; *utf8; utf8++)
		width += !is_continuation((unsigned char)*utf8);
	return width;
}
