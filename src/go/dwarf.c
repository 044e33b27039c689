/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "layouts.h"

enum { MAX_PATH_PARTS = 4, MAX_TYPEDEFS = 8 };

/* A field's struct and its name; the size of the struct where the name is NULL. */
static const struct field {
	const char *type, *path;
} fields[GO_AT_CNT] = {
#define X(type, field, name) {#type, name},
	GO_OFFSETS(X)
#undef X
	{"g", NULL},
	{"m", NULL},
};

/* Where the names in GO_OFFSETS are not those of the debug information in all versions. */
static const struct {
	const char *name, *is[2];
} other_names[] = {
	{"sched", {"schedt"}},
	{"trackingStamp", {"trackingStamp", "runnableStamp"}},
	{"timers.len", {"timers.heap.len", "timers.len"}},
	{"runqsize", {"runq.size", "runqsize"}},
};

static const char *alternative(const char *name, size_t i)
{
	for (size_t k = 0; k < sizeof(other_names) / sizeof(*other_names); k++)
		if (!strcmp(name, other_names[k].name))
			return i < 2 ? other_names[k].is[i] : NULL;
	return i ? NULL : name;
}

/* The struct that each field is in. */
struct types {
	Dwarf_Die die[GO_AT_CNT];
	bool is_found[GO_AT_CNT];
	size_t missing;
};

static void take_type(Dwarf_Die *die, struct types *types)
{
	const char *name = dwarf_tag(die) == DW_TAG_structure_type ? dwarf_diename(die) : NULL;

	if (!name || strncmp(name, "runtime.", 8))
		return;
	for (size_t at = 0; at < GO_AT_CNT; at++) {
		if (types->is_found[at] || strcmp(name + 8, alternative(fields[at].type, 0)))
			continue;
		types->die[at] = *die;
		types->is_found[at] = true;
		types->missing--;
	}
}

/* Go's linker puts types on the top level of a compilation unit. */
static void find_types(Dwarf *dwarf, struct types *types)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die unit, child;

	while (types->missing && dwarf_get_units(dwarf, cu, &cu, NULL, NULL, &unit, NULL) == 0) {
		if (dwarf_child(&unit, &child))
			continue;
		do
			take_type(&child, types);
		while (types->missing && dwarf_siblingof(&child, &child) == 0);
	}
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *out)
{
	Dwarf_Attribute attr;

	if (!dwarf_attr(die, DW_AT_type, &attr) || !dwarf_formref_die(&attr, out))
		return false;
	for (int i = 0; i < MAX_TYPEDEFS && dwarf_tag(out) == DW_TAG_typedef; i++)
		if (!dwarf_attr(out, DW_AT_type, &attr) || !dwarf_formref_die(&attr, out))
			return false;
	return true;
}

static bool member(Dwarf_Die *type, const char *name, size_t len, Dwarf_Die *out, uint64_t *offset)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;
	const char *is;

	if (dwarf_child(type, out))
		return false;
	do {
		is = dwarf_tag(out) == DW_TAG_member ? dwarf_diename(out) : NULL;
		if (!is || strlen(is) != len || memcmp(is, name, len))
			continue;
		if (!dwarf_attr(out, DW_AT_data_member_location, &attr) || dwarf_formudata(&attr, &value))
			return false;
		*offset += value;
		return true;
	} while (dwarf_siblingof(out, out) == 0);
	return false;
}

static bool offset_of(const Dwarf_Die *type, const char *path, uint64_t *out)
{
	Dwarf_Die here = *type, found;
	uint64_t offset = 0;

	for (int i = 0; i < MAX_PATH_PARTS; i++) {
		size_t len = strcspn(path, ".");

		if (!member(&here, path, len, &found, &offset))
			return false;
		if (path[len] != '.') {
			*out = offset;
			return true;
		}
		if (!type_of(&found, &here))
			return false;
		path += len + 1;
	}
	return false;
}

/* GO_NO_OFFSET: the struct has no such field, or it is too far behind for us. */
static uint16_t value_of(Dwarf_Die *type, const char *name)
{
	uint64_t value = GO_NO_OFFSET;
	Dwarf_Word size;
	const char *path;

	if (!name)
		value = dwarf_aggregate_size(type, &size) ? GO_NO_OFFSET : size;
	for (size_t i = 0; name && (path = alternative(name, i)); i++)
		if (offset_of(type, path, &value))
			break;
	return value < GO_NO_OFFSET ? (uint16_t)value : GO_NO_OFFSET;
}

/* What no version of the table lacks can't be done without; but heaps of timers are only counted. */
static bool is_needed(enum go_at at)
{
	for (int i = 0; i <= GO_MINOR_LAST - GO_MINOR_FIRST; i++)
		if (go_at_rows[at].by_minor[i] == GO_NO_OFFSET)
			return false;
	return at != GO_AT_p_timers_len;
}

int go_layout_of_dwarf(const struct go_binary *b, struct go_layout *out, char why[GO_WHY])
{
	struct types types = {.missing = GO_AT_CNT};
	struct go_layout layout;
	int err = -ENOENT;
	Dwarf *dwarf;

	if (!go_binary_build(b)->has_dwarf)
		return -ENOENT;
	dwarf = dwarf_begin(go_binary_fd(b), DWARF_C_READ);
	if (!dwarf)
		return -ENOENT;
	find_types(dwarf, &types);
	go_layout_of_table(go_binary_build(b)->minor, &layout);
	for (size_t at = 0; at < GO_AT_CNT; at++) {
		uint16_t value = types.is_found[at] ? value_of(&types.die[at], fields[at].path) : GO_NO_OFFSET;

		if (value == GO_NO_OFFSET && is_needed(at)) {
			err = types.missing == GO_AT_CNT ? -ENOENT : -EBADMSG;
			snprintf(why, GO_WHY, "the debug information has no %s.%s", fields[at].type,
				 fields[at].path ? fields[at].path : "size");
			goto out;
		}
		go_layout_set(&layout, at, value);
	}
	*out = layout;
	err = 0;
out:
	dwarf_end(dwarf);
	return err;
}
