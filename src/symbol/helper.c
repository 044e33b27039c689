/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The collector's side. An answer is taken whole before any of it is given on: of a symbolizer that dies in the midst
 * nothing is believed. What it says is checked as if somebody else had said it, as that may be so once it has read a
 * hostile file.
 */
#include "helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/u64map.h"
#include "helper_protocol.h"

enum {
	ANSWER_NS = 2000000000,
	WARMING_NICE = 10,	/* nobody waits for it yet: 0.1 s of a CPU is not to be the target's */
	HELPERS_MAX = 6,	/* the first, and five more */
	PROC_DEATHS_MAX = 2,	/* of symbolizers that were busy with a process: it is asked about no more */
	PROCS_MAX = 65536,
	REAP_MS = 200,		/* a killed one may hang in a file system: it is left then */
	SYMBOLS_MAX = 2 * HELPER_PCS * HELPER_FRAMES,	/* a stack may be walked twice */
	ANSWER_BYTES = SYMBOLS_MAX * sizeof(struct rec_symbol) + sizeof(struct rec_stack) + sizeof(struct helper_done),
};

struct proc {
	uint8_t asked, deaths;
};

struct helper {
	const char *name;
	helper_put put;
	void *ctx;
	pid_t pid;		/* 0: none runs */
	int sock;
	struct u64map procs;	/* tgid -> struct proc */
	struct helper_stats stats;
	bool is_warming;	/* an answer to HELPER_OPEN is still to come */
	size_t len;		/* of the answer so far */
	uint64_t bytes[ANSWER_BYTES / sizeof(uint64_t)];
};

struct helper *helper_new(const char *name, helper_put put, void *ctx)
{
	struct helper *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->name = name;
	h->put = put;
	h->ctx = ctx;
	u64map_init(&h->procs, sizeof(struct proc));
	return h;
}

static void reap(pid_t pid)
{
	struct pollfd end = {.fd = pidfd_open(pid, 0), .events = POLLIN};

	poll(&end, 1, REAP_MS);
	waitpid(pid, NULL, WNOHANG);
	if (end.fd >= 0)
		close(end.fd);
}

static void end_process(struct helper *h)
{
	if (!h->pid)
		return;
	kill(h->pid, SIGKILL);
	reap(h->pid);
	close(h->sock);
	h->pid = 0;
	h->is_warming = false;
}

void helper_free(struct helper *h)
{
	if (!h)
		return;
	end_process(h);
	u64map_done(&h->procs);
	free(h);
}

/* It is killed if it was not yet dead. */
static void bury(struct helper *h)
{
	end_process(h);
	h->stats.died++;
}

