/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cli.h"

#include <argp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "commands.h"
#include "options.h"
#include "version.h"

const struct command commands[] = {
	{NULL, "", "record, report and export in one go", IN_MAIN, ARGS_TARGET, cmd_main},
	{"record", "[-- CMD ARG...]", "record a process, a cgroup, everything or a command", IN_RECORD,
	 ARGS_TARGET | ARGS_CMD, cmd_record},
	{"report", "FILE.wlag...", "say what a recording shows", IN_REPORT, ARGS_FILE | ARGS_FILES, cmd_report},
	{"export", "FILE.wlag...", "write a recording's tables", IN_EXPORT, ARGS_FILE | ARGS_FILES, cmd_export},
	{"diff", "BASE.wlag NEW.wlag", "say what got later from one recording to another", IN_DIFF,
	 ARGS_FILE | ARGS_FILES, cmd_diff},
	{"gate", "[FILE.wlag | -- CMD ARG...]", "say whether a recording, a process or a command keeps its budgets", IN_GATE,
	 ARGS_TARGET | ARGS_CMD | ARGS_FILE, cmd_gate},
	{"top", "", "show the last seconds of a process, again and again", IN_TOP, ARGS_TARGET, cmd_top},
	{"serve", "", "show what is recorded to Prometheus and to browsers", IN_SERVE, ARGS_TARGET, cmd_serve},
	{"doctor", "", "say what this kernel and user can do", IN_DOCTOR, ARGS_NONE, cmd_doctor},
	{"print-man", "", NULL, IN_HIDDEN, ARGS_NONE, cmd_print_man},
	{"print-completion", "", NULL, IN_HIDDEN, ARGS_NONE, cmd_print_completion},
	{"print-records", "FILE.wlag", NULL, IN_HIDDEN, ARGS_FILE, cmd_print_records},
	{"verify-loop", "FD", NULL, IN_HIDDEN, ARGS_FILE, cmd_verify_loop},
	{NULL, NULL, NULL, 0, 0, NULL},
};

static void __attribute__((noreturn, format(printf, 2, 3))) usage_error(const struct cli *cli, const char *fmt, ...)
{
	const char *name = cli->command->name;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fail(0, "%s", text);
	hint("'wakelag %s%s--help' says what there is", name ? name : "", name ? " " : "");
	exit(EXIT_USAGE_ERR);
}

static void set_option(const struct option_row *row, const char *value, struct cli *cli)
{
	const char *wrong = row->set(cli, value);
	char values[512];

	if (wrong && row->list)
		usage_error(cli, "--%s: '%s' is none of: %s", row->name, value, row->list(values, sizeof(values)));
	if (wrong)
		usage_error(cli, "--%s: '%s' %s", row->name, value ? value : "", wrong);
}

static void add_file(struct cli *cli, char *arg)
{
	char **files;

	if (!cli->file_cnt++) {
		cli->file = arg;
		return;
	}
	files = reallocarray(cli->files, cli->file_cnt, sizeof(*files));
	if (!files)
		usage_error(cli, "'%s': no memory", arg);
	cli->files = files;
	files[0] = (char *)cli->file;
	files[cli->file_cnt - 1] = arg;
}

static void take_argument(struct cli *cli, char *arg, struct argp_state *state)
{
	unsigned int takes = cli->command->args;

	if (takes & ARGS_CMD && state->quoted && state->next - 1 >= state->quoted) {
		cli->session.target.cmd = state->argv + state->next - 1;
		state->next = state->argc;
		return;
	}
	if (takes & ARGS_TARGET && !(takes & ARGS_FILE))
		usage_error(cli, "'%s': unexpected; a command to run comes after --, as in: wakelag record -- %s",
			    arg, arg);
	if (!(takes & ARGS_FILE))
		usage_error(cli, "'%s': unexpected", arg);
	if (cli->file && !(takes & ARGS_FILES))
		usage_error(cli, "'%s': only one recording at a time", arg);
	add_file(cli, arg);
}

