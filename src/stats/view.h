/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reading finished tables. All rows are in the order in which they are shown: metric, class, entity by
 * rank (`rest` last), then time and latency, or the biggest first. Times are ns since the start.
 * The row functions return false (groups: NULL) beyond the last row.
 */
#pragma once

#include "hist.h"
#include "tables.h"

/* The entity of all that are not among the top N. */
#define ENTITY_REST UINT64_MAX
/* `by` of blame rows that were folded together. */
#define BY_REST UINT32_MAX
/* The lock that stands for several. */
#define LOCK_REST UINT32_MAX

struct group {
	enum metric metric;
	uint32_t klass;
	uint64_t entity;	/* key of the dimension, or ENTITY_REST */
	size_t rank;		/* of the entity in its metric, from 0; SIZE_MAX: rest */
	uint64_t count, sum, min, max;
	size_t cell_from, cell_to;
	struct hist *stages;	/* those of the metric; zeros are not recorded in them */
};

struct cell {
	uint64_t t_start, t_end, lat_lo, lat_hi, count, sum, max;
	uint32_t col;
	unsigned int bucket;
};

struct blame_row {
	const struct group *waiter;
	enum blame_kind kind;
	uint32_t by;		/* TID, 0 or BY_REST */
	uint32_t lock;		/* for tables_lock_text; 0: none */
	uint64_t count, sum, max;
};

struct counter_row {
	const char *name;
	enum { COUNTER_TOTAL, COUNTER_ENTITY, COUNTER_REST } kind;
	uint32_t tid;
	uint64_t count;
};

struct event_row {
	uint64_t end, latency, entity, lock;	/* lock: the address, 0: none */
	uint32_t klass, tgid, by;		/* by: TID of the biggest blame, 0: no task, or nobody */
	uint16_t cpu;
	uint8_t metric;
	uint64_t stage_ns[];			/* the metric's stages, without gaps */
};

/* Some time between these, n things were lost. */
struct loss_time {
	uint64_t from, to, n;
};

const struct tables_opts *tables_opts(const struct tables *t);
uint64_t tables_start_ns(const struct tables *t);
const struct group *tables_group(const struct tables *t, size_t i);
bool tables_cell(const struct tables *t, size_t i, struct cell *out);
bool tables_blame(const struct tables *t, size_t i, struct blame_row *out);
bool tables_counter(const struct tables *t, size_t i, struct counter_row *out);
bool tables_loss(const struct tables *t, size_t i, const char **cause, uint64_t *count);
bool tables_loss_time(const struct tables *t, size_t i, struct loss_time *out);

/* Adds the group's samples of a stage, zeros included, to h; STAGE_CNT: of the whole. 0 or -ENOMEM. */
int tables_add_hist(const struct tables *t, const struct group *g, unsigned int stage, struct hist *h);

/* Calls fn for each event, sorted by end; stops at and returns its first result that is not 0. -errno. */
int tables_events(const struct tables *t, int (*fn)(void *ctx, const struct event_row *e), void *ctx);

/* "PID:0x..." to buf; "" for 0 and "rest" for LOCK_REST. Returns buf. */
const char *tables_lock_text(const struct tables *t, uint32_t lock, char *buf, size_t size);
