/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "budget.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/grow.h"
#include "../base/units.h"
#include "../export/text.h"

#define OF(source) (1u << BUDGET_##source)

/* Quantiles and the share of loss have no name here. */
static const struct stat_row {
	const char *name;
	unsigned int of;	/* mask of sources */
	enum budget_unit unit;
} stats[STAT_CNT] = {
	[STAT_QUANTILE] = {NULL, OF(METRIC), UNIT_TIME},
	[STAT_MAX] = {"max", OF(METRIC) | OF(GAUGE), UNIT_TIME},
	[STAT_MEAN] = {"mean", OF(METRIC) | OF(GAUGE), UNIT_TIME},
	[STAT_COUNT] = {"count", OF(METRIC), UNIT_NUMBER},
	[STAT_TOTAL] = {"total", OF(METRIC), UNIT_SHARE},
	[STAT_RATE] = {"rate", OF(METRIC), UNIT_RATE},
	[STAT_LAST] = {"last", OF(GAUGE), UNIT_TIME},
	[STAT_SLOPE] = {"slope", OF(GAUGE), UNIT_RATE},
	[STAT_SHARE] = {NULL, OF(LOSS), UNIT_SHARE},
};

static const char *const ops[] = {
	[OP_LESS] = "<", [OP_LESS_EQUAL] = "<=", [OP_MORE] = ">", [OP_MORE_EQUAL] = ">=",
};

static const char *const unit_helps[UNIT_CNT] = {
	[UNIT_TIME] = "a time with its unit, as 500us, 2ms or 1.5s",
	[UNIT_NUMBER] = "a number without a unit, as 500",
	[UNIT_SHARE] = "a percentage, as 0.1%",
	[UNIT_RATE] = "a number a second, minute or hour, as 10/s, 1/min or 5/h",
};

enum budget_unit budget_unit(enum budget_stat stat, enum budget_source source)
{
	enum budget_unit unit = stats[stat].unit;

	return source == BUDGET_GAUGE && unit == UNIT_TIME ? UNIT_NUMBER : unit;
}

const char *budget_stat_text(const struct budget *b, char *buf, size_t size)
{
	if (b->stat == STAT_QUANTILE)
		snprintf(buf, size, "p%g", b->ppm / 1e4);
	else
		snprintf(buf, size, "%s", stats[b->stat].name ? stats[b->stat].name : "");
	return buf;
}

const char *budget_value_text(enum budget_unit unit, double value, char *buf, size_t size)
{
	if (unit == UNIT_TIME)
		return text_ns(value > 0 ? (uint64_t)(value + 0.5) : 0, buf, size);
	if (unit == UNIT_SHARE)
		snprintf(buf, size, "%.3g%%", value * 100);
	else if (unit == UNIT_RATE)
		snprintf(buf, size, "%.4g/s", value);
	else
		snprintf(buf, size, "%.10g", value);
	return buf;
}

/* A word of the text, or an operator, or what quotes hold. */
struct token {
	unsigned int column;
	char text[BUDGET_NAME_SZ];
};

struct parser {
	const char *text, *at;
	struct token token;	/* the one that is next; empty: there is none */
	bool is_quoted;
	struct token value;	/* the limit as it was written */
	struct budget_error *err;
};

static int __attribute__((format(printf, 3, 4))) wrong(struct parser *p, unsigned int column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->err->text, sizeof(p->err->text), fmt, ap);
	va_end(ap);
	p->err->column = column;
	return -EINVAL;
}

/* Characters up to the token's end. */
static size_t token_len(const char *at)
{
	size_t len = 0;

	if (*at == '<' || *at == '>' || *at == '=' || *at == '!')
		return strspn(at, "<>=!");
	while (at[len] && !isspace((unsigned char)at[len]) && !strchr("<>=!\"'", at[len]))
		len++;
	return len;
}

static int next(struct parser *p)
{
	const char *end;
	size_t len;

	p->at += strspn(p->at, " \t\r\n");
	p->token = (struct token){.column = (unsigned int)(p->at - p->text) + 1};
	p->is_quoted = *p->at == '"' || *p->at == '\'';
	if (!*p->at || *p->at == '#') {
		p->at += strlen(p->at);
		return 0;
	}
	end = p->is_quoted ? strchr(p->at + 1, *p->at) : NULL;
	if (p->is_quoted && !end)
		return wrong(p, p->token.column, "the quote that begins here has no end");
	len = p->is_quoted ? (size_t)(end - p->at) - 1 : token_len(p->at);
	if (len >= sizeof(p->token.text))
		return wrong(p, p->token.column, "this is longer than %zu characters", sizeof(p->token.text) - 1);
	memcpy(p->token.text, p->at + p->is_quoted, len);
	p->at += len + 2 * p->is_quoted;
	return 0;
}

