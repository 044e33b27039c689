/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "session.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/err.h"
#include "../trace/writer.h"
#include "facts.h"
#include "golang.h"
#include "locks.h"
#include "probe.h"
#include "waitfor.h"

enum {
	DRAIN_MS = 20,			/* the ring holds 100 ms of the highest rate seen (1.2M records/s) */
	DRAIN_MAX = 1 << 20,		/* records a time, so that signals are served in between */
	TICKS_PER_S = 1000 / DRAIN_MS,
	COST_TICKS = 5,			/* the programs' cost is measured once, after the first second, for so long */
	NR_FUTEX_WAITV = 449,		/* the first of the newer futex calls, on all architectures */
};

struct session {
	const struct session_opts *opts;
	const struct record_sink *sink;
	struct target target;
	struct probe *probe;
	struct golang *golang;
	struct locks *locks;
	struct facts facts;
	int epoll, timer, signals;
	uint64_t start_ns;
	char what[128];		/* is recorded, for people */
	unsigned int ticks;
	uint64_t counts[COUNT_CNT];	/* as last written */
	size_t alive;			/* processes whose end ends the recording */
	int write_err;
	bool saw_init;
	uint64_t cost_since;
	enum end_reason end;		/* 0 while it goes on */
	struct session_result result;
};

/* The one way of a record into the recording. */
static int put(void *ctx, const void *rec, size_t len)
{
	struct session *s = ctx;
	int err = s->write_err ? s->write_err : s->sink->feed(s->sink->ctx, rec, len);

	s->result.records++;
	s->write_err = err;
	return err;
}

static int flush(struct session *s)
{
	if (!s->write_err)
		s->write_err = s->sink->flush(s->sink->ctx);
	return s->write_err;
}

/* Records from the kernel side, and copies of stacks: the facts may have to say who that is. */
static int put_kernel(void *ctx, const void *rec, size_t len)
{
	const struct rec_hdr *hdr = rec;
	struct session *s = ctx;

	if (hdr->kind == REC_WAIT_KIND) {
		const struct rec_wait *w = rec;

		if (w->futex)
			probe_want_futex(s->probe, w->syscall >= NR_FUTEX_WAITV);
		if (w->cgroup != s->facts.last_cgroup)
			facts_cgroup(&s->facts, w->cgroup, w->tid);
	} else if (hdr->kind == REC_TASK_KIND) {
		const struct rec_task *t = rec;

		s->saw_init |= t->tid == 1 || t->ns_tid == 1;
		if (t->flags & TASK_TRACKED)
			facts_cgroup(&s->facts, t->cgroup, t->tid);
	}
	if (locks_record(s->locks, rec, len))
		return s->write_err;
	golang_record(s->golang, rec);
	return put(s, rec, len);
}

static void put_absent(void *ctx, const char *what, const char *why)
{
	struct session *s = ctx;

	talk("without %s: %s", what, why);
	facts_text(&s->facts, why, "absent.%s", what);
}

static void write_counts(struct session *s, uint64_t time)
{
	uint64_t counts[COUNT_CNT] = {};

	probe_counts(s->probe, counts);
	for (uint32_t id = 0; id < COUNT_CNT; id++) {
		struct rec_count r = {{REC_COUNT_KIND, sizeof(r)}, id, time, counts[id]};

		if (counts[id] == s->counts[id])
			continue;
		s->counts[id] = counts[id];
		put(s, &r, sizeof(r));
	}
	probe_dump_maps(s->probe, time, put, s);
}

static int add_fd(struct session *s, int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.fd = fd};

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) ? fail(-errno, "epoll") : 0;
}

/* SIGINT counts also where the shell left it ignored, as it does for background jobs. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_loop(struct session *s)
{
	struct itimerspec tick = {{0, DRAIN_MS * 1000000}, {0, DRAIN_MS * 1000000}};
	int err;

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->epoll < 0 || s->timer < 0 || timerfd_settime(s->timer, 0, &tick, NULL))
		return fail(-errno, "event loop: cannot set up");
	err = add_fd(s, s->timer, EPOLLIN);
	if (!err)
		err = add_fd(s, s->signals, EPOLLIN);
	if (!err)
		err = add_fd(s, probe_ring_fd(s->probe), EPOLLIN);
	for (size_t i = 0; !err && i < s->target.pidfd_cnt; i++)
		err = add_fd(s, s->target.pidfds[i], EPOLLIN);
	s->alive = s->target.pidfd_cnt;
	return err;
}

static void drain(struct session *s)
{
	int err = probe_drain(s->probe, DRAIN_MAX, put_kernel, s);

	if (err < 0 && !s->end)
		s->end = END_ERROR;
}

/* Not while a command runs: the terminal is its own. */
static void show_progress(const struct session *s, uint64_t now)
{
	uint64_t had = (now - s->start_ns) / 1000000000, all = s->opts->duration_ns / 1000000000;

	if (!s->opts->progress || s->target.child)
		return;
	if (all)
		talk_progress("recording %s: %" PRIu64 "s of %" PRIu64 "s", s->what, had, all);
	else
		talk_progress("recording %s: %" PRIu64 "s; Ctrl-C ends it", s->what, had);
}

