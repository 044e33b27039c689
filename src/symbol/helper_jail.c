/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is taken from the symbolizer before it reads its first file. What can't be taken is left: it works all the same. */
#include "helper_protocol.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	MEMORY_MAX = 512 << 20,	/* on top of what it is born with */
	CPU_SECONDS = 3600,	/* in all; its answers have a deadline of seconds */
	FILES_MAX = 4096,
};

/* To read files and maps of any process, and addresses in /proc/kallsyms. */
static uint64_t needed_caps(uint64_t has)
{
	uint64_t caps = 1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_READ_SEARCH | 1ull << CAP_SYSLOG;
	uint64_t restore = 1ull << CAP_CHECKPOINT_RESTORE;

	/* for /proc/PID/map_files; CAP_SYS_ADMIN does it too, and before Linux 5.9 (12886f8ab10c) only that */
	return caps | (has & restore ? restore : 1ull << CAP_SYS_ADMIN);
}

static void drop_caps(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
	uint64_t needed;

	if (syscall(SYS_capget, &head, caps))
		return;
	needed = needed_caps(caps[0].permitted | (uint64_t)caps[1].permitted << 32);
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		caps[i].permitted &= (uint32_t)(needed >> 32 * i);
		caps[i].effective = caps[i].permitted;
		caps[i].inheritable = 0;
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	syscall(SYS_capset, &head, caps);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Pages of data that it has already; of a build with ASan 20 TB. */
static uint64_t born_with(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long pages = 0;

	if (f) {
		if (fscanf(f, "%*u %*u %*u %*u %*u %llu", &pages) != 1)
			pages = 0;
		fclose(f);
	}
	return pages;
}

static void limit(int resource, uint64_t most)
{
	struct rlimit l = {most, most}, was;

	if (!getrlimit(resource, &was) && was.rlim_max < most)
		return;
	setrlimit(resource, &l);
}

static void set_limits(void)
{
	limit(RLIMIT_DATA, born_with() * sysconf(_SC_PAGESIZE) + MEMORY_MAX);
	limit(RLIMIT_CPU, CPU_SECONDS);
	limit(RLIMIT_NOFILE, FILES_MAX);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_MEMLOCK, 0);
}

/* Ctrl-C is for the collector: what it still asks then is answered. */
static void set_signals(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Before anybody else's memory is short. */
static void be_killed_first(void)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "we");

	if (!f)
		return;
	fputs("1000", f);
	fclose(f);
}

static void keep_only(int sock)
{
	int null;

	if (sock != HELPER_SOCKET)
		dup2(sock, HELPER_SOCKET);
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; null >= 0 && fd < HELPER_SOCKET; fd++)
		dup2(null, fd);
	closefrom(HELPER_SOCKET + 1);
}

void helper_jail(const char *name, int sock, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	prctl(PR_SET_NAME, name);
	set_signals();
	be_killed_first();
	keep_only(sock);
	if (chdir("/"))
		_exit(1);
	set_limits();
	drop_caps();
	prctl(PR_SET_DUMPABLE, 0);
}
