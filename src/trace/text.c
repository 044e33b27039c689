/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "record_info.h"
#include "words.h"

/* ---- parsing ---- */

struct parser {
	const char *at;
	char *why;
	size_t why_size;
};

__attribute__((format(printf, 2, 3)))
static int refuse(const struct parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why, p->why_size, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_end(char c)
{
	return c == '\0' || c == '\n' || c == '\r';
}

/* Length of the token at s: up to a blank, the line's end, or one of stop. */
static size_t token_len(const char *s, const char *stop)
{
	size_t n = 0;

	while (!is_end(s[n]) && !is_blank(s[n]) && !strchr(stop, s[n]))
		n++;
	return n;
}

static int digit_of(char c, unsigned int base)
{
	int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

	return d < (int)base ? d : -1;
}

/* Reads digits up to a byte that is none; false if there is none or the value does not fit. */
static bool digits(const char **s, const char *end, unsigned int base, uint64_t *out)
{
	const char *begin = *s;
	uint64_t v = 0;

	for (; *s < end && digit_of(**s, base) >= 0; (*s)++)
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit_of(**s, base), &v))
			return false;
	*out = v;
	return *s > begin;
}

/* ".5ms" behind a number: the fraction's share of one unit, exact to the ns. */
static bool fraction(const char **s, const char *end, uint64_t unit, uint64_t *out)
{
	uint64_t v = 0;

	if (*s == end || digit_of(**s, 10) < 0)
		return false;
	for (; *s < end && digit_of(**s, 10) >= 0; (*s)++) {
		if (unit % 10)
			return false;
		unit /= 10;
		v += unit * (uint64_t)digit_of(**s, 10);
	}
	*out = v;
	return true;
}

static uint64_t unit_of(const char *s, size_t len)
{
	static const struct word units[] = {
		{ "", 1 }, { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].name) == len && memcmp(units[i].name, s, len) == 0)
			return units[i].value;
	return 0;
}

/* A magnitude without sign, with its unit. */
static bool magnitude(const char *s, const char *end, uint64_t *out)
{
	uint64_t whole, part = 0;

	if (end - s > 2 && s[0] == '0' && s[1] == 'x') {
		s += 2;
		return digits(&s, end, 16, out) && s == end;
	}
	if (!digits(&s, end, 10, &whole))
		return false;
	const char *unit_at = s;

	while (unit_at < end && (*unit_at == '.' || digit_of(*unit_at, 10) >= 0))
		unit_at++;
	uint64_t unit = unit_of(unit_at, (size_t)(end - unit_at));

	if (unit == 0)
		return false;
	if (s < end && *s == '.' && (s++, !fraction(&s, end, unit, &part)))
		return false;
	return s == unit_at && !__builtin_mul_overflow(whole, unit, &whole) &&
	       !__builtin_add_overflow(whole, part, out);
}

static bool word_value(const struct word *w, const char *s, size_t len, uint64_t *out)
{
	for (; w->name; w++)
		if (strlen(w->name) == len && memcmp(w->name, s, len) == 0) {
			*out = w->value;
			return true;
		}
	return false;
}

/* A number with its sign; the value is sign-extended. */
static bool number(const struct field_info *f, const char *s, const char *end, uint64_t *out)
{
	bool minus = s < end && *s == '-';
	uint64_t v;

	if (!magnitude(s + minus, end, &v))
		return false;
	/* The negative range has one value more than the positive one. */
	if (f->is_signed && v > (uint64_t)INT64_MAX + minus)
		return false;
	if (minus && !f->is_signed)
		return false;
	*out = minus ? -v : v;
	return true;
}

/* A number or a name; of masks, several of them joined by '|'. */
static bool value_of(const struct record_info *info, const struct field_info *f, const char *s,
		     size_t len, uint64_t *out)
{
	const struct word_field *names = words_of(info->kind, f->name);
	const char *end = s + len;
	uint64_t sum = 0, v;

	for (;;) {
		bool is_mask = names && names->is_mask;
		const char *bar = is_mask ? memchr(s, '|', (size_t)(end - s)) : NULL;
		const char *stop = bar ? bar : end;

		if (!(names && word_value(names->words, s, (size_t)(stop - s), &v)) &&
		    !number(f, s, stop, &v))
			return false;
		sum |= v;
		if (!bar)
			break;
		s = bar + 1;
	}
	*out = sum;
	return true;
}

static int parse_number(struct parser *p, const struct record_info *info,
			const struct field_info *f, void *rec)
{
	size_t len = token_len(p->at, "");
	uint64_t v;

	if (!value_of(info, f, p->at, len, &v))
		return refuse(p, "%s: '%.*s' is no value of it", f->name, (int)len, p->at);
	field_set(f, rec, v);
	if (field_get(f, rec) != v)
		return refuse(p, "%s: '%.*s' does not fit", f->name, (int)len, p->at);
	p->at += len;
	return 0;
}

/* One byte of a quoted text, its escape undone; -1 if the escape is none of ours. */
static int unescape(const char **s)
{
	static const char from[] = "\"\\ntr", to[] = "\"\\\n\t\r";
	const char *known;

	if (**s != '\\')
		return (unsigned char)*(*s)++;
	(*s)++;
	if (**s == 'x' && digit_of((*s)[1], 16) >= 0 && digit_of((*s)[2], 16) >= 0) {
		*s += 3;
		return digit_of((*s)[-2], 16) * 16 + digit_of((*s)[-1], 16);
	}
	known = **s ? strchr(from, **s) : NULL;
	if (!known)
		return -1;
	(*s)++;
	return (unsigned char)to[known - from];
}