/* Once and not for long: the statistics that it takes cost every run of a program some 40 ns themselves. */
static void measure_cost(struct session *s, uint64_t now)
{
	if (s->ticks == TICKS_PER_S && !probe_cost_begin(s->probe)) {
		s->cost_since = now;
	} else if (s->ticks == TICKS_PER_S + COST_TICKS && s->cost_since) {
		uint64_t ns = probe_cost_end(s->probe);

		facts_number(&s->facts, "cost.bpf_programs_ns_per_s", ns * 1000000 / ((now - s->cost_since) / 1000 + 1));
		s->cost_since = 0;
	}
}

static void on_tick(struct session *s)
{
	uint64_t now = now_ns(), times;
	bool is_due;

	if (read(s->timer, &times, sizeof(times)) != sizeof(times))
		return;
	drain(s);
	locks_tick(s->locks);
	golang_tick(s->golang, now);
	is_due = s->sink->due && s->sink->due(s->sink->ctx, now);
	if (++s->ticks % TICKS_PER_S == 0 || is_due) {
		write_counts(s, now);
		facts_second(&s->facts, now);
		golang_second(s->golang, now);
		show_progress(s, now);
		if (flush(s))
			s->end = END_ERROR;
	}
	measure_cost(s, now);
	if (s->opts->duration_ns && now - s->start_ns >= s->opts->duration_ns && !s->end)
		s->end = END_DURATION;
	if (s->opts->max_bytes && s->sink->bytes(s->sink->ctx) >= s->opts->max_bytes && !s->end)
		s->end = END_FILE_LIMIT;
}

static void on_signal(struct session *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (s->target.child && info.ssi_signo != SIGINT)
		kill(s->target.child, SIGTERM);	/* SIGINT from a terminal reached it too */
	s->end = END_SIGNAL;
}

static void on_exit_of(struct session *s, int pidfd)
{
	epoll_ctl(s->epoll, EPOLL_CTL_DEL, pidfd, NULL);
	if (--s->alive == 0)
		s->end = s->target.child ? END_COMMAND_EXIT : END_TARGET_EXIT;
}

/* It filled up, or a program was executed. */
static void on_ring(struct session *s)
{
	drain(s);
	golang_tick(s->golang, now_ns());
}

static void loop(struct session *s)
{
	struct epoll_event ev[8];

	while (!s->end) {
		int n = epoll_wait(s->epoll, ev, 8, -1);

		for (int i = 0; i < n; i++) {
			int fd = ev[i].data.fd;

			if (fd == s->timer)
				on_tick(s);
			else if (fd == s->signals)
				on_signal(s);
			else if (fd == probe_ring_fd(s->probe))
				on_ring(s);
			else
				on_exit_of(s, fd);
		}
	}
}

static int start(struct session *s)
{
	struct probe_opts po = {
		.ring_bytes = s->opts->ring_bytes,
		.no_syscalls = s->opts->no_syscalls,
		.wanted = s->opts->target.ids,
		.wanted_cnt = s->opts->target.id_cnt,
	};
	uint32_t child = s->target.child;
	size_t tracked = 0;
	int err;

	if (child) {
		po.wanted = &child;
		po.wanted_cnt = 1;
	}
	target_config(&s->target, &po.config);
	po.config.steal = facts_has_hypervisor();
	po.config.stacks = !s->opts->no_stacks;
	err = probe_open(&po, put_absent, s, &s->probe);
	if (!err)
		err = probe_attach(s->probe);
	if (!err)
		err = open_loop(s);
	if (err)
		return err;
	s->golang = golang_new(s->probe, s->opts->go, put, s);
	s->locks = s->golang ? locks_new(s->probe, s->golang, !s->opts->no_stacks, put, s) : NULL;
	if (!s->locks)
		return -ENOMEM;
	target_describe(&s->target, s->what, sizeof(s->what));
	facts_text(&s->facts, s->what, "target");
	s->start_ns = now_ns();
	facts_start(&s->facts, s->start_ns, s->opts->command_line);
	if (s->opts->duration_ns)
		facts_number(&s->facts, "duration_ns", s->opts->duration_ns);
	err = probe_start(s->probe, put_kernel, s, &tracked);
	if (err)
		return err;
	if (!tracked && s->alive && !s->opts->target.comm) {
		fail(-ESRCH, "%s: gone before it could be traced", s->what);
		hint("to record a short-lived program whole: wakelag record -- CMD");
		return -ESRCH;
	}
	if (!s->saw_init)
		put_absent(s, "init", "the kernel hides process 1 from tracers: what happens in its context is missed");
	if (child)
		golang_command(s->golang, child, s->opts->target.cmd[0], now_ns());
	else
		golang_tick(s->golang, now_ns());
	err = flush(s);
	if (err)
		return err;
	talk("recording %zu thread%s of %s", tracked, tracked == 1 ? "" : "s", s->what);
	return target_go(&s->target);
}

