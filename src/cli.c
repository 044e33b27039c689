/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cli.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/units.h"
#include "commands.h"

const char *argp_program_version = "wakelag " WAKELAG_VERSION;

enum { IN_MAIN = 1, IN_RECORD = 2, IN_REPORT = 4, IN_EXPORT = 8 };
enum { RECORDING = IN_MAIN | IN_RECORD, VIEWING = IN_MAIN | IN_REPORT | IN_EXPORT };

const struct command commands[] = {
	{NULL, "", "record, report and export in one go", IN_MAIN, cmd_main},
	{"record", "[-- CMD ARG...]", "record a process, a cgroup, everything or a command", IN_RECORD, cmd_record},
	{"report", "FILE.wlag", "say what a recording shows", IN_REPORT, cmd_report},
	{"export", "FILE.wlag", "write a recording's tables", IN_EXPORT, cmd_export},
	{NULL, NULL, NULL, 0, NULL},
};

/* Sets an option. NULL, or what is wrong with the value (static text, or made by listed()). */
typedef const char *option_set(struct cli *cli, const char *value);

struct option_row {
	const char *name;
	int key;		/* a letter if it is also a short option, else from 256 on */
	const char *arg;	/* NULL: takes none */
	unsigned int in;	/* the commands that have it */
	option_set *set;
	const char *help;
};

static char listed_buf[512];

/* "is none of: a, b" for a value that must be one of a list. */
static const char *listed(const char *(*list)(char *, size_t))
{
	char names[400] = "";

	snprintf(listed_buf, sizeof(listed_buf), "is none of: %s", list(names, sizeof(names)));
	return listed_buf;
}

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
	return NULL;
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

static const char *set_no_syscalls(struct cli *cli, const char *value)
{
	(void)value;
	cli->session.no_syscalls = true;
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
	return cli->format ? NULL : listed(exporters_list);
}

static const char *set_table(struct cli *cli, const char *value)
{
	int i = table_find(value);

	if (i < 0)
		return listed(tables_list);
	cli->export.table = i;
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
		return listed(all_metrics);
	cli->tables.metrics |= 1u << i;
	return NULL;
}

static const char *set_shape(struct cli *cli, const char *value)
{
	int i = shape_find(value);

	if (i < 0)
		return listed(shapes_list);
	cli->export.shape = i;
	return NULL;
}

static const char *set_by(struct cli *cli, const char *value)
{
	cli->tables.by = dim_find(value);
	return cli->tables.by ? NULL : listed(dims_list);
}

static const char *set_top(struct cli *cli, const char *value)
{
	uint64_t n;

	if (parse_number(value, 1, 10000, &n))
		return "is no number from 1 to 10000";
	cli->tables.top = n;
	return NULL;
}

static const char *set_quiet(struct cli *cli, const char *value)
{
	(void)value;
	cli->quiet = true;
	return NULL;
}

static const struct option_row option_rows[] = {
	{"pid", 'p', "PID[,PID...]", RECORDING, set_pid, "trace these processes"},
	{"tid", 256, "TID[,TID...]", RECORDING, set_tid, "trace these threads"},
	{"cgroup", 257, "PATH", RECORDING, set_cgroup, "trace what is in this cgroup or below"},
	{"all", 'a', NULL, RECORDING, set_all, "trace everything"},
	{"comm", 258, "GLOB", RECORDING, set_comm, "only threads with such a name (* and ?)"},
	{"no-follow", 259, NULL, RECORDING, set_no_follow, "leave out child processes"},
	{"duration", 'd', "TIME", RECORDING, set_duration, "end after this time (10s, 5m); default: when the target ends, or on Ctrl-C"},
	{"output", 'o', "FILE", IN_MAIN | IN_RECORD | IN_EXPORT, set_output, "where to write; record: default wakelag.wlag; export: default stdout"},
	{"csv", 260, "FILE", IN_MAIN, set_csv, "also write the heatmap as CSV"},
	{"format", 261, "NAME", IN_EXPORT, set_format, "csv (default), text"},
	{"table", 262, "NAME", IN_EXPORT, set_table, "heatmap (default), stages, blame, events, counters, loss"},
	{"shape", 263, "NAME", IN_EXPORT, set_shape, "of the heatmap: long (default), wide, pairs"},
	{"metric", 264, "NAME", VIEWING, set_metric, "only this metric; may be given several times"},
	{"by", 265, "NAME", VIEWING, set_by, "what an entity is: tid (default), pid, cpu, cgroup, prio, lock"},
	{"top", 266, "N", VIEWING, set_top, "entities of each metric, by summed latency; the others are 'rest' (64)"},
	{"ring-size", 267, "BYTES", RECORDING, set_ring_size, "of the buffer between kernel and collector, a power of two (16M)"},
	{"no-syscalls", 268, NULL, RECORDING, set_no_syscalls, "leave out the futex tracepoints, which cost every system call 16 ns"},
	{"quiet", 'q', NULL, RECORDING | VIEWING, set_quiet, "say only what went wrong"},
};