static int parse_text(struct parser *p, const struct field_info *f, void *rec)
{
	char *to = (char *)rec + f->offset;
	const char *s = p->at;
	bool quoted = *s == '"';
	size_t n = 0;

	if (quoted)
		s++;
	while (quoted ? *s != '"' : !is_end(*s) && !is_blank(*s)) {
		int c = is_end(*s) ? -1 : quoted ? unescape(&s) : *s++;

		if (c <= 0)
			return refuse(p, "%s: bad escape, or no closing quote", f->name);
		if (n == f->size)
			return refuse(p, "%s: longer than %d bytes", f->name, f->size);
		to[n++] = (char)c;
	}
	p->at = s + quoted;
	if (!is_blank(*p->at) && !is_end(*p->at))
		return refuse(p, "%s: something behind the closing quote", f->name);
	return 0;
}

static int parse_field(struct parser *p, const struct record_info *info, void *rec, uint64_t *seen)
{
	size_t len = token_len(p->at, "=");

	for (unsigned int i = 0; i < info->field_cnt; i++) {
		const struct field_info *f = &info->fields[i];

		if (strlen(f->name) != len || memcmp(f->name, p->at, len) != 0 || p->at[len] != '=')
			continue;
		if (*seen & 1ull << i)
			return refuse(p, "%s: given twice", f->name);
		*seen |= 1ull << i;
		p->at += len + 1;
		if (f->codec == FIELD_TEXT)
			return parse_text(p, f, rec);
		return parse_number(p, info, f, rec);
	}
	return refuse(p, "%s has no field '%.*s', or no '=' follows", info->name, (int)len, p->at);
}

int record_parse(const char *line, void *rec, size_t size, size_t *len_out, char *why,
		 size_t why_size)
{
	struct parser p = { .at = line, .why = why, .why_size = why_size };
	union any_record made;
	uint64_t seen = 0;

	memset(&made, 0, sizeof(made));	/* an initialiser leaves what is behind its member */
	while (is_blank(*p.at))
		p.at++;
	size_t len = token_len(p.at, "");
	const struct record_info *info = record_info_named(p.at, len);

	if (!info)
		return refuse(&p, "'%.*s' is no kind of record", (int)len, p.at);
	if (info->size > size)
		return refuse(&p, "%s: no room for the record", info->name);
	made.hdr = (struct rec_hdr){ .kind = info->kind, .len = info->size };
	for (p.at += len;;) {
		while (is_blank(*p.at))
			p.at++;
		if (is_end(*p.at) || *p.at == '#')
			break;
		int err = parse_field(&p, info, &made, &seen);

		if (err)
			return err;
	}
	memcpy(rec, &made, info->size);
	*len_out = info->size;
	return 0;
}

/* ---- printing ---- */

struct printer {
	char *buf;
	size_t size, pos;
	bool full;
};

__attribute__((format(printf, 2, 3)))
static void put(struct printer *p, const char *fmt, ...)
{
	va_list ap;

	if (p->full)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(p->buf + p->pos, p->size - p->pos, fmt, ap);

	va_end(ap);
	p->full = n < 0 || (size_t)n >= p->size - p->pos;
	p->pos += p->full ? 0 : (size_t)n;
}

static void put_mask(struct printer *p, const struct word *w, uint64_t v)
{
	const char *bar = "";

	for (; w->name; w++)
		if (v & w->value) {
			put(p, "%s%s", bar, w->name);
			v &= ~w->value;
			bar = "|";
		}
	if (v)
		put(p, "%s0x%llx", bar, (unsigned long long)v);
}

static void put_number(struct printer *p, const struct record_info *info,
		       const struct field_info *f, uint64_t v)
{
	const struct word_field *names = words_of(info->kind, f->name);

	if (names && names->is_mask) {
		put_mask(p, names->words, v);
		return;
	}
	for (const struct word *w = names ? names->words : NULL; w && w->name; w++)
		if (w->value == v) {
			put(p, "%s", w->name);
			return;
		}
	if (strcmp(f->name, "futex") == 0)	/* an address */
		put(p, "0x%llx", (unsigned long long)v);
	else if (f->is_signed)
		put(p, "%lld", (long long)v);
	else
		put(p, "%llu", (unsigned long long)v);
}

/* Bare if that reads back the same, else quoted; bytes that are no printable ASCII are escaped. */
static void put_text(struct printer *p, const char *s, size_t len)
{
	bool bare = len > 0;

	for (size_t i = 0; i < len; i++)
		bare = bare && s[i] > ' ' && s[i] <= '~' && s[i] != '"' && s[i] != '\\';
	if (bare) {
		put(p, "%.*s", (int)len, s);
		return;
	}
	put(p, "\"");
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '\n')
			put(p, "\\n");
		else if (c < ' ' || c > '~')
			put(p, "\\x%02x", c);
		else
			put(p, c == '"' || c == '\\' ? "\\%c" : "%c", c);
	}
	put(p, "\"");
}

int record_print(const void *rec, size_t len, char *buf, size_t size)
{
	const struct record_info *info = record_check(rec, len);
	struct printer p = { .buf = buf, .size = size };

	if (!info)
		return -EBADMSG;
	put(&p, "%s", info->name);
	for (unsigned int i = 0; i < info->field_cnt; i++) {
		const struct field_info *f = &info->fields[i];
		const char *text = (const char *)rec + f->offset;
		bool is_text = f->codec == FIELD_TEXT;
		size_t text_len = is_text ? strnlen(text, f->size) : 0;
		uint64_t v = is_text ? 0 : field_get(f, rec);

		if (!v && !text_len)
			continue;
		put(&p, " %s=", f->name);
		if (is_text)
			put_text(&p, text, text_len);
		else
			put_number(&p, info, f, v);
	}
	return p.full ? -ENOSPC : (int)p.pos;
}