/* Everything that is still to be said, then the end record. */
static void finish(struct session *s)
{
	struct rec_end end = {.hdr = {REC_END_KIND, sizeof(end)}, .reason = s->end};

	talk_progress("%s", "");
	probe_stop(s->probe);
	golang_stop(s->golang, now_ns());
	while (probe_drain(s->probe, DRAIN_MAX, put_kernel, s) == 1)
		;
	end.time = now_ns();
	probe_dump_ends(s->probe, put_kernel, s);
	write_counts(s, end.time);
	if (golang_cost(s->golang))
		facts_number(&s->facts, "cost.go_probes_ns", golang_cost(s->golang));
	locks_tell(s->locks, &s->facts);
	facts_end(&s->facts, end.time, s->sink->bytes(s->sink->ctx));
	end.status = s->result.wait_status;
	put(s, &end, sizeof(end));
	flush(s);
#define X(number, name, is_loss, help) \
	s->result.lost += is_loss ? s->counts[number] : 0; \
	s->result.ring_lost += strncmp(#name, "ring_", 5) ? 0 : s->counts[number];
	COUNTS(X)
#undef X
}

/*
 * After a signal the command was told to end, but is not waited for; else its end is ours. One that was
 * never let go has no status.
 */
static void reap(struct session *s)
{
	bool ran = s->target.go_fd < 0;
	int flags = s->end == END_SIGNAL || s->end == END_ERROR || !s->end ? WNOHANG : 0;

	if (s->target.child && waitpid(s->target.child, &s->result.wait_status, flags) == s->target.child)
		s->result.has_status = ran;
}

/* The collector's own, so that a busy machine does not starve it; nobody inherits it. */
static int prioritize(const struct session_opts *opts)
{
	struct sched_param param = {.sched_priority = opts->realtime};

	if (opts->realtime && sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param)) {
		int err = fail(-errno, "--rt %d: cannot set the collector's priority", opts->realtime);

		hint("needs CAP_SYS_NICE, or a limit: 'ulimit -r', LimitRTPRIO= of a systemd unit");
		return err;
	}
	if (opts->has_nice && setpriority(PRIO_PROCESS, 0, opts->nice)) {
		int err = fail(-errno, "--nice %d: cannot set the collector's priority", opts->nice);

		hint("below 0 it needs CAP_SYS_NICE, or a limit: 'ulimit -e', LimitNICE= of a systemd unit");
		return err;
	}
	return 0;
}

/* When the process that is waited for runs. A signal before that is an end as any other. */
static int run_named(const struct session_opts *opts, const struct record_sink *sink, struct session_result *out)
{
	struct session_opts there = *opts;
	int err = wait_for_process(opts->target.wait_for, &there.target.ids, &there.target.id_cnt);

	if (err == -EINTR) {
		*out = (struct session_result){};
		return 0;
	}
	if (err)
		return err;
	there.target.wait_for = NULL;
	err = session_run_sink(&there, sink, out);
	free(there.target.ids);
	return err;
}

int session_run_sink(const struct session_opts *opts, const struct record_sink *sink, struct session_result *out)
{
	if (opts->target.wait_for)
		return run_named(opts, sink, out);
	struct session s = {.opts = opts, .sink = sink, .epoll = -1, .timer = -1, .signals = -1};
	int err = target_open(&opts->target, &s.target);

	if (err)
		return err;
	facts_init(&s.facts, s.target.cgroup_v1, put, &s);
	s.signals = open_signals();
	err = prioritize(opts);
	if (!err)
		err = start(&s);
	if (!err) {
		loop(&s);
		if (s.end == END_COMMAND_EXIT)
			reap(&s);
		finish(&s);
		if (s.end == END_DURATION || s.end == END_FILE_LIMIT)
			reap(&s);
		err = s.write_err;
	}
	if (!s.result.has_status)
		reap(&s);
	target_close(&s.target);
	locks_free(s.locks);
	golang_free(s.golang);
	probe_close(s.probe);
	facts_done(&s.facts);
	close(s.epoll);
	close(s.timer);
	close(s.signals);
	*out = s.result;
	return err;
}

static int feed_writer(void *w, const void *rec, size_t len)
{
	int err = writer_feed(w, rec, len);

	return err == -EBADMSG ? 0 : err;	/* can't be: the kernel side's records have one form */
}

static int flush_writer(void *w)
{
	return writer_flush(w);
}

static uint64_t bytes_of_writer(void *w)
{
	return writer_stats(w).bytes;
}

int session_run(const struct session_opts *opts, struct recording_writer *w, struct session_result *out)
{
	struct record_sink sink = {w, feed_writer, flush_writer, bytes_of_writer};

	return session_run_sink(opts, &sink, out);
}
