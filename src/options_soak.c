/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "options_soak.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "cli.h"
#include "soak/trigger.h"

/* A file shorter than this would be little more than its head. */
#define MAX_SIZE_MIN (1u << 20)

const char *set_wait_for(struct cli *cli, const char *value)
{
	cli->session.target.wait_for = value;
	return *value ? NULL : "is empty";
}

const char *set_rt(struct cli *cli, const char *value)
{
	uint64_t n;

	if (parse_number(value, 1, 99, &n))
		return "is no priority from 1 to 99";
	cli->session.realtime = (int)n;
	return NULL;
}

const char *set_nice(struct cli *cli, const char *value)
{
	char *end;
	long n = strtol(value, &end, 10);

	if (end == value || *end || n < -20 || n > 19)
		return "is no nice value from -20 to 19";
	cli->session.nice = (int)n;
	cli->session.has_nice = true;
	return NULL;
}

const char *set_rotate(struct cli *cli, const char *value)
{
	if (parse_time(value, &cli->soak.rotate_ns) || cli->soak.rotate_ns < 1000000000)
		return "is no time of at least 1s; give a number with a unit, as in 10m";
	return NULL;
}

const char *set_keep(struct cli *cli, const char *value)
{
	return parse_number(value, 1, 1000000, &cli->soak.keep) ? "is no number of files from 1 to 1000000" : NULL;
}

const char *set_max_size(struct cli *cli, const char *value)
{
	if (parse_size(value, &cli->soak.max_bytes) || cli->soak.max_bytes < MAX_SIZE_MIN)
		return "is no size of at least 1M; give a number with K, M or G, as in 1G";
	return NULL;
}

const char *set_keep_last(struct cli *cli, const char *value)
{
	uint64_t *ns = &cli->soak.keep_last_ns;

	if (parse_time(value, ns) || *ns < 1000000000 || *ns > 3600000000000)
		return "is no time from 1s to 1h; give a number with a unit, as in 30s";
	return NULL;
}

const char *set_trigger(struct cli *cli, const char *value)
{
	static char wrong[1024];
	struct soak_opts *o = &cli->soak;
	struct trigger *all = reallocarray(o->triggers, o->trigger_cnt + 1, sizeof(*all));
	char syntax[512];
	const char *why;

	if (!all)
		return "does not fit into the memory";
	o->triggers = all;
	if (!trigger_parse(value, &all[o->trigger_cnt], &why)) {
		o->trigger_cnt++;
		return NULL;
	}
	snprintf(wrong, sizeof(wrong), "%s; give %s", why, trigger_syntax(syntax, sizeof(syntax)));
	return wrong;
}

const char *set_cooldown(struct cli *cli, const char *value)
{
	return parse_time(value, &cli->soak.cooldown_ns) ? "is no time; give a number with a unit, as in 60s" : NULL;
}

const char *set_dumps(struct cli *cli, const char *value)
{
	return parse_number(value, 1, 1000000, &cli->soak.dumps) ? "is no number of files from 1 to 1000000" : NULL;
}

const char *set_pidfile(struct cli *cli, const char *value)
{
	cli->soak.pidfile = value;
	return *value ? NULL : "is empty";
}
