/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The target of doctor -p. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../base/err.h"
#include "../collect/cgroup.h"
#include "../go/process.h"
#include "doctor.h"

static size_t count_threads(uint32_t pid)
{
	char path[64];
	struct dirent *e;
	size_t cnt = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		cnt += e->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return cnt;
}

static void exists(struct doctor *d, const struct check *c)
{
	char comm[64] = "";
	size_t threads = count_threads(d->pid);

	if ((kill((pid_t)d->pid, 0) && errno == ESRCH) || !threads) {
		doctor_say(d, c, DOCTOR_PROBLEM, "%u: ESRCH", d->pid);
		d->no_target = true;
		return;
	}
	doctor_read(comm, sizeof(comm), "/proc/%u/comm", d->pid);
	doctor_say(d, c, DOCTOR_OK, "%u %s, %zu thread%s", d->pid, comm, threads, threads == 1 ? "" : "s");
}

static bool status_line(uint32_t pid, const char *key, char *buf, size_t size)
{
	char path[64], line[512];
	size_t len = strlen(key);
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		found = !strncmp(line, key, len) && line[len] == ':';
		if (found) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(buf, size, "%s", line + len + 1 + strspn(line + len + 1, " \t"));
		}
	}
	if (f)
		fclose(f);
	return found;
}

static void scheduling(struct doctor *d, const struct check *c)
{
	static const char *const policies[] = {"other", "fifo", "rr", "batch", "iso", "idle", "deadline"};
	int policy = sched_getscheduler((pid_t)d->pid) & ~SCHED_RESET_ON_FORK;
	int nice = getpriority(PRIO_PROCESS, d->pid);
	char cpus[256] = "not known";
	const char *name = policy >= 0 && policy < 7 ? policies[policy] : "not known";

	status_line(d->pid, "Cpus_allowed_list", cpus, sizeof(cpus));
	doctor_say(d, c, nice > 0 || policy == SCHED_BATCH || policy == SCHED_IDLE ? DOCTOR_NOTE : DOCTOR_OK,
		   "first thread: policy %s, nice %d, CPUs %s", name, nice, cpus);
}

static void slack(struct doctor *d, const struct check *c)
{
	char ns[32];

	if (!doctor_read(ns, sizeof(ns), "/proc/%u/timerslack_ns", d->pid))
		doctor_say(d, c, DOCTOR_OK, "not known: needs CAP_SYS_NICE");
	else
		doctor_say(d, c, atoll(ns) > 50000 ? DOCTOR_NOTE : DOCTOR_OK, "%s ns of the first thread", ns);
}

/* Quota and period in us of one cgroup; false: it has none. */
static bool quota_of(const char *root, const char *path, bool v1, long *quota, long *period)
{
	char text[64];

	*quota = *period = 0;
	if (!v1)
		return doctor_read(text, sizeof(text), "%s%s/cpu.max", root, path) &&
		       sscanf(text, "%ld %ld", quota, period) == 2 && *quota > 0 && *period > 0;
	if (doctor_read(text, sizeof(text), "%s%s/cpu.cfs_quota_us", root, path))
		*quota = atol(text);
	if (doctor_read(text, sizeof(text), "%s%s/cpu.cfs_period_us", root, path))
		*period = atol(text);
	return *quota > 0 && *period > 0;
}

/* Its own quota and those of the groups above: the tightest one counts. */
static void cgroup(struct doctor *d, const struct check *c)
{
	bool v1 = cgroup_cpu_is_v1();
	char root[256], path[1024], where[1024] = "";
	long quota, period;
	double cpus = 0;
	int err = cgroup_of_task(d->pid, v1, path, sizeof(path));

	if (err || !cgroup_mount(v1, root, sizeof(root))) {
		doctor_say(d, c, DOCTOR_OK, "not known: %s", err_name(err ? err : -ENOENT));
		return;
	}
	char full[1024];

	snprintf(full, sizeof(full), "%s", path);
	for (char *end = path + strlen(path); end; end = strrchr(path, '/')) {
		*end = '\0';
		if (quota_of(root, path, v1, &quota, &period) && (!*where || (double)quota / (double)period < cpus)) {
			cpus = (double)quota / (double)period;
			snprintf(where, sizeof(where), "%s", *path ? path : "/");
		}
	}
	if (*where)
		doctor_say(d, c, DOCTOR_NOTE, "%s; %s has a quota of %.2f CPUs", full, where, cpus);
	else
		doctor_say(d, c, DOCTOR_OK, "%s, without a CPU quota", full);
}

