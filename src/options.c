/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "options.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/record.h"
#include "base/units.h"
#include "cli.h"
#include "options_gate.h"
#include "options_soak.h"
#include "serve/listen.h"
#include "stats/period.h"

const char *const option_groups[OPTION_GROUP_CNT] = {
	[OPTIONS_TARGET] = "What to trace",
	[OPTIONS_RECORDING] = "Recording",
	[OPTIONS_VIEW] = "What to show",
	[OPTIONS_GATE] = "Verdicts",
	[OPTIONS_SERVE] = "Serving",
	[OPTIONS_DOCTOR] = "Looking at this machine",
	[OPTIONS_TALK] = "Talk",
};

/* Any text, for rows with a list: the message comes from the list. */
#define NOT_LISTED "is not known"

static const char *add_ids(struct cli *cli, const char *value, bool threads)
{
	struct target_opts *t = &cli->session.target;
	char *copy = strdup(value), *save = NULL;
	uint64_t id = 0;
	uint32_t *ids;

	if (t->id_cnt && t->threads != threads) {
		free(copy);
		return "does not go with the other of -p and --tid";
	}
	t->threads = threads;
	for (char *p = copy ? strtok_r(copy, ",", &save) : NULL; p; p = strtok_r(NULL, ",", &save)) {
		ids = parse_number(p, 1, 4194304, &id) || t->id_cnt == 1024 ? NULL :
			realloc(t->ids, (t->id_cnt + 1) * sizeof(*ids));	/* PID_MAX_LIMIT */
		if (!ids) {
			free(copy);
			return "is no list of at most 1024 ids";
		}
		t->ids = ids;
		t->ids[t->id_cnt++] = id;
	}
	free(copy);
	return t->id_cnt ? NULL : "is empty";
}

static const char *set_pid(struct cli *cli, const char *value)
{
	return add_ids(cli, value, false);
}

static const char *set_tid(struct cli *cli, const char *value)
{
	return add_ids(cli, value, true);
}

static const char *set_cgroup(struct cli *cli, const char *value)
{
	cli->session.target.cgroup = value;
	return *value ? NULL : "is empty";
}

static const char *set_all(struct cli *cli, const char *value)
{
	(void)value;
	cli->session.target.all = true;
	return NULL;
}

static const char *set_comm(struct cli *cli, const char *value)
{
	cli->session.target.comm = value;
	if (strlen(value) > 15)		/* TASK_COMM_LEN less the NUL */
		return "is longer than a thread's name can be (15 bytes)";
	return *value ? NULL : "is empty";
}

static const char *set_no_follow(struct cli *cli, const char *value)
{
	(void)value;
	cli->session.target.no_follow = true;
	return NULL;
}

static const char *set_duration(struct cli *cli, const char *value)
{
	if (parse_time(value, &cli->session.duration_ns) || !cli->session.duration_ns)
		return "is no time; give a number with ns, us, ms, s, m, h or d, as in 10s";
	return NULL;
}

static const char *set_ring_size(struct cli *cli, const char *value)
{
	uint64_t bytes;

	if (parse_size(value, &bytes) || bytes < 4096 || bytes > (1 << 30) || bytes & (bytes - 1))
		return "is no power of two from 4K to 1G";
	cli->session.ring_bytes = bytes;
	return NULL;
}

static const struct {
	const char *name;
	int level;
} go_levels[] = {
	{"auto", GO_AUTO}, {"off", GO_OFF}, {"snapshot", GO_SNAPSHOT}, {"light", GO_LIGHT}, {"full", GO_FULL},
};

enum { GO_LEVEL_CNT = sizeof(go_levels) / sizeof(go_levels[0]) };

static const char *go_levels_list(char *buf, size_t size)
{
	size_t at = 0;

	for (int i = 0; i < GO_LEVEL_CNT && at < size; i++)
		at += snprintf(buf + at, size - at, "%s%s", at ? ", " : "", go_levels[i].name);
	return buf;
}

static const char *set_go(struct cli *cli, const char *value)
{
	for (int i = 0; i < GO_LEVEL_CNT; i++) {
		if (strcmp(go_levels[i].name, value))
			continue;
		cli->session.go = go_levels[i].level;
		return NULL;
	}
	return NOT_LISTED;
}

static const char *set_no_syscalls(struct cli *cli, const char *value)
{
	(void)value;
	cli->session.no_syscalls = true;
	return NULL;
}

static const char *set_no_stacks(struct cli *cli, const char *value)
{
	(void)value;
	cli->session.no_stacks = true;
	return NULL;
}

