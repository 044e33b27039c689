/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* wakelag diff: two recordings against each other. */
#include <errno.h>

#include "base/err.h"
#include "cli.h"
#include "commands.h"
#include "model/model.h"
#include "trace/reader.h"
#include "view.h"

static int open_side(const struct cli *cli, size_t i, struct view *out)
{
	struct tables_opts to = cli->tables;
	struct recording *r;

	to.tables = TABLE_BIT(HEATMAP) | TABLE_BIT(LOSS);
	to.windows = true;
	return recording_open(cli->files[i], &r) || view_open(r, &to, out) ? -EINVAL : 0;
}

static struct diff_side side_of(const struct cli *cli, size_t i, const struct view *v)
{
	struct diff_side s = {.file = cli->files[i], .tables = v->tables, .names = model_names(v->model),
			      .about = cli->export};

	s.about.info = model_info(v->model);
	s.about.facts = v->facts;
	s.about.fact_cnt = v->fact_cnt;
	return s;
}

struct written {
	const struct diff *d;
	const struct diff_format *format;
};

static int write_diff(const void *ctx, FILE *out)
{
	const struct written *w = ctx;

	return w->format->run(w->d, out);
}

static int compare(const struct cli *cli, const struct view *base, const struct view *now)
{
	struct diff d = {.base = side_of(cli, 0, base), .now = side_of(cli, 1, now),
			 .table = cli->export.has_table ? cli->export.table : TABLE_STAGES};
	const struct written w = {&d, cli->diff_format};
	struct compare *c;
	int err = compare_make(&(struct compare_side){d.base.tables, d.base.names},
			       &(struct compare_side){d.now.tables, d.now.names}, &cli->compare, &c);

	if (err)
		return fail(err, "diff");
	d.compare = c;
	err = view_write_file(write_diff, &w, cli->output);
	compare_free(c);
	return err;
}

int cmd_diff(const struct cli *cli)
{
	struct view base, now;
	char formats[64];
	int err;

	if (!cli->diff_format) {
		fail(0, "--format: diff has %s", diff_formats_list(formats, sizeof(formats)));
		return EXIT_USAGE_ERR;
	}
	if (cli->export.has_table && cli->export.table != TABLE_STAGES && cli->export.table != TABLE_HEATMAP) {
		fail(0, "--table: diff has stages and heatmap");
		return EXIT_USAGE_ERR;
	}
	if (open_side(cli, 0, &base))
		return EXIT_FAILED;
	if (open_side(cli, 1, &now)) {
		view_close(&base);
		return EXIT_FAILED;
	}
	err = compare(cli, &base, &now);
	view_close(&now);
	view_close(&base);
	return err ? EXIT_FAILED : EXIT_OK;
}
