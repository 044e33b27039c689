/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "about.h"

#include <string.h>
#include <time.h>

#include "../model/model.h"
#include "../stats/view.h"

uint64_t about_length(const struct tables *t, const struct model_info *info)
{
	struct cell cell;
	uint64_t end = 0;

	if (info && info->end_ns > info->start_ns)
		return info->end_ns - info->start_ns;
	for (size_t i = 0; tables_cell(t, i, &cell); i++)
		end = cell.t_end > end ? cell.t_end : end;
	return end;
}

const char *about_fact(const struct export_opts *o, const char *name)
{
	for (size_t i = o->fact_cnt; i-- > 0;) {
		if (!strcmp(o->facts[i].name, name))
			return o->facts[i].value;
	}
	return NULL;
}

bool about_is_last(const struct export_opts *o, const struct fact *f)
{
	return about_fact(o, f->name) == f->value;
}

struct piece {
	const char *before, *fact;
};

static const char *join(const struct export_opts *o, const struct piece *pieces, size_t cnt, char *buf, size_t size)
{
	size_t at = 0;

	*buf = '\0';
	for (size_t i = 0; i < cnt && at < size; i++) {
		const char *value = about_fact(o, pieces[i].fact);

		if (value)
			at += (size_t)snprintf(buf + at, size - at, "%s%s", pieces[i].before, value);
	}
	return buf;
}

const char *about_target(const struct export_opts *o, char *buf, size_t size)
{
	static const struct piece pieces[] = {{"", "target"}, {" on ", "host.name"}};

	return join(o, pieces, 2, buf, size);
}

const char *about_host(const struct export_opts *o, char *buf, size_t size)
{
	static const struct piece pieces[] = {{"Linux ", "host.kernel"}, {" ", "host.arch"}, {", CPUs: ", "host.cpus"}};

	return join(o, pieces, 3, buf, size);
}

const char *about_start(const struct model_info *info, char *buf, size_t size)
{
	time_t start = (time_t)((int64_t)(info->start_ns + (uint64_t)info->realtime_off) / 1000000000);
	struct tm tm;

	if (!info->has_clock || !gmtime_r(&start, &tm) || !strftime(buf, size, "%Y-%m-%d %H:%M:%S UTC", &tm))
		*buf = '\0';
	return buf;
}

struct end {
	const char *text, *word;
};

static const struct end *end_of(const struct model_info *info)
{
	static const struct end ends[] = {
		[0] = {"unknown end", "unknown"},
		[END_DURATION] = {"the time was over", "duration"},
		[END_SIGNAL] = {"a signal ended it", "signal"},
		[END_TARGET_EXIT] = {"the target ended", "target_exit"},
		[END_COMMAND_EXIT] = {"the command ended", "command_exit"},
		[END_FILE_LIMIT] = {"the file reached its limit", "file_limit"},
		[END_ERROR] = {"an error ended it", "error"},
		[END_TRIGGER] = {"a trigger tripped", "trigger"},
	};
	static const struct end cut = {"cut off: what came after is not there", "cut"};
	size_t reason = info->end_reason;

	if (!info->has_end)
		return &cut;
	return &ends[reason < sizeof(ends) / sizeof(*ends) && ends[reason].text ? reason : 0];
}

const char *about_end(const struct model_info *info)
{
	return end_of(info)->text;
}

const char *about_end_word(const struct model_info *info)
{
	return end_of(info)->word;
}
