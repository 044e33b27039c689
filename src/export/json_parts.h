/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Inside of JSON: shared by its files, by nobody else. */
#pragma once

#include <jansson.h>

#include "export.h"

struct json_out {
	const struct tables *t;
	const struct names *n;
	const struct export_opts *o;
	FILE *out;
	int err;	/* the first failure */
};

/* These keep -ENOMEM in j->err. A raw text is escaped as in CSV; numbers beyond int64 are its greatest. */
void json_set(struct json_out *j, json_t *object, const char *key, json_t *value);
json_t *json_text(const char *raw);
json_t *json_number(uint64_t v);

/* Writes a value and frees it. */
void json_put(struct json_out *j, json_t *value);

/* The parts of the report; recording and headline may be null, metrics writes an array itself. */
json_t *json_recording(struct json_out *j);
json_t *json_headline(struct json_out *j);
void json_metrics(struct json_out *j);
/* An array of the Go processes, written by itself. */
void json_go(struct json_out *j);
