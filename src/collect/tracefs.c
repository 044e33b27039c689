/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opened once, kept for the life of the process. */
static int root_fd(void)
{
	static int fd = -1;
	int fs;

	if (fd >= 0)
		return fd;
	if (!access("/sys/kernel/tracing/events", F_OK)) {
		fd = open("/sys/kernel/tracing", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	if (errno == EACCES)
		return -EACCES;
	fs = fsopen("tracefs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	if (!fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	return fd < 0 ? -errno : fd;
}

int tracefs_event_id(const char *event)
{
	int root = root_fd(), fd;
	char path[160], text[16];
	ssize_t n;

	if (root < 0)
		return root;
	snprintf(path, sizeof(path), "events/%s/id", event);
	fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	text[n] = 0;
	return atoi(text);
}
