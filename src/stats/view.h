/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reading finished tables. All rows are in the order in which they are shown: metric, class, entity by
 * rank (`rest` last), then time and latency, or the biggest first. Times are ns since the start.
 * The row functions return false (groups: NULL) beyond the last row.
 */
#pragma once

#include "dims.h"
#include "hist.h"
#include "tables.h"

/* The entity of all that are not among the top N. */
#define ENTITY_REST UINT64_MAX
/* `by` of blame rows that were folded together. */
#define BY_REST UINT32_MAX
/* The lock that stands for several. */
#define LOCK_REST UINT32_MAX
/* The creation sites beyond the top N. */
#define SITE_REST UINT32_MAX

struct group {
	enum metric metric;
	uint32_t klass;
	uint64_t entity;	/* key of the dimension, or ENTITY_REST */
	uint32_t site;		/* where its last goroutine was created, 0: not known */
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

enum by_type { BY_TASK, BY_SITE, BY_GOID };

struct blame_row {
	const struct group *waiter;
	enum blame_kind kind;
	enum by_type by_type;
	uint64_t by;		/* TID, site or key of a goroutine; 0: nobody, or BY_REST */
	uint32_t site;		/* of the goroutine */
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
	uint64_t end, latency, entity;
	uint64_t by;				/* the biggest blame, as in struct blame_row */
	uint64_t lock;				/* the address, 0: none */
	uint32_t klass, tgid;
	uint32_t site, wait_site;		/* of the goroutine: where created, where it waited; 0: not known */
	uint16_t cpu;
	uint8_t metric, by_type;
	uint64_t stage_ns[];			/* the metric's stages, without gaps */
};

/* A value at one moment, of a process or of one of its creation sites (SITE_REST: of all others of them). */
struct gauge_row {
	enum gauge_id id;
	uint32_t tgid;
	uint32_t site;		/* 0: of the process */
	size_t rank;		/* of the site in the process, by its greatest value; SIZE_MAX: rest */
	uint64_t t_ns, value;
};

struct drift_point {
	uint64_t t_ns;		/* since the start */
	int64_t drift_ns;
};

/* What is periodic of an entity: one timer, or several of the same period. */
struct periodic_row {
	enum metric metric;
	uint64_t entity;	/* or ENTITY_REST: of any period */
	uint32_t site;
	uint64_t series;	/* how many timers */
	uint64_t ticks, missed, streak_max;	/* sums, and the longest streak of any */
	/* of the one that drifted most */
	uint64_t period_ns;
	int64_t drift_ns;
	const struct drift_point *line;	/* drift at its ticks, at most 240 of them, the last one included */
	size_t line_cnt;
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
/* By gauge, process, rank of the site, time. A site that a snapshot does not show has 0 there, and no row. */
size_t tables_gauge_cnt(const struct tables *t);
bool tables_gauge(const struct tables *t, size_t i, struct gauge_row *out);
bool tables_loss(const struct tables *t, size_t i, const char **cause, uint64_t *count);
/* By metric, the most drift first, either way; the rest last. */
bool tables_periodic(const struct tables *t, size_t i, struct periodic_row *out);
/* Ticks that were not looked at, because there were too many series. */
uint64_t tables_periodic_refused(const struct tables *t);
bool tables_loss_time(const struct tables *t, size_t i, struct loss_time *out);

/* What an entity of the metric is, and the entity of a group that is not the rest. */
const struct dim *tables_dim(const struct tables *t, enum metric metric);
struct entity tables_entity(const struct tables *t, const struct names *n, const struct group *g);

/* Adds the group's samples of a stage, zeros included, to h; STAGE_CNT: of the whole. 0 or -ENOMEM. */
int tables_add_hist(const struct tables *t, const struct group *g, unsigned int stage, struct hist *h);

/* Calls fn for each event, sorted by end; stops at and returns its first result that is not 0. -errno. */
int tables_events(const struct tables *t, int (*fn)(void *ctx, const struct event_row *e), void *ctx);

/* "PID:0x...", or the place in the code, to buf; "" for 0 and "rest" for LOCK_REST. Returns buf. */
const char *tables_lock_text(const struct tables *t, const struct names *n, uint32_t lock, char *buf, size_t size);
/* The same of an event. Returns buf. */
const char *tables_event_lock(const struct event_row *e, const struct names *n, char *buf, size_t size);
/* Where in the code it was last waited for, "" if that is not known. Returns buf. */
const char *tables_lock_name(const struct tables *t, const struct names *n, uint32_t lock, char *buf, size_t size);
/* The goroutine's number by its key, "PID:NUMBER" if there are several processes; "" for 0. Returns buf. */
const char *tables_goid_text(const struct tables *t, uint64_t key, char *buf, size_t size);
/* The text of labels by id, "" for 0; valid as long as the tables. */
const char *tables_label_text(const struct tables *t, uint64_t label);
