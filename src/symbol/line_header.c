/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The header of a line number program: DWARF 5, section 6.2.4; before it, the tables were lists with an end. */
#include <dwarf.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "lines_parts.h"

enum { FORMATS_MAX = 8 };

struct entry {
	const char *name;
	uint64_t dir;
};

static struct bytes over(struct line_bytes b)
{
	return (struct bytes){b.at, b.at ? b.at + b.len : b.at, false};
}

static const char *string_at(struct line_bytes section, uint64_t offset)
{
	struct bytes b = over(section);

	return section.at && bytes_take(&b, offset) ? bytes_string(&b) : NULL;
}

/* One field of an entry of DWARF 5, of the forms that may stand there. */
static void read_form(const struct line_table *t, struct bytes *b, uint64_t form, const char **text, uint64_t *number)
{
	*text = NULL;
	*number = 0;
	switch (form) {
	case DW_FORM_string: *text = bytes_string(b); break;
	case DW_FORM_line_strp: *text = string_at(t->sections.line_str, bytes_number(b, t->offset_size)); break;
	case DW_FORM_strp: *text = string_at(t->sections.str, bytes_number(b, t->offset_size)); break;
	case DW_FORM_udata: *number = bytes_uleb(b); break;
	case DW_FORM_data1: *number = bytes_number(b, 1); break;
	case DW_FORM_data2: *number = bytes_number(b, 2); break;
	case DW_FORM_data4: *number = bytes_number(b, 4); break;
	case DW_FORM_data8: *number = bytes_number(b, 8); break;
	case DW_FORM_data16: bytes_take(b, 16); break;
	case DW_FORM_block: bytes_take(b, bytes_uleb(b)); break;
	default: b->is_bad = true; break;
	}
}

struct formats {
	uint64_t type[FORMATS_MAX], form[FORMATS_MAX];
	size_t cnt;
	uint64_t entries;
};

static bool read_formats(struct bytes *b, struct formats *out)
{
	out->cnt = bytes_number(b, 1);
	if (out->cnt > FORMATS_MAX)
		return false;
	for (size_t i = 0; i < out->cnt; i++) {
		out->type[i] = bytes_uleb(b);
		out->form[i] = bytes_uleb(b);
	}
	out->entries = bytes_uleb(b);
	/* Each has a byte at least: a count is no reason to go round for long. */
	return !b->is_bad && out->cnt && out->entries <= bytes_left(b);
}

static void read_entry5(const struct line_table *t, const struct formats *f, struct bytes *b, struct entry *out)
{
	*out = (struct entry){};
	for (size_t i = 0; i < f->cnt; i++) {
		const char *text;
		uint64_t number;

		read_form(t, b, f->form[i], &text, &number);
		if (f->type[i] == DW_LNCT_path)
			out->name = text;
		if (f->type[i] == DW_LNCT_directory_index)
			out->dir = number;
	}
}

/* The entry of that number of a table of DWARF 5; reads on to the end of the table if there is none. */
static bool entry5(const struct line_table *t, struct bytes *b, uint64_t number, struct entry *out)
{
	struct formats f;

	if (!read_formats(b, &f))
		return false;
	for (uint64_t i = 0; i < f.entries && !b->is_bad; i++) {
		read_entry5(t, &f, b, out);
		if (i == number)
			return !b->is_bad && out->name;
	}
	return false;
}

/* Before DWARF 5 the first has number 1, and an empty name is the end. */
static bool entry4(struct bytes *b, bool is_file, uint64_t number, struct entry *out)
{
	for (uint64_t i = 1; !b->is_bad; i++) {
		*out = (struct entry){.name = bytes_string(b)};
		if (!out->name || !*out->name)
			return false;
		if (is_file) {
			out->dir = bytes_uleb(b);
			bytes_uleb(b);
			bytes_uleb(b);
		}
		if (i == number)
			return !b->is_bad;
	}
	return false;
}

