/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * doctor --verify: a loop of timed sleeps measures its own lateness while another thread wants its CPU,
 * and is recorded. Its lateness ends a little after `ran`: at its own clock call, back in user space.
 *
 * The loop is this program again, so that the recording is one of a command like any other. Both put
 * their numbers into memory that has no name: nothing is written to disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/clock.h"
#include "../base/units.h"
#include "../cli.h"
#include "../collect/session.h"
#include "../commands.h"
#include "../stats/view.h"
#include "../trace/reader.h"
#include "../trace/writer.h"
#include "../view.h"
#include "doctor.h"

/*
 * The shorter the sleeps, the warmer the caches between `ran` and the loop's clock call. What a busy host
 * does in between is no fault of ours, and does not happen each time: the best try counts.
 */
enum { WAKEUPS = 2000, PERIOD_NS = 500000, AHEAD_NS = 100000, TRIES = 3, LOAD_SECONDS = 30 };

static const struct {
	const char *name;
	unsigned int percent;
} quantiles[] = {{"p50", 50}, {"p90", 90}, {"p99", 99}};

enum { QUANTILE_CNT = sizeof(quantiles) / sizeof(quantiles[0]) };

struct samples {
	size_t cnt;
	uint64_t ns[WAKEUPS];
};

/* Loop and load share a CPU: the last one. */
static bool pin(void)
{
	cpu_set_t all, one;
	int cpu = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(all), &all))
		return false;
	while (cpu > 0 && !CPU_ISSET(cpu, &all))
		cpu--;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return !sched_setaffinity(0, sizeof(one), &one);
}

/* The measured loop. Its argument is the file that takes what it measured. */
int cmd_verify_loop(const struct cli *cli)
{
	static struct samples s;
	uint64_t fd, next;

	if (parse_number(cli->file, 0, 1 << 20, &fd))
		return EXIT_USAGE_ERR;
	if (!pin())
		return EXIT_FAILED;
	next = now_ns() + PERIOD_NS;
	for (; s.cnt < WAKEUPS; s.cnt++) {
		struct timespec t = {(time_t)(next / 1000000000), (long)(next % 1000000000)};
		uint64_t now;

		if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
			return EXIT_FAILED;
		now = now_ns();
		s.ns[s.cnt] = now - next;
		next += PERIOD_NS;
		if (next < now + AHEAD_NS)	/* an `asked` in the past would not sleep */
			next = now + PERIOD_NS;
	}
	return write((int)fd, &s, sizeof(s)) == sizeof(s) ? EXIT_OK : EXIT_FAILED;
}

/* A busy thread. Its pid, or -1. */
static pid_t start_load(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LOAD_SECONDS);	/* also if nobody ends it */
	if (pin())
		while (getppid() == parent)
			for (volatile int i = 0; i < 1000000; i++)
				;
	_exit(0);
}

static int run_loop(int truth_fd, int recording_fd)
{
	char fd[16], exe[] = "/proc/self/exe", verb[] = "verify-loop";
	char *argv[] = {exe, verb, fd, NULL};
	struct session_opts opts = {.target.cmd = argv, .ring_bytes = 1 << 20, .command_line = "doctor --verify"};
	struct session_result result = {};
	struct recording_writer *w;
	int err;

	snprintf(fd, sizeof(fd), "%d", truth_fd);
	err = writer_open_fd(recording_fd, "recording of the loop", &w);
	if (err)
		return err;
	err = session_run(&opts, w, &result);
	if (writer_close(w) && !err)
		err = -EIO;
	if (!err && (!result.has_status || result.wait_status))
		err = fail(-ECHILD, "verify: the loop failed (wait status %d)", result.wait_status);
	return err;
}

static int take_event(void *ctx, const struct event_row *e)
{
	struct samples *s = ctx;

	if (s->cnt < WAKEUPS)
		s->ns[s->cnt] = e->latency;
	s->cnt++;
	return 0;
}