static const char *set_output(struct cli *cli, const char *value)
{
	cli->output = value;
	return *value ? NULL : "is empty";
}

static const char *set_csv(struct cli *cli, const char *value)
{
	cli->csv = value;
	return *value ? NULL : "is empty";
}

static const char *set_format(struct cli *cli, const char *value)
{
	cli->format = exporter_find(value);
	cli->diff_format = diff_format_find(value);
	return cli->format ? NULL : NOT_LISTED;
}

static const char *set_tolerance(struct cli *cli, const char *value)
{
	char *end;
	double percent = strtod(value, &end);

	if (end == value || *end != '%' || end[1] || !(percent > 0 && percent <= 1000))
		return "is no share from 0% to 1000%, as 10%";
	cli->compare.tolerance = percent / 100;
	return NULL;
}

static const char *set_min_shift(struct cli *cli, const char *value)
{
	if (parse_time(value, &cli->compare.floor_ns) || !cli->compare.floor_ns)
		return "is no time; give a number with a unit, as in 50us";
	return NULL;
}

static const char *set_table(struct cli *cli, const char *value)
{
	int i = table_find(value);

	if (i < 0)
		return NOT_LISTED;
	cli->export.table = i;
	cli->export.has_table = true;
	return NULL;
}

static const char *all_metrics(char *buf, size_t size)
{
	return metrics_list(~0u, buf, size);
}

static const char *set_metric(struct cli *cli, const char *value)
{
	int i = metric_find(value);

	if (i < 0)
		return NOT_LISTED;
	cli->tables.metrics |= 1u << i;
	return NULL;
}

static const char *set_shape(struct cli *cli, const char *value)
{
	int i = shape_find(value);

	if (i < 0)
		return NOT_LISTED;
	cli->export.shape = i;
	return NULL;
}

static const char *set_by(struct cli *cli, const char *value)
{
	cli->tables.by = dim_find(value);
	return cli->tables.by ? NULL : NOT_LISTED;
}

static const char *set_top(struct cli *cli, const char *value)
{
	uint64_t n;

	if (parse_number(value, 1, 10000, &n))
		return "is no number from 1 to 10000";
	cli->tables.top = n;
	return NULL;
}

static const char *set_period(struct cli *cli, const char *value)
{
	uint64_t *period = &cli->tables.period_ns;

	if (parse_time(value, period) || *period < PERIOD_MIN_NS || *period > PERIOD_MAX_NS)
		return "is no time from 100us to 10m";
	return NULL;
}

static const char *set_late(struct cli *cli, const char *value)
{
	if (parse_time(value, &cli->tables.late_ns) || !cli->tables.late_ns)
		return "is no time; give a number with a unit, as in 500us";
	return NULL;
}

static const char *set_listen(struct cli *cli, const char *value)
{
	struct listen_addr addr;

	cli->listen = value;
	return listen_parse(value, &addr) ? "is no numeric address with a port, as 127.0.0.1:9465, [::1]:9465, :9465" : NULL;
}

static const char *set_verify(struct cli *cli, const char *value)
{
	(void)value;
	cli->verify = true;
	return NULL;
}

static const char *set_quiet(struct cli *cli, const char *value)
{
	(void)value;
	cli->quiet = true;
	return NULL;
}

