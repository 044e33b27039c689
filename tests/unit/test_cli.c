/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The command line: what each option sets, in both spellings, and what is refused, with status 64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/cli.h"
#include "src/gate/report.h"
#include "src/options.h"
#include "src/soak/trigger.h"
#include "tests/unit/forked.h"

/* A command line of words without spaces, as argv; good until the next. */
static char **words_of(const char *line, int *argc)
{
	static char copy[1024], *argv[64];

	snprintf(copy, sizeof(copy), "%s", line);
	*argc = 0;
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		argv[(*argc)++] = w;
	argv[*argc] = NULL;
	return argv;
}

static struct cli parse(const char *line)
{
	struct cli cli;
	int argc;
	char **argv = words_of(line, &argc);

	cli_parse(argc, argv, &cli);
	return cli;
}

static int parse_only(void *line)
{
	struct cli cli = parse(line);

	cli_done(&cli);
	return 0;
}

static struct forked *run(const char *line)
{
	return run_forked(parse_only, (void *)line);
}

static void targets(void **state)
{
	struct cli c = parse("wakelag record -p 12,34 --pid=56");

	(void)state;
	assert_string_equal(c.command->name, "record");
	assert_int_equal(c.session.target.id_cnt, 3);
	assert_int_equal(c.session.target.ids[0], 12);
	assert_int_equal(c.session.target.ids[2], 56);
	assert_false(c.session.target.threads);
	cli_done(&c);
	c = parse("wakelag record --tid 7");
	assert_true(c.session.target.threads);
	cli_done(&c);
	c = parse("wakelag record --cgroup /sys/fs/cgroup/x --comm a*");
	assert_string_equal(c.session.target.cgroup, "/sys/fs/cgroup/x");
	assert_string_equal(c.session.target.comm, "a*");
	assert_true(parse("wakelag record -a").session.target.all);
	assert_true(parse("wakelag record --all --no-follow").session.target.no_follow);
	assert_false(parse("wakelag record --all").session.target.no_follow);
}

static void a_command_is_taken_as_it_is(void **state)
{
	struct cli c = parse("wakelag record -o x.wlag -- prog -p 1 -- --help");

	(void)state;
	assert_string_equal(c.session.target.cmd[0], "prog");
	assert_string_equal(c.session.target.cmd[1], "-p");
	assert_string_equal(c.session.target.cmd[4], "--help");
	assert_null(c.session.target.cmd[5]);
	assert_int_equal(c.session.target.id_cnt, 0);
	assert_string_equal(c.session.command_line, "record -o x.wlag -- prog -p 1 -- --help");
}

static void recording_options(void **state)
{
	struct cli c = parse("wakelag -a -d 1500ms -o out.wlag --ring-size 64K --no-syscalls --csv c.csv -q");

	(void)state;
	assert_null(c.command->name);
	assert_int_equal(c.session.duration_ns, 1500000000);
	assert_string_equal(c.output, "out.wlag");
	assert_int_equal(c.session.ring_bytes, 65536);
	assert_true(c.session.no_syscalls && c.quiet);
	assert_string_equal(c.csv, "c.csv");
	assert_int_equal(parse("wakelag -a --duration=2s").session.duration_ns, 2000000000);
	assert_int_equal(parse("wakelag -a").session.ring_bytes, 16 << 20);
	assert_string_equal(parse("wakelag -a --output o").output, "o");
}

