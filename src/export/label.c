/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "label.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../model/names.h"
#include "../stats/dims.h"
#include "summary.h"

/* 0: the same as outside. */
static uint32_t inner_id(const struct names *n, uint32_t tid, bool is_process)
{
	const struct task_name *task = names_of_task(n, tid);
	uint32_t there = !task ? 0 : is_process ? task->ns_tgid : task->ns_tid;

	return there == tid ? 0 : there;
}

static void task_key(const struct names *n, uint32_t tid, bool is_process, char *out, size_t size)
{
	uint32_t there = inner_id(n, tid, is_process);

	if (there)
		snprintf(out, size, "%" PRIu32 ", inside %" PRIu32, tid, there);
	else
		snprintf(out, size, "%" PRIu32, tid);
}

uint32_t label_inner_id(const struct tables *t, const struct names *n, uint64_t entity)
{
	const struct dim *by = tables_opts(t)->by;
	bool is_process = !strcmp(by->name, "pid");

	if (entity == ENTITY_REST || (!is_process && strcmp(by->name, "tid")))
		return 0;
	return inner_id(n, (uint32_t)entity, is_process);
}

void label_task(const struct names *n, uint32_t tid, struct label *out)
{
	const struct task_name *task = names_of_task(n, tid);

	task_key(n, tid, false, out->key, sizeof(out->key));
	if (task && *task->comm) {
		snprintf(out->name, sizeof(out->name), "%s", task->comm);
		return;
	}
	snprintf(out->name, sizeof(out->name), "tid %s", out->key);
	*out->key = '\0';
}

void label_entity(const struct tables *t, const struct names *n, uint64_t entity, struct label *out)
{
	const struct dim *by = tables_opts(t)->by;
	bool is_process = !strcmp(by->name, "pid");

	*out = (struct label){.name = "rest"};
	if (entity == ENTITY_REST)
		return;
	by->name_of(n, entity, out->name, sizeof(out->name));
	if (is_process || !strcmp(by->name, "tid"))
		task_key(n, (uint32_t)entity, is_process, out->key, sizeof(out->key));
	else
		by->text(t, entity, out->key, sizeof(out->key));
	if (*out->name)
		return;
	/* Nothing but a key: "cpu 1"; not even that: "no lock". */
	snprintf(out->name, sizeof(out->name), "%s %s", *out->key ? by->name : "no", *out->key ? out->key : by->name);
	*out->key = '\0';
}

void label_taker(const struct names *n, const struct taker *k, struct label *out)
{
	static const char *const texts[BLAME_CNT] = {
		[BLAME_HOLDER] = "nobody known",
		[BLAME_WAKER] = "nobody known",
		[BLAME_COMPETITOR] = "nobody known",
		[BLAME_IRQ] = "interrupts",
		[BLAME_SOFTIRQ] = "soft interrupts",
		[BLAME_STEAL] = "the hypervisor",
		[BLAME_IDLE] = "the CPU, waking up",
		[BLAME_UNKNOWN] = "not known",
	};

	*out = (struct label){.name = ""};
	if (!k->tid) {
		snprintf(out->name, sizeof(out->name), "%s", texts[k->kind]);
	} else if (k->tid == BY_REST) {
		snprintf(out->name, sizeof(out->name), "others");
	} else if (k->tasks > 1) {
		snprintf(out->name, sizeof(out->name), "%s", k->comm);
		snprintf(out->key, sizeof(out->key), "%zu threads", k->tasks);
	} else {
		label_task(n, k->tid, out);
	}
}
