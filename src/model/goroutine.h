/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The goroutine model: goroutines that got to run and stops of the world in, spans of the goroutine.* and
 * process.* metrics out (goroutine.offcpu comes from thread.h). It keeps nothing: what threads did meanwhile
 * is in the thread model, whose blame rows it uses.
 */
#pragma once

#include "go_info.h"
#include "thread.h"

struct rec_go;
struct rec_stw;

struct goroutines {
	struct threads *threads;
	const struct go_info *info;
	struct span span;	/* the sample under way; stage_ns is all 0 between samples */
};

/* Each takes one record whose length was checked. 0 or -EBADMSG (nonsense, no effect). */
int goroutines_ran(struct goroutines *g, const struct rec_go *r);
int goroutines_stw(struct goroutines *g, const struct rec_stw *r);