static void long_recordings(void **state)
{
	struct cli c = parse("wakelag record --wait-for mixer* --rotate 10m --keep 36 --max-size 1G --rt 5 --pidfile p");

	(void)state;
	assert_string_equal(c.session.target.wait_for, "mixer*");
	assert_int_equal(c.soak.rotate_ns, 600000000000);
	assert_int_equal(c.soak.keep, 36);
	assert_int_equal(c.soak.max_bytes, 1 << 30);
	assert_int_equal(c.session.realtime, 5);
	assert_false(c.session.has_nice);
	assert_string_equal(c.soak.pidfile, "p");
	c = parse("wakelag record -a --keep-last 30s --trigger thread.drift>5ms --trigger goroutine.drift>=1s --nice -5");
	assert_int_equal(c.soak.keep_last_ns, 30000000000);
	assert_int_equal(c.soak.trigger_cnt, 2);
	assert_int_equal(c.soak.triggers[1].metric, METRIC_GOROUTINE_DRIFT);
	assert_int_equal(c.soak.cooldown_ns, 60000000000);
	assert_int_equal(c.soak.dumps, 10);
	assert_int_equal(c.session.nice, -5);
	assert_true(c.session.has_nice);
	cli_done(&c);
	c = parse("wakelag report a.wlag b.wlag c.wlag");
	assert_string_equal(c.file, "a.wlag");
	assert_int_equal(c.file_cnt, 3);
	assert_string_equal(c.files[2], "c.wlag");
	cli_done(&c);
}

static void viewing_options(void **state)
{
	struct cli c = parse("wakelag export --format csv in.wlag --table blame --metric thread.runq --metric thread.drift "
			     "--by cpu --top 7");

	(void)state;
	assert_string_equal(c.file, "in.wlag");
	assert_string_equal(c.format->name, "csv");
	assert_int_equal(c.export.table, TABLE_BLAME);
	assert_int_equal(c.tables.metrics, 1u << METRIC_THREAD_RUNQ | 1u << METRIC_THREAD_DRIFT);
	assert_string_equal(c.tables.by->name, "cpu");
	assert_int_equal(c.tables.top, 7);
	assert_int_equal(parse("wakelag report x --period 10ms").tables.period_ns, 10000000);
	assert_int_equal(parse("wakelag top -a --late 500us").tables.late_ns, 500000);
	assert_int_equal(parse("wakelag export x --shape wide").export.shape, SHAPE_WIDE);
	assert_string_equal(parse("wakelag report -").file, "-");
	assert_string_equal(parse("wakelag export x").format->name, exporters[0].name);
}

static void gate_options(void **state)
{
	struct cli c = parse("wakelag gate x.wlag --baseline b.wlag --max-regress 20% --max-loss 1% --min-samples 50 "
			     "--junit j.xml --markdown m.md --json - --annotations");

	(void)state;
	assert_string_equal(c.file, "x.wlag");
	assert_string_equal(c.gate.baselines[0], "b.wlag");
	assert_true(c.gate.max_regress == 0.2 && c.gate.max_loss == 0.01);
	assert_int_equal(c.gate.min_samples, 50);
	assert_string_equal(c.gate.files[REPORT_JUNIT], "j.xml");
	assert_string_equal(c.gate.files[REPORT_MARKDOWN], "m.md");
	assert_string_equal(c.gate.files[REPORT_JSON], "-");
	assert_true(c.gate.annotations);
	cli_done(&c);
	c = parse("wakelag gate --baseline b -- prog x.wlag");
	assert_string_equal(c.session.target.cmd[1], "x.wlag");
	assert_null(c.file);
	assert_true(c.gate.max_loss < 0 && c.gate.max_regress == 0);
	c = parse("wakelag gate -p 7 -d 10s --baseline b");
	assert_int_equal(c.session.target.ids[0], 7);
	cli_done(&c);
}

static void doctor_options(void **state)
{
	struct cli c = parse("wakelag doctor -p 5 --verify");

	(void)state;
	assert_true(c.verify);
	assert_int_equal(c.session.target.ids[0], 5);
	cli_done(&c);
	assert_false(parse("wakelag doctor").verify);
}