enum { ROW_CNT = sizeof(option_rows) / sizeof(option_rows[0]) };

static int set_option(const struct option_row *row, const char *value, struct argp_state *state)
{
	const char *wrong = row->set(state->input, value);

	if (wrong)
		argp_error(state, "--%s: '%s' %s", row->name, value ? value : "", wrong);
	return 0;
}

static int take_argument(struct cli *cli, char *arg, struct argp_state *state)
{
	if (cli->command->bit & RECORDING) {
		if (cli->command->bit == IN_RECORD && state->quoted && state->next - 1 >= state->quoted) {
			cli->session.target.cmd = state->argv + state->next - 1;
			state->next = state->argc;
			return 0;
		}
		argp_error(state, "'%s': unexpected; a command to run comes after --, as in: wakelag record -- %s", arg, arg);
	}
	if (cli->file)
		argp_error(state, "'%s': only one recording at a time", arg);
	cli->file = arg;
	return 0;
}

static void check(const struct cli *cli, struct argp_state *state)
{
	const struct target_opts *t = &cli->session.target;
	int targets = !!t->cmd + !!t->id_cnt + !!t->cgroup + t->all;

	if (!(cli->command->bit & RECORDING)) {
		if (!cli->file)
			argp_error(state, "which recording? give its file (- for stdin)");
		return;
	}
	if (targets > 1)
		argp_error(state, "one target at a time: -p, --tid, --cgroup, -a or -- CMD");
	if (!targets && !t->comm)
		argp_error(state, "what to trace? give -p PID, --tid TID, --comm GLOB, --cgroup PATH, -a%s",
			   cli->command->bit == IN_RECORD ? " or -- CMD" : "");
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct cli *cli = state->input;

	if (key == ARGP_KEY_ARG)
		return take_argument(cli, arg, state);
	if (key == ARGP_KEY_END) {
		check(cli, state);
		return 0;
	}
	for (size_t i = 0; i < ROW_CNT; i++)
		if (option_rows[i].key == key)
			return set_option(&option_rows[i], arg, state);
	return ARGP_ERR_UNKNOWN;
}

/* Help of the program itself: its commands. */
static const char *main_doc(void)
{
	static char doc[1024];
	size_t len = snprintf(doc, sizeof(doc), "Why did my thread run late, and who took the time?\v"
			      "Commands (wakelag COMMAND --help tells more):\n");

	for (const struct command *c = commands; c->run; c++)
		if (c->name)
			len += snprintf(doc + len, sizeof(doc) - len, "  %-8s %s\n", c->name, c->help);
	return doc;
}

static void join_command_line(int argc, char **argv, struct cli *cli)
{
	static char line[216];
	size_t len = 0;

	for (int i = 1; i < argc && len < sizeof(line); i++)
		len += snprintf(line + len, sizeof(line) - len, "%s%s", i > 1 ? " " : "", argv[i]);
	cli->session.command_line = line;
}

void cli_parse(int argc, char **argv, struct cli *out)
{
	struct argp_option options[ROW_CNT + 1] = {};
	struct argp argp = {options, parse_opt, NULL, NULL, NULL, NULL, NULL};
	char name[64] = "wakelag";
	size_t n = 0;

	*out = (struct cli){.command = commands, .format = exporters, .session.ring_bytes = 16 << 20};
	join_command_line(argc, argv, out);
	for (const struct command *c = commands; c->run && argc > 1; c++)
		if (c->name && !strcmp(argv[1], c->name))
			out->command = c;
	for (size_t i = 0; i < ROW_CNT; i++) {
		const struct option_row *r = &option_rows[i];

		if (r->in & out->command->bit)
			options[n++] = (struct argp_option){r->name, r->key, r->arg, 0, r->help, 0};
	}
	argp.args_doc = out->command->args;
	argp.doc = out->command->name ? out->command->help : main_doc();
	argp_err_exit_status = EXIT_USAGE_ERR;
	if (out->command->name) {
		argv++;
		argc--;
		snprintf(name, sizeof(name), "wakelag %s", out->command->name);
	} else if (argc > 1 && argv[1][0] != '-') {
		fail(0, "'%s': no such command", argv[1]);
		hint("one of record, report, export; or wakelag -p PID for all in one go");
		exit(EXIT_USAGE_ERR);
	}
	argv[0] = name;
	argp_parse(&argp, argc, argv, 0, NULL, out);
}

void cli_done(struct cli *cli)
{
	free(cli->session.target.ids);
}
