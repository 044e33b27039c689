/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "json.h"

#include <errno.h>

#include "../base/err.h"
#include "json_parts.h"
#include "rows.h"
#include "text.h"

enum { COLUMNS_MAX = 32 };

void json_set(struct json_out *j, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(object, key, value) && !j->err)
		j->err = -ENOMEM;
}

json_t *json_text(const char *raw)
{
	char text[TEXT_SZ];

	text_escape(raw, text, sizeof(text));
	return json_string_nocheck(text);
}

json_t *json_number(uint64_t v)
{
	return json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v);
}

void json_put(struct json_out *j, json_t *value)
{
	if (!value && !j->err)
		j->err = -ENOMEM;
	if (!j->err && json_dumpf(value, j->out, JSON_COMPACT | JSON_ENCODE_ANY))
		j->err = ferror(j->out) ? -EIO : -ENOMEM;
	json_decref(value);
}

/* A table under way: an object a row, its keys the columns. */
struct table_out {
	struct json_out *j;
	const char *names[COLUMNS_MAX];
	size_t cnt, at;
	json_t *row;
	bool any;
};

static void take_columns(void *ctx, const char *const *names, size_t cnt)
{
	struct table_out *t = ctx;

	for (t->cnt = 0; t->cnt < cnt && t->cnt < COLUMNS_MAX; t->cnt++)
		t->names[t->cnt] = names[t->cnt];
}

static void put_cell(struct table_out *t, json_t *value)
{
	if (!t->row)
		t->row = json_object();
	if (t->at < t->cnt)
		json_set(t->j, t->row, t->names[t->at++], value);
	else
		json_decref(value);
}

static void put_text(void *ctx, const char *raw)
{
	put_cell(ctx, json_text(raw));
}

static void put_number(void *ctx, uint64_t v)
{
	put_cell(ctx, json_number(v));
}

static void put_signed(void *ctx, int64_t v)
{
	put_cell(ctx, json_integer(v));
}

static void put_none(void *ctx)
{
	put_cell(ctx, json_null());
}

static int end_row(void *ctx)
{
	struct table_out *t = ctx;

	fputs(t->any ? ",\n" : "\n", t->j->out);
	json_put(t->j, t->row);
	t->row = NULL;
	t->at = 0;
	t->any = true;
	if (!t->j->err && ferror(t->j->out))
		t->j->err = -EIO;
	return t->j->err;
}

static int put_rows(struct json_out *j, int (*fn)(const void *ctx, const struct row_sink *sink), const void *ctx)
{
	struct table_out t = {.j = j};
	const struct row_sink sink = {
		.ctx = &t, .columns = take_columns, .text = put_text, .number = put_number,
		.signed_number = put_signed, .none = put_none, .end = end_row,
	};
	int err;

	putc('[', j->out);
	err = fn(ctx, &sink);
	json_decref(t.row);
	fputs("\n]", j->out);
	return err;
}

struct table_of {
	const struct json_out *j;
	enum table table;
};

static int table_rows(const void *ctx, const struct row_sink *sink)
{
	const struct table_of *of = ctx;

	return rows_write(of->j->t, of->j->n, of->table, sink);
}

static void put_table(struct json_out *j, enum table table)
{
	const struct table_of of = {j, table};
	int err = j->err ? 0 : put_rows(j, table_rows, &of);

	if (!j->err)
		j->err = err;
}

int json_rows(int (*fn)(const void *ctx, const struct row_sink *sink), const void *ctx, FILE *out)
{
	struct json_out j = {.out = out};
	int err = put_rows(&j, fn, ctx);

	return j.err ? j.err : err ? err : ferror(out) ? -EIO : 0;
}

static void put_report(struct json_out *j)
{
	static const enum table tables[] = {TABLE_STAGES, TABLE_BLAME, TABLE_PERIODIC, TABLE_COUNTERS,
					     TABLE_LOCKS, TABLE_HOLDERS, TABLE_LOSS};

	fputs("{\"recording\":", j->out);
	json_put(j, json_recording(j));
	fputs(",\n\"headline\":", j->out);
	json_put(j, json_headline(j));
	fputs(",\n\"metrics\":", j->out);
	json_metrics(j);
	fputs(",\n\"go\":", j->out);
	json_go(j);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		fprintf(j->out, ",\n\"%s\":", table_infos[tables[i]].name);
		put_table(j, tables[i]);
	}
	putc('}', j->out);
}

unsigned int json_needs(const struct export_opts *o)
{
	return o->has_table ? 1u << o->table : ~TABLE_BIT(EVENTS);
}

int export_json(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out)
{
	struct json_out j = {.t = t, .n = n, .o = o, .out = out};

	if (o->has_table)
		put_table(&j, o->table);
	else
		put_report(&j);
	putc('\n', out);
	if (j.err && j.err != -EIO)
		return fail(j.err, "json");
	return j.err || fflush(out) || ferror(out) ? -EIO : 0;
}