/* Every bad value: status 64, stdout empty, stderr names what was wrong, and hints. */
static void bad_usage_is_status_64(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{"wakelag", "what to trace?"},
		{"wakelag nosuch", "'nosuch': no such command"},
		{"wakelag record", "what to trace?"},
		{"wakelag record --", "what to trace?"},
		{"wakelag record --nosuch", "--nosuch"},
		{"wakelag record -p", "option requires an argument"},
		{"wakelag record -p x", "'x' is no list"},
		{"wakelag record -p 0", "'0' is no list"},
		{"wakelag record -p -1", "'-1' is no list"},
		{"wakelag record -p 4194305", "is no list"},
		{"wakelag record -p ,", "--pid: ',' is empty"},
		{"wakelag record -p 1 --tid 2", "--tid: '2' does not go with"},
		{"wakelag record -p 1 -a", "one target at a time"},
		{"wakelag record --cgroup /x -- prog", "one target at a time"},
		{"wakelag record --cgroup=", "--cgroup: '' is empty"},
		{"wakelag record --comm=", "--comm: '' is empty"},
		{"wakelag record --comm 1234567890123456", "longer than a thread's name"},
		{"wakelag record -a -d 5", "--duration: '5' is no time"},
		{"wakelag record -a -d 0s", "is no time"},
		{"wakelag record -a -d -1s", "is no time"},
		{"wakelag record -a -d 5parsecs", "'5parsecs' is no time"},
		{"wakelag record -a --ring-size 5000", "--ring-size: '5000' is no power of two"},
		{"wakelag record -a --ring-size 2G", "is no power of two"},
		{"wakelag record -a --output=", "--output: '' is empty"},
		{"wakelag record prog", "'prog': unexpected; a command to run comes after --"},
		{"wakelag -p 1 prog", "'prog': unexpected"},
		{"wakelag -p 1 -- prog", "'prog': unexpected"},
		{"wakelag -a --csv=", "--csv: '' is empty"},
		{"wakelag report", "which recording?"},
		{"wakelag record -p 1 --wait-for x", "one target at a time"},
		{"wakelag record -p 1 --rotate 1ms", "--rotate: '1ms' is no time of at least 1s"},
		{"wakelag record -p 1 --keep 0", "--keep: '0' is no number of files"},
		{"wakelag record -p 1 --keep 5", "--keep: files of --rotate TIME"},
		{"wakelag record -p 1 --max-size 1K", "--max-size: '1K' is no size of at least 1M"},
		{"wakelag record -p 1 --keep-last 5s", "--keep-last: kept for what?"},
		{"wakelag record -p 1 --trigger drift>1ms", "does not begin with a metric; give METRIC > TIME"},
		{"wakelag record -p 1 --trigger thread.drift>1ms", "--trigger: how much to keep before it?"},
		{"wakelag record -p 1 --rotate 5s --keep-last 5s --trigger thread.drift>1ms", "--rotate does not go with"},
		{"wakelag record -p 1 --cooldown 5", "--cooldown: '5' is no time"},
		{"wakelag record -p 1 --dumps 0", "--dumps: '0' is no number of files"},
		{"wakelag record -p 1 --rt 0", "--rt: '0' is no priority from 1 to 99"},
		{"wakelag record -p 1 --nice 20", "--nice: '20' is no nice value from -20 to 19"},
		{"wakelag record -p 1 --pidfile=", "--pidfile: '' is empty"},
		{"wakelag report -p 1", "invalid option"},
		{"wakelag report -p 1 a.wlag", "invalid option"},
		{"wakelag export", "which recording?"},
		{"wakelag export x --format nosuch", "--format: 'nosuch' is none of: csv"},
		{"wakelag export x --table nosuch", "--table: 'nosuch' is none of: heatmap, stages"},
		{"wakelag export x --shape nosuch", "--shape: 'nosuch' is none of: long, wide, pairs"},
		{"wakelag export x --metric nosuch", "--metric: 'nosuch' is none of: thread.drift"},
		{"wakelag export x --by nosuch", "--by: 'nosuch' is none of: entity, tid, pid"},
		{"wakelag export x --period 99us", "--period: '99us' is no time from 100us to 10m"},
		{"wakelag export x --period 11m", "is no time from 100us to 10m"},
		{"wakelag export x --late 0s", "--late: '0s' is no time"},
		{"wakelag export x --top 0", "--top: '0' is no number from 1 to 10000"},
		{"wakelag export x --top 1e3", "--top: '1e3' is no number"},
		{"wakelag gate", "what to judge?"},
		{"wakelag gate x", "against what?"},
		{"wakelag gate x y --budgets /dev/null", "'y': only one recording"},
		{"wakelag gate x -p 1 --baseline b", "either a recording or something to record"},
		{"wakelag gate x --budget loss", "--budget: 'loss' is no budget, column 5: it ends here"},
		{"wakelag gate x --max-loss 0.1", "--max-loss: '0.1' is no percentage"},
		{"wakelag gate x --max-loss 101%", "is no percentage from 0% to 100%"},
		{"wakelag gate x --max-regress 0%", "is no percentage above 0%"},
		{"wakelag gate x --min-samples 0", "is no number from 1"},
		{"wakelag gate x --junit=", "--junit: '' is empty"},
		{"wakelag doctor x", "'x': unexpected"},
		{"wakelag doctor -p 1,2", "one process at a time"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct forked *r = run(rows[i].line);

		if (r->status != 64 || *r->out || !strstr(r->err, rows[i].says) || !strstr(r->err, "--help"))
			if (strcmp(rows[i].line, "wakelag nosuch"))	/* its hint are the commands */
				fail_msg("%s: status %d, stderr: %s", rows[i].line, r->status, r->err);
	}
	assert_non_null(strstr(run("wakelag nosuch")->err, "record, report, export"));
	assert_int_equal(run("wakelag nosuch")->status, 64);
}

