/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "opts.h"

#include <stdlib.h>

#include "trigger.h"

const struct soak_opts soak_opts_initial = {.cooldown_ns = 60000000000, .dumps = 10};

void soak_opts_done(struct soak_opts *o)
{
	for (size_t i = 0; i < o->trigger_cnt; i++)
		trigger_done(&o->triggers[i]);
	free(o->triggers);
}

const char *soak_opts_wrong(const struct soak_opts *o)
{
	if (o->trigger_cnt && !o->keep_last_ns)
		return "--trigger: how much to keep before it? give --keep-last TIME, as 30s";
	if (o->keep_last_ns && !o->trigger_cnt)
		return "--keep-last: kept for what? give --trigger 'METRIC > TIME', as 'thread.drift > 5ms'";
	if (o->keep_last_ns && o->rotate_ns)
		return "--rotate does not go with --keep-last, which writes a file each time that a trigger trips";
	if (o->keep && !o->rotate_ns && !o->keep_last_ns)
		return "--keep: files of --rotate TIME or --keep-last TIME; give one of them";
	return NULL;
}
