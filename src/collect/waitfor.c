/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "waitfor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/err.h"

enum { LOOK_NS = 100000000, IDS_MAX = 1024 };

static bool read_comm(int proc, const char *pid, char *buf, size_t size)
{
	char path[NAME_MAX + 16];
	ssize_t len = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/comm", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, buf, size - 1);
		close(fd);
	}
	if (len <= 0)
		return false;
	buf[len - (buf[len - 1] == '\n')] = '\0';
	return true;
}

/* Of other users' programs only root may know; their names are for all. */
static bool is_program(int proc, const char *pid, const char *glob)
{
	char link[NAME_MAX + 16], path[PATH_MAX];
	const char *base;
	ssize_t len;

	snprintf(link, sizeof(link), "%s/exe", pid);
	len = readlinkat(proc, link, path, sizeof(path) - 1);
	if (len <= 0)
		return false;
	path[len] = '\0';
	base = strrchr(path, '/');
	return !fnmatch(glob, base ? base + 1 : path, 0);
}

static bool is_wanted(int proc, const char *pid, const char *glob)
{
	char name[NAME_MAX + 1];

	if (read_comm(proc, pid, name, sizeof(name)) && !fnmatch(glob, name, 0))
		return true;
	return is_program(proc, pid, glob);
}

static int look(const char *glob, uint32_t *ids, size_t *cnt)
{
	DIR *dir = opendir("/proc");

	if (!dir)
		return fail(-errno, "--wait-for: /proc");
	*cnt = 0;
	for (struct dirent *e; *cnt < IDS_MAX && (e = readdir(dir));) {
		unsigned long pid = strtoul(e->d_name, NULL, 10);

		if (pid && pid != (unsigned long)getpid() && is_wanted(dirfd(dir), e->d_name, glob))
			ids[(*cnt)++] = (uint32_t)pid;
	}
	closedir(dir);
	return 0;
}

int wait_for_process(const char *glob, uint32_t **ret_ids, size_t *ret_cnt)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	uint32_t *ids = calloc(IDS_MAX, sizeof(*ids));
	sigset_t set, before;
	bool told = false;
	size_t cnt = 0;
	int err = ids ? 0 : fail(-ENOMEM, "--wait-for");

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	signal(SIGINT, SIG_DFL);	/* a shell leaves it ignored for background jobs */
	sigprocmask(SIG_BLOCK, &set, &before);
	while (!err) {
		err = look(glob, ids, &cnt);
		if (err || cnt)
			break;
		if (!told)
			talk("waiting for a process named %s", glob);
		told = true;
		if (sigtimedwait(&set, NULL, &pause) > 0)
			err = -EINTR;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (err) {
		free(ids);
		return err;
	}
	*ret_ids = ids;
	*ret_cnt = cnt;
	return 0;
}
