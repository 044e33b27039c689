/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* wakelag record, and the main job: record, then report and export what was recorded. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "cli.h"
#include "commands.h"
#include "trace/reader.h"
#include "trace/writer.h"
#include "view.h"

/* The command's own failure, told; 0 if there was none. */
static int command_status(const struct session_result *r, const char *name)
{
	if (!r->has_status)
		return 0;
	if (WIFEXITED(r->wait_status) && !WEXITSTATUS(r->wait_status))
		return 0;
	if (WIFSIGNALED(r->wait_status))
		fail(0, "command '%s': ended by signal %d (SIG%s)", name, WTERMSIG(r->wait_status),
		     sigabbrev_np(WTERMSIG(r->wait_status)));
	else
		fail(0, "command '%s': ended with status %d", name, WEXITSTATUS(r->wait_status));
	return EXIT_CMD;
}

/* Records to an open writer and closes it. An exit status. */
static int record(const struct cli *cli, struct recording_writer *w)
{
	struct session_result result = {};
	int err = session_run(&cli->session, w, &result), status;

	if (writer_close(w) && !err)
		err = -EIO;
	status = cli->session.target.cmd ? command_status(&result, cli->session.target.cmd[0]) : 0;
	if (status)
		return status;
	if (err)
		return EXIT_FAILED;
	talk("%llu records%s", (unsigned long long)result.records, result.lost ? "" : ", none lost");
	if (result.lost)
		talk("%llu lost, see the report%s", (unsigned long long)result.lost,
		     result.ring_lost ? "; a larger --ring-size may help" : "");
	return EXIT_OK;
}

int cmd_record(const struct cli *cli)
{
	const char *path = cli->output ? cli->output : "wakelag.wlag";
	struct recording_writer *w;
	int status;

	if (writer_open(path, &w))
		return EXIT_FAILED;
	status = record(cli, w);
	if (status == EXIT_OK)
		talk("wrote %s", path);
	return status;
}

/* A file that nobody else sees and that goes with us. */
static int open_unnamed(void)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir && *dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		fail(-errno, "'%s': cannot make a temporary file", dir && *dir ? dir : "/tmp");
	if (fd < 0)
		hint("set TMPDIR to a directory with room, or give -o FILE");
	return fd;
}

static int report_and_export(const struct cli *cli, struct recording *r)
{
	struct tables_opts to = cli->tables;
	struct export_opts eo = cli->export;
	struct view v;
	int err = view_open(r, &to, &v);

	if (err)
		return EXIT_FAILED;
	err = view_export(&v, exporter_find("text"), &eo, NULL);
	if (!err && cli->csv)
		err = view_export(&v, exporter_find("csv"), &eo, cli->csv);
	view_close(&v);
	return err ? EXIT_FAILED : EXIT_OK;
}

int cmd_main(const struct cli *cli)
{
	struct recording_writer *w;
	struct recording *r;
	int fd = -1, status, err;

	if (cli->output) {
		err = writer_open(cli->output, &w);
	} else {
		int copy;

		fd = open_unnamed();
		copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
		err = copy < 0 ? -errno : writer_open_fd(copy, "temporary recording", &w);
	}
	if (err)
		return EXIT_FAILED;
	status = record(cli, w);
	if (status != EXIT_OK)
		return status;
	if (cli->output)
		err = recording_open(cli->output, &r);
	else
		err = lseek(fd, 0, SEEK_SET) ? -errno : recording_open_fd(fd, "temporary recording", &r);
	return err ? EXIT_FAILED : report_and_export(cli, r);
}
