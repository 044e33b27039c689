/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pclntab.h"

#include <errno.h>
#include <string.h>

/*
 * Constants of all forms (src/runtime/symtab.go, src/internal/abi/symtab.go): header {magic u32, 0, 0, quantum u8,
 * pointer size u8, functions u64, files u64, [start of the code u64,] offsets of the parts u64}.
 */
enum { HEADER_QUANTUM = 6, HEADER_POINTER = 7, HEADER_FUNCS = 8, PART_CNT = 5 };
enum { QUANTUM = 1 };	/* of an instruction's length: amd64 */
enum { PCDATA_INLINE_INDEX = 2, FUNCDATA_INLINE_TREE = 3 };
/* Of runtime._func, from the end of its first field, the entry, on. */
enum { FUNC_NAME = 0, FUNC_STACK = 12, FUNC_FILE = 16, FUNC_LINE = 20, FUNC_PCDATA_CNT = 24, FUNC_UNIT = 28 };
/* Of runtime.moduledata: pointers to the header and to the names, the list of entries (slice), first and last code. */
enum { MODULE_HEADER = 0, MODULE_NAMES = 8, MODULE_ENTRIES = 128, MODULE_TEXT = 176, MODULE_ETEXT = 184 };
enum { MODULE_SIZE = 352 };	/* what is read of it */
/* Programs that hold the magic by chance, or on purpose, are not searched for ever. */
enum { CANDIDATES = 8, MAX_FUNCS = 1 << 26 };

struct pclntab_form {
	uint32_t magic;
	int minor_from;		/* 1.x that it holds from; the magic is the same in later rows */
	uint8_t parts;		/* in the header: the offsets of the parts */
	uint8_t entry_size;	/* in the list and in _func; 8: an address, 4: an offset from the text */
	uint8_t funcdata_cnt;	/* in _func, from the end of the entry on: a u8, the last field */
	uint8_t inlined_size, inlined_name, inlined_parent_pc;
	uint16_t module_funcdata;	/* in moduledata: gofunc; 0: funcdata are addresses */
};

static const struct pclntab_form FORMS[] = {
	{.magic = 0xfffffffa, .minor_from = 17, .parts = 24, .entry_size = 8, .funcdata_cnt = 35,
	 .inlined_size = 20, .inlined_name = 12, .inlined_parent_pc = 16, .module_funcdata = 0},
	{.magic = 0xfffffff0, .minor_from = 18, .parts = 32, .entry_size = 4, .funcdata_cnt = 35,
	 .inlined_size = 20, .inlined_name = 12, .inlined_parent_pc = 16, .module_funcdata = 304},
	{.magic = 0xfffffff1, .minor_from = 20, .parts = 32, .entry_size = 4, .funcdata_cnt = 39,
	 .inlined_size = 16, .inlined_name = 4, .inlined_parent_pc = 8, .module_funcdata = 320},
	{.magic = 0xfffffff1, .minor_from = 27, .parts = 32, .entry_size = 4, .funcdata_cnt = 39,
	 .inlined_size = 16, .inlined_name = 4, .inlined_parent_pc = 8, .module_funcdata = 344},
};

enum { FORM_CNT = sizeof(FORMS) / sizeof(FORMS[0]) };

/* The last row that fits; where the version is not known, it is a development version, so taken for the newest. */
static const struct pclntab_form *find_form(uint32_t magic, int minor)
{
	for (size_t i = FORM_CNT; i-- > 0;) {
		if (FORMS[i].magic == magic && (minor < 0 || minor >= FORMS[i].minor_from))
			return &FORMS[i];
	}
	return NULL;
}

static bool is_header(struct image_bytes b)
{
	return b.len >= 8 + 8 * 8 && b.at[4] == 0 && b.at[5] == 0 && b.at[HEADER_QUANTUM] == QUANTUM &&
	       b.at[HEADER_POINTER] == 8;
}

/* A part of b. */
static struct image_bytes slice(struct image_bytes b, uint64_t from, uint64_t to)
{
	if (!b.at || from > to || to > b.len)
		return (struct image_bytes){0};
	return (struct image_bytes){.addr = b.addr + from, .at = b.at + from, .len = to - from};
}

