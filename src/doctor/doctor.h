/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What doctor checks: rows {name, check, remedy}. A check says one finding or several; the remedy is
 * printed below those that are not ok.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_NOTE,	/* works, but matters for what is measured */
	DOCTOR_ABSENT,	/* left out of the measurement */
	DOCTOR_PROBLEM,	/* the main job cannot run */
	DOCTOR_STATE_CNT,
};

struct doctor {
	FILE *out;
	uint32_t pid;		/* 0: none given */
	bool no_target;		/* it is not there: nothing more to say about it */
	unsigned int cnt[DOCTOR_STATE_CNT];
	const char *remedy;	/* the last one printed: not said twice in a row */
};

struct check {
	const char *name;
	void (*run)(struct doctor *d, const struct check *c);
	const char *remedy;
};

/* End with rows without a name. */
extern const struct check kernel_checks[], machine_checks[], process_checks[];

/* One finding of a check; text from the outside may be in it. */
void doctor_say(struct doctor *d, const struct check *c, enum doctor_state state, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The first line of a small file, without its line end; false: it cannot be read. */
bool doctor_read(char *buf, size_t size, const char *path_fmt, ...) __attribute__((format(printf, 3, 4)));
/* The value of a kernel option ("CONFIG_HZ"), "" if it is not set; false: the configuration is not there. */
bool doctor_config(const char *name, char *buf, size_t size);

/* Records a loop that measures itself, and compares. An exit status; says its result to out. */
int doctor_verify(FILE *out);