static void help_has_every_option_of_its_command(void **state)
{
	(void)state;
	for (const struct command *c = commands; c->run; c++) {
		char line[64], name[64];
		struct forked *r;

		if (!c->help)
			continue;
		snprintf(line, sizeof(line), "wakelag%s%s --help", c->name ? " " : "", c->name ? c->name : "");
		r = run(line);
		assert_int_equal(r->status, 0);
		assert_string_equal(r->err, "");
		for (const struct option_row *o = option_rows; o->name; o++) {
			bool has;

			snprintf(name, sizeof(name), "--%s%s", o->name, o->arg ? "=" : " ");
			has = strstr(r->out, name);
			if (has != !!(o->in & c->bit))
				fail_msg("%s: %s is %s there", line, name, has ? "" : "not");
		}
		if (!c->name)
			for (const struct command *verb = commands; verb->run; verb++)
				if (verb->name)
					assert_int_equal(!!strstr(r->out, verb->help ? verb->help : verb->name), !!verb->help);
	}
}

static void version_is_quick_and_needs_nothing(void **state)
{
	struct forked *r = run("wakelag --version");

	(void)state;
	assert_int_equal(r->status, 0);
	assert_string_equal(r->err, "");
	assert_true(!strncmp(r->out, "wakelag ", 8));
	assert_non_null(strstr(r->out, "libbpf: "));
	assert_non_null(strstr(r->out, "BTF"));
	assert_int_equal(run("wakelag record --version")->status, 0);
}

static void keys_and_names_are_unique(void **state)
{
	(void)state;
	for (const struct option_row *a = option_rows; a->name; a++) {
		assert_true(a->set && a->in && a->group && option_groups[a->group]);
		assert_ptr_equal(option_by_key(a->key), a);
		for (const struct option_row *b = a + 1; b->name; b++)
			assert_string_not_equal(a->name, b->name);
	}
	assert_null(option_by_key('?'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets),
		cmocka_unit_test(a_command_is_taken_as_it_is),
		cmocka_unit_test(recording_options),
		cmocka_unit_test(long_recordings),
		cmocka_unit_test(viewing_options),
		cmocka_unit_test(gate_options),
		cmocka_unit_test(doctor_options),
		cmocka_unit_test(bad_usage_is_status_64),
		cmocka_unit_test(help_has_every_option_of_its_command),
		cmocka_unit_test(version_is_quick_and_needs_nothing),
		cmocka_unit_test(keys_and_names_are_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
