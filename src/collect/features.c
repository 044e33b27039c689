/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "features.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

/* Of tracepoint tp the type is "btf_trace_<tp>", a pointer to a function. The type's id, or < 0. */
static int tracepoint_id(const struct btf *btf, const char *tp)
{
	char name[80];

	snprintf(name, sizeof(name), "btf_trace_%s", tp);
	return btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
}

bool features_has_tracepoint(const struct btf *btf, const char *tp)
{
	return tracepoint_id(btf, tp) > 0;
}

/* Arguments of a tracepoint, the context one not counted. */
static int tracepoint_args(const struct btf *btf, const char *tp)
{
	int id = tracepoint_id(btf, tp);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;

	t = t ? btf__type_by_id(btf, t->type) : NULL;	/* pointer */
	t = t ? btf__type_by_id(btf, t->type) : NULL;	/* function prototype */
	return t && btf_is_func_proto(t) ? btf_vlen(t) - 1 : 0;
}

bool features_switch_has_state(const struct btf *btf)
{
	return tracepoint_args(btf, "sched_switch") > 3;
}

static bool has_helper(const struct btf *btf, const char *helper)
{
	int id = btf__find_by_name_kind(btf, "bpf_func_id", BTF_KIND_ENUM);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;
	const struct btf_enum *e;

	if (!t)
		return false;
	e = btf_enum(t);
	for (int i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, e[i].name_off), helper))
			return true;
	return false;
}

bool features_task_storage(const struct btf *btf)
{
	/* bpf_task_pt_regs came last */
	return has_helper(btf, "BPF_FUNC_task_pt_regs");
}

static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

struct features features_of_kernel(void)
{
	libbpf_print_fn_t before = libbpf_set_print(print_nothing);
	struct features f = {.libbpf = libbpf_version_string()};
	struct btf *btf = btf__load_vmlinux_btf();

	if (btf) {
		f.has_btf = true;
		f.task_storage = features_task_storage(btf);
	}
	btf__free(btf);
	libbpf_set_print(before);
	return f;
}
