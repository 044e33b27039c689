/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Takes a copy of the stack of a thread that waits in the kernel, as the kernel side would. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/ustack.h"

/* 0 or -errno. The thread must not be anybody's tracee. */
static inline int take_stack(pid_t tgid, pid_t tid, struct stack_copy *out)
{
	struct user_regs_struct r;
	struct iovec to = {out->bytes, sizeof(out->bytes)}, from = {NULL, sizeof(out->bytes)};
	int status, err = 0;
	ssize_t got;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL))
		return -errno;
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) || waitpid(tid, &status, __WALL) != tid ||
	    ptrace(PTRACE_GETREGS, tid, NULL, &r))
		err = -errno;
	ptrace(PTRACE_DETACH, tid, NULL, NULL);
	if (err)
		return err;
	out->tid = (__u32)tid;
	out->tgid = (__u32)tgid;
	out->id = 1;
	out->ip = r.rip;
	memset(out->regs, 0, sizeof(out->regs));
	out->regs[3] = r.rbx;
	out->regs[6] = r.rbp;
	out->regs[7] = r.rsp;
	out->regs[8] = r.r8;
	out->regs[9] = r.r9;
	out->regs[10] = r.r10;
	out->regs[12] = r.r12;
	out->regs[13] = r.r13;
	out->regs[14] = r.r14;
	out->regs[15] = r.r15;
	from.iov_base = (void *)r.rsp;
	got = process_vm_readv(tgid, &to, 1, &from, 1, 0);
	/* Nearer to the end of the stack than the copy is long: page by page. */
	for (size_t len = 4096 - r.rsp % 4096; got < 0 && errno == EFAULT && len < sizeof(out->bytes); len += 4096) {
		struct iovec part = {out->bytes, len};
		ssize_t more;

		from.iov_len = len;
		more = process_vm_readv(tgid, &part, 1, &from, 1, 0);
		if (more < 0)
			break;
		out->len = (__u32)more;
	}
	if (got >= 0)
		out->len = (__u32)got;
	return 0;
}
