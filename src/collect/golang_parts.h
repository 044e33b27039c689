/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Inside of golang.h: shared by its files, by nobody else. Each file owns the functions under its name. */
#pragma once

#include <sys/types.h>

#include "../base/u64map.h"
#include "../go/process.h"
#include "golang.h"
#include "probe.h"
#include "probe_go.h"

enum {
	PROCS_MAX = GO_SLOTS,		/* Go processes at a time; others are recorded by their threads */
	NOTED_MAX = 1024,
	KNOWN_MAX = 65536,		/* then they are looked at again, should they be seen */
	FRAMES_MAX = 16,		/* inlined calls at one address */
	SYMBOLS_MAX = 65536,		/* addresses of a process that get a name */
	PATIENCE_NS = 2000000000,	/* for a runtime that has not begun */
	AUTO_NS = 240000000,		/* of light probes, before it is decided whether full ones are cheap */
	HIT_NS = 700,			/* what a probe costs the target: 0.45 us for its trap, 0.2 to 0.3 for ours */
	FULL_HITS = 3,			/* a goroutine's switch: park, ready, execute */
	AUTO_MAX_PERMILLE = 20,		/* of the target's CPU, for full probes to come on by themselves */
	OFF_MIN_PERMILLE = 100,		/* and for probes to come off */
};

/* A program file; processes of one program share it. */
struct program {
	dev_t dev;
	ino_t ino;
	struct go_binary *binary;
	struct go_runtime runtime;
};

struct proc {
	uint32_t tgid, slot;
	char path[64];
	struct program *program;
	struct go_process_reader *reader;
	struct go_proc config;
	int wanted;			/* the level that it is to have, or GO_AUTO */
	enum go_level level;
	bool live;			/* it runs our program: memory may be read */
	bool checked, gone;
	bool is_command;		/* it is about to become its program */
	bool settled;			/* auto has decided: it goes down from here, never up again */
	uint64_t since, level_since;
	uint64_t ticks;			/* times that a P took up a goroutine, between the last two snapshots */
	uint64_t ticks_sum;		/* the runtime's own sum of them */
	uint64_t rate;			/* goroutines that got to run, a second */
	uint64_t cpu, cpu_at;		/* CPU time so far, as last read */
	uint64_t cpu_permille;		/* of one CPU */
	struct probe_go_links light, full;
	struct u64map seen;		/* addresses and labels that were given a name */
};

struct golang {
	struct probe *probe;
	struct probe_go *probes;
	char no_probes[GO_WHY];		/* why there are none */
	bool told_unseen;
	int level;
	int (*put)(void *, const void *, size_t);
	void *ctx;
	struct program **programs;
	size_t program_cnt;
	struct proc *procs[PROCS_MAX];
	uint32_t noted[NOTED_MAX];	/* processes to look at */
	size_t noted_cnt;
	struct u64map known;		/* tgids that were looked at and are no Go program */
	struct proc *last;		/* that a record was of */
	struct proc *snapping;		/* whose snapshot is being taken */
	uint64_t hits, hits_at;		/* of all probes so far, as last read */
	uint32_t gen;
	uint64_t now;
};

/* golang.c: opens the process's memory if that was not done. False: gone, or it may not be read. */
bool golang_open_reader(struct proc *p, char why[GO_WHY]);

/* golang_words.c: gives what the numbers of its runtime mean, and which of them the kernel side needs. */
void golang_tell_words(struct golang *g, struct proc *p);
/* Gives names to what the record has addresses of. */
void golang_name_record(struct golang *g, struct proc *p, const void *rec);

/* golang_level.c: gives the level as it now is, for the recording. */
void golang_tell_level(struct golang *g, const struct proc *p, const char *why);
/* Tells the kernel side of the process. 0 or -errno. */
int golang_describe(struct golang *g, struct proc *p);
/* Goes to a level. 0, or -errno and `why`. */
int golang_set_level(struct golang *g, struct proc *p, enum go_level level, char why[GO_WHY]);
/* To the level that is wanted, or as near as can be. */
void golang_start_level(struct golang *g, struct proc *p);
/* What failed then, failed because it ended. */
bool golang_is_gone(const struct proc *p);
void golang_snapshot(struct golang *g, struct proc *p);
/* How often goroutines get to run, by the hits of all probes since the last time. */
void golang_measure_rates(struct golang *g);
/* Auto: after a while with the light probes, are the full ones cheap? */
void golang_decide(struct golang *g, struct proc *p);
/* Auto: down to a level that is cheap enough. */
void golang_go_down(struct golang *g, struct proc *p);
