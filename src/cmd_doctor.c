/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* wakelag doctor: what this kernel and user can do, and what to do about the rest. */
#include <errno.h>

#include "base/err.h"
#include "cli.h"
#include "commands.h"
#include "doctor/doctor.h"

static void run_all(struct doctor *d, const struct check *checks)
{
	for (const struct check *c = checks; c->name && !d->no_target; c++)
		c->run(d, c);
}

int cmd_doctor(const struct cli *cli)
{
	struct doctor d = {
		.out = stdout,
		.pid = cli->session.target.id_cnt ? cli->session.target.ids[0] : 0,
	};
	int status = EXIT_OK;

	run_all(&d, kernel_checks);
	run_all(&d, machine_checks);
	if (d.pid)
		run_all(&d, process_checks);
	if (d.cnt[DOCTOR_PROBLEM]) {
		printf("wakelag cannot run here: %u problem%s above\n", d.cnt[DOCTOR_PROBLEM],
		       d.cnt[DOCTOR_PROBLEM] == 1 ? "" : "s");
		status = EXIT_FAILED;
	} else {
		printf("wakelag can run here: %u absent, %u to note\n", d.cnt[DOCTOR_ABSENT], d.cnt[DOCTOR_NOTE]);
	}
	if (status == EXIT_OK && cli->verify)
		status = doctor_verify(stdout);
	if (fflush(stdout) || ferror(stdout)) {
		fail(-EIO, "stdout: cannot write");
		status = EXIT_FAILED;
	}
	return status;
}