static int read_recording(int fd, struct samples *out)
{
	struct tables_opts opts = {.tables = TABLE_BIT(EVENTS), .metrics = 1u << METRIC_THREAD_DRIFT};
	struct recording *r;
	struct view v;
	int err = recording_open_fd(fd, "recording of the loop", &r);

	if (err)
		return err;
	err = view_open(r, &opts, &v);
	if (err)
		return err;
	err = tables_events(v.tables, take_event, out);
	view_close(&v);
	return err;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t quantile(const struct samples *s, unsigned int percent)
{
	return s->ns[(s->cnt * percent + 99) / 100 - 1];
}

/* How far a try is off; what is said about it is in text. */
struct verdict {
	bool is_right;
	char text[256];
};

/* Sorts both. */
static struct verdict compare(struct samples *seen, struct samples *truth)
{
	struct verdict v = {.is_right = true};
	char text[128] = "";
	uint64_t most = 0;

	if (seen->cnt + WAKEUPS / 1000 < truth->cnt || seen->cnt > truth->cnt + WAKEUPS / 1000) {
		snprintf(v.text, sizeof(v.text), "not right: it saw %zu of %zu wakeups", seen->cnt, truth->cnt);
		v.is_right = false;
		return v;
	}
	size_t cnt = seen->cnt;

	seen->cnt = cnt > WAKEUPS ? WAKEUPS : cnt;
	qsort(seen->ns, seen->cnt, sizeof(seen->ns[0]), by_size);
	qsort(truth->ns, truth->cnt, sizeof(truth->ns[0]), by_size);
	for (size_t i = 0; i < QUANTILE_CNT; i++) {
		uint64_t is = quantile(truth, quantiles[i].percent), told = quantile(seen, quantiles[i].percent);
		uint64_t off = is > told ? is - told : told - is, allowed = is / 20 > 5000 ? is / 20 : 5000;
		size_t at = strlen(text);

		snprintf(text + at, sizeof(text) - at, "%s%s %+.1f us", i ? ", " : "", quantiles[i].name,
			 ((double)is - (double)told) / 1e3);
		most = off > most ? off : most;
		v.is_right &= off <= allowed;
	}
	snprintf(v.text, sizeof(v.text), "%s %" PRIu64 " us (%s, %zu of %zu wakeups)",
		 v.is_right ? "right within" : "not right: it is off by", (most + 999) / 1000, text, cnt, truth->cnt);
	return v;
}

/* Records the loop once. 0 or -errno, told. */
static int record_loop(struct samples *seen, struct samples *truth)
{
	/* The loop inherits the first; the other is read again after it was written. */
	int truth_fd = memfd_create("truth", 0), fd = memfd_create("recording", MFD_CLOEXEC), err;
	int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);

	seen->cnt = truth->cnt = 0;
	if (truth_fd < 0 || copy < 0) {
		err = fail(-errno, "verify: cannot make a file in memory");
		close(truth_fd);
		close(fd);
		return err;
	}
	err = run_loop(truth_fd, copy);
	if (!err && (pread(truth_fd, truth, sizeof(*truth), 0) != sizeof(*truth) || truth->cnt != WAKEUPS))
		err = fail(-ENODATA, "verify: the loop told nothing");
	close(truth_fd);
	if (!err && lseek(fd, 0, SEEK_SET))
		err = fail(-errno, "verify: rewind");
	if (err) {
		close(fd);
		return err;
	}
	return read_recording(fd, seen);
}

int doctor_verify(FILE *out)
{
	static struct samples seen, truth;
	struct verdict v = {};
	pid_t load;
	int err = 0;

	fflush(out);
	load = start_load();
	if (load < 0)
		fail(-errno, "verify: cannot start the load");
	talk_quiet(1);
	for (int i = 0; i < TRIES && !err && !v.is_right; i++) {
		err = record_loop(&seen, &truth);
		if (!err)
			v = compare(&seen, &truth);
	}
	talk_quiet(0);
	if (load > 0) {
		kill(load, SIGKILL);
		waitpid(load, NULL, 0);
	}
	if (err)
		return EXIT_FAILED;
	fprintf(out, "verify: on this machine wakelag is %s\n", v.text);
	if (!v.is_right)
		fprintf(out, "  -> allowed are 5 us or 5%% (%d tries); is the machine, or its host, busy?\n", TRIES);
	return v.is_right ? EXIT_OK : EXIT_FAILED;
}
