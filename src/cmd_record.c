/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* wakelag record, and the main job: record, then report and export what was recorded. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "cli.h"
#include "collect/pidfile.h"
#include "commands.h"
#include "soak/flight.h"
#include "soak/rotate.h"
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

/* What came of a recording, told. An exit status. */
static int finished(const struct cli *cli, const struct session_result *r, int err)
{
	int status = cli->session.target.cmd ? command_status(r, cli->session.target.cmd[0]) : 0;
	if (status)
		return status;
	if (err)
		return EXIT_FAILED;
	talk("%llu records%s", (unsigned long long)r->records, r->lost ? "" : ", none lost");
	if (r->lost)
		talk("%llu lost, see the report%s", (unsigned long long)r->lost,
		     r->ring_lost ? "; a larger --ring-size may help" : "");
	return EXIT_OK;
}

/* Records to an open writer and closes it. An exit status. */
static int record(const struct cli *cli, struct recording_writer *w)
{
	struct session_opts opts = cli->session;
	struct session_result result = {};
	int err;

	opts.max_bytes = cli->soak.max_bytes;
	err = session_run(&opts, w, &result);
	if (writer_close(w) && !err)
		err = -EIO;
	return finished(cli, &result, err);
}

static int record_file(const struct cli *cli, const char *path)
{
	struct recording_writer *w;
	int status;

	if (writer_open(path, &w))
		return EXIT_FAILED;
	status = record(cli, w);
	if (status == EXIT_OK)
		talk("wrote %s", path);
	return status;
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int record_files(const struct cli *cli, const char *path)
{
	const struct rotate_opts opts = {
		.name = path, .period_ns = cli->soak.rotate_ns, .max_bytes = cli->soak.max_bytes, .keep = cli->soak.keep,
	};
	struct session_result result = {};
	struct record_sink sink;
	struct rotate *r;
	size_t files;
	int err;

	if (rotate_open(&opts, (uint64_t)clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_REALTIME), &r))
		return EXIT_FAILED;
	sink = rotate_sink(r);
	err = session_run_sink(&cli->session, &sink, &result);
	files = rotate_files(r);
	if (rotate_close(r) && !err)
		err = -EIO;
	talk("wrote %zu file%s", files, files == 1 ? "" : "s");
	return finished(cli, &result, err);
}

static int record_flight(const struct cli *cli, const char *path)
{
	struct session_result result = {};
	struct record_sink sink;
	struct flight *f;
	int err;

	if (flight_open(&cli->soak, path, &f))
		return EXIT_FAILED;
	sink = flight_sink(f);
	err = session_run_sink(&cli->session, &sink, &result);
	flight_tell(f);
	flight_free(f);
	return finished(cli, &result, err);
}

int cmd_record(const struct cli *cli)
{
	const char *path = cli->output ? cli->output : "wakelag.wlag", *pidfile = cli->soak.pidfile;
	int fd = pidfile ? pidfile_open(pidfile) : -1, status;

	if (pidfile && fd < 0)
		return EXIT_FAILED;
	if (cli->soak.keep_last_ns)
		status = record_flight(cli, path);
	else if (cli->soak.rotate_ns)
		status = record_files(cli, path);
	else
		status = record_file(cli, path);
	if (pidfile)
		pidfile_close(pidfile, fd);
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

int record_and_open(const struct cli *cli, struct recording **out)
{
	struct recording_writer *w;
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
	if (status != EXIT_OK && status != EXIT_CMD)
		return status;
	if (cli->output)
		err = recording_open(cli->output, out);
	else
		err = lseek(fd, 0, SEEK_SET) ? -errno : recording_open_fd(fd, "temporary recording", out);
	return err ? EXIT_FAILED : status;
}

int cmd_main(const struct cli *cli)
{
	struct recording *r;
	int status = record_and_open(cli, &r);

	return status == EXIT_OK ? report_and_export(cli, r) : status;
}
