/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The Go processes of a recording: finds them, tells the kernel side where their runtime keeps what, probes
 * them as deep as they may be, takes snapshots, and gives names to addresses. What it has to say goes through
 * the given sink, as records; what can't be is told once, and the process is recorded by its threads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/record.h"

struct probe;
struct golang;

/* level: enum go_level or GO_AUTO of session.h. probe is attached and outlives it. NULL: no memory. */
struct golang *golang_new(struct probe *probe, int level, int (*put)(void *, const void *, size_t), void *ctx);
void golang_free(struct golang *g);

/*
 * Looks at a command before it runs, so that nothing of it is missed: the process pid waits to become `file`.
 * After the records of what is there at the start.
 */
void golang_command(struct golang *g, uint32_t pid, const char *file, uint64_t now);
/* A record from the kernel side, before it is put: names for its addresses come first, and its process is noted. */
void golang_record(struct golang *g, const void *rec);
/* Whether it is a Go program whose addresses golang_record() gives names to. */
bool golang_has(struct golang *g, uint32_t tgid);
/* Opens the processes that were noted, attaches, and looks again at those that were not ready. */
void golang_tick(struct golang *g, uint64_t now);
/* Once a second: snapshots, and whether the probes are worth their cost. */
void golang_second(struct golang *g, uint64_t now);
/*
 * What its probes cost the targets in all, ns of CPU, as far as that is known beforehand: their hits times what
 * one takes; 0: there were none.
 */
uint64_t golang_cost(struct golang *g);
/* Probes off, a last snapshot. Before the last drain. */
void golang_stop(struct golang *g, uint64_t now);
