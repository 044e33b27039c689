/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What people call an entity: "mixer (26112)", in a container "mixer (26112, inside 7)". Not escaped. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "text.h"

struct names;
struct tables;
struct taker;

struct label {
	char name[320];	/* raw: of the target's making */
	char key[96];	/* "26112", "26112, inside 7", "400 threads"; "" if the name says all */
};

/* Of an entity of the tables' dimension. */
void label_entity(const struct tables *t, const struct names *n, uint64_t entity, struct label *out);
/* A thread's or process's number in its container, if it is another one than outside; else 0. */
uint32_t label_inner_id(const struct tables *t, const struct names *n, uint64_t entity);
/* Of a task. */
void label_task(const struct names *n, uint32_t tid, struct label *out);

/* Of who took the time: one task, several of one name, or what it was if no task. */
void label_taker(const struct names *n, const struct taker *k, struct label *out);
