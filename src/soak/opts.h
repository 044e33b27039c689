/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the command line says about recordings of days. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct trigger;

struct soak_opts {
	uint64_t rotate_ns;	/* --rotate, 0: one file */
	uint64_t keep;		/* --keep, 0: all files */
	uint64_t max_bytes;	/* --max-size, 0: any */
	uint64_t keep_last_ns;	/* --keep-last: the flight recorder's time, 0: none */
	struct trigger *triggers;	/* --trigger; ours */
	size_t trigger_cnt;
	uint64_t cooldown_ns;	/* --cooldown */
	uint64_t dumps;		/* --dumps: at most so many */
	const char *pidfile;	/* --pidfile */
};

extern const struct soak_opts soak_opts_initial;

void soak_opts_done(struct soak_opts *o);
/* What does not go together; NULL if all is well. */
const char *soak_opts_wrong(const struct soak_opts *o);