static bool read_header(struct image_bytes b, int minor, struct pclntab *t)
{
	struct image_bytes *const parts[PART_CNT] = {&t->names, &t->units, &t->files, &t->tables, &t->funcs};
	uint64_t begin, end;

	if (!is_header(b))
		return false;
	t->form = find_form((uint32_t)image_number(b.at, 4), minor);
	if (!t->form)
		return false;
	t->func_cnt = image_number(b.at + HEADER_FUNCS, 8);
	if (!t->func_cnt || t->func_cnt > MAX_FUNCS)
		return false;
	/* The linker lays the parts out in the order of their offsets: one ends where the next begins. */
	for (size_t i = 0; i < PART_CNT; i++) {
		begin = image_number(b.at + t->form->parts + 8 * i, 8);
		end = i + 1 < PART_CNT ? image_number(b.at + t->form->parts + 8 * (i + 1), 8) : b.len;
		*parts[i] = slice(b, begin, end);
		if (!parts[i]->len)
			return false;
	}
	return t->funcs.len >= (2 * t->func_cnt + 1) * t->form->entry_size;
}

static bool is_module(const struct pclntab *t, struct image_bytes b, uint64_t header)
{
	return b.len >= MODULE_SIZE && image_number(b.at + MODULE_HEADER, 8) == header &&
	       image_number(b.at + MODULE_NAMES, 8) == t->names.addr &&
	       image_number(b.at + MODULE_ENTRIES, 8) == t->funcs.addr &&
	       image_number(b.at + MODULE_ENTRIES + 8, 8) == t->func_cnt + 1;
}

static const uint8_t *search_module(const struct pclntab *t, struct image_bytes b, uint64_t header)
{
	uint64_t unaligned = -b.addr & 7;

	for (b = slice(b, unaligned, b.len); b.len >= MODULE_SIZE; b.addr += 8, b.at += 8, b.len -= 8) {
		if (is_module(t, b, header))
			return b.at;
	}
	return NULL;
}

/* runtime.firstmoduledata, which leads to the header: in .go.module since 1.26, else among the variables. */
static const uint8_t *find_module(const struct pclntab *t, uint64_t header)
{
	static const char *const SECTIONS[] = {".go.module", ".noptrdata", ".data"};
	const uint8_t *found = NULL;

	for (size_t i = 0; !found && i < sizeof(SECTIONS) / sizeof(SECTIONS[0]); i++)
		found = search_module(t, image_section(t->im, SECTIONS[i]), header);
	for (size_t i = 0; !found && i < t->im->segment_cnt; i++) {
		if (t->im->segments[i].writable)
			found = search_module(t, image_from(t->im, t->im->segments[i].addr), header);
	}
	return found;
}

static void take_module(struct pclntab *t, const uint8_t *module)
{
	t->text = image_number(module + MODULE_TEXT, 8);
	t->etext = image_number(module + MODULE_ETEXT, 8);
	if (t->form->module_funcdata)
		t->funcdata = image_number(module + t->form->module_funcdata, 8);
}

static bool try_at(struct image_bytes b, int minor, struct pclntab *t)
{
	const uint8_t *module;

	if (!read_header(b, minor, t))
		return false;
	module = find_module(t, b.addr);
	if (module)
		take_module(t, module);
	return module != NULL;
}

static bool search(struct image_bytes b, int minor, unsigned int *tries, struct pclntab *t)
{
	uint64_t unaligned = -b.addr & 7;

	for (b = slice(b, unaligned, b.len); b.len >= 8; b.addr += 8, b.at += 8, b.len -= 8) {
		/* Cheap first: this passes a large program's data. */
		if (b.at[3] != 0xff || b.at[2] != 0xff || !is_header(b) || !find_form(image_number(b.at, 4), minor))
			continue;
		if (try_at(b, minor, t))
			return true;
		if (++*tries >= CANDIDATES)
			return false;
	}
	return false;
}

/* The section's name depends on how it was linked; cgo's PIE (up to 1.25) has it within .data.rel.ro. */
static bool find_table(const struct image *im, int minor, struct pclntab *t)
{
	static const char *const SECTIONS[] = {".gopclntab", ".data.rel.ro.gopclntab"};
	unsigned int tries = 0;

	for (size_t i = 0; i < sizeof(SECTIONS) / sizeof(SECTIONS[0]); i++) {
		if (try_at(image_section(im, SECTIONS[i]), minor, t))
			return true;
	}
	if (search(image_section(im, ".data.rel.ro"), minor, &tries, t))
		return true;
	for (size_t i = 0; i < im->segment_cnt; i++) {
		if (search(image_from(im, im->segments[i].addr), minor, &tries, t))
			return true;
	}
	return false;
}

