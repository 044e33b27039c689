/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "view.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "model/model.h"
#include "trace/reader.h"

static int feed(void *ctx, const void *rec, size_t len)
{
	struct view *v = ctx;
	int err = model_feed(v->model, rec, len);

	if (model_info(v->model)->start_ns)
		tables_start(v->tables, model_info(v->model)->start_ns);
	return err == -EBADMSG ? 0 : err;
}

static int one_pass(struct view *v)
{
	struct span_sink sink = tables_sink(v->tables);
	const struct recording_stats *st;
	int err;

	model_free(v->model);
	v->model = model_new(&sink);
	if (!v->model)
		return fail(-ENOMEM, "recording: cannot replay");
	err = recording_read(v->recording, feed, v);
	if (err == -ENOMEM)
		fail(err, "recording: cannot replay");
	if (err)
		return err;
	st = recording_stats(v->recording);
	for (uint64_t i = 0; i < st->bad_records; i++)
		model_feed(v->model, "", 0);	/* counted there, with those that it refuses itself */
	model_end(v->model);
	return 0;
}

static void tell_damage(const struct view *v)
{
	const struct recording_stats *st = recording_stats(v->recording);

	if (st->cut || !model_info(v->model)->has_end)
		talk("the recording was cut off after %llu bytes: what came later is not there",
		     (unsigned long long)st->bytes);
	if (st->bad_blocks)
		talk("the recording is damaged: %llu blocks, %llu records lost", (unsigned long long)st->bad_blocks,
		     (unsigned long long)st->bad_records);
	if (st->unknown_records)
		talk("the recording is of a newer version: %llu records of unknown kinds left out",
		     (unsigned long long)st->unknown_records);
}

static int gather_facts(struct view *v)
{
	struct fact f;

	while (model_fact_at(v->model, v->fact_cnt, &f.name, &f.value)) {
		struct fact *facts = realloc(v->facts, (v->fact_cnt + 1) * sizeof(*facts));

		if (!facts)
			return fail(-ENOMEM, "recording: cannot keep its facts");
		v->facts = facts;
		v->facts[v->fact_cnt++] = f;
	}
	return 0;
}

int view_open(struct recording *r, const struct tables_opts *opts, struct view *out)
{
	struct view v = {.recording = r, .tables = tables_new(opts)};
	bool again = true;
	int err = v.tables ? 0 : fail(-ENOMEM, "tables");

	while (!err && again) {
		err = one_pass(&v);
		if (!err)
			err = tables_pass_done(v.tables, &again);
		if (!err && again) {
			err = recording_rewind(r);
			if (err)
				fail(err, "recording: more entities than --top, and a pipe can't be read twice");
		}
	}
	if (!err)
		err = gather_facts(&v);
	if (err) {
		view_close(&v);
		return err;
	}
	tell_damage(&v);
	*out = v;
	return 0;
}

void view_close(struct view *v)
{
	recording_close(v->recording);
	model_free(v->model);
	tables_free(v->tables);
	free(v->facts);
	*v = (struct view){};
}

static int export_file(const struct view *v, const struct exporter *e, const struct export_opts *opts,
		       const char *path)
{
	char *tmp = NULL;
	FILE *f;
	int err;

	if (asprintf(&tmp, "%s.part", path) < 0)
		return fail(-ENOMEM, "%s", path);
	f = fopen(tmp, "we");
	err = f ? e->run(v->tables, model_names(v->model), opts, f) : -errno;
	if (f && fclose(f) && !err)
		err = -errno;
	if (!err && rename(tmp, path))
		err = -errno;
	if (err && f)
		unlink(tmp);
	if (err == -EIO || !f || err == -ENOSPC)
		fail(err, "'%s': cannot write", path);
	free(tmp);
	return err;
}

int view_export(const struct view *v, const struct exporter *e, const struct export_opts *opts, const char *path)
{
	struct export_opts o = *opts;
	int err;

	o.info = model_info(v->model);
	o.facts = v->facts;
	o.fact_cnt = v->fact_cnt;
	if (path)
		return export_file(v, e, &o, path);
	err = e->run(v->tables, model_names(v->model), &o, stdout);
	if (!err && fflush(stdout))
		err = -EIO;
	if (err == -EIO)
		fail(err, "stdout: cannot write");
	return err;
}
