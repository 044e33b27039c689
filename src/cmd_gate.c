/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* wakelag gate: verdicts on budgets, of a recording or of what it records itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli.h"
#include "commands.h"
#include "gate/gate.h"
#include "gate/report.h"
#include "trace/reader.h"

/* Every report is tried, whatever becomes of the others. */
static int write_reports(const struct gate *g, const struct gate_opts *opts)
{
	int err = 0, one;

	for (unsigned int i = 0; i < REPORT_CNT; i++) {
		one = opts->files[i] ? gate_write(g, (enum gate_report)i, opts->files[i]) : 0;
		err = err ? err : one;
	}
	return err;
}

/* Nothing but a report that is to go there, or what a command writes, shares stdout. */
static FILE *text_stream(const struct cli *cli)
{
	for (unsigned int i = 0; i < REPORT_CNT; i++)
		if (cli->gate.files[i] && !strcmp(cli->gate.files[i], "-"))
			return stderr;
	return cli->session.target.cmd ? stderr : stdout;
}

static int show(const struct cli *cli, const struct gate *g)
{
	const char *actions = getenv("GITHUB_ACTIONS");
	FILE *out = text_stream(cli);
	int err;

	gate_text(g, out);
	if (cli->gate.annotations || (actions && !strcmp(actions, "true")))
		gate_annotations(g, out);
	err = fflush(out) || ferror(out) ? fail(-EIO, "the verdicts: cannot write") : 0;
	return write_reports(g, &cli->gate) ? -EIO : err;
}

/* The exit status of what was recorded; that of the recording itself comes before it. */
static int judge(const struct cli *cli, struct recording *r)
{
	static const int statuses[RESULT_CNT] = {
		[RESULT_PASS] = EXIT_OK, [RESULT_FAIL] = EXIT_OVER, [RESULT_INCONCLUSIVE] = EXIT_INCONCLUSIVE,
	};
	struct gate g;
	int status;

	if (gate_run(r, &cli->gate, &g))
		return EXIT_FAILED;
	status = show(cli, &g) ? EXIT_FAILED : statuses[gate_result(&g)];
	gate_done(&g);
	return status;
}

int cmd_gate(const struct cli *cli)
{
	struct recording *r;
	int status = EXIT_OK, verdict;

	if (cli->file && recording_open(cli->file, &r))
		return EXIT_FAILED;
	if (!cli->file)
		status = record_and_open(cli, &r);
	if (status != EXIT_OK && status != EXIT_CMD)
		return status;
	verdict = judge(cli, r);
	return status == EXIT_CMD ? status : verdict;
}