static void check(const struct cli *cli)
{
	const struct target_opts *t = &cli->session.target;
	int targets = !!t->cmd + !!t->id_cnt + !!t->cgroup + t->all + !!t->wait_for;
	unsigned int takes = cli->command->args;
	const char *wrong;

	if (takes & ARGS_FILE && !(takes & ARGS_TARGET) && !cli->file)
		usage_error(cli, "which recording? give its file (- for stdin)");
	if (cli->command->bit == IN_DIFF && cli->file_cnt != 2)
		usage_error(cli, "diff takes two recordings, the base and the new one");
	if (targets > 1)
		usage_error(cli, "one target at a time: -p, --tid, --cgroup, --wait-for, -a or -- CMD");
	if (cli->command->bit == IN_GATE && cli->file && (targets || t->comm))
		usage_error(cli, "'%s': either a recording or something to record", cli->file);
	if (cli->command->bit == IN_GATE && !cli->file && !targets && !t->comm)
		usage_error(cli, "what to judge? give a recording's file, -p PID or another target, or -- CMD");
	if (takes & ARGS_TARGET && !(takes & ARGS_FILE) && !targets && !t->comm)
		usage_error(cli, "what to trace? give -p PID, --tid TID, --comm GLOB, --cgroup PATH, --wait-for NAME, -a%s",
			    takes & ARGS_CMD ? " or -- CMD" : "");
	if (cli->command->bit == IN_DOCTOR && t->id_cnt > 1)
		usage_error(cli, "--pid: one process at a time");
	if (cli->command->bit == IN_GATE && !cli->gate.budgets.cnt && !cli->gate.baseline_cnt)
		usage_error(cli, "against what? give --budget 'thread.drift p99 < 2ms', --budgets FILE or --baseline FILE");
	wrong = soak_opts_wrong(&cli->soak);
	if (wrong)
		usage_error(cli, "%s", wrong);
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	const struct option_row *row = option_by_key(key);
	struct cli *cli = state->input;

	if (key == ARGP_KEY_ARG)
		take_argument(cli, arg, state);
	else if (key == ARGP_KEY_END)
		check(cli);
	else if (row)
		set_option(row, arg, cli);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

/* Puts the valid values into the help of an option. */
static char *complete_help(int key, const char *text, void *input)
{
	const struct option_row *row = option_by_key(key);
	char buf[1024];

	(void)input;
	return row && text == row->help ? strdup(option_help(row, buf, sizeof(buf))) : (char *)text;
}

/* Help of the program itself: its commands. */
static const char *main_doc(void)
{
	static char doc[1024];
	size_t len = snprintf(doc, sizeof(doc), "Why did my thread run late, and who took the time? "
			      "Which lock made it wait, and who held it?\v"
			      "Commands (wakelag COMMAND --help tells more):\n");

	for (const struct command *c = commands; c->run; c++)
		if (c->name && c->help)
			len += snprintf(doc + len, sizeof(doc) - len, "  %-8s %s\n", c->name, c->help);
	snprintf(doc + len, sizeof(doc) - len, "Without a command: %s.", commands->help);
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

static void __attribute__((noreturn)) no_such_command(const char *name)
{
	char names[256] = "";
	size_t len = 0;

	for (const struct command *c = commands; c->run; c++)
		if (c->name && c->help)
			len += snprintf(names + len, sizeof(names) - len, "%s%s", len ? ", " : "", c->name);
	fail(0, "'%s': no such command", name);
	hint("one of %s; or 'wakelag -p PID' for all in one go", names);
	exit(EXIT_USAGE_ERR);
}

/* The command's options in the form of argp, each group under its heading. */
static void fill_options(const struct command *c, struct argp_option *out, size_t size)
{
	unsigned int headed = 0;
	size_t n = 0;

	for (const struct option_row *r = option_rows; r->name && n + 2 < size; r++) {
		if (!(r->in & c->bit))
			continue;
		if (!(headed >> r->group & 1))
			out[n++] = (struct argp_option){.doc = option_groups[r->group], .group = r->group};
		headed |= 1u << r->group;
		out[n++] = (struct argp_option){r->name, r->key, r->arg, 0, r->help, r->group};
	}
}

void cli_parse(int argc, char **argv, struct cli *out)
{
	struct argp_option options[128] = {};
	struct argp argp = {.options = options, .parser = parse_opt, .help_filter = complete_help};
	char name[64] = "wakelag";

	*out = (struct cli){.command = commands, .format = exporters, .diff_format = diff_formats, .session.ring_bytes = 16 << 20,
			    .session.go = GO_AUTO, .listen = "127.0.0.1:9465", .soak = soak_opts_initial,
			    .gate.max_loss = -1};
	join_command_line(argc, argv, out);
	for (const struct command *c = commands; c->run && argc > 1; c++)
		if (c->name && !strcmp(argv[1], c->name))
			out->command = c;
	if (out->command->name) {
		argv++;
		argc--;
		snprintf(name, sizeof(name), "wakelag %s", out->command->name);
	} else if (argc > 1 && argv[1][0] != '-') {
		no_such_command(argv[1]);
	}
	out->session.progress = out->command->bit & (IN_MAIN | IN_RECORD);
	fill_options(out->command, options, sizeof(options) / sizeof(options[0]));
	argp.args_doc = out->command->usage;
	argp.doc = out->command->name ? out->command->help : main_doc();
	argp_err_exit_status = EXIT_USAGE_ERR;
	argp_program_version_hook = version_print;
	argv[0] = name;
	argp_parse(&argp, argc, argv, 0, NULL, out);
}

void cli_done(struct cli *cli)
{
	free(cli->session.target.ids);
	free(cli->files);
	soak_opts_done(&cli->soak);
	budgets_done(&cli->gate.budgets);
}
