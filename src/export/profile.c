/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "profile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../../bpf/record.h"
#include "../base/err.h"
#include "../model/names.h"

enum { MODULE_CHARS = TEXT_SZ - 32 };

/* Metrics that have samples. */
static unsigned int sampled(const struct tables *t)
{
	unsigned int mask = 0;
	struct stack_row r;

	for (size_t i = 0; tables_stack(t, i, &r); i++)
		mask |= 1u << r.metric;
	return mask;
}

/* What one looks at a profile of waits for comes first. */
static unsigned int pick(unsigned int mask)
{
	static const enum metric order[] = {
		METRIC_LOCK_WAIT, METRIC_GOROUTINE_LOCK, METRIC_THREAD_FUTEX, METRIC_GOROUTINE_CHAN, METRIC_THREAD_BLOCK,
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		if (mask >> order[i] & 1)
			return 1u << order[i];
	}
	return mask & -mask;
}

unsigned int profile_metrics(const struct tables *t, const char *format)
{
	unsigned int mask = sampled(t), picked = mask;
	char list[512], others[512];

	if (tables_opts(t)->metrics == ~0u)
		picked = pick(mask);
	if (!picked)
		talk("%s: no samples", format);
	else if (picked != mask)
		talk("%s: only %s, as metrics overlap; others with --metric: %s", format, metrics_list(picked, list, sizeof(list)),
		     metrics_list(mask & ~picked, others, sizeof(others)));
	else if (picked & (picked - 1))
		talk("%s: several metrics, so sums may count the same time twice: %s", format,
		     metrics_list(picked, list, sizeof(list)));
	if (tables_stacks_folded(t))
		talk("%s: too many different samples: %llu of them are without thread, lock and holder", format,
		     (unsigned long long)tables_stacks_folded(t));
	return picked;
}

/* "main.go:42" to a file and a line. */
static void put_place(const char *at, struct profile_frame *out)
{
	const char *colon = strrchr(at, ':');
	char file[TEXT_SZ];
	char *end;

	snprintf(file, sizeof(file), "%s", at);
	if (colon && colon[1] >= '0' && colon[1] <= '9') {
		out->line = (uint32_t)strtoul(colon + 1, &end, 10);
		if (!*end && (size_t)(colon - at) < sizeof(file))
			file[colon - at] = '\0';
	}
	text_escape(file, out->file, sizeof(out->file));
}

static uint64_t address_in(const char *func)
{
	char *end;
	uint64_t address = strncmp(func, "0x", 2) ? 0 : strtoull(func, &end, 16);

	return address && !*end ? address : 0;
}

static void put_frame(const struct site_name *f, bool of_kernel, struct profile_frame *out)
{
	*out = (struct profile_frame){.address = address_in(f->func)};
	text_escape(f->module && *f->module ? f->module : of_kernel ? "[kernel]" : "", out->module, sizeof(out->module));
	if (out->address && *out->module)
		snprintf(out->func, sizeof(out->func), "0x%" PRIx64 " %.*s", out->address, MODULE_CHARS, out->module);
	else
		text_escape(f->func, out->func, sizeof(out->func));
	put_place(f->at, out);
}

const char *profile_whose(const struct names *n, const struct stack_row *r, char *buf, size_t size)
{
	const struct task_name *task = names_of_task(n, r->tid);
	const struct site_name *site = names_of_site(n, r->site);

	if (site)
		text_escape(site->func, buf, size);
	else if (task && *task->comm)
		text_escape(task->comm, buf, size);
	else if (r->tid)
		snprintf(buf, size, "tid %u", r->tid);
	else
		text_escape(r->goid ? "goroutine not known" : "rest", buf, size);
	return buf;
}

static void put_class(const struct names *n, const struct stack_row *r, struct profile_frame *out)
{
	char klass[256], raw[sizeof(klass) + 2];

	*out = (struct profile_frame){.line = 0};
	names_class(n, r->klass, klass, sizeof(klass));
	snprintf(raw, sizeof(raw), "[%s]", *klass ? klass : metrics[r->metric].name);
	text_escape(raw, out->func, sizeof(out->func));
}

static bool stack_frame(const struct names *n, const struct stack_row *r, size_t i, struct site_name *out)
{
	return r->stack && names_frame(n, r->stack_tgid, r->stack, i, out);
}

bool profile_has_stack(const struct names *n, const struct stack_row *r)
{
	struct site_name f;

	return stack_frame(n, r, 0, &f);
}

bool profile_frame(const struct names *n, const struct stack_row *r, size_t i, struct profile_frame *out)
{
	struct site_name f;

	if (stack_frame(n, r, i, &f))
		put_frame(&f, r->stack_tgid == TGID_KERNEL, out);
	else if (!i)
		put_class(n, r, out);
	else
		return false;
	return true;
}