/* Address of a function, i up to func_cnt: the end of the last one. */
static uint64_t entry_at(const struct pclntab *t, uint64_t i)
{
	unsigned int size = t->form->entry_size;
	uint64_t entry = image_number(t->funcs.at + 2 * i * size, size);

	return size == 8 ? entry : t->text + entry;
}

/* The code is in the file, and the functions in it in order. */
static bool is_sound(const struct pclntab *t)
{
	uint64_t last = t->text;

	if (t->etext <= t->text || !image_at(t->im, t->text, t->etext - t->text))
		return false;
	for (uint64_t i = 0; i <= t->func_cnt; i++) {
		uint64_t entry = entry_at(t, i);

		if (entry < last || entry > t->etext)
			return false;
		last = entry;
	}
	return true;
}

int pclntab_open(const struct image *im, int minor, struct pclntab *out, char why[GO_WHY])
{
	struct pclntab t = {.im = im};

	if (!find_table(im, minor, &t))
		return image_refuse(why, -ENOTSUP, "its table of functions (pclntab) was not found");
	if (!is_sound(&t))
		return image_refuse(why, -ENOTSUP, "its table of functions (pclntab) is damaged");
	*out = t;
	return 0;
}

bool pclntab_func(const struct pclntab *t, uint64_t i, struct pclntab_func *out)
{
	const struct pclntab_form *form = t->form;
	struct image_bytes b;
	uint64_t at, arrays;

	if (i >= t->func_cnt)
		return false;
	at = image_number(t->funcs.at + (2 * i + 1) * form->entry_size, form->entry_size);
	b = slice(t->funcs, at, t->funcs.len);
	b = slice(b, form->entry_size, b.len);
	if (b.len <= form->funcdata_cnt)
		return false;
	*out = (struct pclntab_func){
		.entry = entry_at(t, i),
		.size = entry_at(t, i + 1) - entry_at(t, i),
		.name = (uint32_t)image_number(b.at + FUNC_NAME, 4),
		.stack = (uint32_t)image_number(b.at + FUNC_STACK, 4),
		.file = (uint32_t)image_number(b.at + FUNC_FILE, 4),
		.line = (uint32_t)image_number(b.at + FUNC_LINE, 4),
		.unit = (uint32_t)image_number(b.at + FUNC_UNIT, 4),
		.pcdata_cnt = (uint32_t)image_number(b.at + FUNC_PCDATA_CNT, 4),
		.funcdata_cnt = b.at[form->funcdata_cnt],
	};
	/* Two arrays follow: pcdata (u32), then funcdata, by addresses where those are: aligned. */
	arrays = form->funcdata_cnt + 1u;
	out->pcdata = b.at + arrays;
	arrays += 4ull * out->pcdata_cnt;
	if (!form->module_funcdata)
		arrays += -(b.addr + arrays) & 7;
	b = slice(b, arrays, b.len);
	out->funcdata = b.at;
	return b.at && (form->module_funcdata ? 4u : 8u) * out->funcdata_cnt <= b.len;
}

bool pclntab_find(const struct pclntab *t, uint64_t pc, struct pclntab_func *out)
{
	uint64_t lo = 0, hi = t->func_cnt;

	if (pc < entry_at(t, 0) || pc >= entry_at(t, hi))
		return false;
	while (hi - lo > 1) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (entry_at(t, mid) <= pc)
			lo = mid;
		else
			hi = mid;
	}
	return pclntab_func(t, lo, out);
}

static const char *string_at(struct image_bytes b, uint64_t offset)
{
	b = slice(b, offset, b.len);
	return b.at && memchr(b.at, '\0', b.len) ? (const char *)b.at : NULL;
}

bool pclntab_find_name(const struct pclntab *t, const char *name, uint32_t *out)
{
	size_t len = strlen(name) + 1;
	struct image_bytes b = t->names;
	const uint8_t *found;

	/* Names end with 0, and the one before this one did. */
	while ((found = memmem(b.at, b.len, name, len))) {
		if (found == t->names.at || found[-1] == '\0') {
			*out = (uint32_t)(found - t->names.at);
			return true;
		}
		b = slice(b, (uint64_t)(found - b.at) + 1, b.len);
	}
	return false;
}

const char *pclntab_name(const struct pclntab *t, uint32_t name)
{
	return string_at(t->names, name);
}

