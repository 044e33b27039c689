/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files behind process.h share. */
#pragma once

#include "memory.h"
#include "process.h"

/* No sane process has more; what is beyond is not looked at. */
enum { GO_GS_MAX = 200000, GO_MS_MAX = 10000, GO_PS_MAX = 1024 };
/* Bytes of a g or m that are read at most: they are 456 and 2024 long at most until now. */
enum { GO_VIEW_MAX = 4096 };

/* Statuses of goroutines: runtime2.go; the bit for the garbage collector's scan is taken off. */
enum go_status {
	GO_IDLE = 0, GO_RUNNABLE = 1, GO_RUNNING = 2, GO_SYSCALLING = 3, GO_WAITING = 4, GO_DEAD = 6,
	GO_COPYSTACK = 8, GO_PREEMPTED_G = 9, GO_LEAKED = 10, GO_DEADEXTRA = 11,
	GO_STATUS_CNT,
};

enum { GO_STATUS_SCAN = 0x1000 };

struct g_view {
	uint64_t stack_lo, stack_hi, m, sp, pc, bp;
	uint64_t goid, waitsince, gopc, startpc, labels;
	uint32_t status;
	uint8_t reason;
};

struct m_view {
	uint64_t g0, procid, curg, next, lockedg;
	bool is_spinning;
};

/* From offset 0 on; all fields that a view needs are inside. */
struct view_sizes {
	uint32_t g, m;
};

struct go_snapshots;	/* what is kept from one snapshot for the next: snapshot.c */

struct go_process_reader {
	uint32_t pid;
	int proc;		/* the directory /proc/PID: of this very process, also if the id is used again */
	const struct go_binary *binary;
	const struct go_runtime *runtime;
	uint64_t bias, text_lo, text_hi;	/* text: live addresses of Go's code */
	struct view_sizes sizes;
	struct go_snapshots *snapshots;
};

/* Writes the sentence and gives -ENOTSUP. */
int why_not(char why[GO_WHY], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool is_go_text(const struct go_process_reader *r, uint64_t pc);
/* Cuts the fields out of a g or m of sizes.g, sizes.m bytes. A field that this version lacks is 0. */
struct g_view g_view(const struct go_process_reader *r, const uint8_t *g);
struct m_view m_view(const struct go_process_reader *r, const uint8_t *m);
/* Whether this may be a goroutine at all; one that is not alive is free to be used again. */
bool is_possible(const struct g_view *g);
bool is_alive(uint32_t status);

struct go_slots {	/* a slice of pointers */
	uint64_t data, cnt;
};

/* Read a variable of the runtime, a slice. 0, -ENOENT: not known, or as memory_read(). */
int read_global(const struct go_process_reader *r, uint64_t global, void *to, uint32_t len);
int read_slots(const struct go_process_reader *r, uint64_t global, struct go_slots *out);

struct go_snapshots *go_snapshots_new(const struct view_sizes *sizes);
void go_snapshots_free(struct go_snapshots *s);
