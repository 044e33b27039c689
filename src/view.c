/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "view.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "model/model.h"
#include "soak/merge.h"
#include "trace/reader.h"

static int feed(void *ctx, const void *rec, size_t len)
{
	struct view *v = ctx;
	int err = model_feed(v->model, rec, len);

	if (model_info(v->model)->start_ns)
		tables_start(v->tables, model_info(v->model)->start_ns);
	return err == -EBADMSG ? 0 : err;
}

/* Where records come from, once or more. */
struct source {
	int (*replay)(void *ctx, int (*feed)(void *, const void *, size_t), void *feed_ctx);
	void *ctx;
};

static int one_pass(struct view *v, const struct source *src)
{
	struct span_sink sink = tables_sink(v->tables);
	int err;

	model_free(v->model);
	v->model = model_new(&sink);
	if (!v->model)
		return fail(-ENOMEM, "recording: cannot replay");
	tables_names(v->tables, model_names(v->model));
	err = src->replay(src->ctx, feed, v);
	if (err == -ENOMEM)
		fail(err, "recording: cannot replay");
	if (!err)
		model_end(v->model);
	return err;
}

/* A recording, from its begin each time. */
static int replay_recording(void *ctx, int (*to)(void *, const void *, size_t), void *to_ctx)
{
	struct view *v = ctx;
	int err = v->was_read ? recording_rewind(v->recording) : 0;

	v->was_read = true;
	if (err) {
		fail(err, "recording: more entities than --top, and a pipe can't be read twice");
		hint("give a file, or a larger --top");
		return err;
	}
	err = recording_read(v->recording, to, to_ctx);
	for (uint64_t i = 0; !err && i < recording_stats(v->recording)->bad_records; i++)
		model_feed(v->model, "", 0);	/* counted there, with those that it refuses itself */
	return err;
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

static int open_source(struct view *v, const struct source *src, const struct tables_opts *opts)
{
	bool again = true;
	int err = 0;

	v->tables = tables_new(opts);
	if (!v->tables)
		return fail(-ENOMEM, "tables");
	while (!err && again) {
		err = one_pass(v, src);
		if (!err)
			err = tables_pass_done(v->tables, &again);
	}
	return err ? err : gather_facts(v);
}

int view_open_source(int (*replay)(void *ctx, int (*feed)(void *, const void *, size_t), void *feed_ctx), void *ctx,
		     const struct tables_opts *opts, struct view *out)
{
	int err;

	*out = (struct view){};
	err = open_source(out, &(struct source){replay, ctx}, opts);
	if (err)
		view_close(out);
	return err;
}

int view_open(struct recording *r, const struct tables_opts *opts, struct view *out)
{
	int err;

	*out = (struct view){.recording = r};
	err = open_source(out, &(struct source){replay_recording, out}, opts);
	if (err)
		view_close(out);
	else
		tell_damage(out);
	return err;
}

int view_open_files(char *const *paths, size_t cnt, const struct tables_opts *opts, struct view *out)
{
	struct recording *r;
	struct merge *m;
	int err;

	if (cnt == 1) {
		err = recording_open(paths[0], &r);
		return err ? err : view_open(r, opts, out);
	}
	err = merge_open(paths, cnt, &m);
	if (err)
		return err;
	*out = (struct view){.merge = m};
	err = open_source(out, &(struct source){merge_replay, m}, opts);
	if (err)
		view_close(out);
	else
		merge_tell(m);
	return err;
}

void view_close(struct view *v)
{
	recording_close(v->recording);
	merge_close(v->merge);
	model_free(v->model);
	tables_free(v->tables);
	free(v->facts);
	*v = (struct view){};
}

int view_write(const struct view *v, const struct exporter *e, const struct export_opts *opts, FILE *out)
{
	struct export_opts o = *opts;

	o.info = model_info(v->model);
	o.model = v->model;
	o.facts = v->facts;
	o.fact_cnt = v->fact_cnt;
	return e->run(v->tables, model_names(v->model), &o, out);
}

/* What a stream's failed write was: exporters say -EIO, for all of them. */
static int write_failure(int err)
{
	if (err == -EIO && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
		return -errno;
	return err;
}

/* A device or a pipe is written to; only a file can be replaced by a finished one. */
static bool is_replaceable(const char *path)
{
	struct stat st;

	return stat(path, &st) || S_ISREG(st.st_mode);
}

/* A writer's failure is told unless it is -EIO. */
static int write_named(int (*write)(const void *ctx, FILE *out), const void *ctx, const char *path)
{
	bool replaces = is_replaceable(path), told;
	char *tmp = NULL;
	FILE *f;
	int err;

	if (asprintf(&tmp, replaces ? "%s.part" : "%s", path) < 0)
		return fail(-ENOMEM, "%s", path);
	f = fopen(tmp, "we");
	err = f ? write(ctx, f) : -errno;
	told = f && err && err != -EIO;
	err = write_failure(err);
	if (f && fclose(f) && !err)
		err = -errno;
	if (!err && replaces && rename(tmp, path))
		err = -errno;
	if (err && f && replaces)
		unlink(tmp);
	if (err && !told) {
		fail(err, "'%s': cannot write", path);
		hint_file(err);
	}
	free(tmp);
	return err;
}

int view_write_file(int (*write)(const void *ctx, FILE *out), const void *ctx, const char *path)
{
	int err;

	if (path)
		return write_named(write, ctx, path);
	err = write(ctx, stdout);
	if (!err && fflush(stdout))
		err = -EIO;
	if (err == -EIO) {
		err = fail(write_failure(err), "stdout: cannot write");
		hint_file(err);
	}
	return err;
}

struct export {
	const struct view *v;
	const struct exporter *e;
	const struct export_opts *opts;
};

static int write_export(const void *ctx, FILE *out)
{
	const struct export *x = ctx;

	return view_write(x->v, x->e, x->opts, out);
}

int view_export(const struct view *v, const struct exporter *e, const struct export_opts *opts, const char *path)
{
	if (!path && e->is_binary && isatty(STDOUT_FILENO)) {
		fail(0, "%s is nothing for a terminal", e->name);
		hint("give -o FILE, as -o profile%s, or a pipe", e->suffix);
		return -EINVAL;
	}
	return view_write_file(write_export, &(struct export){v, e, opts}, path);
}
