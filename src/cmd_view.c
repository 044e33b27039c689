/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* wakelag report and wakelag export: from a recording to people and to files. */
#include "cli.h"
#include "base/err.h"
#include "commands.h"
#include "view.h"

static int show(const struct cli *cli, const struct exporter *e)
{
	struct tables_opts to = cli->tables;
	char *only = (char *)cli->file, *const *files = cli->files;
	struct view v;
	int err;

	to.tables = e->needs(&cli->export);
	to.stacks = e->wants_stacks;
	if (view_open_files(files ? files : &only, cli->file_cnt, &to, &v))
		return EXIT_FAILED;
	err = view_export(&v, e, &cli->export, cli->output);
	view_close(&v);
	return err ? EXIT_FAILED : EXIT_OK;
}

int cmd_report(const struct cli *cli)
{
	return show(cli, exporter_find("text"));
}

int cmd_export(const struct cli *cli)
{
	return show(cli, cli->format);
}
