/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a kernel's own types (BTF) tell about it. */
#pragma once

#include <stdbool.h>

struct btf;

bool features_has_tracepoint(const struct btf *btf, const char *tp);
/* Of sched_switch (5.18). */
bool features_switch_has_state(const struct btf *btf);
/* All that our use of task storage needs (5.15); else states live in a hash keyed by task. */
bool features_task_storage(const struct btf *btf);

struct features {
	bool has_btf, task_storage;
	const char *libbpf;	/* its version */
};

/* Of the running kernel; needs no privileges and prints nothing. */
struct features features_of_kernel(void);