const struct option_row option_rows[] = {
	{"pid", 'p', "PID[,PID...]", RECORDING | IN_DOCTOR, OPTIONS_TARGET, set_pid, NULL, NULL,
	 "these processes"},
	{"tid", 256, "TID[,TID...]", RECORDING, OPTIONS_TARGET, set_tid, NULL, NULL, "these threads"},
	{"cgroup", 257, "PATH", RECORDING, OPTIONS_TARGET, set_cgroup, NULL, NULL,
	 "what is in this cgroup or below; the path of its directory"},
	{"all", 'a', NULL, RECORDING, OPTIONS_TARGET, set_all, NULL, NULL, "everything"},
	{"comm", 258, "GLOB", RECORDING, OPTIONS_TARGET, set_comm, NULL, NULL,
	 "only threads with such a name (* and ?); narrows any of the others, or stands alone"},
	{"wait-for", 310, "NAME", RECORDING, OPTIONS_TARGET, set_wait_for, NULL, NULL,
	 "the processes of this name (* and ?), or of a program file of it; waits until one runs"},
	{"no-follow", 259, NULL, RECORDING, OPTIONS_TARGET, set_no_follow, NULL, NULL, "leave out child processes"},
	{"duration", 'd', "TIME", RECORDING, OPTIONS_RECORDING, set_duration, NULL, NULL,
	 "end after this time, as 500ms, 10s, 5m; default: when the target ends, or on Ctrl-C"},
	{"output", 'o', "FILE", IN_MAIN | IN_RECORD | IN_EXPORT | IN_DIFF | IN_GATE, OPTIONS_RECORDING, set_output, NULL, NULL,
	 "where to write the recording or the export; default: wakelag.wlag (record), stdout (export)"},
	{"ring-size", 267, "BYTES", RECORDING, OPTIONS_RECORDING, set_ring_size, NULL, "16M",
	 "of the buffer between kernel and collector, a power of two"},
	{"no-syscalls", 268, NULL, RECORDING, OPTIONS_RECORDING, set_no_syscalls, NULL, NULL,
	 "leave out the futex tracepoints, which cost every system call 16 ns"},
	{"no-stacks", 273, NULL, RECORDING, OPTIONS_RECORDING, set_no_stacks, NULL, NULL,
	 "leave out the call stacks of waits for locks, and with them the locks' names and most classes"},
	{"go", 270, "LEVEL", RECORDING, OPTIONS_RECORDING, set_go, go_levels_list, "",
	 "how deep to look into Go programs"},
	{"rt", 311, "PRIO", RECORDING, OPTIONS_RECORDING, set_rt, NULL, NULL,
	 "give the collector a real-time priority (SCHED_FIFO), so that a busy machine does not starve it"},
	{"nice", 312, "N", RECORDING, OPTIONS_RECORDING, set_nice, NULL, NULL, "or this nice value, -20 to 19"},
	{"rotate", 313, "TIME", IN_RECORD, OPTIONS_RECORDING, set_rotate, NULL, NULL,
	 "begin a new file each time that so much has passed, as 10m; of -o NAME.wlag they are "
	 "NAME-20261121T120000.wlag and so on (UTC)"},
	{"keep", 314, "N", IN_RECORD, OPTIONS_RECORDING, set_keep, NULL, NULL,
	 "delete the oldest of those files beyond so many, also of earlier runs"},
	{"max-size", 315, "BYTES", IN_RECORD, OPTIONS_RECORDING, set_max_size, NULL, NULL,
	 "of a file, as 1G: then a new one begins (--rotate), or the recording ends"},
	{"keep-last", 316, "TIME", IN_RECORD, OPTIONS_RECORDING, set_keep_last, NULL, NULL,
	 "write nothing, but keep the last seconds in memory (at most --max-size, else 16M) for --trigger"},
	{"trigger", 317, "COND", IN_RECORD, OPTIONS_RECORDING, set_trigger, NULL, NULL,
	 "write them to a file when a sample is so late: 'METRIC > TIME [for NAME-GLOB]', as 'thread.drift > 5ms'; may be "
	 "given several times"},
	{"cooldown", 318, "TIME", IN_RECORD, OPTIONS_RECORDING, set_cooldown, NULL, "60s",
	 "from one such file to the next"},
	{"dumps", 319, "N", IN_RECORD, OPTIONS_RECORDING, set_dumps, NULL, "10", "at most so many such files"},
	{"pidfile", 320, "FILE", IN_RECORD, OPTIONS_RECORDING, set_pidfile, NULL, NULL,
	 "write our pid there, and remove it at the end"},
	{"csv", 260, "FILE", IN_MAIN, OPTIONS_VIEW, set_csv, NULL, NULL, "also write the heatmap as CSV"},
	{"format", 261, "NAME", IN_EXPORT | IN_DIFF, OPTIONS_VIEW, set_format, exporters_list, NULL,
	 "what to write, csv (export) or text (diff) if not given"},
	{"tolerance", 291, "PERCENT", IN_DIFF, OPTIONS_VIEW, set_tolerance, NULL, "5%",
	 "shifts up to that share of the base's value are no change"},
	{"min-shift", 292, "TIME", IN_DIFF, OPTIONS_VIEW, set_min_shift, NULL, "50us",
	 "nor are those up to this"},
	{"table", 262, "NAME", IN_EXPORT | IN_DIFF, OPTIONS_VIEW, set_table, tables_list, "", "which table"},
	{"shape", 263, "NAME", IN_EXPORT, OPTIONS_VIEW, set_shape, shapes_list, "", "of the heatmap"},
	{"metric", 264, "NAME", VIEWING | IN_DIFF | IN_SERVE, OPTIONS_VIEW, set_metric, all_metrics, NULL,
	 "only this metric; may be given several times"},
	{"by", 265, "NAME", VIEWING | IN_DIFF | IN_SERVE, OPTIONS_VIEW, set_by, dims_list, "", "what an entity is"},
	{"top", 266, "N", VIEWING | IN_DIFF | IN_SERVE, OPTIONS_VIEW, set_top, NULL, "64; serve: 16",
	 "entities of each metric, by summed latency; the others are 'rest'"},
	{"period", 271, "TIME", VIEWING, OPTIONS_VIEW, set_period, NULL, NULL,
	 "of the periodic timers to look for, as 10ms; default: each one's own, found from its wakeups"},
	{"late", 272, "TIME", VIEWING, OPTIONS_VIEW, set_late, NULL, NULL,
	 "from where on a periodic timer's wakeup is late; default: a tenth of the period, at least 1ms"},
	{"listen", 330, "ADDR:PORT", IN_SERVE, OPTIONS_SERVE, set_listen, NULL, "127.0.0.1:9465",
	 "where to serve; port 0 is any that is free"},
	{"budget", 400, "BUDGET", IN_GATE, OPTIONS_GATE, set_budget, NULL, NULL,
	 "METRIC STAT OP VALUE [for NAME-GLOB] [stage S], as 'thread.drift p99 < 2ms'; may be given several times"},
	{"budgets", 401, "FILE", IN_GATE, OPTIONS_GATE, set_budgets, NULL, NULL, "budgets, one a line; # begins a comment"},
	{"baseline", 402, "FILE", IN_GATE, OPTIONS_GATE, set_baseline, NULL, NULL,
	 "a recording that it must not be worse than; may be given several times, then of the worst of them"},
	{"max-regress", 403, "PERCENT", IN_GATE, OPTIONS_GATE, set_max_regress, NULL, "10%",
	 "how much worse than the baseline it may be"},
	{"max-loss", 404, "PERCENT", IN_GATE, OPTIONS_GATE, set_max_loss, NULL, "0.1%",
	 "with more lost samples nothing passes"},
	{"min-samples", 405, "N", IN_GATE, OPTIONS_GATE, set_min_samples, NULL, NULL,
	 "with fewer samples a quantile, mean or maximum is inconclusive; default: what its interval takes, 368 for p99"},
	{"junit", 406, "FILE", IN_GATE, OPTIONS_GATE, set_junit, NULL, NULL, "verdicts as JUnit XML; - is stdout"},
	{"markdown", 407, "FILE", IN_GATE, OPTIONS_GATE, set_markdown, NULL, NULL, "verdicts as Markdown, under 1 MiB"},
	{"json", 408, "FILE", IN_GATE, OPTIONS_GATE, set_gate_json, NULL, NULL, "verdicts as JSON, with all evidence"},
	{"metrics", 409, "FILE", IN_GATE, OPTIONS_GATE, set_gate_metrics, NULL, NULL, "estimates as OpenMetrics text"},
	{"annotations", 410, NULL, IN_GATE, OPTIONS_GATE, set_annotations, NULL, NULL,
	 "at most 10 workflow commands of GitHub Actions; default: where GITHUB_ACTIONS is true"},
	{"verify", 269, NULL, IN_DOCTOR, OPTIONS_DOCTOR, set_verify, NULL, NULL,
	 "record a loop that measures itself, under load, and compare; takes 2 s"},
	{"quiet", 'q', NULL, RECORDING | VIEWING | IN_DIFF, OPTIONS_TALK, set_quiet, NULL, NULL, "say only what went wrong"},
	{NULL, 0, NULL, 0, 0, NULL, NULL, NULL, NULL},
};

const char *option_help(const struct option_row *row, char *buf, size_t size)
{
	char values[512];
	size_t first;

	if (!row->list && row->initial)
		snprintf(buf, size, "%s (%s)", row->help, row->initial);
	else if (!row->list)
		snprintf(buf, size, "%s", row->help);
	else if (!row->initial)
		snprintf(buf, size, "%s: %s", row->help, row->list(values, sizeof(values)));
	if (!row->list || !row->initial)
		return buf;
	first = strcspn(row->list(values, sizeof(values)), ",");
	snprintf(buf, size, "%s: %.*s (default)%s", row->help, (int)first, values, values + first);
	return buf;
}

const struct option_row *option_by_key(int key)
{
	for (const struct option_row *r = option_rows; r->name; r++)
		if (r->key == key)
			return r;
	return NULL;
}
