/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../base/err.h"
#include "cgroup.h"

static int open_process(struct target *t, uint32_t pid)
{
	int fd = pidfd_open(pid, 0), err = -errno;

	if (fd >= 0) {
		t->pidfds[t->pidfd_cnt++] = fd;
		return 0;
	}
	fail(err, "pid %u: cannot attach", pid);
	if (err == -ESRCH)
		hint("no such process; 'pgrep NAME' finds the pid of a running one");
	else if (err == -EINVAL || err == -ENOENT)
		hint("%u is a thread, not a process; use --tid %u for it, or -p with its process", pid, pid);
	return err;
}

static int check_thread(uint32_t tid)
{
	if (!kill(tid, 0) || errno == EPERM)
		return 0;
	fail(-errno, "tid %u: cannot attach", tid);
	hint("no such thread; 'ps -eLo tid,comm' lists them");
	return -errno;
}

static int open_ids(struct target *t)
{
	int err = 0;

	t->pidfds = calloc(t->opts->id_cnt, sizeof(*t->pidfds));
	if (!t->pidfds)
		return -ENOMEM;
	for (size_t i = 0; !err && i < t->opts->id_cnt; i++)
		err = t->opts->threads ? check_thread(t->opts->ids[i]) : open_process(t, t->opts->ids[i]);
	return err;
}

static int open_cgroup(struct target *t)
{
	const char *path = t->opts->cgroup;
	struct statfs fs;
	struct stat st;

	if (stat(path, &st) || statfs(path, &fs)) {
		fail(-errno, "cgroup '%s': cannot open", path);
		hint("give the directory's path, as /sys/fs/cgroup/...; a process's cgroups are in /proc/PID/cgroup");
		return -errno;
	}
	if (fs.f_type != CGROUP2_SUPER_MAGIC && (fs.f_type != CGROUP_SUPER_MAGIC || !cgroup_is_cpu_v1(path))) {
		fail(-EINVAL, "cgroup '%s': not in the v2 hierarchy, nor in the v1 hierarchy of the cpu controller", path);
		hint("give a directory below the cgroup2 mount or below .../cgroup/cpu");
		return -EINVAL;
	}
	t->cgroup_v1 = fs.f_type == CGROUP_SUPER_MAGIC;
	t->cgroup_id = st.st_ino;	/* kernfs: the inode number is the cgroup's id (64-bit kernels, 5.5) */
	return 0;
}

/* In the child: waits for the go, then becomes the command. */
static void run_command(char **argv, int go_fd)
{
	sigset_t none;
	char go;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (read(go_fd, &go, 1) != 1)
		_exit(EXIT_FAILED);
	execvp(argv[0], argv);
	int err = fail(-errno, "command '%s': cannot run", argv[0]);

	if (err == -EACCES)
		hint("it may not be executed: 'ls -l' says by whom");
	else
		hint("is it installed? if it is not in PATH, give its path");
	_exit(err == -ENOENT ? 127 : 126);	/* as shells do */
}

static int start_command(struct target *t)
{
	int go[2], err;

	t->pidfds = calloc(1, sizeof(*t->pidfds));
	if (!t->pidfds)
		return -ENOMEM;
	if (pipe2(go, O_CLOEXEC))
		return fail(-errno, "command: pipe");
	t->child = fork();
	if (!t->child) {
		close(go[1]);
		run_command(t->opts->cmd, go[0]);
	}
	err = -errno;
	close(go[0]);
	t->go_fd = go[1];
	if (t->child < 0) {
		t->child = 0;
		return fail(err, "command '%s': fork", t->opts->cmd[0]);
	}
	return open_process(t, t->child);
}

int target_open(const struct target_opts *opts, struct target *out)
{
	int err = 0;

	*out = (struct target){.opts = opts, .go_fd = -1};
	out->cgroup_v1 = cgroup_cpu_is_v1();
	if (opts->cmd)
		err = start_command(out);
	else if (opts->id_cnt)
		err = open_ids(out);
	else if (opts->cgroup)
		err = open_cgroup(out);
	if (err)
		target_close(out);
	return err;
}

void target_close(struct target *t)
{
	while (t->pidfd_cnt)
		close(t->pidfds[--t->pidfd_cnt]);
	free(t->pidfds);
	t->pidfds = NULL;
	if (t->go_fd >= 0)
		close(t->go_fd);
	t->go_fd = -1;
}

static void config_comm(const char *glob, struct bpf_config *out)
{
	out->has_comm = true;
	for (; *glob && out->comm_len < sizeof(out->comm_glob) - 1; glob++) {
		if (*glob == '*' && out->comm_len && out->comm_glob[out->comm_len - 1] == '*')
			continue;
		out->comm_stars |= (*glob == '*') << out->comm_len;
		out->comm_any |= (*glob == '?') << out->comm_len;
		out->comm_glob[out->comm_len++] = *glob;
	}
}

void target_config(const struct target *t, struct bpf_config *out)
{
	const struct target_opts *o = t->opts;

	out->filter = o->cmd || o->id_cnt ? FILTER_IDS : o->cgroup ? FILTER_CGROUP : FILTER_ALL;
	out->wanted_threads = o->threads;
	out->follow = !o->no_follow;
	if (o->comm)
		config_comm(o->comm, out);
	out->cgroup = t->cgroup_id;
	out->cgroup_v1 = t->cgroup_v1;
}

int target_go(struct target *t)
{
	if (t->go_fd < 0)
		return 0;
	if (write(t->go_fd, "g", 1) != 1)
		return fail(-errno, "command '%s': it did not wait", t->opts->cmd[0]);
	close(t->go_fd);
	t->go_fd = -1;
	return 0;
}

void target_describe(const struct target *t, char *buf, size_t size)
{
	const struct target_opts *o = t->opts;
	size_t len;

	if (o->cmd)
		snprintf(buf, size, "command %s (pid %d)", o->cmd[0], t->child);
	else if (o->cgroup)
		snprintf(buf, size, "cgroup %s", o->cgroup);
	else if (o->id_cnt)
		snprintf(buf, size, "%s %u%s", o->threads ? "tid" : "pid", o->ids[0], o->id_cnt > 1 ? " and others" : "");
	else
		snprintf(buf, size, "all tasks");
	len = strlen(buf);
	if (o->comm)
		snprintf(buf + len, size - len, " named %s", o->comm);
}
