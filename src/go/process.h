/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A Go process that runs: read from outside (process_vm_readv), never stopped, never written to. What is
 * read may change meanwhile: values are checked, and a read that fails is no error of the target's.
 */
#pragma once

#include "runtime.h"

struct go_process_reader;

/*
 * Attaches to a live process whose program b, r is; both stay the caller's and outlive it. 0; -ENOTSUP: the
 * layout does not agree with the process, `why` says where; -ESRCH: gone; -EPERM: needs CAP_SYS_PTRACE. It is
 * go_process_check() that compares; if there is nothing to compare yet, the answer is 0.
 */
int go_process_open(uint32_t pid, const struct go_binary *b, const struct go_runtime *r,
		    struct go_process_reader **out, char why[GO_WHY]);
void go_process_close(struct go_process_reader *p);

/* What is added to the file's addresses. */
uint64_t go_process_bias(const struct go_process_reader *p);
/*
 * Compares the layout with the process: every m of allm is a thread of it with that id, has a g0 that leads
 * back to it, and a curg that does; statuses and ids of goroutines are possible ones. 0, or -ENOTSUP and `why`;
 * -EAGAIN: nothing to compare yet (the runtime has not begun).
 */
int go_process_check(struct go_process_reader *p, char why[GO_WHY]);

typedef int (*go_put)(void *ctx, const void *rec, size_t len);

/*
 * Reads the scheduler: gives a rec_gosnap with `tgid` and `time`, rec_gosites (at most 256, the rest summed up)
 * with the stacks they refer to (rec_stack, with ids from 1 << 31 on, each once), and what the runtime's
 * histograms grew by (rec_gohist). 0, -errno of put, -ESRCH: gone, or -EIO: nothing could be read.
 */
int go_process_snapshot(struct go_process_reader *p, uint32_t tgid, uint64_t time, go_put put, void *ctx);

/* Reads the pprof labels at an address as text "k=v,k=v". 0 or -EIO. */
int go_process_labels(struct go_process_reader *p, uint64_t labels, char *buf, size_t size);
