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

/* Counters of the whole recording, by enum count_id of bpf/record.h; a number that is not used has no name. */
struct count_info {
	const char *name;
	bool is_loss;
};

extern const struct count_info count_infos[];

struct counter_row {
	const char *name;
	enum { COUNTER_TOTAL, COUNTER_ENTITY, COUNTER_REST } kind;
	uint32_t tid;
	uint64_t count;
};

struct event_row {
	uint64_t end, latency, entity;
	uint64_t by;				/* the biggest blame, as in struct blame_row */
	uint64_t lock, lock_space;		/* as in struct span */
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

/*
 * A lock's time in columns of equal width. At once: at one moment; that is exact for waits that come in the order of
 * their ends, but where a wait began in a column, what was over by then may be missing from that column's queue_max.
 */
struct lock_col {
	uint64_t wait_ns;	/* waited in this column, all waiters together: over the width that is the mean queue */
	uint64_t contended_ns;	/* at least one waited */
	uint64_t max_ns;	/* the longest wait that ended here */
	uint32_t count;		/* waits that ended here */
	uint32_t queue_max;	/* the most who waited at once */
};

/* The longest wait whose holder is known, and what that one did meanwhile. */
struct lock_worst {
	uint64_t end_ns, ns;	/* since the start; 0 ns: there is none */
	uint32_t tid, site;	/* the waiter, and its creation site if it is a goroutine */
	uint32_t holder, root;	/* root: of the LOCK part, who held up the holder in the end; 0: not known */
	uint64_t doing_ns[HOLD_CNT];
};

/*
 * A lock of lock.wait: one row a group of that metric, so one per class and entity; the rest is one of each class, and
 * its times and queue are of all locks in it together.
 */
struct lock_row {
	const struct group *group;	/* count, sum, max, stages as of any metric */
	uint32_t lock;		/* for tables_lock_text(); LOCK_REST; 0: the entity is not a lock (--by) */
	uint64_t contended_ns;	/* at least one waited */
	uint64_t eagain;	/* futex calls that did not wait; of the rest not known: 0 */
	uint32_t queue_max;	/* the most who waited at once */
	uint32_t site_cnt;	/* places in the code that waited for it; the top one is: */
	uint32_t site;
	uint64_t site_ns;	/* waited there */
	uint32_t holder;	/* who held it for the most time of waits; 0: not known, or BY_REST */
	uint64_t holder_ns;
	const struct lock_col *cols;	/* from the start on */
	size_t col_cnt;
	struct lock_worst worst;
};

/* Who waited for whom: the cells of a matrix. */
struct pair_row {
	const struct group *group;	/* of lock.wait */
	uint32_t lock;		/* as in struct lock_row */
	enum by_type waiter_type;	/* BY_TASK, or BY_SITE: goroutines of a creation site */
	uint32_t waiter;	/* TID or site, or BY_REST */
	enum blame_kind kind;
	enum by_type by_type;	/* the same of whom it waited for */
	uint32_t by;		/* 0: not known */
	uint64_t count, sum, max;
};

/* What a holder did while others waited for the lock; sums are over waits whose holder is known. */
struct holder_row {
	const struct group *group;	/* of lock.wait */
	uint32_t lock;		/* as in struct lock_row */
	uint32_t holder, root;		/* TIDs; root: who held up the holder in the end, 0: none. Or BY_REST */
	enum hold_doing doing;
	uint32_t klass;			/* of HOLD_BLOCKED */
	uint64_t count, sum, max;
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
/* In the order of their groups. All have the same columns: those of the heatmap, or narrower ones. */
bool tables_lock(const struct tables *t, size_t i, struct lock_row *out);
uint64_t tables_lock_width(const struct tables *t);
/* By group, then the biggest sum first; so are the holders. */
bool tables_pair(const struct tables *t, size_t i, struct pair_row *out);
bool tables_holder(const struct tables *t, size_t i, struct holder_row *out);
bool tables_loss_time(const struct tables *t, size_t i, struct loss_time *out);

/* What an entity of the metric is, and the entity of a group that is not the rest. */
const struct dim *tables_dim(const struct tables *t, enum metric metric);
struct entity tables_entity(const struct tables *t, const struct names *n, const struct group *g);

/* Adds the group's samples of a stage, zeros included, to h; STAGE_CNT: of the whole. 0 or -ENOMEM. */
int tables_add_hist(const struct tables *t, const struct group *g, unsigned int stage, struct hist *h);

/* Calls fn for each event, sorted by end; stops at and returns its first result that is not 0. -errno. */
int tables_events(const struct tables *t, int (*fn)(void *ctx, const struct event_row *e), void *ctx);

/*
 * "PID:0x...", "INODE:0x..." of shared memory, "kernel:0x...", or the place in the code, to buf; "" for 0 and "rest" for
 * LOCK_REST. Returns buf.
 */
const char *tables_lock_text(const struct tables *t, const struct names *n, uint32_t lock, char *buf, size_t size);
/* The same of an event. Returns buf. */
const char *tables_event_lock(const struct event_row *e, const struct names *n, char *buf, size_t size);
/* Its symbol, else where in the code it was last waited for, "" if that is not known, too. Returns buf. */
const char *tables_lock_name(const struct tables *t, const struct names *n, uint32_t lock, char *buf, size_t size);
/* The same two of the lock that a span is about, whatever tables there are. */
const char *span_lock_text(const struct span *s, const struct names *n, char *buf, size_t size);
const char *span_lock_name(const struct span *s, const struct names *n, char *buf, size_t size);
/* Where in the code a wait was: "main.work main.go:42", without lines "work"; "" if that is not known. Returns buf. */
const char *tables_place_text(const struct names *n, uint32_t wait_site, char *buf, size_t size);
/* The goroutine's number by its key, "PID:NUMBER" if there are several processes; "" for 0. Returns buf. */
const char *tables_goid_text(const struct tables *t, uint64_t key, char *buf, size_t size);
/* The text of labels by id, "" for 0; valid as long as the tables. */
const char *tables_label_text(const struct tables *t, uint64_t label);