static int start(struct helper *h)
{
	struct timeval patience = {.tv_sec = ANSWER_NS / 1000000000};
	pid_t parent = getpid();
	int socks[2], err;

	if (h->pid)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks))
		return -errno;
	setsockopt(socks[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	h->pid = fork();
	if (!h->pid) {
		helper_jail(h->name, socks[1], parent);
		helper_serve();
	}
	err = -errno;
	close(socks[1]);
	h->sock = socks[0];
	if (h->pid < 0) {
		h->pid = 0;
		close(h->sock);
		h->stats.died++;
		return err;
	}
	return 0;
}

static int send_ask(const struct helper *h, const struct helper_ask *ask, const void *stack, size_t len)
{
	struct iovec parts[] = {{(void *)ask, sizeof(*ask)}, {(void *)stack, len}};
	struct msghdr msg = {.msg_iov = parts, .msg_iovlen = 2};

	return sendmsg(h->sock, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* A text ends inside of its field, and has nothing behind its end. */
static void clean_text(char *text, size_t size)
{
	size_t len = strnlen(text, size - 1);

	memset(text + len, 0, size - len);
}

static bool is_symbol(const struct helper_ask *ask, void *rec)
{
	struct rec_symbol *r = rec;

	clean_text(r->func, sizeof(r->func));
	clean_text(r->file, sizeof(r->file));
	clean_text(r->module, sizeof(r->module));
	return r->tgid == ask->tgid && r->pc && r->depth < HELPER_FRAMES && r->last <= 1;
}

static bool is_stack(const struct helper_ask *ask, void *rec)
{
	struct rec_stack *r = rec;

	r->pad = 0;
	return r->tgid == ask->tgid && r->id == ask->id && r->pc0;
}

static bool is_lock(const struct helper_ask *ask, void *rec)
{
	struct rec_lock *r = rec;

	clean_text(r->name, sizeof(r->name));
	clean_text(r->module, sizeof(r->module));
	return r->tgid == ask->tgid && r->futex == ask->futex;
}

static const struct {
	uint16_t kind, len;
	uint32_t ops;		/* questions that it is an answer to */
	bool (*check)(const struct helper_ask *ask, void *rec);
} answers[] = {
	{REC_SYMBOL_KIND, sizeof(struct rec_symbol), 1 << HELPER_STACK | 1 << HELPER_KERNEL, is_symbol},
	{REC_STACK_KIND, sizeof(struct rec_stack), 1 << HELPER_STACK, is_stack},
	{REC_LOCK_KIND, sizeof(struct rec_lock), 1 << HELPER_LOCK, is_lock},
};

static bool is_answer(const struct helper_ask *ask, struct rec_hdr *hdr, size_t len)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (hdr->kind == answers[i].kind && hdr->len == len && len == answers[i].len)
			return answers[i].ops & 1u << ask->op && answers[i].check(ask, hdr);
	return false;
}

/* Waits for one packet. Its length, or -errno. */
static ssize_t take_packet(struct helper *h, uint64_t until_ns)
{
	struct pollfd in = {.fd = h->sock, .events = POLLIN};
	size_t room = sizeof(h->bytes) - h->len;
	uint64_t now = now_ns();
	ssize_t len;
	int n;

	if (now >= until_ns)
		return -ETIMEDOUT;
	n = poll(&in, 1, (until_ns - now) / 1000000 + 1);
	if (n <= 0)
		return n ? -errno : -ETIMEDOUT;
	len = recv(h->sock, (char *)h->bytes + h->len, room, MSG_DONTWAIT | MSG_TRUNC);
	if (len < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	return len == 0 ? -EPIPE : (size_t)len > room ? -EBADMSG : len;
}

/* Takes the answer up to its end; *ret_err is what the symbolizer says of it. 0 or -errno, then it is worth nothing. */
static int take_answer(struct helper *h, const struct helper_ask *ask, struct user_text *text, int *ret_err)
{
	uint64_t until_ns = now_ns() + ANSWER_NS;

	h->len = 0;
	for (;;) {
		struct rec_hdr *hdr = (void *)((char *)h->bytes + h->len);
		ssize_t len = take_packet(h, until_ns);

		if (len == -EINTR || len == -EAGAIN)
			continue;
		if (len < 0)
			return len;
		if ((size_t)len < sizeof(*hdr))
			return -EBADMSG;
		if (hdr->kind == HELPER_DONE_KIND && len == sizeof(struct helper_done)) {
			const struct helper_done *done = (void *)hdr;

			*text = done->text;
			*ret_err = done->err;
			return done->err > 0 ? -EBADMSG : 0;
		}
		if (!is_answer(ask, hdr, len))
			return -EBADMSG;
		h->len += len;
	}
}

static int put_answer(struct helper *h)
{
	for (size_t at = 0; at < h->len;) {
		const struct rec_hdr *hdr = (void *)((char *)h->bytes + at);
		int err = h->put(h->ctx, hdr, hdr->len);

		if (err)
			return err;
		at += hdr->len;
	}
	return 0;
}

static struct proc *proc_of(struct helper *h, uint32_t tgid)
{
	if (h->procs.cnt >= PROCS_MAX) {
		struct helper_ask all = {.op = HELPER_FORGET};

		if (h->pid)
			send_ask(h, &all, NULL, 0);
		u64map_clear(&h->procs);
	}
	return u64map_get(&h->procs, tgid);
}

static bool is_targets_fault(int err)
{
	return err == -ESRCH || err == -EPERM || err == -EACCES;
}

static const struct helper_ask warm_up = {.op = HELPER_OPEN, .tgid = TGID_KERNEL};

/* The answer that is still to come. What it says shows again when a stack is asked about. */
static void end_warming(struct helper *h)
{
	struct user_text text;
	int said;

	if (!h->is_warming)
		return;
	h->is_warming = false;
	setpriority(PRIO_PROCESS, h->pid, getpriority(PRIO_PROCESS, 0));
	if (take_answer(h, &warm_up, &text, &said))
		bury(h);
}

void helper_warm_kernel(struct helper *h)
{
	if (h->is_warming || start(h))
		return;
	setpriority(PRIO_PROCESS, h->pid, WARMING_NICE);
	h->is_warming = !send_ask(h, &warm_up, NULL, 0);
}

bool helper_is_ready(struct helper *h)
{
	struct pollfd in = {.fd = h->sock, .events = POLLIN};

	if (h->is_warming && !poll(&in, 1, 0))
		return false;
	end_warming(h);
	return true;
}

static int ask_once(struct helper *h, const struct helper_ask *ask, const void *stack, size_t len,
		    struct user_text *text, int *ret_said)
{
	int err;

	end_warming(h);
	err = start(h);
	if (err)
		return err;
	err = send_ask(h, ask, stack, len);
	if (!err)
		err = take_answer(h, ask, text, ret_said);
	if (err)
		bury(h);
	return err;
}

/* Of one that died another one is asked the same: it may have died of something else. */
static int ask_twice(struct helper *h, const struct helper_ask *ask, const void *stack, size_t len,
		     struct user_text *text)
{
	struct proc *p = proc_of(h, ask->tgid);
	int err = -EPIPE, said = 0;

	if (!p)
		return -ENOMEM;
	p->asked = 1;
	while (err == -EPIPE && p->deaths < PROC_DEATHS_MAX && h->stats.died < HELPERS_MAX) {
		err = ask_once(h, ask, stack, len, text, &said);
		p->deaths += err != 0;
	}
	return err ? err : said;
}

static int ask(struct helper *h, const struct helper_ask *ask, const void *stack, size_t len, struct user_text *text)
{
	uint64_t begin = now_ns();
	int err = ask_twice(h, ask, stack, len, text);

	h->stats.asked++;
	h->stats.waited_ns += now_ns() - begin;
	if (err && !is_targets_fault(err))
		h->stats.failed++;
	return err ? err : put_answer(h);
}

int helper_stack(struct helper *h, const struct stack_copy *c, bool go_named, struct user_text *text)
{
	struct helper_ask q = {
		.op = HELPER_STACK, .flags = go_named ? HELPER_GO_NAMED : 0, .tgid = c->tgid, .id = c->id,
	};

	return ask(h, &q, c, offsetof(struct stack_copy, bytes) + c->len, text);
}

int helper_kernel(struct helper *h, const struct rec_stack *r)
{
	struct helper_ask q = {.op = HELPER_KERNEL, .tgid = TGID_KERNEL, .id = r->id};
	struct user_text text;

	return ask(h, &q, r, sizeof(*r), &text);
}

int helper_lock(struct helper *h, uint32_t tgid, uint64_t futex, bool is_shared)
{
	struct helper_ask q = {
		.op = HELPER_LOCK, .flags = is_shared ? HELPER_SHARED : 0, .tgid = tgid, .futex = futex,
	};
	struct user_text text;

	return ask(h, &q, NULL, 0, &text);
}

void helper_forget(struct helper *h, uint32_t tgid)
{
	struct helper_ask q = {.op = HELPER_FORGET, .tgid = tgid};
	struct proc *p = u64map_find(&h->procs, tgid);

	if (!p || !p->asked)
		return;
	*p = (struct proc){};
	if (h->pid && send_ask(h, &q, NULL, 0) == -EAGAIN)
		bury(h);	/* it does not listen */
}

struct helper_stats helper_stats(const struct helper *h)
{
	return h->stats;
}
