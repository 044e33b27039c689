/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/grow.h"
#include "../base/numbers.h"
#include "parts.h"

/* Of all names together: a kernel with debug options and many modules has some 10 MiB. */
enum { NAMES_MAX = 64 << 20 };

struct kernel {
	struct kernel_symbol {
		uint64_t addr;
		uint32_t name, module;	/* in names; module 0: none */
	} *at;
	size_t cnt, room;
	char *names;
	size_t names_len, names_room;
};

/* Where it is, 0: no memory. */
static uint32_t add_name(struct kernel *k, const char *name)
{
	size_t len = strlen(name) + 1;
	uint32_t at;

	if (k->names_len + len > k->names_room) {
		size_t room = 2 * k->names_room + 65536;
		char *grown = room <= NAMES_MAX ? realloc(k->names, room) : NULL;

		if (!grown)
			return 0;
		k->names = grown;
		k->names_room = room;
		if (!k->names_len)
			k->names_len = 1;	/* 0 stands for none */
	}
	at = (uint32_t)k->names_len;
	memcpy(k->names + at, name, len);
	k->names_len += len;
	return at;
}

/* A module's name comes again and again. */
static uint32_t add_module(struct kernel *k, const char *name)
{
	const struct kernel_symbol *last = k->cnt ? &k->at[k->cnt - 1] : NULL;

	if (!*name)
		return 0;
	if (last && last->module && !strcmp(k->names + last->module, name))
		return last->module;
	return add_name(k, name);
}

/* Cuts the next word off; "" at the end. */
static char *word(char **line)
{
	char *at = *line + strspn(*line, " \t\n"), *end = at + strcspn(at, " \t\n");

	*line = *end ? end + 1 : end;
	*end = '\0';
	return at;
}

/* "ADDRESS TYPE NAME [MODULE]": 200,000 lines, for which sscanf takes 100 ms. */
static int add_line(struct kernel *k, char *line)
{
	uint64_t addr = strtoull(word(&line), NULL, 16);
	const char *type = word(&line), *name = word(&line);
	char *module = word(&line);
	struct kernel_symbol *grown;

	if (!*name || !strchr("tTwW", *type))
		return 0;
	if (!addr)
		return -EPERM;
	grown = grow(k->at, k->cnt, &k->room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	module += *module == '[';
	module[strcspn(module, "]")] = '\0';
	k->at = grown;
	grown[k->cnt].addr = addr;
	grown[k->cnt].module = add_module(k, module);
	grown[k->cnt].name = add_name(k, name);
	return grown[k->cnt++].name ? 0 : -ENOMEM;
}

static int by_addr(const void *a, const void *b)
{
	const struct kernel_symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* The kernel's own are, modules come behind them in any order. */
static bool is_sorted(const struct kernel *k)
{
	for (size_t i = 1; i < k->cnt; i++)
		if (k->at[i - 1].addr > k->at[i].addr)
			return false;
	return true;
}

static int read_lines(FILE *f, struct kernel *k)
{
	char line[1024];
	int err = 0;

	while (!err && fgets(line, sizeof(line), f))
		err = add_line(k, line);
	if (!err && !k->cnt)
		err = -EPERM;
	return err;
}

int kernel_open(struct kernel **out, char why[SPACE_WHY])
{
	struct kernel *k = calloc(1, sizeof(*k));
	FILE *f = fopen("/proc/kallsyms", "re");
	int err = !k ? -ENOMEM : !f ? -errno : read_lines(f, k);

	if (f)
		fclose(f);
	if (err) {
		snprintf(why, SPACE_WHY, "/proc/kallsyms: %s", err == -EPERM ? "it shows no addresses" : strerror(-err));
		kernel_free(k);
		return err;
	}
	if (!is_sorted(k))
		qsort(k->at, k->cnt, sizeof(*k->at), by_addr);
	*out = k;
	return 0;
}

void kernel_free(struct kernel *k)
{
	if (!k)
		return;
	free(k->at);
	free(k->names);
	free(k);
}

bool kernel_find(const struct kernel *k, uint64_t pc, struct space_frame *out)
{
	size_t until = ROWS_UNTIL(k->at, k->cnt, addr, pc);

	if (!until)
		return false;
	*out = (struct space_frame){};
	snprintf(out->func, sizeof(out->func), "%s", k->names + k->at[until - 1].name);
	snprintf(out->module, sizeof(out->module), "%s",
		 k->at[until - 1].module ? k->names + k->at[until - 1].module : "[kernel]");
	return true;
}