/* Tables begin with -1; each step adds a zigzag varint to the value and a varint to the pc. Offset 0: no table. */
static struct pclntab_walk walk_table(const struct pclntab *t, const struct pclntab_func *f, uint32_t table)
{
	struct image_bytes b = slice(t->tables, table, t->tables.len);

	if (!table || !b.at)
		return (struct pclntab_walk){0};
	return (struct pclntab_walk){.at = b.at, .stop = b.at + b.len, .limit = f->size, .value = -1};
}

static bool take_varint(struct pclntab_walk *w, uint32_t *out)
{
	uint32_t v = 0;

	for (unsigned int shift = 0; w->at < w->stop && shift < 32; shift += 7) {
		uint8_t byte = *w->at++;

		v |= (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*out = v;
			return true;
		}
	}
	return false;
}

bool pclntab_next(struct pclntab_walk *w)
{
	uint32_t value, pc;

	if (!take_varint(w, &value) || (!value && w->begun) || !take_varint(w, &pc))
		return false;
	pc *= QUANTUM;
	if (!pc || pc > w->limit - w->end)
		return false;
	w->begun = true;
	w->value += value & 1 ? -(int64_t)(value >> 1) - 1 : (int64_t)(value >> 1);
	w->end += pc;
	return true;
}

static int64_t value_at(const struct pclntab *t, const struct pclntab_func *f, uint32_t table, uint64_t pc)
{
	struct pclntab_walk w = walk_table(t, f, table);

	while (pclntab_next(&w)) {
		if (pc < w.end)
			return w.value;
	}
	return -1;
}

uint64_t pclntab_code_size(const struct pclntab *t, const struct pclntab_func *f)
{
	struct pclntab_walk w = walk_table(t, f, f->stack);

	while (pclntab_next(&w))
		;
	return w.end ? w.end : f->size;
}

const char *pclntab_file(const struct pclntab *t, const struct pclntab_func *f, uint64_t pc)
{
	int64_t number = value_at(t, f, f->file, pc);
	struct image_bytes b = t->units;
	const char *file;

	if (number < 0)
		return "";
	b = slice(b, 4 * (f->unit + (uint64_t)number), b.len);
	if (b.len < 4)
		return "";
	file = string_at(t->files, image_number(b.at, 4));
	return file ? file : "";
}

uint32_t pclntab_line(const struct pclntab *t, const struct pclntab_func *f, uint64_t pc)
{
	int64_t line = value_at(t, f, f->line, pc);

	return line > 0 && line <= INT32_MAX ? (uint32_t)line : 0;
}

static uint32_t inline_table(const struct pclntab_func *f)
{
	if (f->pcdata_cnt <= PCDATA_INLINE_INDEX)
		return 0;
	return (uint32_t)image_number(f->pcdata + 4 * PCDATA_INLINE_INDEX, 4);
}

int64_t pclntab_inline_index(const struct pclntab *t, const struct pclntab_func *f, uint64_t pc)
{
	return value_at(t, f, inline_table(f), pc);
}

struct pclntab_walk pclntab_inline_walk(const struct pclntab *t, const struct pclntab_func *f)
{
	return walk_table(t, f, inline_table(f));
}

/* Address of a function's inline tree; 0: it has none. */
static uint64_t inline_tree(const struct pclntab *t, const struct pclntab_func *f)
{
	uint32_t offset;

	if (f->funcdata_cnt <= FUNCDATA_INLINE_TREE)
		return 0;
	if (!t->form->module_funcdata)
		return image_number(f->funcdata + 8 * FUNCDATA_INLINE_TREE, 8);
	offset = (uint32_t)image_number(f->funcdata + 4 * FUNCDATA_INLINE_TREE, 4);
	return offset == UINT32_MAX ? 0 : t->funcdata + offset;
}

bool pclntab_inlined(const struct pclntab *t, const struct pclntab_func *f, int64_t index, struct pclntab_inlined *out)
{
	const struct pclntab_form *form = t->form;
	uint64_t tree = inline_tree(t, f);
	const uint8_t *at;

	if (!tree || index < 0 || index > INT32_MAX)
		return false;
	at = image_at(t->im, tree + (uint64_t)index * form->inlined_size, form->inlined_size);
	if (!at)
		return false;
	*out = (struct pclntab_inlined){
		.name = (uint32_t)image_number(at + form->inlined_name, 4),
		.parent_pc = (uint32_t)image_number(at + form->inlined_parent_pc, 4),
	};
	return true;
}
