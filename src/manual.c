/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The man page (man macros) and bash's completion, from the tables of commands, options and metrics. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../bpf/record.h"
#include "base/err.h"
#include "cli.h"
#include "commands.h"
#include "model/span.h"
#include "options.h"

/* Text of a table as roff: no character of it is a command, and a hyphen can be copied as one. */
static void put(const char *text)
{
	for (const char *c = text; *c; c++) {
		if (*c == '\\')
			fputs("\\e", stdout);
		else if (*c == '-')
			fputs("\\-", stdout);
		else if (c == text && (*c == '.' || *c == '\''))
			printf("\\&%c", *c);
		else
			putchar(*c);
	}
}

/* A list item: a bold word and what it means. */
static void put_item(const char *word, const char *text)
{
	fputs(".TP\n.B ", stdout);
	put(word);
	putchar('\n');
	put(text);
	putchar('\n');
}

static const char *name_of(const struct command *c, char *buf, size_t size)
{
	snprintf(buf, size, "wakelag%s%s", c->name ? " " : "", c->name ? c->name : "");
	return buf;
}

static void put_synopsis(void)
{
	char name[64];

	puts(".SH SYNOPSIS");
	for (const struct command *c = commands; c->run; c++) {
		if (!c->help)
			continue;
		fputs(".B ", stdout);
		put(name_of(c, name, sizeof(name)));
		fputs("\n.RI [ OPTION...]", stdout);
		putchar('\n');
		if (*c->usage)
			put(c->usage);
		puts(*c->usage ? "\n.br" : ".br");
	}
}

static void put_commands(void)
{
	char name[64];

	puts(".SH COMMANDS");
	for (const struct command *c = commands; c->run; c++) {
		const char *sep = "";

		if (!c->help)
			continue;
		put_item(name_of(c, name, sizeof(name)), c->help);
		puts(".br");
		fputs("Options: ", stdout);
		for (const struct option_row *r = option_rows; r->name; r++) {
			if (!(r->in & c->bit))
				continue;
			printf("%s\\-\\-", sep);
			put(r->name);
			sep = ", ";
		}
		puts(".");
	}
}

static void put_option(const struct option_row *r)
{
	char help[1024], name[64];
	const char *sep = "";

	fputs(".TP\n", stdout);
	if (r->key < 256)
		printf("\\fB\\-%c\\fR, ", r->key);
	fputs("\\fB\\-\\-", stdout);
	put(r->name);
	fputs("\\fR", stdout);
	if (r->arg) {
		fputs("=\\fI", stdout);
		put(r->arg);
		fputs("\\fR", stdout);
	}
	putchar('\n');
	put(option_help(r, help, sizeof(help)));
	fputs(".\n.br\nOf: ", stdout);
	for (const struct command *c = commands; c->run; c++) {
		if (!c->help || !(r->in & c->bit))
			continue;
		fputs(sep, stdout);
		put(name_of(c, name, sizeof(name)));
		sep = ", ";
	}
	puts(".");
}

static void put_options(void)
{
	puts(".SH OPTIONS");
	for (unsigned int g = 0; g < OPTION_GROUP_CNT; g++) {
		if (!option_groups[g])
			continue;
		printf(".SS %s\n", option_groups[g]);
		for (const struct option_row *r = option_rows; r->name; r++)
			if (r->group == g)
				put_option(r);
	}
	puts(".SS Of every command\n.TP\n\\fB\\-?\\fR, \\fB\\-\\-help\\fR\nsay what there is.\n"
	     ".TP\n\\fB\\-\\-usage\\fR\nthe same in short.\n"
	     ".TP\n\\fB\\-V\\fR, \\fB\\-\\-version\\fR\nsay the version, and what is found here.");
}

static void put_metrics(void)
{
	puts(".SH METRICS");
	for (size_t m = 0; m < METRIC_CNT; m++) {
		const char *sep = " Stages: ";

		fputs(".TP\n.B ", stdout);
		put(metrics[m].name);
		putchar('\n');
		put(metrics[m].help);
		putchar('.');
		for (size_t s = 0; s < STAGE_CNT; s++) {
			if (!(metrics[m].stages >> s & 1))
				continue;
			printf("%s%s", sep, stage_names[s]);
			sep = ", ";
		}
		puts(*sep == ',' ? "." : "");
	}
}