static bool at_end(const struct parser *p)
{
	return !*p->token.text && !p->is_quoted;
}

/* Adds ", name" to a list. */
static void list_add(char *buf, size_t size, const char *name)
{
	size_t len = strlen(buf);

	snprintf(buf + len, size - len, "%s%s", len ? ", " : "", name);
}

static int parse_source(struct parser *p, struct budget *b)
{
	char names[900] = "";
	unsigned int i;

	for (i = 0; i < METRIC_CNT && strcmp(metrics[i].name, p->token.text); i++)
		list_add(names, sizeof(names), metrics[i].name);
	b->id = i;
	if (i < METRIC_CNT) {
		b->source = BUDGET_METRIC;
		return next(p);
	}
	for (i = 0; i < GAUGE_CNT && strcmp(gauge_names[i], p->token.text); i++)
		list_add(names, sizeof(names), gauge_names[i]);
	b->source = BUDGET_GAUGE;
	b->id = i;
	if (i < GAUGE_CNT)
		return next(p);
	b->source = BUDGET_LOSS;
	b->id = 0;
	if (!strcmp(p->token.text, "loss"))
		return next(p);
	return wrong(p, p->token.column, "'%s' is no metric or gauge; valid: %s, loss", p->token.text, names);
}

/* "p99.9" is 999000. */
static bool parse_quantile(const char *text, uint32_t *ppm)
{
	double value;
	char *end;

	if (*text != 'p' || !isdigit((unsigned char)text[1]) || strpbrk(text, "xX"))
		return false;
	value = strtod(text + 1, &end);
	*ppm = (uint32_t)(value * 1e4 + 0.5);
	return !*end && value >= 1 && value < 100 && *ppm < 1000000;
}

static int no_statistic(struct parser *p, const struct budget *b)
{
	char names[200] = "";

	if (b->source == BUDGET_METRIC)
		list_add(names, sizeof(names), "p50 to p99.99");
	for (size_t i = 0; i < STAT_CNT; i++)
		if (stats[i].name && stats[i].of >> b->source & 1)
			list_add(names, sizeof(names), stats[i].name);
	return wrong(p, p->token.column, "'%s' is no statistic of it; valid: %s", p->token.text, names);
}

static bool is_op(const struct parser *p)
{
	return !p->is_quoted && *p->token.text && strchr("<>=!", *p->token.text);
}

/* Of a gauge it may be left out: its maximum. Loss has none. */
static int parse_stat(struct parser *p, struct budget *b)
{
	if (b->source == BUDGET_LOSS || (b->source == BUDGET_GAUGE && is_op(p))) {
		b->stat = b->source == BUDGET_LOSS ? STAT_SHARE : STAT_MAX;
		return 0;
	}
	if (b->source == BUDGET_METRIC && parse_quantile(p->token.text, &b->ppm)) {
		b->stat = STAT_QUANTILE;
		return next(p);
	}
	for (size_t i = 0; i < STAT_CNT; i++) {
		if (!stats[i].name || !(stats[i].of >> b->source & 1) || strcmp(stats[i].name, p->token.text))
			continue;
		b->stat = (enum budget_stat)i;
		return next(p);
	}
	return no_statistic(p, b);
}

static int parse_op(struct parser *p, struct budget *b)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		if (strcmp(ops[i], p->token.text))
			continue;
		b->op = (enum budget_op)i;
		return next(p);
	}
	return wrong(p, p->token.column, "'%s' is no comparison; valid: <, <=, >, >=", p->token.text);
}

/* A decimal number and what is behind it. */
static bool parse_decimal(const char *text, double *value, const char **unit)
{
	size_t len = strspn(text, "0123456789.");
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	*value = strtod(text, &end);
	*unit = end;
	return end == text + len && *value < 1e15;
}

static bool parse_rate(const char *text, double *out)
{
	static const struct {
		const char *unit;
		double seconds;
	} rows[] = {{"/s", 1}, {"/min", 60}, {"/m", 60}, {"/h", 3600}};
	const char *unit;
	double value;

	if (!parse_decimal(text, &value, &unit))
		return false;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(rows[i].unit, unit))
			continue;
		*out = value / rows[i].seconds;
		return true;
	}
	return false;
}

static bool parse_limit(const char *text, enum budget_unit unit, double *out)
{
	const char *rest;
	uint64_t ns;

	switch (unit) {
	case UNIT_TIME:
		if (parse_time(text, &ns))
			return false;
		*out = (double)ns;
		return true;
	case UNIT_RATE:
		return parse_rate(text, out);
	case UNIT_SHARE:
		if (!parse_decimal(text, out, &rest) || strcmp(rest, "%"))
			return false;
		*out /= 100;
		return true;
	case UNIT_NUMBER:
		return parse_decimal(text, out, &rest) && !*rest;
	case UNIT_CNT:
		break;
	}
	return false;
}

