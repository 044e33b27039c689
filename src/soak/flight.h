/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The flight recorder: the records of the last seconds are kept in memory, coded as in a file, and the model
 * runs on them. A sample that trips a trigger gets them written to a file of its own, whole in itself
 * (head.h), about a second later. Counters beside those of losses, and each thread's wakings, are of the whole
 * recording and not in the file.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct flight;
struct record_sink;
struct soak_opts;

/* name: see parts.h; opts outlive it. Nothing is written yet. 0 or -errno, told. */
int flight_open(const struct soak_opts *opts, const char *name, struct flight **out);
void flight_free(struct flight *f);

/* The sink that session_run_sink() takes. */
struct record_sink flight_sink(struct flight *f);
/* What tripped how often, of how many samples, on stderr. */
void flight_tell(const struct flight *f);
/* Files written; samples that tripped. */
size_t flight_dumps(const struct flight *f);
uint64_t flight_trips(const struct flight *f);
