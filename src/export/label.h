/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What people call an entity: "mixer (26112)", in a container "mixer (26112, inside 7)". Not escaped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

struct group;
struct names;
struct span;
struct tables;
struct taker;

struct label {
	char name[340];	/* raw: of the target's making */
	bool is_place;	/* a function and where it was called */
	char key[320];	/* "26112", "26112, inside 7", "400 threads", "main.go:42"; "" if the name says all. Raw, too */
};

/* Of a group's entity; NULL: the rest. */
void label_group(const struct tables *t, const struct names *n, const struct group *g, struct label *out);
/* A thread's or process's number in its container, if it is another one than outside; else 0. */
uint32_t label_inner_id(const struct tables *t, const struct names *n, const struct group *g);
/* Of a creation site: the function without its package's path, and where. */
void label_site(const struct names *n, uint32_t site, struct label *out);
/* Of the lock that a span is about. */
void label_lock(const struct names *n, const struct span *s, struct label *out);
/* Of a task. */
void label_task(const struct names *n, uint32_t tid, struct label *out);

/* Of who took the time: one task, several of one name, or what it was if no task. */
void label_taker(const struct tables *t, const struct names *n, const struct taker *k, struct label *out);