static int parse_value(struct parser *p, struct budget *b)
{
	enum budget_unit unit = budget_unit(b->stat, b->source);

	if (!parse_limit(p->token.text, unit, &b->limit))
		return wrong(p, p->token.column, "'%s' is no value for it: give %s", p->token.text, unit_helps[unit]);
	p->value = p->token;
	return next(p);
}

static int parse_name(struct parser *p, struct budget *b)
{
	if (b->source == BUDGET_LOSS)
		return wrong(p, p->token.column, "loss is of the whole recording, not of a name");
	if (*b->name)
		return wrong(p, p->token.column, "only one name is possible; * and ? stand for any characters");
	if (!*p->token.text)
		return wrong(p, p->token.column, "for whom? give a name, as in: for \"mixer*\"");
	snprintf(b->name, sizeof(b->name), "%s", p->token.text);
	return next(p);
}

static int parse_stage(struct parser *p, struct budget *b)
{
	unsigned int mask = b->source == BUDGET_METRIC ? metrics[b->id].stages : 0;
	char names[300] = "";

	if (!mask)
		return wrong(p, p->token.column, "it has no stages");
	if (b->stage != STAGE_CNT)
		return wrong(p, p->token.column, "only one stage is possible");
	for (unsigned int i = 0; i < STAGE_CNT; i++) {
		if (!(mask >> i & 1))
			continue;
		list_add(names, sizeof(names), stage_names[i]);
		if (strcmp(stage_names[i], p->token.text))
			continue;
		b->stage = i;
		return next(p);
	}
	return wrong(p, p->token.column, "'%s' is no stage of %s; valid: %s", p->token.text, metrics[b->id].name, names);
}

static int parse_clauses(struct parser *p, struct budget *b)
{
	int err = 0;

	while (!err && !at_end(p)) {
		bool is_for = !p->is_quoted && !strcmp(p->token.text, "for");
		bool is_stage = !p->is_quoted && !strcmp(p->token.text, "stage");

		if (!is_for && !is_stage)
			return wrong(p, p->token.column, "'%s' is unexpected; here may come: for NAME, stage S", p->token.text);
		err = next(p);
		if (!err)
			err = is_for ? parse_name(p, b) : parse_stage(p, b);
	}
	return err;
}

static int parse(struct parser *p, struct budget *b)
{
	static int (*const steps[])(struct parser *p, struct budget *b) = {
		parse_source, parse_stat, parse_op, parse_value, parse_clauses,
	};
	int err = next(p);

	for (size_t i = 0; !err && i < sizeof(steps) / sizeof(*steps); i++) {
		if (at_end(p) && steps[i] != parse_clauses)
			return wrong(p, p->token.column, "it ends here; a budget is METRIC STAT OP VALUE, as in: "
				     "thread.drift p99 < 2ms");
		err = steps[i](p, b);
	}
	return err;
}

/* The budget as it is shown: from its fields, so that spaces and quotes are the same everywhere. */
static void make_text(struct budget *b, const char *value)
{
	const char *what = b->source == BUDGET_METRIC ? metrics[b->id].name :
			   b->source == BUDGET_GAUGE ? gauge_names[b->id] : "loss";
	char stat[16];
	size_t at;

	budget_stat_text(b, stat, sizeof(stat));
	at = (size_t)snprintf(b->text, sizeof(b->text), "%s%s%s %s %s", what, *stat ? " " : "", stat, ops[b->op], value);
	if (*b->name && at < sizeof(b->text))
		at += (size_t)snprintf(b->text + at, sizeof(b->text) - at, " for \"%s\"", b->name);
	if (b->stage < STAGE_CNT && at < sizeof(b->text))
		snprintf(b->text + at, sizeof(b->text) - at, " stage %s", stage_names[b->stage]);
}

int budgets_add(struct budgets *b, const char *text, unsigned int line, struct budget_error *err)
{
	struct parser p = {.text = text, .at = text, .err = err};
	struct budget row = {.stage = STAGE_CNT, .line = line}, *grown;
	int ret;

	if (b->cnt == BUDGETS_MAX) {
		wrong(&p, 1, "more than %d budgets", BUDGETS_MAX);
		return -E2BIG;
	}
	ret = parse(&p, &row);
	if (ret)
		return ret;
	make_text(&row, p.value.text);
	grown = grow(b->rows, b->cnt, &b->room, sizeof(*b->rows));
	if (!grown)
		return -ENOMEM;
	b->rows = grown;
	b->rows[b->cnt++] = row;
	return 0;
}

void budgets_done(struct budgets *b)
{
	free(b->rows);
	*b = (struct budgets){.rows = NULL};
}