static void put_tables(void)
{
	static const struct {
		const char *name, *help;
	} shapes[] = {
#define X(id, name, help) {name, help},
		SHAPES(X)
#undef X
	};

	puts(".SH TABLES");
	for (size_t t = 0; t < TABLE_CNT; t++)
		put_item(table_infos[t].name, table_infos[t].help);
	puts(".SS Shapes of the heatmap");
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
		put_item(shapes[s].name, shapes[s].help);
	puts(".SS Entities (\\-\\-by)");
	for (const struct dim *d = dims; d->name; d++)
		put_item(d->name, d->help);
	puts(".SS Who is blamed");
	for (size_t b = 0; b < BLAME_CNT; b++)
		put_item(blame_names[b], blame_helps[b]);
}

static void put_counters(void)
{
	static const struct {
		const char *name, *help;
		bool is_loss;
	} rows[] = {
#define X(number, name, loss, help) [number] = {#name, help, loss},
		COUNTS(X)
#undef X
	};

	puts(".SH COUNTERS\n.SS Of a thread or a process");
	for (size_t i = 0; i < ECOUNT_CNT; i++)
		put_item(entity_counter_names[i], entity_counter_helps[i]);
	for (int loss = 0; loss < 2; loss++) {
		puts(loss ? ".SS Losses, by cause" : ".SS Of the whole recording");
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (rows[i].name && rows[i].is_loss == loss)
				put_item(rows[i].name, rows[i].help);
	}
	puts(".SH GAUGES");
	for (size_t i = 0; i < GAUGE_CNT; i++)
		put_item(gauge_names[i], gauge_helps[i]);
}

static void put_exporters(void)
{
	puts(".SH FORMATS");
	for (const struct exporter *e = exporters; e->name; e++)
		put_item(e->name, e->help);
}

static int written(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_OK;
	fail(-EIO, "stdout: cannot write");
	return EXIT_FAILED;
}

static const char description[] =
	".SH DESCRIPTION\n"
	"A program asked to run at T and ran at T+x.\n"
	"wakelag says where x went, and who took it: per thread, over time,\n"
	"for live and unmodified processes.\n"
	"It watches the scheduler and the kernel's timers with BPF programs,\n"
	"records every wait of the threads traced,\n"
	"and cuts each late wakeup into stages that add up to its lateness.\n"
	".PP\n"
	"A recording (FILE.wlag) holds all that is needed to look at it later, by any user, on any machine.\n";

static const char ending[] =
	".SH EXIT STATUS\n"
	".TP\n.B 0\ndone.\n"
	".TP\n.B 1\ncould not do it; said why on stderr.\n"
	".TP\n.B 4\nthe command recorded (\\-\\- CMD) failed itself.\n"
	".TP\n.B 64\nwrong usage.\n"
	".SH ENVIRONMENT\n"
	".TP\n.B TMPDIR\nwhere the temporary recording lies when no \\-o is given (/tmp).\n"
	".TP\n.B WAKELAG_LIBBPF_DEBUG\nif set, all that libbpf and the kernel's verifier say is printed on stderr.\n"
	".SH FILES\n"
	".TP\n.I wakelag.wlag\nthe recording that \\fBwakelag record\\fR writes if not told otherwise; mode 0600.\n"
	".SH EXAMPLES\n"
	".TP\nRecord a process for 10 seconds, say what was found, and keep the heatmap:\n"
	".B wakelag \\-p 1234 \\-d 10s \\-\\-csv heatmap.csv\n"
	".TP\nRecord a command, then look at it:\n"
	".B wakelag record \\-o run.wlag \\-\\- ./mixer \\-\\-period 10ms\n"
	".br\n.B wakelag report run.wlag\n"
	".TP\nWho took the CPU that threads waited for:\n"
	".B wakelag export run.wlag \\-\\-table blame \\-\\-metric thread.runq\n"
	".TP\nWhether it works here, and how well:\n"
	".B wakelag doctor \\-\\-verify\n"
	".SH NOTES\n"
	"Recording needs CAP_BPF and CAP_PERFMON, and a kernel from 5.10 on with BTF.\n"
	"What a kernel lacks is left out and said.\n"
	".SH SEE ALSO\n"
	".BR perf\\-sched (1),\n.BR chrt (1),\n.BR sched (7),\n.BR time (7),\n.BR timerfd_create (2),\n.BR cyclictest (8)\n";