static bool entry_of(const struct line_table *t, bool is_file, uint64_t number, struct entry *out)
{
	struct bytes b = over(is_file ? t->files : t->dirs);

	return t->version >= 5 ? entry5(t, &b, number, out) : entry4(&b, is_file, number, out);
}

/* Both tables, to know where the second begins. */
static bool skip_dirs(struct line_table *t, struct bytes *b)
{
	struct entry none;

	t->dirs = (struct line_bytes){b->at, bytes_left(b)};
	if (t->version >= 5)
		entry5(t, b, UINT64_MAX, &none);
	else
		entry4(b, false, 0, &none);
	t->files = (struct line_bytes){b->at, bytes_left(b)};
	return !b->is_bad;
}

static bool read_fields(struct line_table *t, struct bytes *b)
{
	t->min_length = (uint8_t)bytes_number(b, 1);
	if (t->version >= 4 && bytes_number(b, 1) != 1)
		return false;		/* of a machine with bundles of instructions */
	bytes_number(b, 1);
	t->line_base = (int8_t)bytes_number(b, 1);
	t->line_range = (uint8_t)bytes_number(b, 1);
	t->opcode_base = (uint8_t)bytes_number(b, 1);
	t->lengths = t->opcode_base ? bytes_take(b, t->opcode_base - 1u) : NULL;
	return t->lengths && t->line_range;
}

/* Cuts *b to what the length before it says. */
static bool read_length(struct bytes *b, uint8_t *offset_size)
{
	uint64_t len = bytes_number(b, 4);

	*offset_size = 4;
	if (len == 0xffffffff) {
		len = bytes_number(b, 8);
		*offset_size = 8;
	}
	if (b->is_bad || len > bytes_left(b))
		return false;
	b->end = b->at + len;
	return true;
}

bool lines_open(const struct line_sections *sections, uint64_t offset, struct line_table *out)
{
	struct line_table t = {.sections = *sections};
	struct bytes b = over(sections->line), header;
	uint64_t len;

	if (!sections->line.at || !bytes_take(&b, offset) || !read_length(&b, &t.offset_size))
		return false;
	t.version = (uint16_t)bytes_number(&b, 2);
	if (t.version < 2 || t.version > 5)
		return false;
	if (t.version == 5 && (bytes_number(&b, 1) != 8 || bytes_number(&b, 1)))
		return false;		/* sizes of addresses and of segment selectors */
	len = bytes_number(&b, t.offset_size);
	if (b.is_bad || len > bytes_left(&b))
		return false;
	t.program = (struct line_bytes){b.at + len, bytes_left(&b) - len};
	header = (struct bytes){b.at, b.at + len, false};
	if (!read_fields(&t, &header) || !skip_dirs(&t, &header) || !lines_mark(&t))
		return false;
	*out = t;
	return true;
}

/* Of each part that is there, with a slash between; the end of all if it is too long. */
static void join(const char *const parts[3], char *out, size_t size)
{
	char path[4096];
	size_t len = 0;

	path[0] = '\0';
	for (size_t i = 0; i < 3 && len < sizeof(path); i++)
		if (parts[i] && *parts[i])
			len += (size_t)snprintf(path + len, sizeof(path) - len, "%s%s", len ? "/" : "", parts[i]);
	len = strlen(path);
	snprintf(out, size, "%s", len < size ? path : path + len - (size - 1));
}

bool lines_file(const struct line_table *t, uint32_t file, const char *comp_dir, char *out, size_t size)
{
	struct entry name, dir = {};
	const char *parts[3];

	if (!entry_of(t, true, file, &name))
		return false;
	/* Number 0 is the directory of the compilation, which DWARF 5 has in the table, too. */
	if (name.name[0] != '/' && (name.dir || t->version >= 5))
		entry_of(t, false, name.dir, &dir);
	parts[0] = name.name[0] == '/' || (dir.name && dir.name[0] == '/') ? NULL : comp_dir;
	parts[1] = name.name[0] == '/' ? NULL : dir.name;
	parts[2] = name.name;
	join(parts, out, size);
	return true;
}