static void namespace(struct doctor *d, const struct check *c)
{
	char path[64], its[64] = "", own[64] = "";

	snprintf(path, sizeof(path), "/proc/%u/ns/pid", d->pid);
	if (readlink(path, its, sizeof(its) - 1) < 0 || readlink("/proc/self/ns/pid", own, sizeof(own) - 1) < 0)
		doctor_say(d, c, DOCTOR_OK, "not known: needs CAP_SYS_PTRACE");
	else if (strcmp(its, own))
		doctor_say(d, c, DOCTOR_NOTE, "another one: TIDs in tables are the host's, not those seen inside");
	else
		doctor_say(d, c, DOCTOR_OK, "the one of wakelag");
}

static void ptrace_scope(struct doctor *d, const struct check *c)
{
	char scope[16];

	if (!doctor_read(scope, sizeof(scope), "/proc/sys/kernel/yama/ptrace_scope"))
		doctor_say(d, c, DOCTOR_OK, "no Yama: a process of the same user can be read");
	else if (atoi(scope) && geteuid())
		doctor_say(d, c, DOCTOR_NOTE, "%s: its memory and maps may not be read", scope);
	else
		doctor_say(d, c, DOCTOR_OK, "%s", scope);
}

static const char *const go_levels[] = {
	[GO_OFF] = "threads only", [GO_SNAPSHOT] = "snapshots", [GO_LIGHT] = "light probes", [GO_FULL] = "full probes",
};

/* Of a Go program whose runtime is understood: does the live process agree? */
static void go_process(struct doctor *d, const struct check *c, const struct go_binary *b, const struct go_runtime *r)
{
	const char *version = go_binary_build(b)->version;
	struct go_process_reader *reader = NULL;
	char why[GO_WHY] = "";
	int err = go_process_open(d->pid, b, r, &reader, why);

	if (!err)
		err = go_process_check(reader, why);
	go_process_close(reader);
	if (err)
		doctor_say(d, c, DOCTOR_NOTE, "%s, but %s: threads only", version, *why ? why : err_name(err));
	else
		doctor_say(d, c, *r->missing ? DOCTOR_NOTE : DOCTOR_OK, "%s, layout from %s, agrees with the process; %s%s%s",
			   version, r->layout_from, go_levels[r->max_level], *r->missing ? ": " : "", r->missing);
}

static void binary(struct doctor *d, const struct check *c)
{
	char path[64], why[GO_WHY] = "";
	struct go_binary *b = NULL;
	struct go_runtime r;
	int err;

	snprintf(path, sizeof(path), "/proc/%u/exe", d->pid);
	err = go_binary_open(path, &b, why);
	if (err == -ENOENT)
		doctor_say(d, c, DOCTOR_OK, "no Go program");
	else if (err && !*why)
		doctor_say(d, c, DOCTOR_OK, "cannot be read: %s", err_name(err));
	else if (err || go_runtime_resolve(b, &r, why))
		doctor_say(d, c, DOCTOR_NOTE, "a Go program, but %s: threads only", why);
	else
		go_process(d, c, b, &r);
	go_binary_close(b);
}

const struct check process_checks[] = {
	{"target", exists, "no such process; 'pgrep NAME' finds the pid of a running one"},
	{"scheduling", scheduling, "renice, chrt and taskset change it"},
	{"timer slack", slack, "prctl(PR_SET_TIMERSLACK, 1) in the program; a real-time policy has none"},
	{"cgroup", cgroup, "when the quota is spent, threads wait for the next period: stage 'throttle'"},
	{"PID namespace", namespace, "NSpid in /proc/TID/status says what a thread is called inside"},
	{"ptrace_scope", ptrace_scope, "run with sudo, or with CAP_SYS_PTRACE"},
	{"Go", binary, "threads are recorded all the same; see the README on Go programs"},
	{NULL, NULL, NULL},
};