int cmd_print_man(const struct cli *cli)
{
	(void)cli;
	puts(".\\\" Made from the tables of the program: wakelag print-man");
	puts(".TH WAKELAG 1 \"\" \"wakelag " WAKELAG_VERSION "\" \"User Commands\"");
	puts(".nh\n.ad l");	/* names of metrics stay whole */
	puts(".SH NAME\nwakelag \\- why a thread ran late, who took the time, and which lock made it wait");
	put_synopsis();
	fputs(description, stdout);
	put_commands();
	put_options();
	put_metrics();
	puts(".SH STAGES");
	for (size_t s = 0; s < STAGE_CNT; s++)
		put_item(stage_names[s], stage_helps[s]);
	put_tables();
	put_counters();
	put_exporters();
	fputs(ending, stdout);
	return written();
}

/* What completes an option's value: its list, files, directories or processes. */
static void put_values(const struct option_row *r)
{
	char values[512];

	printf("\t--%s", r->name);
	if (r->key < 256)
		printf(" | -%c", r->key);
	fputs(") ", stdout);
	if (r->list) {
		fputs("words='", stdout);
		for (const char *c = r->list(values, sizeof(values)); *c; c++)
			if (*c != ',')
				putchar(*c);
		fputs("'", stdout);
	} else if (!strcmp(r->arg, "FILE")) {
		fputs("words=; what=file", stdout);
	} else if (!strcmp(r->arg, "PATH")) {
		fputs("words=; what=directory", stdout);
	} else if (!strncmp(r->arg, "PID", 3)) {
		fputs("words=$(cd /proc && echo [1-9]*)", stdout);
	} else {
		fputs("words=", stdout);
	}
	puts(" ;;");
}

static void put_words_of(const struct command *c)
{
	printf("\t%s) words='", c->name ? c->name : "''");
	for (const struct option_row *r = option_rows; r->name; r++)
		if (r->in & c->bit)
			printf("--%s ", r->name);
	printf("--help --version'%s ;;\n", c->args & ARGS_FILE ? "; files=1" : "");
}

int cmd_print_completion(const struct cli *cli)
{
	(void)cli;
	puts("# bash completion for wakelag, made from its tables: wakelag print-completion\n"
	     "_wakelag()\n{\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words= what= files= verb= i\n"
	     "\t# --option=value comes as three words\n"
	     "\t[[ $cur == '=' ]] && cur=\n"
	     "\t[[ $prev == '=' ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
	     "\t[[ ${COMP_WORDS[COMP_CWORD]} == '=' ]] && prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	     "\t\t[[ ${COMP_WORDS[i]} == -- ]] || continue\n"
	     "\t\tif ((i + 1 == COMP_CWORD)); then\n"
	     "\t\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$cur\")\n"
	     "\t\telse\n"
	     "\t\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	     "\t\tfi\n"
	     "\t\treturn\n"
	     "\tdone\n"
	     "\t((COMP_CWORD > 1)) && verb=${COMP_WORDS[1]}\n"
	     "\t[[ $verb == -* ]] && verb=\n"
	     "\tcase $verb in");
	for (const struct command *c = commands; c->run; c++)
		if (c->help)
			put_words_of(c);
	fputs("\tesac\n\t((COMP_CWORD == 1)) && words=\"", stdout);
	for (const struct command *c = commands; c->run; c++)
		if (c->help && c->name)
			printf("%s ", c->name);
	puts("$words\"\n\tcase $prev in");
	for (const struct option_row *r = option_rows; r->name; r++)
		if (r->arg)
			put_values(r);
	puts("\t*) [[ $files && $cur != -* ]] && words= what=recording ;;\n"
	     "\tesac\n"
	     "\tcase $what in\n"
	     "\tfile) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
	     "\tdirectory) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
	     "\trecording) mapfile -t COMPREPLY < <(compgen -f -X '!*.wlag' -- \"$cur\"; compgen -d -- \"$cur\") ;;\n"
	     "\t*) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\") ;;\n"
	     "\tesac\n"
	     "}\n"
	     "complete -o filenames -F _wakelag wakelag");
	return written();
}
