/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Budgets: what a recording may show, as people write it.
 *
 *	WHAT STAT OP VALUE [for NAME-GLOB] [stage S]
 *	thread.drift p99 < 2ms for "mixer*" stage runq
 *	goroutines slope < 1/s
 *	loss < 0.1%
 *
 * WHAT is a metric (METRICS of model/span.h), a gauge (GAUGES there) or `loss`. Names, statistics and
 * stages that a message offers come from the tables.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../model/span.h"

enum budget_source { BUDGET_METRIC, BUDGET_GAUGE, BUDGET_LOSS, BUDGET_SOURCE_CNT };

/* What a statistic's value is. */
enum budget_unit { UNIT_TIME, UNIT_NUMBER, UNIT_SHARE, UNIT_RATE, UNIT_CNT };

enum budget_stat {
	STAT_QUANTILE,	/* p50, p99.9: with ppm */
	STAT_MAX, STAT_MEAN,
	STAT_COUNT,	/* samples */
	STAT_TOTAL,	/* the samples' sum as a share of the recording's length; of several threads it may pass 100% */
	STAT_RATE,	/* samples a second */
	STAT_LAST, STAT_SLOPE,	/* of gauges */
	STAT_SHARE,	/* of loss; has no name */
	STAT_CNT
};

enum budget_op { OP_LESS, OP_LESS_EQUAL, OP_MORE, OP_MORE_EQUAL };

enum { BUDGET_NAME_SZ = 128, BUDGET_TEXT_SZ = 256, BUDGETS_MAX = 256 };

struct budget {
	enum budget_source source;
	unsigned int id;	/* enum metric or enum gauge_id */
	enum budget_stat stat;
	uint32_t ppm;		/* of STAT_QUANTILE */
	enum budget_op op;
	double limit;		/* ns, a number, a share (1 is 100%), or per second */
	unsigned int stage;	/* STAGE_CNT: the whole sample */
	char name[BUDGET_NAME_SZ];	/* glob (fnmatch) of the thread's, goroutine's or process's name; "": all */
	char text[BUDGET_TEXT_SZ];	/* one space between words, without comments */
	unsigned int line;	/* of the file it came from, 0: of the command line */
};

/* In the order they came. A zeroed struct is empty. */
struct budgets {
	struct budget *rows;
	size_t cnt, room;
};

/* Where a text is wrong, from 1, and why. */
struct budget_error {
	unsigned int column;
	char text[1024];
};

enum budget_unit budget_unit(enum budget_stat stat, enum budget_source source);
/* "p99.9", "max", "". Returns buf. */
const char *budget_stat_text(const struct budget *b, char *buf, size_t size);
/* A value of a unit for people: 2.10ms, 0.05%, 12/s, 512. Returns buf. */
const char *budget_value_text(enum budget_unit unit, double value, char *buf, size_t size);

/* Adds what text says. 0; -EINVAL: *err says why; -E2BIG: too many, said there, too; -ENOMEM. */
int budgets_add(struct budgets *b, const char *text, unsigned int line, struct budget_error *err);
/* Adds those of a file: one a line, `#` begins a comment. 0; -EINVAL or -errno, told on stderr. */
int budgets_read(struct budgets *b, const char *path);
void budgets_done(struct budgets *b);
