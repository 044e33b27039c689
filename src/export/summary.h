/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What report, picture and JSON say of a metric: sums over its groups, who took the time, and which
 * entity has it worst.
 */
#pragma once

#include "../stats/view.h"

struct names;

/* Entities of a metric, by rank, rank_to included; SIZE_MAX: with the rest. */
struct part {
	enum metric metric;
	size_t rank_from, rank_to;
	bool no_idle;	/* without classes of waits that a program enters to idle */
};

/* All of a metric. */
struct part part_all(enum metric metric);

/* Adds the samples of a stage (STAGE_CNT: of the whole) to h. 0 or -ENOMEM. */
int part_hist(const struct tables *t, const struct part *p, unsigned int stage, struct hist *h);
/* A group of the part, or NULL: there is none. */
const struct group *part_group(const struct tables *t, const struct part *p);

/* Tasks or goroutines of one name, or one other cause. */
struct taker {
	enum blame_kind kind;
	enum by_type by_type;
	uint64_t by;		/* the one of them with the most time as in struct blame_row, BY_REST, or 0: nobody */
	uint32_t site;		/* of a goroutine */
	size_t tasks;		/* how many they are */
	const char *name;	/* raw; NULL: none known. Valid as long as the names */
	uint64_t count, sum, max;
};

/* The most time first; those with none (the wakers of run-queue waits) last, the most wakings first. */
struct takers {
	struct taker *rows;
	size_t cnt, timed;	/* the first `timed` rows have time */
	uint64_t sum;
};

/* 0 or -ENOMEM. */
int takers_make(const struct tables *t, const struct names *n, const struct part *p, struct takers *out);
void takers_done(struct takers *k);

/* Samples of the metric whose begin or end was not seen. */
uint64_t censored_of(const struct tables *t, enum metric metric);

/* part/whole in percent for people: "96%", "<1%". Returns buf. */
const char *percent_text(uint64_t part, uint64_t whole, char *buf, size_t size);
